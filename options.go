package kkrpc

import "time"

// Options says what a channel exposes and how it behaves. Nil and the zero value mean the defaults.
type Options struct {
	// Expose is what the peer may call: an *API from Expose, or whatever Expose accepts. Nil exposes nothing.
	Expose any

	// Dialect is how this side writes. Zero means, for a channel that New makes, to write as the peer does, which is
	// known once the peer has sent a message: until then calls wait. A client that must speak first sets it (ws.Dial
	// does, to Compact).
	Dialect Dialect

	// ErrorText makes errors to classic JSON peers plain strings, which is all that kkrpc 0.2 understands; kkrpc 0.7
	// takes both forms, but gets name and fields only without it. SuperJSON peers are told apart automatically.
	ErrorText bool

	// CallTimeout bounds every call that this side makes; 0 means 30 s, since a peer may never answer; negative means
	// no bound beyond the ctx of the call. It ends with the answer, also if that is a stream.
	CallTimeout time.Duration

	// Limits bounds what the channel may cost.
	Limits Limits

	// OnError is told of what has no other place to go: a panic in a handler, an error of a callback, a result or
	// an item of a stream that could not be encoded. Nil drops it. It is called from any goroutine and must not block.
	OnError func(err error)

	// OnClose is called once when the channel has closed, with what Err returns. Nil does nothing. It must not block.
	OnClose func(ch *Channel, err error)
}
