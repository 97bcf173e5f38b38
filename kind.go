package kkrpc

import (
	"bytes"

	"github.com/kkrpc-go/kkrpc/internal/wire"
)

// Most values cross by copy. Three kinds of values cross by identity: callbacks, streams and references. One side keeps
// the value and the other side holds a handle, until it gives the handle back.

// carried is a value of this side that goes by identity with one outgoing message.
type carried interface {
	sent()   // the message is queued. The goroutine that queued it calls this without a lock.
	unsent() // the message never will be queued. Any goroutine, without a lock.
}

// delayer is a carried value that can hold up the answer to the call that carries it.
type delayer interface {
	// delaysLocked returns how many events the answer to call, which has come, waits for. Events up to since are older than
	// the call. Each event ends with pendingCalls.undelayLocked. The leader calls it with Channel.mu.
	delaysLocked(call, since uint64) int
	settledLocked() // the call has ended. Any goroutine, with Channel.mu.
}

// received is a value of the peer that ends with the request that it came with: a stream.
type received interface {
	belongTo(*scope) // the handler that will wait for it. The leader calls it.
	end()            // the request is over or refused. Does nothing if somebody uses the value.
}

func endAll(came []received) {
	for _, v := range came {
		v.end()
	}
}

// host is the inbound request whose result is being written.
type host interface {
	name() string   // dotted path, for messages to people
	rawID() []byte  // valid until the response is queued
	takeOver() stay // for a result that goes on when the function has returned
}

// stay is what a result that outlives its function needs of the request.
type stay struct {
	came  []received // with the request; the result ends them
	scope *scope     // whose context lives on; nil if the function has none
	undo  func()     // gives both back
}

// text is one value of an inbound message, as it came: an argument, the value or the error.
type text struct {
	wire.Arg
	dialect wire.Dialect
	id      []byte // of the response whose value it is, raw JSON; nil elsewhere. A classic stream has no other id.
}

func valueText(m *wire.Message) text {
	t := text{Arg: wire.Arg{JSON: m.Value}, dialect: m.Dialect}
	if m.Kind == wire.Response {
		t.id = m.ID
	}
	return t
}

func errorText(m *wire.Message) text { return text{Arg: wire.Arg{JSON: m.Err}, dialect: m.Dialect} }

func argText(m *wire.Message, i int) text { return text{Arg: m.Args[i], dialect: m.Dialect} }

// discard gives back the handles in m, which nobody will read. seen: a part of m may have been read.
func (ch *Channel) discard(m *wire.Message, seen bool) {
	for i := range m.Args {
		ch.discardText(argText(m, i), seen)
	}
	ch.discardText(valueText(m), seen)
	ch.discardText(errorText(m), seen)
}

func (ch *Channel) discardText(t text, seen bool) {
	if t.Kind == wire.ArgCallback {
		ch.tables().callbacks.discard(t)
	}
	if !t.marked() {
		return
	}
	ch.tables().streams.in.discard(t)
	ch.tables().refs.discard(t, seen)
}

// handleMark begins the names of the members by which the originals mark handles.
const handleMark = `"__`

// marked reports whether a stream or a reference may stand in t.
func (t text) marked() bool {
	return len(t.JSON) > 0 && (t.JSON[0] == '{' || t.JSON[0] == '[') && bytes.Contains(t.JSON, []byte(handleMark))
}
