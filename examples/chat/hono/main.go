// Command hono is the chat inside a Hono server, as WebAssembly. It has the API of package chat and keeps the messages in
// memory. The server in JavaScript signs users in and says whose connection it is.
package main

import (
	"log"
	"net/url"
	"os"

	"github.com/kkrpc-go/kkrpc"
	"github.com/kkrpc-go/kkrpc/interceptor"
	"github.com/kkrpc-go/kkrpc/wasm"

	chat "github.com/kkrpc-go/kkrpc/examples/chat/api"
)

func main() {
	logger := log.New(os.Stderr, "chat: ", 0)
	c, err := chat.New(&chat.Options{OnError: func(err error) { logger.Print(err) }})
	if err != nil {
		logger.Fatal(err)
	}
	// open makes the API of a connection. The server has set the header, whatever the client has sent.
	open := func(r *wasm.Request) (any, error) {
		user, err := url.PathUnescape(r.Header["x-user"])
		if err != nil {
			return nil, wasm.Reject(4401, "not signed in")
		}
		api, err := c.API(user, r.Params["room"])
		if err != nil {
			return nil, wasm.Reject(4404, err.Error())
		}
		return api, nil
	}
	logger.Fatal(wasm.ServeFor(open, &wasm.Options{RPC: kkrpc.Options{
		Inbound: []kkrpc.Interceptor{interceptor.RateLimit(20, 60)},
		Limits:  kkrpc.Limits{Frame: 64 << 10},
	}}))
}
