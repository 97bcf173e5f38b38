// Command drainserver is the server of the test of shutdowns. On SIGTERM it drains for at most 5 s, and prints the numbers of
// all calls that it has run, one a line.
package main

import (
	"context"
	"errors"
	"fmt"
	"log"
	"net"
	"net/http"
	"os"
	"os/signal"
	"sync"
	"syscall"
	"time"

	"github.com/kkrpc-go/kkrpc"
	"github.com/kkrpc-go/kkrpc/transport/ws"
)

// longest is how long a call takes at most.
const longest = 400 * time.Millisecond

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	var mu sync.Mutex
	var ran []int
	handler := ws.Handler(kkrpc.Object{"work": func(id int) int {
		mu.Lock()
		ran = append(ran, id)
		mu.Unlock()
		time.Sleep(time.Duration(id) * 7919 * time.Microsecond % longest)
		return 2 * id
	}}, &ws.Options{RPC: kkrpc.Options{Limits: kkrpc.Limits{Running: 40}}})
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	server := &http.Server{Handler: handler}
	fmt.Printf("ws://%s/\n", listener.Addr())
	go server.Serve(listener) // ends with Shutdown
	<-ctx.Done()
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	err = errors.Join(server.Shutdown(ctx), handler.Shutdown(ctx))
	mu.Lock()
	defer mu.Unlock()
	for _, id := range ran {
		fmt.Println(id)
	}
	if err != nil {
		log.Fatal(err)
	}
}
