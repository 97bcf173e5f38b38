// Command wasmvalues tells what it reads of the JavaScript server around it:
//
//	go run ./cmd/kkrpc build hono ./interop/wasmvalues --runtime bun -o dist
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

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
		"kv":        kv,
		"service":   service,
		"after":     after,
		"chain":     chain,
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

// kv writes to a namespace and reads it, as text and as bytes.
func kv(ctx context.Context, key, text string, bytes []byte) ([]found, error) {
	namespace := wasm.BindingOf("KV")
	if _, err := wasm.Do[any](ctx, namespace.Call("put", key, text)); err != nil {
		return nil, err
	}
	if _, err := wasm.Do[any](ctx, namespace.Call("put", key+"-bytes", bytes)); err != nil {
		return nil, err
	}
	return []found{
		tell(wasm.Do[string](ctx, namespace.Call("get", key))),
		tell(wasm.Do[[]byte](ctx, namespace.Call("get", key+"-bytes", "arrayBuffer"))),
		tell(wasm.Do[*string](ctx, namespace.Call("get", "missing"))),
		tell(wasm.Do[string](ctx, namespace.Call("get", "missing"))),
		tell(wasm.Do[string](ctx, namespace.Call("get", key+"-bytes", "arrayBuffer"))),
		tell(wasm.Do[int](ctx, namespace.Call("get", key))),
	}, nil
}

// service fetches from another Worker.
func service(ctx context.Context, url string) found {
	response := wasm.BindingOf("SERVICE").Call("fetch", url)
	return tell(wasm.Do[string](ctx, response.Call("text")))
}

// after is service behind a timer, which on Workers may run in the request of another connection.
func after(ctx context.Context, ms int, url string) found {
	time.Sleep(time.Duration(ms) * time.Millisecond)
	return service(ctx, url)
}

// chain calls methods without arguments.
func chain(ctx context.Context, binding string, methods ...string) found {
	b := wasm.BindingOf(binding)
	for _, method := range methods {
		b = b.Call(method)
	}
	return tell(wasm.Do[any](ctx, b))
}

func main() {
	fmt.Fprintln(os.Stderr, wasm.ServeFor(open, &wasm.Options{MaxValue: 1000}))
	os.Exit(1)
}
