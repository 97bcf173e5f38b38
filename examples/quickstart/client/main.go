// Command client calls the server of the README in TypeScript, or the one in Go.
package main

import (
	"context"
	"fmt"
	"log"

	"github.com/kkrpc-go/kkrpc"
	"github.com/kkrpc-go/kkrpc/transport/ws"
)

func run(ctx context.Context) error {
	ch, err := ws.Dial(ctx, "ws://localhost:3000/ws", nil)
	if err != nil {
		return err
	}
	defer ch.Close()
	greeting, err := kkrpc.Call[string](ctx, ch, "greet", "World")
	fmt.Println(greeting, err) // Hello, World! <nil>
	return err
}

func main() {
	if err := run(context.Background()); err != nil {
		log.Fatal(err)
	}
}
