// Command hono is the smallest program for a JavaScript server whose API is bound by reflection.
package main

import (
	"github.com/kkrpc-go/kkrpc"
	"github.com/kkrpc-go/kkrpc/wasm"
)

type user struct {
	Name string `json:"name"`
	Tags []string
}

type greeter interface{ Greet(u user) string }

type api struct{}

// Greet greets.
func (api) Greet(u user) string { return "Hello, " + u.Name + "!" }

func main() {
	panic(wasm.Serve(kkrpc.Object{
		"api":  kkrpc.As[greeter](api{}),
		"echo": func(u user) (user, error) { return u, nil },
	}, nil))
}
