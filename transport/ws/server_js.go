package ws

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"

	kkrpc "github.com/kkrpc-go/kkrpc"
	"github.com/kkrpc-go/kkrpc/internal/admission"
)

// Server cannot serve in a js/wasm build, whose host has no sockets for it: it is there so that packages which make one
// build, and answers every request with 501.
type Server struct{ log *slog.Logger }

// Handler returns a server that answers with 501. It panics if api cannot be exposed or an option is malformed.
func Handler(api any, opts *Options) *Server {
	if _, err := kkrpc.Expose(api); err != nil {
		panic(fmt.Sprintf("ws: Handler: %v", err))
	}
	return HandlerFor(nil, opts)
}

// HandlerFor is like Handler; it never asks for an API.
func HandlerFor(_ func(r *http.Request) (api any, err error), opts *Options) *Server {
	if opts == nil {
		opts = &Options{}
	}
	if _, err := admission.ParseOrigins(opts.Origins); err != nil {
		panic(fmt.Sprintf("ws: %v", err))
	}
	if _, err := admission.ParseHosts(opts.Hosts); err != nil {
		panic(fmt.Sprintf("ws: %v", err))
	}
	if opts.Logger != nil {
		return &Server{opts.Logger}
	}
	return &Server{slog.Default()}
}

// ServeHTTP answers with 501.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	const text = "This program was built for js/wasm, where ws.Handler cannot serve WebSockets."
	s.log.Error("ws: "+text, "url", r.URL.Path)
	admission.Reject(http.StatusNotImplemented, text).Answer(w)
}

// Stats is empty: no connection is open.
func (s *Server) Stats() Stats { return Stats{} }

// Ready is false: the server takes no connections.
func (s *Server) Ready() bool { return false }

// Shutdown does nothing: no connection is open.
func (s *Server) Shutdown(context.Context) error { return nil }

// Close does nothing.
func (s *Server) Close() error { return nil }
