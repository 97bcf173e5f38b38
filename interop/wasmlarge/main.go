// Command wasmlarge takes messages that are larger than some JavaScript servers take:
//
//	go run ./cmd/kkrpc build hono ./interop/wasmlarge --runtime bun -o dist
package main

import (
	"fmt"
	"os"

	"github.com/kkrpc-go/kkrpc"
	"github.com/kkrpc-go/kkrpc/wasm"
)

func main() {
	fmt.Fprintln(os.Stderr, wasm.Serve(kkrpc.Object{
		"greet": func(name string) string { return "Hello, " + name + "!" },
		"size":  func(text string) int { return len(text) },
	}, &wasm.Options{
		RPC:   kkrpc.Options{Limits: kkrpc.Limits{Frame: 70 << 20}},
		Inbox: 200 << 20,
	}))
	os.Exit(1)
}
