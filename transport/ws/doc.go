// Package ws carries kkrpc over WebSocket: a server that is an http.Handler, and a client.
//
//	http.Handle("/ws", ws.Handler(api, &ws.Options{Origins: []string{"http://localhost:*"}}))
//
//	ch, err := ws.Dial(ctx, "ws://localhost:3000/ws", nil)
//
// A server answers each client in the client's dialect, which the first message shows. A client can name its dialect
// when it connects, so that the server can call it first. It uses the URL parameter kkrpc, as in
// /ws?kkrpc=classic-json, or the subprotocol kkrpc.classic-json. RPC.Dialects lists the dialects that a client may name
// and speak.
//
// Dial offers a subprotocol. Servers that do not know it ignore it. A js/wasm build adds the parameter instead, because
// its host fails the connection if the server picks no subprotocol. Without RPC.Dialect, Dial asks a server in TypeScript
// for its dialect.
//
// # Origins
//
// Browsers let any page open a WebSocket to any server and send the user's cookies along. CORS does not govern that.
// A server therefore refuses pages of other origins, unless Options.Origins lists them. Requests without the header
// Origin pass, because they do not come from pages.
//
// # Names
//
// A server for one machine or network should list its names in Options.Hosts. Otherwise a page can have its own name
// resolve to the server's address (DNS rebinding). The page is then of the server's own origin.
//
// # Connecting again
//
// A Channel ends with its connection. DialPersistent returns a client that outlives connections:
//
//	p, err := ws.DialPersistent(ctx, "wss://example.com/ws", &ws.PersistentOptions{
//		OnConnect: func(ctx context.Context, ch *kkrpc.Channel) error { return ch.Call(ctx, nil, "signIn", token) },
//	})
//	greeting, err := kkrpc.Call[string](kkrpc.Idempotent(ctx), p, "greet", "World")
//
// While there is no connection, calls wait within their ctx and Options.CallTimeout. If the connection is lost during
// a call, the server may have run the call or not. The call then fails with kkrpc.ErrClosed. A call that is marked as
// idempotent is made again instead. References, callbacks and streams end with their connection. Subscribe again in
// OnConnect or OnReconnect.
//
// # Bytes
//
// Dial and the TypeScript client offer the subprotocol kkrpc.bytes.1, behind the one of their dialect. A []byte and the
// typed arrays of package superjson then travel beside the text of their message, in a binary frame. These frames are not
// compressed. Other peers get the bytes in the text, and nothing changes for the program. For a server that selects no
// subprotocol, the URL agrees on bytes, as in ws://host/ws?kkrpc=compact-json,bytes.1. See docs/protocol.md, "Bytes".
//
// # Sessions
//
// With Options.Session and DialOptions.Session, a channel outlives its socket. Both sides number their messages and keep
// them until the other side acknowledges them. When the socket breaks, the session is paused. The client connects again,
// and each side sends what the other one misses. Pending calls, callbacks, references and streams go on, and nothing runs
// twice. OnOpen and OnClose are called once for each session. A session that is paused for longer than
// SessionOptions.Keep ends with ErrSessionLost. DialPersistent then makes a new channel. If one side has no sessions, the
// connection is a plain one.
//
// The function of HandlerFor is called for each socket. A session keeps the API of its first socket. An error refuses any
// of them. The functions of OnEnd that it gives for a further socket are called once that socket has its session.
//
// # Stopping
//
// http.Server.Shutdown does not know connections that became WebSockets. It also does not wait for the functions of
// RegisterOnShutdown. Stop both servers, so that the process does not end before its clients are told:
//
//	srv := &http.Server{Handler: mux}
//	…
//	err := errors.Join(srv.Shutdown(ctx), handler.Shutdown(ctx))
//
// Server.Shutdown answers the requests that run and refuses others by name. It closes the connections one after
// another. If slow HTTP requests could take all of ctx, call both at the same time. A load balancer that probes the
// server needs an answer while the server drains. Then call handler.Shutdown first, and have the probe answer by
// Ready:
//
//	mux.HandleFunc("/ready", func(w http.ResponseWriter, _ *http.Request) {
//		if !handler.Ready() {
//			http.Error(w, "shutting down", http.StatusServiceUnavailable)
//		}
//	})
//
// # Memory
//
// ServeHTTP returns once the channel has started. An idle connection over plain TCP holds no buffer. It borrows one
// when there is something to read. Under TLS it holds 256 bytes beside the memory of crypto/tls. On Linux, an idle
// connection of a server holds no goroutine either. If a program closes the net.Conn of such a connection directly, the
// server notices with the next ping or write. http.Server.ConnState is one way to that net.Conn. Close the channel
// instead.
//
// # In a browser
//
// Built for js/wasm, Dial and DialPersistent use globalThis.WebSocket of the host: a browser, a worker, Deno, Bun, or
// Node since version 22. Server answers every request with 501. These options fail by name, because a host cannot do
// them: DialOptions.Header, TLS, Compression, Ping, MessageTime, NetDial, and a password in the URL. Put tokens into
// the URL or a subprotocol.
//
// A host does not say why a connection failed, so there is no StatusError. DialPersistent tries again until
// MaxAttempts. It gives up at once if the host does not even try. The host may have no WebSocket, or reject an address,
// a subprotocol or an option.
//
// Message sizes are checked once the host holds the whole message. The package keeps up to 16 MiB that arrive faster
// than they are handled. Beyond that the connection closes. A host can send the close codes 1000 and 3000 to 4999 alone.
// Code 1001 therefore arrives as 1000, and 1009 as 4009.
//
// Dial and calls must not be made by the function of a js.FuncOf itself, because they wait. Make them on a goroutine
// that the function starts. The host delivers nothing until the function returns.
//
// # Limits
//
// This package enforces Frame, Handshake and Write of kkrpc.Limits. Options.MessageTime bounds the time in which a
// message may arrive. Options.Memory bounds the memory that all clients of a server can make it hold. A message that
// is too large closes the connection with code 1009. Its announced length counts, and so do its fragments and its
// decompressed size. A connection keeps the text of one compressed or fragmented message. Otherwise it never allocates
// more than has arrived.
package ws
