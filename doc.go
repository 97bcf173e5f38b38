// Package kkrpc is the Go member of the kkrpc family. A Go program and a TypeScript program share one connection. Each
// exposes plain functions, and calls those of the other as if they were local.
//
// Package transport/ws has servers for browsers and clients of kkrpc servers. A server:
//
//	api := kkrpc.Object{
//		"greet": func(name string) string { return "Hello, " + name + "!" },
//		"math": kkrpc.Object{
//			"multiply": func(a, b float64) float64 { return a * b },
//		},
//	}
//	http.Handle("/ws", ws.Handler(api, nil))
//	log.Fatal(http.ListenAndServe("localhost:3000", nil))
//
// A client:
//
//	ch, err := ws.Dial(ctx, "ws://localhost:3000/ws", nil)
//	if err != nil {
//		return err
//	}
//	defer ch.Close()
//	product, err := kkrpc.Call[float64](ctx, ch, "math.multiply", 4, 6)
//
// Package kkrpc itself knows no sockets: a [Channel] runs over any [Transport].
//
// # Exposing
//
// [Options].Expose is the API of a channel. It is an [Object] of functions, a struct with methods, or the methods of an
// interface by [As]. [Expose] compiles it. The peer reaches only registered names. A function may take a context first
// and may return an error last. Its parameters may be functions of the peer, which are callbacks. A member that is missing
// in an object leaves its field at zero, unless [Options].RequireMembers is set.
//
// # Calling
//
// [Call] calls a function of the peer by its path, and [Do] drops its result. [Remote] fills a struct of funcs, so that
// the compiler checks calls. The command kkrpc gen go writes a client with methods, from an interface in Go or
// TypeScript. [Get], [Set] and [Construct] are for properties and classes. A func as an argument is a callback. In a
// handler, [FromContext] returns the channel to the caller.
//
// All of them take a [Caller]: a [Channel], a [Ref], or a [UnaryCaller]. [Via] makes one that asks for a channel for
// each operation, for connections that come and go.
//
// # Streams
//
// A function that returns an iter.Seq[T], an iter.Seq2[T, error] or a <-chan T gives the peer a stream. A [ReadOnly]
// property of one of these types does too. JavaScript sees an async iterable. The iterator runs on a goroutine of its
// own, when the peer asks for items. On a classic channel it runs at once. Its yield returns false when the peer wants
// no more items and when the channel closes. A yielded error ends the stream. The context of the function lives until
// the stream has ended. It ends at once when the peer leaves the stream.
//
// [Stream] calls a function of the peer that returns a stream, and iterates over the items. A parameter or result of
// type iter.Seq2[T, error] is a stream of the peer too. It can be iterated over once. A parameter that the handler has
// not begun to iterate over is given back when the handler returns. If the result is a stream itself, its end gives the
// parameter back. A handler that waits for an item does not count as running. Arguments of all three types are streams
// of this side. They need a compact peer.
//
// In the signatures of functions, io.Reader and io.Writer are streams whose items are bytes. A result of type io.Reader or
// io.ReadCloser is read in items of up to 32 KiB. If it is an io.Closer, it is closed once when the stream ends, even while
// Read waits. A parameter of these types reads a stream of the peer until the handler returns. A parameter of type io.Writer
// takes nothing from the peer: what the handler writes is its result, and it runs when the peer reads. Write waits for the
// peer, and returns io.ErrClosedPipe when the peer has left. Call[io.ReadCloser] reads a stream of the peer. An argument
// with a method Read is a stream, unless another method decides about its JSON or text. The stream closes it, unless the
// request could not be sent.
//
// A compact peer sends at most 32 items ahead of the loop. A classic peer sends as many as it likes, within
// [Limits].StreamBuffer. The items of a stream arrive in order. A stream and callbacks have no order between them,
// except that callbacks invoked before the function returned come first. A TypeScript peer needs the channel of
// kkrpc/streaming. Others see a plain object in place of a stream, and the stream is dropped after Limits.StreamIdle.
//
// # References
//
// Values are copied, except for functions as arguments, whose results do not come back. [Proxy] sends a function or an
// object by reference instead, anywhere in the data. The other side gets a [*Ref]. Its functions return values and
// throw, and its properties can be read and written, until it is released. A [RefTo] also says what it is a reference
// to. TypeScript peers need the channel of kkrpc/remote-refs; peers in Go need nothing. Other peers see an object
// without meaning.
//
// # Metadata
//
// [WithMetadata] and [Options].Metadata send values beside the arguments of a call, such as a request id.
// [MetadataFrom] returns the metadata of the request that a handler serves. A deadline of ctx travels too, and the
// context of the handler ends then. W3C trace context of a request goes on with the calls that its handler makes with
// its ctx. Only compact peers send and get metadata.
//
// # Interceptors
//
// An [Interceptor] runs around every operation of the peer ([Options].Inbound) or of this side ([Options].Outbound). It
// sees path, arguments, metadata, result and error. It may refuse the operation, change the result, and pass on another
// context. Package interceptor has logging, recovery, timing and a rate limit.
//
// # Many receivers
//
// [Share] encodes a value once for any number of receivers. Each further receiver costs a copy of the bytes.
//
// [Channel.Notify] and [Callback.Notify] send one way and never wait. So a program can tell all members of a room under
// its lock, and all get the messages in one order. A member that reads too slowly has a bound, [Limits].Backlog. Beyond
// it [Options].SlowConsumer closes its channel or drops the message. The call of a callback, in contrast, waits for room,
// so that a function reports progress as fast as its caller reads. It waits at most for Limits.SendWait.
//
// # Dialects
//
// kkrpc 2.x (compact) and 0.x (classic) write different messages, each in JSON or SuperJSON. A server learns the
// [Dialect] from the first message and answers in it. The clients of ws.Dial, stdio.Start and kkhttp.NewClient ask their
// peer for it, unless [Options].Dialect is set. [Options].Negotiate does so on other transports.
//
// # Single requests
//
// [API.Answer] serves one request without a channel, and returns the response. [Unary] makes calls from a function that
// brings the response to a request. Package transport/kkhttp uses both for HTTP. They also suit queues, serverless
// functions and tests. No connection stays open, so functions as arguments, streams and references are refused.
// [FromContext] is nil in the handler.
//
// # Concurrency
//
// Handlers of a channel start in the order in which their requests arrive. A handler runs on the goroutine that reads
// the channel. Another goroutine goes on reading when the handler waits for the peer or takes longer than a few
// milliseconds. So handlers run concurrently and must guard shared state. At most [Limits].Running of them run at a
// time, and further ones wait in order. A handler that waits for the peer with its own ctx does not count.
// Limits.Running of 1 gives the interleaving of JavaScript.
//
// Callbacks of a channel run one at a time, in the order of arrival, on a goroutine of their own. A response is
// delivered after the callbacks of its call that came before it have returned. A callback that calls the peer takes a
// context and passes it on: while it waits, the next callback runs.
//
// The context of a handler ends when the handler returns, when the caller gives up, and when the channel closes. Only
// compact peers in Go say that they give up, and send deadlines.
//
// # Errors
//
// An error that the peer's function threw is an [*Error] inside the error of the call; errors.As finds it. An *Error
// that a function returns crosses with name, fields and cause, any other error with its text. A panic in a handler
// gives the peer an InternalError without details and goes to [Options].OnError. Arguments that do not fit the function
// give a TypeError, and the function is not called. Errors of this side wrap [ErrClosed], [ErrReleased], [ErrLimit],
// [ErrUnsupported], [ErrSlowConsumer] or [ErrDropped].
//
// # Limits
//
// [Limits] bounds the cost of a channel. Its defaults suit a server on the internet. At a limit the peer gets a named
// error, or the channel closes with a reason. [Group].Memory bounds what all channels of a server hold for their peers.
package kkrpc
