// Command wasmbytes has functions that take and return bytes, inside Hono:
//
//	go run ./cmd/kkrpc build hono ./interop/wasmbytes --runtime bun -o dist
package main

import (
	"fmt"
	"os"

	"github.com/kkrpc-go/kkrpc/interop/api"
	"github.com/kkrpc-go/kkrpc/wasm"
)

func main() {
	fmt.Fprintln(os.Stderr, wasm.Serve(api.Bytes(), nil))
	os.Exit(1)
}
