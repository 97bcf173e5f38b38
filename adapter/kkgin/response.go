package kkgin

import (
	"bufio"
	"fmt"
	"net"
	"net/http"

	"github.com/gin-gonic/gin"
)

// response is the http.ResponseWriter for ws.Server.
type response struct {
	gin.ResponseWriter
	o *opening
}

// Hijack is called by the upgrade. It shows status 101 to the middleware around Serve, such as a logger. Hijack of gin
// panics if the connection below cannot be hijacked.
func (w response) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	if u, ok := w.ResponseWriter.(interface{ Unwrap() http.ResponseWriter }); ok {
		below := u.Unwrap()
		if _, ok := below.(http.Hijacker); !ok {
			return nil, nil, fmt.Errorf("%T: %w", below, http.ErrNotSupported)
		}
	}
	before := w.Status()
	w.ResponseWriter.WriteHeader(http.StatusSwitchingProtocols) // gin only notes it, and no longer once it is hijacked
	nc, rw, err := w.ResponseWriter.Hijack()
	if err != nil {
		w.ResponseWriter.WriteHeader(before)
	}
	return nc, rw, err
}

// Header returns an unused header after an answer, which a Writer that buffers may not have sent yet.
func (w response) Header() http.Header {
	if w.o.answered {
		return http.Header{}
	}
	return w.ResponseWriter.Header()
}

// WriteHeader does nothing after an answer.
func (w response) WriteHeader(status int) {
	if !w.o.answered {
		w.ResponseWriter.WriteHeader(status)
	}
}

// Write does nothing after an answer.
func (w response) Write(p []byte) (int, error) {
	if w.o.answered {
		return len(p), nil
	}
	return w.ResponseWriter.Write(p)
}
