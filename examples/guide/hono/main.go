package main

import (
	"context"
	"log"
	"sync/atomic"
	"time"

	"github.com/kkrpc-go/kkrpc"
	"github.com/kkrpc-go/kkrpc/wasm"
)

// visits are those to this program: its connections share it.
var visits atomic.Int64

// open makes the API of one connection, of what its request says.
func open(r *wasm.Request) (any, error) {
	user := r.URL.Query().Get("user")
	if user == "" {
		return nil, wasm.Reject(4401, "who are you?")
	}
	return kkrpc.Object{
		"greet":     func() string { return "Hello, " + user + "!" },
		"visit":     func() int64 { return visits.Add(1) },
		"introduce": introduce,
		"stumble":   func() { panic("in a function") },
		"fall":      func() { time.AfterFunc(100*time.Millisecond, func() { panic("outside of all functions") }) },
	}, nil
}

// introduce calls back whoever calls it.
func introduce(ctx context.Context, progress func(step string)) (string, error) {
	progress("asking")
	language, err := kkrpc.Call[string](ctx, kkrpc.FromContext(ctx), "language")
	if err != nil {
		return "", err
	}
	path := wasm.RequestFromContext(ctx).URL.Path
	return language + " meets Go on " + path, nil
}

func main() {
	log.Fatal(wasm.ServeFor(open, &wasm.Options{
		MaxConns: 1000,
		RPC:      kkrpc.Options{Limits: kkrpc.Limits{Frame: 1 << 20}}, // bytes of a message
		OnClose:  func(_ *kkrpc.Channel, _ *wasm.Request, err error) { log.Println("closed:", err) },
	}))
}
