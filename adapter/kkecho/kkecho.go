// Package kkecho serves kkrpc over WebSocket from an echo router (github.com/labstack/echo/v5), with an API for each connection
// that may be built from path parameters, headers and what middleware has set.
//
//	rooms := kkecho.HandlerFor(func(c *echo.Context) (any, error) {
//		room := c.Param("room")
//		return kkrpc.Object{"where": func() string { return room }}, nil
//	}, &ws.Options{Origins: []string{"http://localhost:*"}})
//	e.GET("/rooms/:room", rooms.Serve)
//
// It is transport/ws behind echo's context: what that says of origins, limits and stopping holds here.
//
// # The context
//
// echo uses an *echo.Context again for the next request as soon as Serve has returned, which is when the connection begins,
// and offers no copy of one. So read what the API needs into variables, as room above, before the function of HandlerFor
// returns: a context that a function of the API still reads tells of somebody else's request. c.Request() is not used again.
// Its context, as of any request in net/http, ends with Serve: functions of the API have a ctx of their own, with the same
// values.
//
// # Middleware
//
// What runs before Serve sees the request, may refuse it, and may set headers and values. What it does after next is done
// when the connection has begun, not when it ends; a logger tells of status 101. Middleware that answers must not call next: a
// request that has been answered is not upgraded, unless a response that buffers, as that of gzip, keeps the answer back, of
// which Serve cannot know. Middleware that replaces the response by one that cannot be hijacked makes the upgrade fail with 500.
//
// # Stopping
//
// http.Server.Shutdown, which echo.StartConfig uses too, forgets connections that became WebSockets:
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

// HandlerFor returns a server that asks api, before each upgrade, what to expose on that connection. c must not be used after
// api has returned. Headers and cookies that api sets are sent with the upgrade.
//
// An error made by ws.Reject is the answer, and so is one of echo's with a status of 400 to 499, such as echo.ErrUnauthorized
// or one of echo.NewHTTPError, whose message the client sees. Where api has answered by c, that is the answer. Any other error
// is a 500 whose text goes to the log alone. HandlerFor panics if an option is malformed.
func HandlerFor(api func(c *echo.Context) (api any, err error), opts *ws.Options) *Server {
	return &Server{ws.HandlerFor(func(r *http.Request) (exposed any, err error) {
		o, ok := r.Context().Value(openingKey{}).(*opening)
		if !ok || o.c == nil {
			return nil, errors.New("kkecho: a request without echo's context")
		}
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

// Serve makes the request of c a WebSocket and returns once its channel has started, or answers why not. It returns nil, as what
// went wrong has been answered and logged, unless the request had been answered before. It is an echo.HandlerFunc.
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

// Shutdown is that of ws.Server: it closes the open connections with code 1001 and waits until they are gone.
func (s *Server) Shutdown(ctx context.Context) error { return s.ws.Shutdown(ctx) }

// Close is that of ws.Server: it closes the open connections and waits for nothing.
func (s *Server) Close() error { return s.ws.Close() }

// opening carries the context of a request through ws.Server, which knows requests only. The request's values live as long as
// the connection, so that opening forgets the context in time.
type opening struct {
	c        *echo.Context
	answered bool // by the function of HandlerFor
}

type openingKey struct{}

func (o *opening) end() { o.c = nil }
