// Package kkrpc is the Go member of the kkrpc family: a Go program and a TypeScript program expose plain functions to
// each other over one connection and call them as if they were local, both ways.
//
// A server that a browser reaches, and a Go client of a kkrpc server, are made by package transport/ws:
//
//	api := kkrpc.Object{
//		"greet": func(name string) string { return "Hello, " + name + "!" },
//		"math": kkrpc.Object{
//			"multiply": func(a, b float64) float64 { return a * b },
//		},
//	}
//	http.Handle("/ws", ws.Handler(api, nil))
//
//	ch, err := ws.Dial(ctx, "ws://localhost:3000/ws", nil)
//	product, err := kkrpc.Call[float64](ctx, ch, "math.multiply", 4, 6)
//
// This package knows no sockets: a [Channel] runs over any [Transport].
//
// # Exposing
//
// [Expose] says what an API may be: an [Object] of functions, a struct with methods, or the methods of an interface by
// [As]. Nothing is reachable that was not registered. A function may take a context first, return an error last, and
// take functions, which are the peer's callbacks.
//
// # Calling
//
// [Call] calls by path; [Remote] fills a struct of funcs, so that calls are checked by the compiler. [Get], [Set] and
// [Construct] are for properties and classes. In a handler, [FromContext] is the channel to the caller. A func as an
// argument is a callback.
//
// All of them take a [Caller]: a channel, a reference, or [Via], which finds a channel for each operation where
// connections come and go.
//
// # Streams
//
// A function that returns an iter.Seq[T], an iter.Seq2[T, error] or a <-chan T gives the peer a stream, which JavaScript
// sees as an async iterable; so does a [ReadOnly] of one of these. The iterator is run when the peer asks for items (on
// classic at once), on a goroutine of its own. Its yield returns false when the peer wants no more, and when the channel closes;
// an error that is yielded ends the stream. The context of the function lives until the stream has ended, and ends at once
// when the peer leaves.
//
// [Stream] calls such a function of the peer and iterates over its items. A parameter of type iter.Seq2[T, error] is a stream of
// the peer, as is a result of that type; it can be iterated over once. One that the function has not begun to iterate over
// when it returns is given back, unless what it returns is a stream itself. A handler that waits for items does not count
// as running. As arguments of a call all three kinds are streams of this side, on compact only.
//
// Compact peers send at most 32 items ahead of the loop; classic ones as many as they like, within [Limits].StreamBuffer. The
// items of one stream arrive in order; a stream and callbacks have no order between them, but for those that were invoked
// before the function returned: they come first. A compact peer whose channel knows no streams (in TypeScript, one that is not from
// kkrpc/streaming) sees a plain object instead of a stream, and the stream is dropped after Limits.StreamIdle.
//
// # References
//
// What crosses is copied, but for functions passed as arguments, which are called one way. [Proxy] sends a function or an
// object by reference instead, from anywhere in the data: the other side gets a [*Ref], whose functions return values
// and throw, and whose properties can be read and written, until it gives it back by Release. Peers have them by
// kkrpc/remote-refs, and Go peers always do; to other peers a reference is an object without meaning.
//
// # Metadata
//
// [WithMetadata] and [Options].Metadata send values beside the arguments of a call, such as a request id, and
// [MetadataFrom] reads what came with the request that a handler serves. A ctx with a deadline tells the peer how long the
// caller waits: the context of the handler ends then. W3C trace context that came with a request goes along with the calls
// that its handler makes with its ctx. Only compact peers send and get metadata.
//
// # Interceptors
//
// An [Interceptor] stands around every call of the peer ([Options].Inbound) or of this side (Outbound): it sees path,
// arguments, metadata, result and error, may refuse the call, change its result and give it another context. Package
// interceptor has some that are often needed.
//
// # Many receivers
//
// [Share] encodes a value once and makes it legal wherever a value goes: what everybody in a room gets costs each member a
// copy of the bytes.
//
// # Dialects
//
// kkrpc 2.x and 0.x write differently, each in JSON or SuperJSON. A server finds out what its peer speaks from the first
// message and answers in kind; a client says it in [Options].Dialect.
//
// # Concurrency
//
// Handlers of one channel start in the order in which their requests arrive. A handler runs on the goroutine that reads
// the channel; when it waits for the peer, or takes longer than a few milliseconds, another goroutine goes on reading,
// so handlers run concurrently and share state like any goroutines do. At most [Limits].Running of them run at a time;
// one that waits for the peer with its own ctx does not count. Limits.Running of 1 gives the interleaving of JavaScript.
//
// Callbacks of a channel run one at a time in the order of their arrival, on a goroutine of their own, and a response is
// delivered after the callbacks of its call that came before it have returned. A callback that calls the peer takes a
// context and passes it on: while it waits, the next one runs.
//
// The context of a handler ends when it returns, when the caller gives up (compact peers that are written in Go say so,
// and send their deadlines) and when the channel closes.
//
// # Errors
//
// What the peer's function threw arrives as an [*Error] inside the error of the call: use errors.As. An *Error that a
// function returns crosses with its name, fields and cause; any other error with its text. A panic in a handler is an
// error that says nothing of its inside, and is reported to [Options].OnError. A request that does not fit the function
// is answered with an error named TypeError and never reaches it. The errors of this side are [ErrClosed],
// [ErrReleased], [ErrLimit] and [ErrUnsupported].
//
// # Limits
//
// Every channel is bounded by [Limits], whose defaults suit a server on the internet. A limit that is reached gives the
// peer a named error, or closes the channel with a reason.
package kkrpc
