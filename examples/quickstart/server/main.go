package main

import (
	"context"
	"log"
	"net/http"
	"time"

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
	}, &ws.Options{Hosts: []string{"localhost", "127.0.0.1"}})) // against DNS rebinding
	server := &http.Server{Addr: "localhost:3000", ReadHeaderTimeout: 10 * time.Second}
	log.Print("serving ws://localhost:3000/ws")
	log.Fatal(server.ListenAndServe())
}
