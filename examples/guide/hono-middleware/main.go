package main

import (
	"context"
	"errors"
	"log"

	"github.com/kkrpc-go/kkrpc"
	"github.com/kkrpc-go/kkrpc/wasm"
)

// claims are those of the token that the program wants to know.
type claims struct {
	Name string `json:"sub"`
}

// open makes the API of a connection whose token Hono's jwt middleware has verified.
func open(r *wasm.Request) (any, error) {
	user, err := wasm.Var[claims](r.Context(), "jwtPayload")
	if err != nil {
		return nil, err
	}
	return newAPI(user), nil
}

func newAPI(user claims) kkrpc.Object {
	return kkrpc.Object{
		"greet":  func() string { return "Hello, " + user.Name + "!" },
		"id":     id,
		"region": region,
	}
}

// id returns the id of the request that has opened the connection.
func id(ctx context.Context) (string, error) {
	return wasm.Var[string](ctx, "requestId")
}

// region says where the server runs.
func region(ctx context.Context) (string, error) {
	name, err := wasm.Env[string](ctx, "REGION")
	if errors.Is(err, wasm.ErrNotSet) {
		return "somewhere", nil
	}
	return name, err
}

func main() {
	log.Fatal(wasm.ServeFor(open, nil))
}
