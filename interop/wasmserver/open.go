package main

import (
	"fmt"
	"strconv"

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

// opened is OnOpen.
func opened(_ *kkrpc.Channel, r *wasm.Request) {
	if r.URL.Query().Get("panic") == "open" {
		panic(fmt.Sprint("OnOpen of ", r.URL.Path))
	}
}
