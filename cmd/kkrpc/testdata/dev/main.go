// Command dev is a server that the tests of kkrpc dev change while it runs.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/signal"
	"time"

	"github.com/kkrpc-go/kkrpc"
	"github.com/kkrpc-go/kkrpc/transport/ws"
)

func main() {
	addr := flag.String("addr", "", "`address` to listen on")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	listener, err := net.Listen("tcp", *addr)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	handler := ws.Handler(kkrpc.As[API](service{}), nil)
	server := &http.Server{Handler: handler}
	go server.Serve(listener)
	fmt.Println("listening")
	<-ctx.Done()
	limit, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	fmt.Println("stopped:", errors.Join(server.Shutdown(limit), handler.Shutdown(limit)))
}
