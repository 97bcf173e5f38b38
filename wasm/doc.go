// Package wasm makes a Go program the WebSocket handler of a JavaScript server: built for GOOS=js GOARCH=wasm, it runs
// inside [Hono] in Bun, Deno, Node.js and Cloudflare Workers, and answers what kkrpc in TypeScript would.
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
// With the context c, pages of other origins are refused as by transport/ws, see Options.Origins; without it, that is left to the
// application.
//
// On Workers each Durable Object has an instance of its own, or, with --plain, each isolate. There Hono tells of a connection only
// with its first message.
//
// One instance of the program serves all connections. There is one thread: a handler that computes for long holds up
// all of them, one that waits does not. What a connection may cost is bounded as everywhere; what the JavaScript server
// has read or not sent yet is bounded too, since WebSockets there have no backpressure: Options.Inbox and
// Limits.Outbound. A panic on a goroutine of your own ends the instance, whose connections are closed with code 1011, and the next
// connection starts another one.
//
// [Hono]: https://hono.dev
package wasm
