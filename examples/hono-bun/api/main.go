package main

import (
	"github.com/kkrpc-go/kkrpc"
	"github.com/kkrpc-go/kkrpc/wasm"
)

func main() {
	panic(wasm.Serve(kkrpc.Object{
		"greet": func(name string) string { return "Hello, " + name + "!" },
		"add":   func(a, b float64) float64 { return a + b },
		"math": kkrpc.Object{
			"multiply": func(a, b float64) float64 { return a * b },
		},
	}, nil))
}
