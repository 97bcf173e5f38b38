// Command wasmserver is the conformance API for a JavaScript server:
//
//	go run ./cmd/kkrpc build hono ./internal/interop/wasmserver --runtime bun -o dist
//
// With -tags errortext its errors are what kkrpc 0.2 understands.
package main

import (
	"fmt"
	"os"

	"github.com/kkrpc-go/kkrpc"
	"github.com/kkrpc-go/kkrpc/internal/interop/api"
	"github.com/kkrpc-go/kkrpc/wasm"
)

func main() {
	object := api.New()
	object["panicOutside"] = func() { go func() { panic("outside of a handler") }() }
	fmt.Fprintln(os.Stderr, wasm.Serve(object, &wasm.Options{RPC: kkrpc.Options{
		ErrorText: errorText,
		OnError:   func(err error) { fmt.Fprintln(os.Stderr, err) },
	}}))
	os.Exit(1)
}
