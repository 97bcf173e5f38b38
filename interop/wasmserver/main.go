// Command wasmserver is the conformance API for a JavaScript server, with functions that do harm, tell of the program or
// reach other connections:
//
//	go run ./cmd/kkrpc build hono ./interop/wasmserver --runtime bun -o dist
//
// With -tags errortext its errors are what kkrpc 0.2 understands.
package main

import (
	"fmt"
	"maps"
	"os"

	"github.com/kkrpc-go/kkrpc"
	"github.com/kkrpc-go/kkrpc/interop/api"
	"github.com/kkrpc-go/kkrpc/wasm"
)

func main() {
	object := api.New()
	var r room
	var e ends
	for _, part := range []kkrpc.Object{harm(), account(), r.api(), e.api(), javascript()} {
		maps.Copy(object, part)
	}
	compiled, err := kkrpc.Expose(object)
	if err != nil {
		panic(err)
	}
	fmt.Fprintln(os.Stderr, wasm.ServeFor(opens(compiled), &wasm.Options{
		RPC: kkrpc.Options{
			ErrorText: errorText,
			Limits:    kkrpc.Limits{Frame: 2 << 20},
			OnError:   func(err error) { fmt.Fprintln(os.Stderr, err) },
		},
		Inbox:   4 << 20,
		Origins: []string{"https://listed.example"},
		OnOpen:  opened,
		OnClose: func(ch *kkrpc.Channel, _ *wasm.Request, err error) {
			r.leave(ch)
			e.closed(err)
		},
	}))
	os.Exit(1)
}
