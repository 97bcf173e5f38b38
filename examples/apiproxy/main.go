// Command apiproxy serves an HTTP API of users and posts as functions, over a WebSocket. Without -upstream it uses one that is
// part of the program.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/kkrpc-go/kkrpc"
	"github.com/kkrpc-go/kkrpc/examples/apiproxy/proxy"
	"github.com/kkrpc-go/kkrpc/examples/apiproxy/upstream"
	"github.com/kkrpc-go/kkrpc/interceptor"
	"github.com/kkrpc-go/kkrpc/transport/ws"
)

// shutdownTime is the time that running calls get to finish after an interrupt.
const shutdownTime = 5 * time.Second

func main() {
	addr := flag.String("addr", "localhost:3000", "listen on `host:port`; port 0 takes a free one")
	target := flag.String("upstream", "", "`URL` of the HTTP API, such as https://jsonplaceholder.typicode.com; empty for the one in this program")
	timeout := flag.Duration("timeout", 10*time.Second, "`time` that a request to the upstream may take")
	concurrency := flag.Int("concurrency", 8, "`number` of requests to the upstream that run at the same time")
	flag.Parse()

	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, *addr, *target, &proxy.Options{Timeout: *timeout, Concurrency: *concurrency}); err != nil {
		fmt.Fprintln(os.Stderr, "apiproxy:", err)
		os.Exit(1)
	}
}

// run serves until ctx ends.
func run(ctx context.Context, addr, target string, opts *proxy.Options) error {
	if target == "" {
		target, opts.Client = upstream.URL, upstream.Client()
	}
	api, err := proxy.New(target, opts)
	if err != nil {
		return err
	}
	log := slog.New(slog.NewTextHandler(os.Stderr, nil))
	rpc := ws.Handler(api, &ws.Options{
		RPC:    kkrpc.Options{Inbound: []kkrpc.Interceptor{interceptor.Logging(log, nil)}},
		Logger: log,
	})
	mux := http.NewServeMux()
	mux.Handle("/api", rpc)
	server := &http.Server{Handler: mux, ReadHeaderTimeout: 10 * time.Second}

	listener, err := net.Listen("tcp", addr)
	if err != nil {
		return err
	}
	fmt.Printf("serving ws://localhost:%d/api\n", listener.Addr().(*net.TCPAddr).Port)
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }() // ended by Shutdown
	select {
	case err := <-served:
		return err
	case <-ctx.Done():
	}
	bounded, cancel := context.WithTimeout(context.WithoutCancel(ctx), shutdownTime)
	defer cancel()
	// http.Server forgets connections that became WebSockets. The RPC server drains those.
	err = errors.Join(server.Shutdown(bounded), rpc.Shutdown(bounded))
	<-served
	return err
}
