//go:build served && js

package main

import "github.com/kkrpc-go/kkrpc/wasm"

func init() { panic(wasm.Serve(served, nil)) } // which is undefined: a test need not wait for the linker
