package main

import (
	"context"
	"log"
	"net/http"
	"sync/atomic"

	"github.com/kkrpc-go/kkrpc"
	"github.com/kkrpc-go/kkrpc/transport/kkhttp"
	"github.com/kkrpc-go/kkrpc/transport/ws"
)

func main() {
	var visits atomic.Int64 // what requests share is outside of them
	api := kkrpc.Object{
		"greet": func(name string) string { return "Hello, " + name + "!" },
		"visit": func() int64 { return visits.Add(1) },
		"askBack": func(ctx context.Context) (string, error) { // needs a connection
			return kkrpc.Call[string](ctx, kkrpc.FromContext(ctx), "whoami")
		},
		"add": func(a, b float64) float64 { return a + b },
	}
	http.Handle("/rpc", kkhttp.Handler(api, nil))
	http.Handle("/ws", ws.Handler(api, nil)) // the same API for those who can
	log.Print("serving http://localhost:3000/rpc")
	log.Fatal(http.ListenAndServe("localhost:3000", nil))
}
