// Command wasmbroken is a program for a JavaScript server whose API cannot be exposed.
package main

import (
	"fmt"
	"os"

	"github.com/kkrpc-go/kkrpc"
	"github.com/kkrpc-go/kkrpc/wasm"
)

func main() {
	fmt.Fprintln(os.Stderr, wasm.Serve(kkrpc.Object{"feed": func(chan int) {}}, nil))
	os.Exit(1)
}
