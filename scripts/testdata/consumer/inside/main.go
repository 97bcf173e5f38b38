// Command inside runs inside a JavaScript server.
package main

import (
	"log"

	"github.com/kkrpc-go/kkrpc"
	"github.com/kkrpc-go/kkrpc/wasm"
)

func main() {
	api := kkrpc.Object{"greet": func(name string) string { return "Hello, " + name + "!" }}
	log.Fatal(wasm.Serve(api, &wasm.Options{Origins: []string{"*"}}))
}
