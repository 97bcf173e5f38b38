package kkecho

import (
	"bufio"
	"net"
	"net/http"

	"github.com/labstack/echo/v5"
)

// response is what ws.Server answers by.
type response struct {
	http.ResponseWriter
	o *opening
}

// Unwrap is for http.ResponseController.
func (w response) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// Hijack is what the upgrade calls. It lets the middleware around Serve, such as a logger, see status 101.
func (w response) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	nc, rw, err := http.NewResponseController(w.ResponseWriter).Hijack()
	if r, _ := echo.UnwrapResponse(w.ResponseWriter); r != nil && err == nil {
		r.Status, r.Committed = http.StatusSwitchingProtocols, true
	}
	return nc, rw, err
}

// Header is that of nothing where there has been an answer, of which a response that buffers may not have sent its own yet.
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

// witness is the response while the function of HandlerFor runs. It notes whether that answers; what is below may keep what it
// is given, so that echo's Committed does not tell.
type witness struct {
	http.ResponseWriter
	o *opening
}

// Unwrap is for http.ResponseController and echo.UnwrapResponse.
func (w *witness) Unwrap() http.ResponseWriter { return w.ResponseWriter }

func (w *witness) WriteHeader(status int) {
	w.o.answered = true
	w.ResponseWriter.WriteHeader(status)
}

func (w *witness) Write(p []byte) (int, error) {
	w.o.answered = true
	return w.ResponseWriter.Write(p)
}
