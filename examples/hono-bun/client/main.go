package main

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"log"

	"github.com/kkrpc-go/kkrpc"
	"github.com/kkrpc-go/kkrpc/transport/ws"
)

type serverAPI struct {
	Greet func(ctx context.Context, name string) (string, error)
	Add   func(ctx context.Context, a, b float64) (float64, error)
	Math  struct {
		Multiply func(ctx context.Context, a, b float64) (float64, error)
		Divide   func(ctx context.Context, a, b float64) (float64, error)
	}
	Resize func(ctx context.Context, images []string, progress func(done, total int)) (string, error)
	Primes func(ctx context.Context) iter.Seq2[int, error]
	WhoAmI func(ctx context.Context) (string, error)
}

var clientAPI = kkrpc.Object{
	"getClientInfo": func() map[string]string {
		return map[string]string{"type": "go-client", "version": "1.0.0"}
	},
}

func run(ctx context.Context) error {
	ch, err := ws.Dial(ctx, "ws://localhost:3000/ws", &ws.DialOptions{RPC: kkrpc.Options{Expose: clientAPI}})
	if err != nil {
		return err
	}
	defer ch.Close()
	api := kkrpc.Remote[serverAPI](ch)

	greeting, err := api.Greet(ctx, "World")
	if err != nil {
		return err
	}
	fmt.Println(greeting)

	sum, err := api.Add(ctx, 5, 3)
	if err != nil {
		return err
	}
	fmt.Println(sum)

	product, err := api.Math.Multiply(ctx, 4, 6)
	if err != nil {
		return err
	}
	fmt.Println(product)

	_, err = api.Math.Divide(ctx, 1, 0)
	var thrown *kkrpc.Error
	if !errors.As(err, &thrown) {
		return err
	}
	fmt.Println(thrown.Name, thrown.Message, thrown.Fields)

	done, err := api.Resize(ctx, []string{"a.png", "b.png"}, func(done, total int) { fmt.Println(done, "of", total) })
	if err != nil {
		return err
	}
	fmt.Println(done)

	for prime, err := range api.Primes(ctx) {
		if err != nil {
			return err
		}
		fmt.Println(prime)
		if prime > 5 {
			break // ends the loop in the server too
		}
	}

	me, err := api.WhoAmI(ctx)
	if err != nil {
		return err
	}
	fmt.Println(me)
	return nil
}

func main() {
	if err := run(context.Background()); err != nil {
		log.Fatal(err)
	}
}
