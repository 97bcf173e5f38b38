// Command honofetch is the program of testdata/hono with requests to other servers.
package main

import (
	"context"
	"io"

	"github.com/kkrpc-go/kkrpc"
	"github.com/kkrpc-go/kkrpc/wasm"
	"github.com/kkrpc-go/kkrpc/wasm/fetch"
)

type user struct {
	Name string `json:"name"`
	Tags []string
}

type greeter interface{ Greet(u user) string }

type api struct{}

// Greet greets.
func (api) Greet(u user) string { return "Hello, " + u.Name + "!" }

func load(ctx context.Context, url string) (string, error) {
	response, err := fetch.Get(ctx, url)
	if err != nil {
		return "", err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	return string(body), err
}

func main() {
	panic(wasm.Serve(kkrpc.Object{
		"api":  kkrpc.As[greeter](api{}),
		"echo": func(u user) (user, error) { return u, nil },
		"load": load,
	}, nil))
}
