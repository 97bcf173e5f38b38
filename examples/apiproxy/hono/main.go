//go:build js

// Command hono is the API proxy as the WebSocket handler of a Hono server. The server sets the global variable UPSTREAM to the
// URL of the HTTP API. Without it, the program uses one that is part of it.
package main

import (
	"log"
	"net/http"
	"syscall/js"

	"github.com/kkrpc-go/kkrpc/examples/apiproxy/proxy"
	"github.com/kkrpc-go/kkrpc/examples/apiproxy/upstream"
	"github.com/kkrpc-go/kkrpc/wasm"
	"github.com/kkrpc-go/kkrpc/wasm/fetch/roundtrip"
)

func main() {
	target, opts := upstream.URL, &proxy.Options{Client: upstream.Client()}
	if set := js.Global().Get("UPSTREAM"); set.Type() == js.TypeString {
		target, opts.Client = set.String(), &http.Client{Transport: roundtrip.Transport{}}
	}
	api, err := proxy.New(target, opts)
	if err != nil {
		log.Fatal(err)
	}
	log.Fatal(wasm.Serve(api, nil))
}
