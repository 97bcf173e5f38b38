package main

import (
	"fmt"
	"os"

	"github.com/kkrpc-go/kkrpc/wasm"
)

// main is that of the program inside Hono, see ../honopeers.go.
func main() {
	api, err := newAPI("ctx")
	if err == nil {
		err = wasm.Serve(api, nil)
	}
	fmt.Fprintln(os.Stderr, "server:", err)
	os.Exit(1)
}
