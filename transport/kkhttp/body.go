package kkhttp

import (
	"bytes"
	"errors"
	"net/http"
	"os"
	"strconv"
	"time"

	"github.com/kkrpc-go/kkrpc/internal/admission"
)

// firstRead is the memory that a body gets before any of it has arrived.
const firstRead = 16 << 10

// boundBody sets a deadline for the body if the server has none. The deadline also covers the rest of a refused body,
// which the server reads. net/http removes it at the end of the body. A connection without deadlines, such as a
// recorder in a test, gets none.
func (h *handler) boundBody(w http.ResponseWriter, r *http.Request) {
	if h.bodyTimeout > 0 && serverOf(r).ReadTimeout == 0 {
		_ = http.NewResponseController(w).SetReadDeadline(time.Now().Add(h.bodyTimeout))
	}
}

// readBody returns the whole body, with a newline at its end: kkrpc 0 writes one, and needs it.
func (h *handler) readBody(w http.ResponseWriter, r *http.Request) ([]byte, *admission.Rejection) {
	limit := h.opts.RPC.Limits.Frame
	var body bytes.Buffer
	body.Grow(int(min(max(r.ContentLength, 0), firstRead)) + bytes.MinRead)
	_, err := body.ReadFrom(http.MaxBytesReader(w, r.Body, int64(limit)))
	var tooLong *http.MaxBytesError
	switch {
	case errors.As(err, &tooLong):
		return nil, h.tooLarge()
	case errors.Is(err, os.ErrDeadlineExceeded):
		return nil, admission.Reject(http.StatusRequestTimeout, "The body did not arrive in time.")
	case err != nil:
		return nil, admission.Reject(http.StatusBadRequest, "The body cannot be read.")
	}
	if b := body.Bytes(); len(b) == 0 || b[len(b)-1] != '\n' {
		body.WriteByte('\n')
	}
	return body.Bytes(), nil
}

// answer writes a response and sees to it that it leaves.
func (h *handler) answer(w http.ResponseWriter, r *http.Request, status int, body []byte) {
	header := w.Header()
	header.Set("Content-Type", jsonType)
	header.Set("Content-Length", strconv.Itoa(len(body)))
	header.Set("Cache-Control", "no-store")
	header.Set("X-Content-Type-Options", "nosniff")
	control := http.NewResponseController(w)
	if serverOf(r).WriteTimeout == 0 {
		_ = control.SetWriteDeadline(time.Now().Add(orDefault(h.opts.RPC.Limits.Write, defaultWrite)))
		defer func() { _ = control.SetWriteDeadline(time.Time{}) }() // ServeHTTP may return much later
	}
	w.WriteHeader(status)
	if _, err := w.Write(body); err == nil {
		_ = control.Flush()
	}
}

// serverOf returns the server that r came to, or an empty one.
func serverOf(r *http.Request) *http.Server {
	if s, ok := r.Context().Value(http.ServerContextKey).(*http.Server); ok && s != nil {
		return s
	}
	return &http.Server{}
}
