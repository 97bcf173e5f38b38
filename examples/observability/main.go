// Command observability is a server that can be watched: logs, metrics, traces and profiles.
package main

import (
	"cmp"
	"context"
	"expvar"
	"log/slog"
	"net/http"
	_ "net/http/pprof" // on http.DefaultServeMux, which the second server serves
	"os"
	"time"

	"github.com/kkrpc-go/kkrpc"
	"github.com/kkrpc-go/kkrpc/interceptor"
	"github.com/kkrpc-go/kkrpc/transport/ws"
)

// server makes the handler for clients, and fills m.
func server(logger *slog.Logger, m *metrics) *ws.Server {
	rpc := ws.Handler(kkrpc.Object{
		"greet": func(ctx context.Context, name string) string {
			logger.InfoContext(ctx, "greeting", "name", name)
			return "Hello, " + name + "!"
		},
	}, &ws.Options{Logger: logger, RPC: kkrpc.Options{
		Inbound: []kkrpc.Interceptor{traced, interceptor.Logging(logger, nil), interceptor.Timing(m.observe)},
		OnError: func(err error) { logger.Warn("nobody is told", "err", err) },
	}})
	m.stats = rpc.Stats
	return rpc
}

func main() {
	logger := slog.New(withTrace{slog.NewJSONHandler(os.Stderr, nil)})
	m := &metrics{}
	public := http.NewServeMux()
	public.Handle("/ws", server(logger, m))
	http.Handle("/metrics", m)
	expvar.Publish("kkrpc", expvar.Func(func() any { return m.stats() })) // at /debug/vars

	failed := make(chan error, 2)
	for address, handler := range map[string]http.Handler{
		cmp.Or(os.Getenv("ADDR"), "localhost:3000"): public,
		"localhost:6060": http.DefaultServeMux, // not for the internet
	} {
		s := &http.Server{Addr: address, Handler: handler, ReadHeaderTimeout: 10 * time.Second}
		go func() { failed <- s.ListenAndServe() }()
	}
	logger.Info("serving ws://localhost:3000/ws, metrics and profiles at http://localhost:6060")
	logger.Error("stopped", "err", <-failed)
	os.Exit(1)
}
