package main

import (
	"context"
	"errors"
	"fmt"
	"log"
	"time"

	"github.com/kkrpc-go/kkrpc"
	"github.com/kkrpc-go/kkrpc/transport/ws"
)

func run(ctx context.Context) error {
	server, err := ws.DialPersistent(ctx, "ws://localhost:3000/ws", &ws.PersistentOptions{
		Dial: ws.DialOptions{
			RPC:  kkrpc.Options{},  // what it exposes is exposed on each connection
			Ping: 10 * time.Second, // a silent server is a lost one
		},
		Backoff: ws.Backoff{Min: 100 * time.Millisecond}, // the first wait is at most that, each further one longer
		OnConnect: func(ctx context.Context, ch *kkrpc.Channel) error {
			return ch.Call(ctx, nil, "login", "Ada") // before any other call uses the connection
		},
		OnState: func(s ws.State) { log.Println(s.Phase, s.Err) },
	})
	if err != nil {
		return err
	}
	defer server.Close()

	who, err := kkrpc.Call[string](ctx, server, "whoami")
	fmt.Println(who, err)

	// The connection is lost while this call is under way: nobody knows whether it was done.
	_, err = kkrpc.Call[string](ctx, server, "order", "tea")
	fmt.Println("lost:", errors.Is(err, kkrpc.ErrClosed))

	// This one waits for the next connection, on which Ada has logged in again.
	who, err = kkrpc.Call[string](ctx, server, "whoami")
	fmt.Println(who, err)

	// A call that may be done twice is repeated by itself.
	stock, err := kkrpc.Call[int](kkrpc.Idempotent(ctx), server, "stock", "tea")
	fmt.Println(stock, err)
	return nil
}

func main() {
	if err := run(context.Background()); err != nil {
		log.Fatal(err)
	}
}
