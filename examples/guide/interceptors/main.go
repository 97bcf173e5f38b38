package main

import (
	"context"
	"errors"
	"fmt"
	"log"
	"log/slog"
	"net/http"
	"strings"

	"github.com/kkrpc-go/kkrpc"
	"github.com/kkrpc-go/kkrpc/interceptor"
	"github.com/kkrpc-go/kkrpc/transport/ws"
)

// maintenance lets through what only reads.
func maintenance(ctx context.Context, r *kkrpc.Request, next kkrpc.Handler) (any, error) {
	if strings.HasPrefix(r.Path, "delete") {
		return nil, &kkrpc.Error{Name: "Maintenance", Message: r.Path + " has to wait"}
	}
	result, err := next(ctx, r)
	if text, ok := result.(string); ok {
		result = text + " (read only)"
	}
	return result, err
}

// retry makes a call again that the client was too busy for.
func retry(ctx context.Context, r *kkrpc.Request, next kkrpc.Handler) (result any, err error) {
	for attempt := 1; attempt <= 3; attempt++ {
		result, err = next(ctx, r)
		var thrown *kkrpc.Error
		if !errors.As(err, &thrown) || thrown.Name != "Busy" {
			break
		}
		fmt.Println(r.Path, "was busy, attempt", attempt)
	}
	return result, err
}

func report(ctx context.Context, r *kkrpc.Request, recovered any, stack []byte) error {
	log.Printf("%s: %v\n%s", r.Path, recovered, stack) // stays here
	return errors.New("please report incident 42")
}

func main() {
	http.Handle("/ws", ws.Handler(kkrpc.Object{
		"read":      func(name string) string { return "contents of " + name },
		"deleteAll": func() {},
		"crash":     func() { panic("what nobody may see") },
		"printout": func(ctx context.Context) (string, error) {
			return kkrpc.Call[string](ctx, kkrpc.FromContext(ctx), "print", "report")
		},
	}, &ws.Options{RPC: kkrpc.Options{
		Inbound: []kkrpc.Interceptor{ // the first is the outermost
			interceptor.Logging(slog.Default(), nil),
			interceptor.Recovery(report),
			interceptor.RateLimit(0.1, 4), // calls a second, and at once after a quiet time
			maintenance,
		},
		Outbound: []kkrpc.Interceptor{retry},
	}}))
	log.Print("serving ws://localhost:3000/ws")
	log.Fatal(http.ListenAndServe("localhost:3000", nil))
}
