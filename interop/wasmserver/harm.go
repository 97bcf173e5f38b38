package main

import (
	"os"

	"github.com/kkrpc-go/kkrpc"
)

// harm are functions that end the program.
func harm() kkrpc.Object {
	return kkrpc.Object{
		"panicOutside": func() { go func() { panic("outside of a handler") }() },
		"exit":         func(code int) { os.Exit(code) },
		// The host's stack is exhausted long before the goroutine's.
		"overflow": func() int { return deeper(1) },
		"exhaust": func() int {
			for {
				hoard = append(hoard, make([]byte, 1<<30))
			}
		},
	}
}

var hoard [][]byte

func deeper(n int) int {
	if n == 0 {
		return 0
	}
	return deeper(n+1) + n
}
