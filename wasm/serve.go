package wasm

import (
	"fmt"

	"github.com/kkrpc-go/kkrpc"
)

// Serve exposes api, which may be anything that kkrpc.Expose accepts, on each connection that the JavaScript server
// opens. It returns only if api cannot be exposed, an option is malformed, or Serve was called before. It also returns
// if the program was not built for GOOS=js GOARCH=wasm.
func Serve(api any, opts *Options) error {
	compiled, err := kkrpc.Expose(api)
	if err != nil {
		return fmt.Errorf("wasm: Serve: %w", err)
	}
	return serveFor(func(*Request) (any, error) { return compiled, nil }, opts)
}

// ServeFor is Serve with an API for each connection. api is called on a goroutine of its own, before the first message
// of the connection is read. An error made by Reject closes the connection with its code and reason. Any other error,
// or a panic, goes to Options.RPC.OnError and closes the connection with code 1011.
func ServeFor(api func(r *Request) (api any, err error), opts *Options) error {
	return serveFor(api, opts)
}
