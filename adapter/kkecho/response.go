package kkecho

import (
	"bufio"
	"net"
	"net/http"

	"github.com/labstack/echo/v5"
)

// response is the http.ResponseWriter for ws.Server.
type response struct {
	http.ResponseWriter
	o *opening
}

// Unwrap is for http.ResponseController.
func (w response) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// Hijack is called by the upgrade. It shows status 101 to the middleware around Serve, such as a logger.
func (w response) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	nc, rw, err := http.NewResponseController(w.ResponseWriter).Hijack()
	if r, _ := echo.UnwrapResponse(w.ResponseWriter); r != nil && err == nil {
		r.Status, r.Committed = http.StatusSwitchingProtocols, true
	}
	return nc, rw, err
}

// Header returns an unused header after an answer, which a response that buffers may not have sent yet.
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

// witness is the response while the function of HandlerFor runs. It notes an answer of the function. echo's Committed
// does not show one that a response below still buffers.
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
