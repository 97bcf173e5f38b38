// Package ws carries kkrpc over WebSocket: a server that is an http.Handler, and a client.
//
//	http.Handle("/ws", ws.Handler(api, &ws.Options{Origins: []string{"http://localhost:*"}}))
//
//	ch, err := ws.Dial(ctx, "ws://localhost:3000/ws", nil)
//
// A server answers each client in the dialect it is spoken to. A client that is to be called before it has spoken
// says its dialect when it connects: by the parameter kkrpc in the URL, as in /ws?kkrpc=classic-json, or by the
// subprotocol kkrpc.classic-json.
//
// # Origins
//
// Browsers let any page open a WebSocket anywhere and send the user's cookies along, and CORS middleware does not
// govern that. So requests from pages are accepted from the server's own origin only, and from those that
// Options.Origins lists. Requests without Origin are not from pages and pass.
//
// # Stopping
//
// http.Server.Shutdown forgets connections that became WebSockets:
//
//	srv := &http.Server{Handler: mux}
//	srv.RegisterOnShutdown(func() { handler.Shutdown(ctx) })
//
// # Memory
//
// ServeHTTP returns once the channel has started. An idle connection over plain TCP holds no buffer: it borrows one
// when there is something to read. Under TLS it holds 256 bytes beside what crypto/tls needs.
//
// # Limits
//
// Of kkrpc.Limits this package enforces Frame, Handshake and Write; a message that is too large closes the connection
// with code 1009, whether by its announced length, by its fragments or by what it inflates to. Beside the
// compressed or fragmented text of one message a connection never allocates ahead of what has arrived.
package ws
