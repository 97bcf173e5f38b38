package kkhttp

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"mime"
	"net/http"
	"strings"
	"sync/atomic"
	"time"

	kkrpc "github.com/kkrpc-go/kkrpc"
	"github.com/kkrpc-go/kkrpc/internal/admission"
	"github.com/kkrpc-go/kkrpc/internal/errlog"
)

// handler answers requests. All but running is immutable.
type handler struct {
	opts        Options
	origins     admission.Origins
	hosts       admission.Hosts
	api         func(r *http.Request) (any, error)
	log         *slog.Logger
	errs        *errlog.Bound // of errors in the log
	maxRequests int64         // 0: no bound
	timeout     time.Duration
	bodyTimeout time.Duration

	running atomic.Int64
}

// Handler returns a handler that exposes api, compiled by kkrpc.Expose, to each request. It panics if api cannot be
// exposed or an option is malformed.
//
// The context of a function has the values of the request's context and ends with it. ServeHTTP returns when the
// function returns, even if the caller has left. As with any http.Handler, a slow function must watch its context.
func Handler(api any, opts *Options) http.Handler {
	compiled, err := kkrpc.Expose(api)
	if err != nil {
		panic(fmt.Sprintf("kkhttp: Handler: %v", err))
	}
	return HandlerFor(func(*http.Request) (any, error) { return compiled, nil }, opts)
}

// HandlerFor is Handler with an API for each request. api must not read the body. An error made by Reject is the
// answer. Any other error is answered with 500, and its text goes to the log only. HandlerFor panics if an option is
// malformed.
func HandlerFor(api func(r *http.Request) (api any, err error), opts *Options) http.Handler {
	if opts == nil {
		opts = &Options{}
	}
	origins, err := admission.ParseOrigins(opts.Origins)
	if err != nil {
		panic(fmt.Sprintf("kkhttp: %v", err))
	}
	hosts, err := admission.ParseHosts(opts.Hosts)
	if err != nil {
		panic(fmt.Sprintf("kkhttp: %v", err))
	}
	h := &handler{
		opts:        *opts,
		origins:     origins,
		hosts:       hosts,
		api:         api,
		log:         opts.Logger,
		errs:        errlog.New(),
		maxRequests: int64(bound(opts.MaxRequests, defaultMaxRequests)),
		timeout:     bound(opts.Timeout, defaultTimeout),
		bodyTimeout: bound(opts.BodyTimeout, defaultBodyTimeout),
	}
	if h.log == nil {
		h.log = slog.Default()
	}
	h.opts.RPC.Limits.Frame = orDefault(opts.RPC.Limits.Frame, defaultFrame)
	if h.opts.RPC.OnError == nil {
		h.opts.RPC.OnError = h.tellError
	}
	return h
}

// tellError is the OnError of a handler that is given none.
func (h *handler) tellError(err error) {
	leftOut, ok := h.errs.Allow()
	if !ok {
		return
	}
	args := []any{"err", errlog.Clipped(err)}
	if leftOut > 0 {
		args = append(args, "left_out", leftOut)
	}
	h.log.Error("kkrpc: error without a caller", args...)
}

// Reject returns an error with which the function of HandlerFor answers a request. status is an HTTP status of 400 or
// above, else it becomes 403, and msg is the body, which the client sees. It works for ws.HandlerFor as well.
func Reject(status int, msg string) error { return admission.ByUser(status, msg) }

func (h *handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h.boundBody(w, r)
	if rejected := h.check(w, r); rejected != nil {
		rejected.Answer(w)
		return
	}
	if n := h.running.Add(1); h.maxRequests > 0 && n > h.maxRequests {
		h.running.Add(-1)
		admission.Reject(http.StatusServiceUnavailable, "The server has as many requests as it takes.").Answer(w)
		return
	}
	defer h.running.Add(-1)

	given, err := h.api(r)
	var api *kkrpc.API
	if err == nil {
		api, err = kkrpc.Expose(given)
	}
	if err != nil {
		h.refuse(w, r, err)
		return
	}
	body, rejected := h.readBody(w, r)
	if rejected != nil {
		rejected.Answer(w)
		return
	}
	h.serve(w, r, api, body)
}

// check says why r is not answered, by what can be seen without its body.
func (h *handler) check(w http.ResponseWriter, r *http.Request) *admission.Rejection {
	contentType, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type"))
	types := r.Header["Content-Type"]
	encoding := strings.Join(r.Header["Content-Encoding"], ", ")
	switch {
	case !h.hosts.Allow(r):
		return admission.Reject(http.StatusForbidden, fmt.Sprintf("Requests to the host %s are not served here: "+
			"add it to Hosts in kkhttp.Options to allow them.", admission.Quote(r.Host)))
	case r.Method != http.MethodPost:
		w.Header().Set("Allow", http.MethodPost)
		return admission.Reject(http.StatusMethodNotAllowed, "This is a kkrpc endpoint: call it with POST. "+
			"The OPTIONS of a page on another origin are for CORS middleware in front of it.")
	case !h.origins.Allow(r):
		return admission.Reject(http.StatusForbidden, fmt.Sprintf("Pages from the origin %s may not call %s: "+
			"add it to Origins in kkhttp.Options to allow them.", admission.Quote(r.Header.Get("Origin")), admission.Quote(r.Host)))
	case len(types) != 1 || contentType != jsonType && !strings.HasSuffix(contentType, "+json"):
		// All that a form, or a script without the browser asking first, can send from another site is some other type.
		return admission.Reject(http.StatusUnsupportedMediaType, fmt.Sprintf(
			"Content-Type must be application/json, not %s.", admission.Quote(strings.Join(types, ", "))))
	case encoding != "" && !strings.EqualFold(encoding, "identity"):
		return admission.Reject(http.StatusUnsupportedMediaType, fmt.Sprintf(
			"Content-Encoding %s is not understood; send the body as it is.", admission.Quote(encoding)))
	case r.ContentLength > int64(h.opts.RPC.Limits.Frame):
		return h.tooLarge()
	}
	return nil
}

func (h *handler) tooLarge() *admission.Rejection {
	return admission.Reject(http.StatusRequestEntityTooLarge, fmt.Sprintf(
		"The body may have at most %d bytes (Limits.Frame).", h.opts.RPC.Limits.Frame))
}

// refuse answers for an error of the api function.
func (h *handler) refuse(w http.ResponseWriter, r *http.Request, err error) {
	var rejected *admission.Rejection
	if errors.As(err, &rejected) {
		rejected.Answer(w)
		return
	}
	h.log.Error("kkhttp: no API for a request", "url", r.URL.Path, "remote", r.RemoteAddr, "err", err)
	http.Error(w, http.StatusText(http.StatusInternalServerError), http.StatusInternalServerError)
}

// serve answers the request in body.
func (h *handler) serve(w http.ResponseWriter, r *http.Request, api *kkrpc.API, body []byte) {
	ctx, cancel := context.WithCancel(r.Context())
	defer cancel()
	answered := make(chan outcome, 1)
	go func() {
		o := outcome{failure: "internal error"} // unless it gets further: a function may end its goroutine
		defer func() { answered <- o }()
		o.response, o.err = api.Answer(ctx, body, &h.opts.RPC)
	}()
	var late <-chan time.Time
	if h.timeout > 0 {
		timer := time.NewTimer(h.timeout)
		defer timer.Stop()
		late = timer.C
	}
	select {
	case o := <-answered:
		if r.Context().Err() == nil { // else nobody is there any more
			h.finish(w, r, body, o)
		}
		return
	case <-r.Context().Done():
	case <-late:
		cancel()
		if r.ProtoMajor == 1 { // until the function returns, nothing more is read from the connection
			w.Header().Set("Connection", "close")
		}
		status := http.StatusGatewayTimeout
		response, classic := h.failure(body, "RPCTimeoutError", fmt.Sprintf("the request was not answered within %v", h.timeout))
		if classic {
			status = http.StatusOK // a kkrpc 0 client looks at no other, and its call would never end
		}
		h.answer(w, r, status, response)
	}
	<-answered
}

// outcome is what became of a request.
type outcome struct {
	response []byte
	err      error
	failure  string // if there is neither
}

func (h *handler) finish(w http.ResponseWriter, r *http.Request, body []byte, o outcome) {
	switch {
	case o.err != nil:
		admission.Reject(http.StatusBadRequest, "The body must be one kkrpc request: "+o.err.Error()).Answer(w)
	case o.response != nil:
		h.answer(w, r, http.StatusOK, o.response)
	default:
		response, _ := h.failure(body, "InternalError", o.failure)
		h.answer(w, r, http.StatusOK, response)
	}
}
