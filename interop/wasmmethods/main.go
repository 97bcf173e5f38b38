// Command wasmmethods is a program for a JavaScript server that exposes methods of types.
package main

import (
	"bytes"
	"fmt"
	"os"
	"runtime/debug"
	"sync"

	"github.com/kkrpc-go/kkrpc"
	"github.com/kkrpc-go/kkrpc/wasm"
)

type shop struct{ name string }

// Name has a value receiver.
func (s shop) Name() string { return s.name }

// Stack has a pointer receiver.
func (s *shop) Stack() string { return string(debug.Stack()) }

// seller has all of them.
type seller interface {
	named
	Stack() string
}

type named interface{ Name() string }

// locked has the methods of a library beside its own.
type locked struct{ sync.Mutex }

func (*locked) Name() string { return "locked" }

func refusal(api any) string {
	_, err := kkrpc.Expose(api)
	return fmt.Sprint(err)
}

func main() {
	fmt.Fprintln(os.Stderr, wasm.Serve(kkrpc.Object{
		"shop":     kkrpc.As[seller](&shop{"tea"}),
		"named":    kkrpc.As[named](shop{"cups"}),
		"promoted": func() string { return refusal(&locked{}) },
		"library":  func() string { return refusal(kkrpc.Object{"buffer": kkrpc.As[fmt.Stringer](&bytes.Buffer{})}) },
	}, nil))
	os.Exit(1)
}
