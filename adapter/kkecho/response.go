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
