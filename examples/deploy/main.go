// Command deploy is a server as one deploys it: it says whether it is ready, and stops without losing what runs.
package main

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/kkrpc-go/kkrpc"
	"github.com/kkrpc-go/kkrpc/transport/ws"
)

// drain bounds a graceful shutdown. systemd and Kubernetes must wait longer before they kill the process.
const drain = 20 * time.Second

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	listener, err := net.Listen("tcp", cmp.Or(os.Getenv("ADDR"), "localhost:3000"))
	if err == nil {
		slog.Info("serving", "address", listener.Addr())
		err = serve(ctx, listener)
	}
	if err != nil {
		slog.Error("stopped", "err", err)
		os.Exit(1)
	}
}

// serve runs until ctx is done, and then as long as the calls that run, at most for drain.
func serve(ctx context.Context, listener net.Listener) error {
	rpc := ws.Handler(kkrpc.Object{
		"greet": func(name string) string { return "Hello, " + name + "!" },
		"report": func(ctx context.Context, progress func(percent int)) (string, error) {
			for percent := 0; percent <= 100; percent += 25 {
				progress(percent)
				select {
				case <-time.After(250 * time.Millisecond):
				case <-ctx.Done():
					return "", ctx.Err()
				}
			}
			return "done", nil
		},
	}, &ws.Options{Ping: 25 * time.Second}) // below half of each proxy's timeout

	mux := http.NewServeMux()
	mux.Handle("/ws", rpc)
	mux.HandleFunc("/live", func(http.ResponseWriter, *http.Request) {})
	mux.HandleFunc("/ready", func(w http.ResponseWriter, _ *http.Request) {
		if !rpc.Ready() {
			http.Error(w, "shutting down", http.StatusServiceUnavailable)
		}
	})
	server := &http.Server{Handler: mux, ReadHeaderTimeout: 10 * time.Second}
	failed := make(chan error, 1)
	go func() { failed <- server.Serve(listener) }()
	select {
	case err := <-failed:
		return err
	case <-ctx.Done():
	}
	ending, cancel := context.WithTimeout(context.WithoutCancel(ctx), drain)
	defer cancel()
	// The WebSockets first: until they have ended, /ready answers 503.
	return errors.Join(rpc.Shutdown(ending), server.Shutdown(ending))
}
