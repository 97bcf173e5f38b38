//go:build !(js && wasm)

package wasm

import "errors"

func serveFor(func(r *Request) (any, error), *Options) error {
	return errors.New("wasm: this program is for a JavaScript server: build it with `kkrpc build hono`")
}
