package main

import (
	"context"
	"log"
	"net/http"

	"github.com/kkrpc-go/kkrpc"
	"github.com/kkrpc-go/kkrpc/transport/ws"
)

func main() {
	http.Handle("/ws", ws.Handler(kkrpc.Object{
		"greet": func(name string) string { return "Hello, " + name + "!" },
		"launch": func(ctx context.Context, from int, tick func(n int)) (string, error) {
			for n := from; n > 0; n-- {
				tick(n) // a function of the client
			}
			return kkrpc.Call[string](ctx, kkrpc.FromContext(ctx), "confirm", "lift-off")
		},
	}, nil))
	log.Print("serving ws://localhost:3000/ws")
	log.Fatal(http.ListenAndServe("localhost:3000", nil))
}
