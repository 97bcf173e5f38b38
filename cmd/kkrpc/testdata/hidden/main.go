// Command hidden serves what its source does not tell.
package main

import "github.com/kkrpc-go/kkrpc/wasm"

// serve is chosen when the program runs.
var serve = wasm.Serve

func main() { panic(serve(map[string]any{}, nil)) }
