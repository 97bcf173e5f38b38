//go:build !js

package ws

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"

	kkrpc "github.com/kkrpc-go/kkrpc"
	"github.com/kkrpc-go/kkrpc/internal/admission"
	"github.com/kkrpc-go/kkrpc/internal/announce"
	"github.com/kkrpc-go/kkrpc/internal/errlog"
)

const (
	closeGoingAway = 1001
	closeInternal  = 1011
	goingAway      = "going away"
)

// Server is an http.Handler that upgrades requests to WebSockets and serves an API on each. Handler and HandlerFor make
// one.
type Server struct {
	opts    Options
	origins admission.Origins
	hosts   admission.Hosts
	api     func(r *http.Request) (any, error)
	log     *slog.Logger
	onClose func(ch *kkrpc.Channel, err error) // closed, made once for all channels
	told    atomic.Pointer[time.Time]          // when a refused page was in the log; nil for never
	errs    *errlog.Bound                      // of errors in the log

	paused   atomic.Int64 // sessions without a socket
	mu       sync.Mutex
	sessions map[string]*link   // by id; nil without Options.Session
	greeting map[*conn]struct{} // sockets of sessions whose first frames are under way
	spare    int                // connections beyond MaxConns, which may only resume sessions
	open     map[*kkrpc.Channel]session
	early    map[*kkrpc.Channel]error // closed before OnOpen returned
	count    int                      // connections, from the request until OnClose has returned
	closing  bool
	draining context.Context // that of Shutdown; one that has ended for Close; nil before
	stats    Stats           // without what is read elsewhere: Open, and what open channels have counted
	drained  chan struct{}   // closed when closing and count is 0
}

// session is what the server knows of a channel.
type session struct {
	conn  kkrpc.Transport
	ends  *ends
	r     *http.Request // for OnClose; nil without one, since it is large
	ready bool          // OnOpen has returned
}

// Handler returns a server that exposes api, compiled by kkrpc.Expose, on each connection. It panics if api cannot be
// exposed or an option is malformed.
func Handler(api any, opts *Options) *Server {
	compiled, err := kkrpc.Expose(api)
	if err != nil {
		panic(fmt.Sprintf("ws: Handler: %v", err))
	}
	return HandlerFor(func(*http.Request) (any, error) { return compiled, nil }, opts)
}

// HandlerFor returns a server that calls api before each upgrade and exposes the result on that connection. A result with
// the names, the types and the code of an earlier one is not compiled again, and costs little more than a shared *API.
// An error made by Reject refuses the client, by an HTTP status or a close code. Any other error is a 500, whose text goes to the log alone.
// HandlerFor panics if an option is malformed.
func HandlerFor(api func(r *http.Request) (api any, err error), opts *Options) *Server {
	if opts == nil {
		opts = &Options{}
	}
	origins, err := admission.ParseOrigins(opts.Origins)
	if err != nil {
		panic(fmt.Sprintf("ws: %v", err))
	}
	hosts, err := admission.ParseHosts(opts.Hosts)
	if err != nil {
		panic(fmt.Sprintf("ws: %v", err))
	}
	s := &Server{
		opts:    *opts,
		origins: origins,
		hosts:   hosts,
		api:     api,
		log:     opts.Logger,
		open:    map[*kkrpc.Channel]session{},
		early:   map[*kkrpc.Channel]error{},
		drained: make(chan struct{}),
		errs:    errlog.New(),
	}
	s.onClose = s.closed
	if s.opts.RPC.Group == nil {
		s.opts.RPC.Group = &kkrpc.Group{Memory: opts.Memory}
	}
	if s.log == nil {
		s.log = slog.Default()
	}
	if s.opts.Session != nil {
		s.sessions, s.greeting = map[string]*link{}, map[*conn]struct{}{}
	}
	if s.opts.MaxConns == 0 {
		s.opts.MaxConns = defaultMaxConns
	}
	if s.opts.RPC.OnError == nil {
		s.opts.RPC.OnError = s.tellError
	}
	return s
}

// tellError is the OnError of a server that is given none.
func (s *Server) tellError(err error) {
	s.tellBounded(slog.LevelError, "kkrpc: error without a caller", "err", errlog.Clipped(err))
}

// tellBounded logs an event that a stranger can cause with each message or each connection.
func (s *Server) tellBounded(level slog.Level, msg string, args ...any) {
	leftOut, ok := s.errs.Allow()
	if !ok {
		return
	}
	if leftOut > 0 {
		args = append(args, "left_out", leftOut)
	}
	s.log.Log(context.Background(), level, msg, args...)
}

// ServeHTTP upgrades r and returns once its channel has started.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	spare := false
	dialect, rejected := s.check(r)
	if rejected == nil {
		spare, rejected = s.reserve(s.agreedLayers(r).session)
	} else {
		s.countEvent(refusalOf(rejected))
		if rejected.Status == http.StatusForbidden {
			s.tell(r, rejected)
		}
	}
	if rejected != nil {
		answer(w, rejected)
		return
	}
	started, asked := false, false
	r, ends := withEnds(r)
	defer func() {
		if !asked { // s.api or Identity panics, and some middleware that recovers leaves the answer to an upgrade alone
			s.countEvent(refusedAPI)
			http.Error(w, http.StatusText(http.StatusInternalServerError), http.StatusInternalServerError)
		}
		if !started {
			defer s.unreserve(spare)
			ends.run()
		}
	}()

	api, err := s.api(r)
	var owner sessionOwner
	if err == nil && s.opts.Session != nil {
		owner = s.ownerOf(r)
	}
	asked = true
	if err == nil {
		api, err = kkrpc.Expose(api)
	}
	var closes *admission.Rejection // of the user, by a close frame
	if err != nil {
		s.countEvent(refusedAPI)
		if !errors.As(err, &closes) || closes.Code == 0 {
			s.refuse(w, r, err)
			return
		}
	}
	nc, early, hs, err := s.upgrade(w, r)
	if err != nil {
		s.countEvent(refusedFailed)
		s.tellBounded(slog.LevelWarn, "ws: upgrade failed", "remote", r.RemoteAddr, "err", errlog.Clipped(err))
		return
	}
	rpc := new(kkrpc.Options)
	*rpc = s.opts.RPC
	rpc.Expose, rpc.Dialect, rpc.OnClose = api, dialect, s.onClose
	cfg := config{
		deflate:     len(hs.Extensions) > 0,
		bytes:       layersOf(hs.Protocol).bytes || announce.Bytes(r.URL.Query()),
		limit:       rpc.Limits.Frame,
		timeout:     rpc.Limits.Write,
		ping:        heartbeat(s.opts.Ping),
		messageTime: messageTime(s.opts.MessageTime),
		sendTime:    sendTime(s.opts.SendTime),
	}
	started = true
	if closes != nil {
		go s.turnAway(newConn(nc, early, cfg), ends, spare, closes.Code, closes.Text)
		return
	}
	if layersOf(hs.Protocol).session {
		go s.greet(nc, early, cfg, rpc, r, ends, owner, spare) // ends when the socket has its session and OnOpen has returned
		return
	}
	if spare {
		go s.turnAway(newConn(nc, early, cfg), ends, spare, int(statusTryAgainLater), fullText)
		return
	}
	go s.start(newConn(nc, early, cfg), rpc, r, ends) // ends when OnOpen returns
}

// refuse answers for an error of the api function.
func (s *Server) refuse(w http.ResponseWriter, r *http.Request, err error) {
	var rejected *admission.Rejection
	if errors.As(err, &rejected) {
		answer(w, rejected)
		return
	}
	s.tellBounded(slog.LevelError, "ws: no API for a request", "url", errlog.Shorten(r.URL.Path), "remote", r.RemoteAddr, "err", errlog.Clipped(err))
	http.Error(w, http.StatusText(http.StatusInternalServerError), http.StatusInternalServerError)
}

// start runs the channel of a connection. It runs apart from ServeHTTP, so that what net/http keeps for a request is
// freed.
func (s *Server) start(c *conn, rpc *kkrpc.Options, r *http.Request, ends *ends) {
	if ch := s.channel(c, rpc, r, ends); ch != nil {
		s.tellOpen(ch, r)
	}
}

// channel makes the channel of a connection. It returns nil if it cannot be made, and then has closed t.
func (s *Server) channel(t kkrpc.Transport, rpc *kkrpc.Options, r *http.Request, ends *ends) *kkrpc.Channel {
	ch, err := kkrpc.New(context.WithoutCancel(r.Context()), t, rpc)
	if err != nil { // Options.RPC is wrong
		s.countEvent(refusedFailed)
		s.tellBounded(slog.LevelError, "ws: no channel for a connection", "remote", r.RemoteAddr, "err", errlog.Clipped(err))
		_ = t.Close(closeInternal, "")
		defer s.unreserve(false)
		ends.run()
		return nil
	}
	opened := session{conn: t, ends: ends}
	if s.opts.OnClose != nil {
		opened.r = r
	}
	s.mu.Lock()
	s.open[ch] = opened
	s.stats.Opened++
	closing, draining := s.closing, s.draining
	s.mu.Unlock()
	if closing {
		go ch.Shutdown(draining) // ends soon after draining
	}
	return ch
}

// tellOpen calls OnOpen.
func (s *Server) tellOpen(ch *kkrpc.Channel, r *http.Request) {
	defer s.opened(ch)
	if s.opts.OnOpen != nil {
		s.opts.OnOpen(ch, r)
	}
}

// opened is called when OnOpen has returned. A panic in OnOpen closes the connection and does not end the process, like a
// panic in a handler of net/http.
func (s *Server) opened(ch *kkrpc.Channel) {
	if value := recover(); value != nil {
		s.tellBounded(slog.LevelError, "ws: panic in OnOpen", "panic", value, "stack", string(debug.Stack()))
		go ch.CloseWith(closeInternal, "internal error") // ends within Limits.Write
	}
	s.mu.Lock()
	err, gone := s.early[ch]
	session := s.open[ch]
	var why reason
	if gone {
		delete(s.early, ch)
		why = s.goneLocked(ch, err)
	} else {
		session.ready = true
		s.open[ch] = session
	}
	s.mu.Unlock()
	if gone {
		s.finish(ch, session, err, why)
	}
}

// closed is what each channel calls when it has closed.
func (s *Server) closed(ch *kkrpc.Channel, err error) {
	s.mu.Lock()
	session := s.open[ch]
	var why reason
	if session.ready {
		why = s.goneLocked(ch, err)
	} else {
		s.early[ch] = err
	}
	s.mu.Unlock()
	if session.ready {
		s.finish(ch, session, err, why)
	}
}

// finish tells that ch has closed and frees its place.
func (s *Server) finish(ch *kkrpc.Channel, of session, err error, why reason) {
	defer s.unreserve(false)
	defer of.ends.run()
	s.log.Info("ws: closed", "channel", ch.ID(), "peer", ch.Peer(), "reason", why.name, "err", err)
	if s.opts.RPC.OnClose != nil {
		s.opts.RPC.OnClose(ch, err)
	}
	if s.opts.OnClose != nil {
		s.opts.OnClose(ch, of.r, err)
	}
}

// reserve takes a place for a connection. If all are taken, a client that offers sessions may use a spare one to resume a
// session, which has a place already.
func (s *Server) reserve(resumes bool) (spare bool, _ *admission.Rejection) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.closing:
		s.stats.Refused.Draining++
		return false, admission.Reject(http.StatusServiceUnavailable, "The server is shutting down.")
	case s.opts.MaxConns > 0 && s.count-s.spare >= s.opts.MaxConns:
		if !resumes || s.spare >= len(s.sessions) {
			s.stats.Refused.Full++
			return false, admission.Reject(http.StatusServiceUnavailable, "The server has as many connections as it takes.")
		}
		s.spare++
		spare = true
	}
	s.count++
	return spare, nil
}

func (s *Server) unreserve(spare bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if spare {
		s.spare--
	}
	s.count--
	s.drainedLocked()
}

// drainedLocked tells Shutdown when the last connection has gone.
func (s *Server) drainedLocked() {
	if !s.closing || s.count > 0 {
		return
	}
	select {
	case <-s.drained:
	default:
		close(s.drained)
	}
}
