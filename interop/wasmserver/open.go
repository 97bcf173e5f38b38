package main

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/kkrpc-go/kkrpc"
	"github.com/kkrpc-go/kkrpc/wasm"
)

// opens is what the parameters of a request make of its connection.
func opens(api any) func(r *wasm.Request) (any, error) {
	return func(r *wasm.Request) (any, error) {
		query := r.URL.Query()
		if code, err := strconv.Atoi(query.Get("reject")); err == nil {
			return nil, wasm.Reject(code, "as asked for")
		}
		if query.Get("panic") == "api" {
			panic("no API")
		}
		return api, nil
	}
}

// opened is OnOpen. With the parameter ask it asks the client, and closes the connection with what that answers.
func opened(ch *kkrpc.Channel, r *wasm.Request) {
	if r.URL.Query().Has("ask") {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		answer, err := kkrpc.Call[string](ctx, ch, "ask")
		if err != nil {
			answer = err.Error()
		}
		go ch.CloseWith(4000, answer) // ends within Limits.Write
	}
	if r.URL.Query().Get("panic") == "open" {
		panic(fmt.Sprint("OnOpen of ", r.URL.Path))
	}
}
