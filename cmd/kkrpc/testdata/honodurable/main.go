// Command honodurable is the program of testdata/hono with the storage and the sleep of a Durable Object.
package main

import (
	"context"

	"github.com/kkrpc-go/kkrpc"
	"github.com/kkrpc-go/kkrpc/wasm"
	"github.com/kkrpc-go/kkrpc/wasm/durable"
)

type user struct {
	Name string `json:"name"`
	Tags []string
}

type greeter interface{ Greet(u user) string }

type api struct{}

// Greet greets.
func (api) Greet(u user) string { return "Hello, " + u.Name + "!" }

func join(ctx context.Context, u user) error {
	if err := durable.Keep(ctx, "join"); err != nil || durable.Waking(ctx) {
		return err
	}
	return durable.Transaction(ctx, func(ctx context.Context) error {
		if _, err := durable.Get[user](ctx, "last"); err != nil {
			return err
		}
		return durable.Put(ctx, "last", u)
	})
}

func main() {
	durable.Configure(&durable.Options{Hibernate: true})
	panic(wasm.Serve(kkrpc.Object{
		"api":  kkrpc.As[greeter](api{}),
		"echo": func(u user) (user, error) { return u, nil },
		"join": join,
	}, nil))
}
