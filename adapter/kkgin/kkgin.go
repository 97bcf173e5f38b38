// Package kkgin serves kkrpc over WebSocket from a gin router. The API of a connection may be built from path
// parameters, headers and values of middleware.
//
//	rooms := kkgin.HandlerFor(func(c *gin.Context) (any, error) {
//		room := c.Param("room")
//		return kkrpc.Object{"where": func() string { return room }}, nil
//	}, &ws.Options{Origins: []string{"http://localhost:*"}})
//	router.GET("/rooms/:room", rooms.Serve)
//
// The package wraps transport/ws. The rules of transport/ws on origins, limits and stopping apply.
//
// # The context
//
// gin reuses a *gin.Context for the next request as soon as Serve has returned, which is when the connection begins.
// The function of HandlerFor therefore gets a copy, which may be read as long as the connection lives. The copy has the
// response until the function returns: headers and cookies that it sets are sent with the upgrade. Later the copy's
// Writer accepts nothing. Middleware sees the errors of the copy, but not the values that it sets by Set.
//
// The context of its request ends with Serve, as usual in net/http. Functions of the API have a ctx of their own with
// the same values.
//
// # Middleware
//
// Middleware before Serve sees the request, may refuse it, and may set headers and values. Its code after Next runs
// when the connection has begun, not when it ends. A logger reports status 101.
//
// Middleware that answers must abort. A request that has been answered is not upgraded. Serve cannot see an answer in a
// Writer that buffers. A handler around gin that keeps the connection, such as http.TimeoutHandler, makes the upgrade
// fail with 500.
//
// # Stopping
//
// http.Server.Shutdown does not close connections that became WebSockets:
//
//	srv := &http.Server{Handler: router}
//	…
//	err := errors.Join(srv.Shutdown(ctx), rooms.Shutdown(ctx))
package kkgin

import (
	"context"
	"errors"
	"net/http"

	"github.com/gin-gonic/gin"

	"github.com/kkrpc-go/kkrpc/transport/ws"
)

// Server serves an API on each connection. Its Serve is a gin.HandlerFunc; Handler and HandlerFor make one.
type Server struct {
	ws *ws.Server
}

// Handler returns a server that exposes api on each connection. It panics as ws.Handler does.
func Handler(api any, opts *ws.Options) *Server { return &Server{ws.Handler(api, opts)} }

// HandlerFor returns a server that calls api before each upgrade and exposes the result on that connection. c is a copy
// that may be kept. An error made by ws.Reject is the answer. If api has answered by c, for instance with
// AbortWithStatusJSON, that is the answer. Any other error is answered with 500, and its text goes to the log only.
// HandlerFor panics if an option is malformed.
func HandlerFor(api func(c *gin.Context) (api any, err error), opts *ws.Options) *Server {
	return &Server{ws.HandlerFor(func(r *http.Request) (exposed any, err error) {
		o, ok := r.Context().Value(openingKey{}).(*opening)
		if !ok || o.c == nil {
			return nil, errors.New("kkgin: a request without gin's context")
		}
		kept := o.c.Copy()
		kept.Request = r // for ws.OnEnd
		lease := &lease{w: o.c.Writer}
		kept.Writer = lease
		defer func() { // also when api panics
			o.c.Errors = append(o.c.Errors, kept.Errors...)
			if o.answered = lease.end(); o.answered {
				exposed, err = nil, ws.Reject(http.StatusForbidden, "") // goes nowhere
			}
		}()
		return api(kept)
	}, opts)}
}

// Serve makes the request of c a WebSocket and returns once its channel has started. If that fails, it answers with the
// reason. It is a gin.HandlerFunc, the last one of its chain.
func (s *Server) Serve(c *gin.Context) {
	defer c.Abort()
	if c.Writer.Written() { // the client would get a connection behind the refusal
		_ = c.Error(errors.New("kkgin: no WebSocket: what runs before Serve has answered the request, and must abort it then"))
		return
	}
	o := &opening{c: c}
	defer o.end()
	s.ws.ServeHTTP(response{c.Writer, o}, c.Request.WithContext(context.WithValue(c.Request.Context(), openingKey{}, o)))
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
	c        *gin.Context
	answered bool // by the function of HandlerFor
}

type openingKey struct{}

func (o *opening) end() { o.c = nil }
