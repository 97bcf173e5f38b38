// Command hono is the API of users as the WebSocket handler of a Hono server. It keeps the users in memory.
package main

import (
	"context"
	"log"

	"github.com/kkrpc-go/kkrpc"
	"github.com/kkrpc-go/kkrpc/examples/users/api"
	"github.com/kkrpc-go/kkrpc/wasm"
)

func main() {
	service, err := api.New(api.NewMemory(), &api.Options{OnError: func(err error) { log.Print(err) }})
	if err == nil {
		err = service.AddExamples(context.Background())
	}
	if err != nil {
		log.Fatal(err)
	}
	log.Fatal(wasm.Serve(kkrpc.As[api.ServerAPI](service), &wasm.Options{
		RPC: kkrpc.Options{Inbound: service.Inbound(asksForTextErrors)},
	}))
}

// asksForTextErrors reports whether the client has connected to /ws?errors=text, as a page with kkrpc 0.2 does.
func asksForTextErrors(ctx context.Context) bool {
	return wasm.RequestFromContext(ctx).URL.Query().Get("errors") == "text"
}
