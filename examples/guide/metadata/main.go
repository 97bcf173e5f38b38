package main

import (
	"context"
	"errors"
	"fmt"
	"log"
	"net/http"
	"time"

	"github.com/kkrpc-go/kkrpc"
	"github.com/kkrpc-go/kkrpc/transport/ws"
)

// greet reads what came beside the arguments.
func greet(ctx context.Context, name string) string {
	meta := kkrpc.MetadataFrom(ctx)
	return fmt.Sprintf("Hello, %s of %v (request %v)!", name, meta["tenant"], meta["request"])
}

// wait stops when its caller has stopped waiting.
func wait(ctx context.Context) error {
	select {
	case <-time.After(time.Minute):
		return nil
	case <-ctx.Done():
		fmt.Println("gave up:", errors.Is(ctx.Err(), context.DeadlineExceeded))
		return ctx.Err()
	}
}

// forward calls the client with metadata and a deadline. The trace that the request brought goes along by itself.
func forward(ctx context.Context) (string, error) {
	client := kkrpc.FromContext(ctx)
	ctx = kkrpc.WithMetadata(ctx, map[string]any{"hop": 2})
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	return kkrpc.Call[string](ctx, client, "receive")
}

func main() {
	http.Handle("/ws", ws.Handler(kkrpc.Object{"greet": greet, "wait": wait, "forward": forward}, &ws.Options{
		RPC: kkrpc.Options{
			// Every call of this side carries this.
			Metadata: func(context.Context) map[string]any { return map[string]any{"server": "go-1"} },
		},
	}))
	log.Print("serving ws://localhost:3000/ws")
	log.Fatal(http.ListenAndServe("localhost:3000", nil))
}
