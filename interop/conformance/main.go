// Command conformance serves the conformance API, for clients of any implementation of kkrpc:
//
//	go run ./interop/conformance -addr 127.0.0.1:3000
//
// It prints the address it listens on; port 0 takes a free one. At /ws errors are objects, at /ws-text they are what
// kkrpc 0.2 understands. It ends on an interrupt.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log"
	"net"
	"net/http"
	"os"
	"os/signal"
	"time"

	"github.com/kkrpc-go/kkrpc/interop/api"
)

func main() {
	addr := flag.String("addr", "127.0.0.1:3000", "listen on `HOST:PORT`")
	flag.Parse()
	log.SetFlags(log.Ltime | log.Lmicroseconds)
	if err := serve(*addr); err != nil {
		fmt.Fprintln(os.Stderr, "conformance:", err)
		os.Exit(1)
	}
}

func serve(addr string) error {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	listener, err := net.Listen("tcp", addr)
	if err != nil {
		return err
	}
	server := &http.Server{
		Handler:           api.Handler(func(err error) { log.Print(err) }),
		ReadHeaderTimeout: 10 * time.Second,
	}
	fmt.Printf("listening on ws://%s/ws and /ws-text\n", listener.Addr())
	context.AfterFunc(ctx, func() { server.Close() })
	if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}
