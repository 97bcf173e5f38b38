// Package reminders is an API whose tests docs/guide/testing.md explains.
package reminders

import (
	"context"
	"errors"
	"iter"
	"time"

	"github.com/kkrpc-go/kkrpc"
	"github.com/kkrpc-go/kkrpc/wasm"
)

// API makes the API of one connection.
func API() kkrpc.Object {
	return kkrpc.Object{
		"greet": func(name string) (string, error) {
			if name == "" {
				return "", errors.New("a name is needed")
			}
			return "Hello, " + name + "!", nil
		},
		// remind calls a function of the peer in an hour.
		"remind": func(text string, notify func(text string)) {
			time.AfterFunc(time.Hour, func() { notify(text) })
		},
		// minutes is a stream with an item each minute.
		"minutes": func(ctx context.Context) iter.Seq[int] {
			return func(yield func(int) bool) {
				for n := 1; ; n++ {
					select {
					case <-time.After(time.Minute):
					case <-ctx.Done():
						return
					}
					if !yield(n) {
						return
					}
				}
			}
		},
		// clear asks the peer first.
		"clear": func(ctx context.Context) (bool, error) {
			return kkrpc.Call[bool](ctx, kkrpc.FromContext(ctx), "confirm", "Clear all?")
		},
		// whoami reads what Hono's middleware jwt has found, inside Hono.
		"whoami": func(ctx context.Context) (string, error) {
			token, err := wasm.Var[struct{ Sub string }](ctx, "jwtPayload")
			return token.Sub, err
		},
	}
}
