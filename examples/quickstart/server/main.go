package main

import (
	"context"
	"log"
	"net"
	"net/http"

	"github.com/kkrpc-go/kkrpc"
	"github.com/kkrpc-go/kkrpc/transport/ws"
)

func main() {
	http.Handle("/ws", ws.Handler(kkrpc.Object{
		"greet": func(name string) string { return "Hello, " + name + "!" },
		"math": kkrpc.Object{
			"multiply": func(a, b float64) float64 { return a * b },
		},
		"launch": func(ctx context.Context, from int, tick func(n int)) (string, error) {
			for n := from; n > 0; n-- {
				tick(n) // a function of the client
			}
			return kkrpc.Call[string](ctx, kkrpc.FromContext(ctx), "confirm", "lift-off")
		},
	}, nil))

	listener, err := net.Listen("tcp", "localhost:3000")
	if err != nil {
		log.Fatal(err)
	}
	log.Printf("serving ws://%s/ws", listener.Addr())
	log.Fatal(http.Serve(listener, nil))
}
