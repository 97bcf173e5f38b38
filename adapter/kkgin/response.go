package kkgin

import (
	"bufio"
	"fmt"
	"net"
	"net/http"

	"github.com/gin-gonic/gin"
)

// response is what ws.Server answers by.
type response struct {
	gin.ResponseWriter
	o *opening
}

// Hijack is what the upgrade calls. It lets the middleware around Serve, such as a logger, see status 101. That of gin panics
// if what is below cannot be hijacked.
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

// Header is that of nothing where there has been an answer, of which a Writer that buffers may not have sent its own yet.
func (w response) Header() http.Header {
	if w.o.answered {
		return http.Header{}
	}
	return w.ResponseWriter.Header()
}

// WriteHeader does nothing where there has been an answer.
func (w response) WriteHeader(status int) {
	if !w.o.answered {
		w.ResponseWriter.WriteHeader(status)
	}
}

// Write is like WriteHeader.
func (w response) Write(p []byte) (int, error) {
	if w.o.answered {
		return len(p), nil
	}
	return w.ResponseWriter.Write(p)
}
