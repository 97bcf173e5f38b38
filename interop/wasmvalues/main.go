// Command wasmvalues tells what it reads of the JavaScript server around it:
//
//	go run ./cmd/kkrpc build hono ./interop/wasmvalues --runtime bun -o dist
package main

import (
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/kkrpc-go/kkrpc"
	"github.com/kkrpc-go/kkrpc/wasm"
)

type user struct {
	Name  string   `json:"name"`
	Roles []string `json:"roles"`
}

type limits struct {
	Max int `json:"max"`
}

// found is what reading a value gave.
type found struct {
	Value  any    `json:"value"`
	Err    string `json:"err"`
	NotSet bool   `json:"notSet"`
}

func tell[T any](v T, err error) found {
	if err != nil {
		return found{v, err.Error(), errors.Is(err, wasm.ErrNotSet)}
	}
	return found{Value: v}
}

func open(r *wasm.Request) (any, error) {
	first := tell(wasm.Var[user](r.Context(), "user"))
	return kkrpc.Object{
		"first":     func() found { return first },
		"any":       func(ctx context.Context, name string) found { return tell(wasm.Var[any](ctx, name)) },
		"user":      func(ctx context.Context, name string) found { return tell(wasm.Var[user](ctx, name)) },
		"bytes":     func(ctx context.Context, name string) found { return tell(wasm.Var[[]byte](ctx, name)) },
		"number":    func(ctx context.Context, name string) found { return tell(wasm.Var[int](ctx, name)) },
		"envText":   func(ctx context.Context, name string) found { return tell(wasm.Env[string](ctx, name)) },
		"envNumber": func(ctx context.Context, name string) found { return tell(wasm.Env[int](ctx, name)) },
		"envLimits": func(ctx context.Context, name string) found { return tell(wasm.Env[limits](ctx, name)) },
		"detached":  func() found { return tell(wasm.Var[any](context.Background(), "user")) },
		"readOften": readOften,
	}, nil
}

// readOften reads a variable many times and tells whether it is the same each time.
func readOften(ctx context.Context, name string, times int) (string, error) {
	first, err := wasm.Var[string](ctx, name)
	for range times {
		again, err := wasm.Var[string](ctx, name)
		if err != nil || again != first {
			return "", fmt.Errorf("it was %q, %v after %q", again, err, first)
		}
	}
	return first, err
}

func main() {
	fmt.Fprintln(os.Stderr, wasm.ServeFor(open, &wasm.Options{MaxValue: 1000}))
	os.Exit(1)
}
