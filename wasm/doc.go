// Package wasm makes a Go program the WebSocket handler of a JavaScript server, in place of kkrpc in TypeScript. The
// program is built for GOOS=js GOARCH=wasm. It runs inside [Hono] in Bun, Deno, Node.js and Cloudflare Workers.
//
//	package main
//
//	import (
//		"github.com/kkrpc-go/kkrpc"
//		"github.com/kkrpc-go/kkrpc/wasm"
//	)
//
//	func main() {
//		panic(wasm.Serve(kkrpc.Object{
//			"greet": func(name string) string { return "Hello, " + name + "!" },
//		}, nil))
//	}
//
// The command `kkrpc build hono` builds it into a folder whose index.mjs exports createHonoWebSocketHandler:
//
//	app.get("/ws", upgradeWebSocket((c) => createHonoWebSocketHandler(c)))
//
// With the context c, pages of other origins are refused as by transport/ws, see Options.Origins. Without c every
// connection is refused, unless Options.Origins has "*".
//
// On Workers each Durable Object has its own instance of the program. Package wasm/durable gives it the storage of the
// object, its alarm, and sleep while connections are open. With --plain each isolate has one instance. In a plain Worker,
// Hono reports a connection only with its first message.
//
// # Middleware and environment
//
// Middleware of Hono runs before the handler and may refuse a connection with a status. Var reads what it has set by c.set,
// such as the payload of a token. Env reads environment variables, and variables and secrets of a Worker.
//
//	user, err := wasm.Var[User](ctx, "jwtPayload")
//
// Do calls the methods of a Worker's bindings, such as KV namespaces, D1 databases and services. A Worker passes variables
// on to its Durable Object by forward of index.mjs. Package wasm/wasmtest has values for tests without JavaScript.
//
// # Bytes
//
// A []byte travels beside the text of its message if the URL of the client ends in ?kkrpc=compact-json,bytes.1. The URL may
// name another dialect before the comma. Otherwise a []byte is text. See docs/protocol.md, "Bytes".
//
// # Concurrency
//
// One instance of the program serves all connections on one thread. A handler that computes for long delays all of
// them. A handler that waits does not.
//
// # Limits
//
// kkrpc.Limits bounds the cost of a connection. WebSockets in JavaScript have no back-pressure. Options.Inbox therefore
// bounds the received messages that wait, over all connections. Limits.Outbound bounds the unsent ones of each connection.
// Options.MaxValue bounds a value that Var, Env or Do returns.
//
// A panic on one of your goroutines ends the instance. Its connections are closed with code 1011, and the next
// connection starts another instance.
//
// # Other servers, and logs
//
// Package wasm/fetch sends HTTP requests by the fetch of the runtime. Package wasm/console writes the records of slog to
// its console.
//
// [Hono]: https://hono.dev
package wasm
