// Package ws carries kkrpc over WebSocket: a server that is an http.Handler, and a client.
//
//	http.Handle("/ws", ws.Handler(api, &ws.Options{Origins: []string{"http://localhost:*"}}))
//
//	ch, err := ws.Dial(ctx, "ws://localhost:3000/ws", nil)
//
// A server answers each client in the dialect it is spoken to. A client that is to be called before it has spoken
// names its dialect when it connects: by the parameter kkrpc in the URL, as in /ws?kkrpc=classic-json, or by the
// subprotocol kkrpc.classic-json. Dial offers that subprotocol, and servers that do not know it ignore it. A js/wasm
// build adds the parameter instead, because its host fails the connection if the server picks no subprotocol.
// RPC.Dialects lists what a client may name and speak.
//
// # Origins
//
// Browsers let any page open a WebSocket anywhere and send the user's cookies along, and CORS middleware does not
// govern that. So requests from pages are accepted from the server's own origin only, and from those that
// Options.Origins lists. Requests without Origin are not from pages and pass.
//
// # Names
//
// A server that is meant for this machine or network alone should also list its names in Options.Hosts. Otherwise a
// page can have its own name point to the server, and is then of the same origin.
//
// # Connecting again
//
// A Channel ends with its connection. DialPersistent returns what outlives connections:
//
//	p, err := ws.DialPersistent(ctx, "wss://example.com/ws", &ws.PersistentOptions{
//		OnConnect: func(ctx context.Context, ch *kkrpc.Channel) error { return ch.Call(ctx, nil, "signIn", token) },
//	})
//	greeting, err := kkrpc.Call[string](kkrpc.Idempotent(ctx), p, "greet", "World")
//
// While there is no connection, calls wait within their ctx and Options.CallTimeout. A call that was under way when the
// connection was lost may have been done or not: it fails and says so, unless it is marked as idempotent; then it is made
// again. References, callbacks and streams end with their connection; OnConnect and OnReconnect are the place to
// subscribe again.
//
// # Stopping
//
// http.Server.Shutdown forgets connections that became WebSockets, and does not wait for what RegisterOnShutdown starts. So stop
// both, or the process may end before a client has been told:
//
//	srv := &http.Server{Handler: mux}
//	…
//	err := errors.Join(srv.Shutdown(ctx), handler.Shutdown(ctx))
//
// Server.Shutdown answers the requests that run, refuses others by name, and closes the connections one after another. Where slow
// HTTP requests could take all of ctx, call both at the same time. A load balancer that asks before it sends needs an answer
// while the server drains. Then call handler.Shutdown first, and have a probe answer by Ready:
//
//	mux.HandleFunc("/ready", func(w http.ResponseWriter, _ *http.Request) {
//		if !handler.Ready() {
//			http.Error(w, "shutting down", http.StatusServiceUnavailable)
//		}
//	})
//
// # Memory
//
// ServeHTTP returns once the channel has started. An idle connection over plain TCP holds no buffer: it borrows one
// when there is something to read. Under TLS it holds 256 bytes beside what crypto/tls needs. On Linux a server's idle
// connection, plain or under TLS, holds no goroutine either. Who closes the net.Conn of such a connection directly, found
// by http.Server.ConnState for instance, is noticed with the next ping, or write: close the channel instead.
//
// # In a browser
//
// Built for js/wasm, for a browser, Node, Deno, Bun or a worker, Dial and DialPersistent use the WebSocket of the host
// (globalThis.WebSocket, which Node has since version 22). What that cannot do is refused by name: DialOptions.Header, TLS,
// Compression, Ping, MessageTime and NetDial, and a password in the URL; tokens go into the URL or a subprotocol. It does
// not say why a connection failed, so there is no StatusError, and DialPersistent tries again until MaxAttempts; it gives up
// at once where the host does not even try: without a WebSocket, or with an address, subprotocol or option that it rejects.
// Message sizes are checked once the host holds the whole message. What arrives faster than it is handled is kept up to
// 16 MiB, then the connection closes. A host sends close codes of 1000 and 3000 to 4999 only: 1001 arrives as 1000, 1009 as
// 4009. As all that waits, Dial and calls must not be made by the function of a js.FuncOf itself, but by a goroutine that it
// starts: the host delivers nothing until that function returns. Server answers every request with 501.
//
// # Limits
//
// Of kkrpc.Limits this package enforces Frame, Handshake and Write; Options.MessageTime bounds how long a message may
// trickle in, and Options.Memory what all clients of a server can make it hold. A message that is too large closes the connection
// with code 1009, whether by its announced length, by its fragments or by what it inflates to. Beside the
// compressed or fragmented text of one message a connection never allocates ahead of what has arrived.
package ws
