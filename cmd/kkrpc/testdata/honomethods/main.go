// Command honomethods is a program for a JavaScript server with methods of its own types and of others.
package main

import (
	"sync"

	"github.com/kkrpc-go/kkrpc"
	"github.com/kkrpc-go/kkrpc/cmd/kkrpc/testdata/honomethods/inner"
	"github.com/kkrpc-go/kkrpc/wasm"
)

type shop struct{ sync.Mutex }

// Stock has a pointer receiver.
func (*shop) Stock() int { return 7 }

func (*shop) hidden() {}

type door interface {
	Open()
	closed() bool
}

var _ door

func main() {
	(&shop{}).hidden()
	panic(wasm.Serve(kkrpc.Object{"inner": inner.Type{}}, nil))
}
