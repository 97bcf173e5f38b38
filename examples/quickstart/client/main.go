package main

import (
	"context"
	"fmt"
	"log"

	"github.com/kkrpc-go/kkrpc"
	"github.com/kkrpc-go/kkrpc/transport/ws"
)

type serverAPI struct {
	Greet  func(ctx context.Context, name string) (string, error)
	Launch func(ctx context.Context, from int, tick func(n int)) (string, error)
	Math   struct {
		Multiply func(ctx context.Context, a, b float64) (float64, error)
	}
}

func run(ctx context.Context) error {
	ch, err := ws.Dial(ctx, "ws://localhost:3000/ws", &ws.DialOptions{RPC: kkrpc.Options{
		Expose: kkrpc.Object{
			"confirm": func(what string) string { return what + " confirmed by Go" },
		},
	}})
	if err != nil {
		return err
	}
	defer ch.Close()

	api := kkrpc.Remote[serverAPI](ch)
	greeting, err := api.Greet(ctx, "World")
	if err != nil {
		return err
	}
	fmt.Println(greeting) // Hello, World!

	product, err := api.Math.Multiply(ctx, 4, 6)
	if err != nil {
		return err
	}
	fmt.Println(product) // 24

	outcome, err := api.Launch(ctx, 3, func(n int) { fmt.Println(n) }) // 3, 2, 1
	if err != nil {
		return err
	}
	fmt.Println(outcome) // lift-off confirmed by Go
	return nil
}

func main() {
	if err := run(context.Background()); err != nil {
		log.Fatal(err)
	}
}
