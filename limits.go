package kkrpc

import (
	"sync/atomic"
	"time"
)

// Limits bounds what one channel may cost. For every field zero means the default. At a limit, the peer gets a named
// error or a close code with a reason. Group.Memory bounds what all channels of a server hold together.
type Limits struct {
	// Frame is the largest inbound message in bytes; 0 means 4 MiB. A larger one closes the channel with code 1009. Whatever
	// its size, a request with more than 65,536 arguments, or an id of more than 1 KiB, is answered with an RPCLimitError.
	Frame int
	// Depth is how deep the JSON of a message may nest; 0 means 64. A deeper request is answered with an RPCLimitError. A
	// deeper answer or item fails the call or the stream. Other deeper messages are dropped and reported to Options.OnError.
	Depth int
	// Running is how many handlers may run at once; 0 means 256. Further requests wait in order. A handler that
	// waits in an operation of the channel with its own ctx does not count while it waits.
	Running int
	// Open is how many requests may be unfinished: running, waiting, queued, or cancelled but not returned yet;
	// 0 means 4096. Further requests are answered with an RPCOverloadedError at once. As many callbacks may wait in an
	// operation of the channel with their own ctx, each letting the next begin.
	Open int
	// RequestQueue is how many bytes of requests may wait because of Running; 0 means 16 MiB. A request counts with the
	// memory of its decoded arguments, or with its text if that is more. Further requests are answered with an
	// RPCOverloadedError. A single request may be larger.
	RequestQueue int
	// Decoded is how many bytes of memory the values of one message may take when decoded; 0 means 64 MiB. They can take 50
	// times their text and more. A request beyond it is answered with an RPCLimitError. A result or an item fails with an
	// error that wraps ErrLimit. The text of an *Error of the peer beyond it begins with "undecodable error".
	Decoded int
	// Metadata is how many bytes of metadata a request may carry; 0 means 16 KiB. A request with more is answered with an
	// RPCLimitError.
	Metadata int
	// Outbound bounds the bytes that wait to be sent; 0 means 16 MiB. While more than half of it waits, calls, callbacks
	// and results wait for room, callbacks at most for SendWait. While a result waits no further handler begins. Results of
	// handlers that run already wait beside Outbound and count for Group.Memory. Other messages, such as refusals of
	// requests, do not wait. A peer that causes more than Outbound of them and does not read loses its channel with code
	// 1008.
	Outbound int
	// Backlog is how many bytes of one-way messages from Notify may wait to be sent; 0 means 1 MiB. Beyond it the peer is
	// a slow consumer, and Options.SlowConsumer applies. A larger message is sent if no other one-way message waits.
	Backlog int
	// SendWait is how long the call of a callback waits for room in Outbound; 0 means 5 s. Then the peer is a slow
	// consumer, and Options.SlowConsumer applies.
	SendWait time.Duration
	// Callbacks is how many functions each side may hold of the other at a time; 0 means 10000. Beyond it a call fails
	// with an error that wraps ErrLimit.
	Callbacks int
	// References is how many values each side may hold of the other by reference; 0 means 10000. Beyond it, a message
	// with another reference fails: with ErrLimit on this side, with an RPCLimitError for the peer.
	References int
	// CallbackQueue is how many bytes of the peer's callback invocations may wait for their turn; 0 means 16 MiB. They count
	// like requests. Beyond it the channel stops reading until there is room. If none of them finishes for 30 s, it closes
	// with code 1008.
	CallbackQueue int
	// Streams is how many streams of each side may be open at a time; 0 means 1024. A stream of this side counts until
	// its code has returned. Beyond it, a call of the peer that returns or carries a stream gets an RPCLimitError. A
	// call of this side fails with an error that wraps ErrLimit.
	Streams int
	// StreamCredit is how many items of one stream a peer may have asked for and not received; 0 means 1024. Further
	// requests for items are dropped.
	StreamCredit int
	// StreamBuffer is how many bytes of items of one inbound stream may wait for the loop; 0 means 16 MiB. All streams
	// of a channel together may hold four times as much. Beyond it the stream, or the largest one, ends with an error
	// that wraps ErrLimit. The peer is asked to stop.
	StreamBuffer int
	// StreamIdle is how long a stream of this side waits for the peer to ask for items; 0 means 10 min. Then it is
	// dropped. A peer that asks later gets an error. Classic peers do not ask, so their streams have no such limit.
	StreamIdle time.Duration
	// Line is how long a line of a classic peer may stay incomplete; 0 means 30 s. Classic peers may send a message in
	// many frames. A slower peer loses its channel with code 1008. The time that one frame takes is up to the transport.
	Line time.Duration
	// Handshake bounds the time until a connection is established; 0 means 10 s.
	Handshake time.Duration
	// Write bounds the time one write may take; 0 means 30 s. A peer that does not read for that long loses its channel.
	Write time.Duration
}

// SlowConsumer says what happens to one-way messages that come faster than the peer reads.
type SlowConsumer uint8

const (
	// Disconnect closes the channel with the code 1008 and ErrSlowConsumer. A client that connects again starts afresh,
	// so that it never misses a message in the middle.
	Disconnect SlowConsumer = iota
	// Drop does not send the message. Its sender gets an error that wraps ErrDropped. It suits messages that a later
	// one replaces, such as prices.
	Drop
)

func or[T int | time.Duration](v, def T) T {
	if v > 0 {
		return v
	}
	return def
}

// withDefaults returns l with every unset field at its default.
func (l Limits) withDefaults() Limits {
	l.Frame = or(l.Frame, 4<<20)
	l.Depth = or(l.Depth, 64)
	l.Running = or(l.Running, 256)
	l.Open = or(l.Open, 4096)
	l.RequestQueue = or(l.RequestQueue, 16<<20)
	l.Decoded = or(l.Decoded, 64<<20)
	l.Metadata = or(l.Metadata, 16<<10)
	l.Outbound = or(l.Outbound, 16<<20)
	l.Backlog = or(l.Backlog, 1<<20)
	l.SendWait = or(l.SendWait, 5*time.Second)
	l.Callbacks = or(l.Callbacks, 10_000)
	l.References = or(l.References, 10_000)
	l.CallbackQueue = or(l.CallbackQueue, 16<<20)
	l.Streams = or(l.Streams, 1024)
	l.StreamCredit = or(l.StreamCredit, 1024)
	l.StreamBuffer = or(l.StreamBuffer, 16<<20)
	l.StreamIdle = or(l.StreamIdle, 10*time.Minute)
	l.Line = or(l.Line, 30*time.Second)
	l.Handshake = or(l.Handshake, 10*time.Second)
	l.Write = or(l.Write, 30*time.Second)
	return l
}

var lastLimits atomic.Pointer[Limits]

// share returns a copy of l for a channel to keep. Nearly all channels of a process have equal limits, so they share
// one.
func (l Limits) share() *Limits {
	if last := lastLimits.Load(); last != nil && *last == l {
		return last
	}
	own := l // so that l itself stays on the stack
	lastLimits.Store(&own)
	return &own
}

// idleBuffer is how large a buffer may be that a channel keeps for later, in bytes.
const idleBuffer = 4 << 10
