// Package kkecho serves kkrpc over WebSocket from an echo router (github.com/labstack/echo/v5). The API of a connection
// may be built from path parameters, headers and values of middleware.
//
//	rooms := kkecho.HandlerFor(func(c *echo.Context) (any, error) {
//		room := c.Param("room")
//		return kkrpc.Object{"where": func() string { return room }}, nil
//	}, &ws.Options{Origins: []string{"http://localhost:*"}})
//	e.GET("/rooms/:room", rooms.Serve)
//
// The package wraps transport/ws. The rules of transport/ws on origins, limits and stopping apply.
//
// # The context
//
// echo reuses an *echo.Context for the next request as soon as Serve has returned, which is when the connection begins.
// echo has no copy of a context. So read the values that the API needs into variables, like room above, before the
// function of HandlerFor returns. A function of the API that still reads the context sees another request.
//
// c.Request() is not reused. Its context ends with Serve, as usual in net/http. Functions of the API have a ctx of
// their own with the same values.
//
// # Middleware
//
// Middleware before Serve sees the request, may refuse it, and may set headers and values. Its code after next runs
// when the connection has begun, not when it ends. A logger reports status 101.
//
// Middleware that answers must not call next. A request that has been answered is not upgraded. Serve cannot see an
// answer in a response that buffers, such as that of gzip. If middleware replaces the response by one that cannot be
// hijacked, the upgrade fails with 500.
//
// # Stopping
//
// http.Server.Shutdown, which echo.StartConfig uses too, does not close connections that became WebSockets:
//
//	err := echo.StartConfig{Address: ":3000"}.Start(signals, e) // until signals ends
//	err = errors.Join(err, rooms.Shutdown(ctx))
package kkecho

import (
	"context"
	"errors"
	"net/http"

	"github.com/labstack/echo/v5"

	"github.com/kkrpc-go/kkrpc/transport/ws"
)

// Server serves an API on each connection. Its Serve is an echo.HandlerFunc; Handler and HandlerFor make one.
type Server struct {
	ws *ws.Server
}

// Handler returns a server that exposes api on each connection. It panics as ws.Handler does.
func Handler(api any, opts *ws.Options) *Server { return &Server{ws.Handler(api, opts)} }

// HandlerFor returns a server that calls api before each upgrade and exposes the result on that connection. c must not
// be used after api has returned. Headers and cookies that api sets are sent with the upgrade.
//
// An error made by ws.Reject is the answer. So is an error of echo with a status of 400 to 499, whose message the
// client sees. Examples are echo.ErrUnauthorized and the errors of echo.NewHTTPError. If api has answered by c, that is
// the answer. Any other error is answered with 500, and its text goes to the log only. HandlerFor panics if an option
// is malformed.
func HandlerFor(api func(c *echo.Context) (api any, err error), opts *ws.Options) *Server {
	return &Server{ws.HandlerFor(func(r *http.Request) (exposed any, err error) {
		o, ok := r.Context().Value(openingKey{}).(*opening)
		if !ok || o.c == nil {
			return nil, errors.New("kkecho: a request without echo's context")
		}
		original := o.c.Request()
		o.c.SetRequest(r) // for ws.OnEnd
		defer o.c.SetRequest(original)
		w := o.c.Response()
		o.c.SetResponse(&witness{w, o})
		defer o.c.SetResponse(w) // also when api panics
		exposed, err = api(o.c)
		if o.answered {
			return nil, ws.Reject(http.StatusForbidden, "") // goes nowhere
		}
		return exposed, rejection(err)
	}, opts)}
}

// rejection is err as ws.Server understands it.
func rejection(err error) error {
	status := echo.StatusCode(err)
	if status < 400 || status > 499 {
		return err
	}
	text := http.StatusText(status)
	if e, ok := errors.AsType[*echo.HTTPError](err); ok && e.Message != "" {
		text = e.Message
	}
	return ws.Reject(status, text)
}

// Serve makes the request of c a WebSocket and returns once its channel has started. If that fails, it answers with the
// reason. A failure has been answered and logged, so Serve returns nil, unless the request had been answered before. It
// is an echo.HandlerFunc.
func (s *Server) Serve(c *echo.Context) error {
	if r, _ := echo.UnwrapResponse(c.Response()); r != nil && r.Committed { // the client would get a connection behind the refusal
		return errors.New("kkecho: no WebSocket: what runs before Serve has answered the request, and must not call next then")
	}
	o := &opening{c: c}
	defer o.end()
	r := c.Request()
	s.ws.ServeHTTP(response{c.Response(), o}, r.WithContext(context.WithValue(r.Context(), openingKey{}, o)))
	return nil
}

// Shutdown drains the open connections, like that of ws.Server.
func (s *Server) Shutdown(ctx context.Context) error { return s.ws.Shutdown(ctx) }

// Ready reports whether neither Shutdown nor Close was called.
func (s *Server) Ready() bool { return s.ws.Ready() }

// Stats returns what the server has done and holds, like that of ws.Server.
func (s *Server) Stats() ws.Stats { return s.ws.Stats() }

// Close closes the open connections without waiting, like that of ws.Server.
func (s *Server) Close() error { return s.ws.Close() }

// opening carries the context of a request through ws.Server, which knows requests only. The request's values live as
// long as the connection, so opening drops the context in time.
type opening struct {
	c        *echo.Context
	answered bool // by the function of HandlerFor
}

type openingKey struct{}

func (o *opening) end() { o.c = nil }
