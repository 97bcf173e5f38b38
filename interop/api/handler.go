//go:build !js

package api

import (
	"net/http"

	"github.com/kkrpc-go/kkrpc"
	"github.com/kkrpc-go/kkrpc/transport/ws"
)

// Handler serves the conformance API at /ws, and at /ws-text with errors as kkrpc 0.2 understands them under JSON.
// onError is told what the channels report; it may be nil.
func Handler(onError func(error)) http.Handler {
	object := New()
	options := func(text bool) *ws.Options {
		return &ws.Options{RPC: kkrpc.Options{ErrorText: text, OnError: onError}}
	}
	mux := http.NewServeMux()
	mux.Handle("/ws", ws.Handler(object, options(false)))
	mux.Handle("/ws-text", ws.Handler(object, options(true)))
	return mux
}
