package kkrpc

import (
	"sync"

	"github.com/kkrpc-go/kkrpc/internal/wire"
	"github.com/kkrpc-go/kkrpc/superjson"
)

var valuesPool = sync.Pool{New: func() any {
	o := &values{enc: superjson.NewEncoder(superjson.ModeJSON)}
	o.enc.SetReferences(o)
	return o
}}

// maxKeptPath is how many segments of a path are kept room for.
const maxKeptPath = 32

// newValues returns what encodes the values of one message in codec's form. It is to be freed, and to be told by sent if
// the message is.
func newValues(ch *Channel, codec wire.Codec) *values {
	out := valuesPool.Get().(*values)
	out.ch, out.classic = ch, codec.Dialect().IsClassic()
	if mode := codec.Dialect().Mode(); mode != out.enc.Mode() {
		out.enc.Reset(mode)
	}
	return out
}

// free ends the use of o. Unless sent was called, what was written is taken back: nothing was sent, whatever the reason,
// a panic in a value's own marshaling included.
func (o *values) free() {
	o.unsent()
	o.ch, o.call, o.pending, o.tail = nil, nil, nil, wire.Tail{}
	if cap(o.meta) > idleBuffer {
		o.meta = nil
	}
	if clear(o.path); cap(o.path) > maxKeptPath {
		o.path = nil
	}
	o.enc.Reset(o.enc.Mode()) // lets go of the values
	valuesPool.Put(o)
}

// sent keeps what was written: the message is on its way, or is somebody else's to take back.
func (o *values) sent() {
	clear(o.refs)
	o.refs, o.streams = o.refs[:0], nil
}

// unsent takes back what was written since the last message.
func (o *values) unsent() {
	if len(o.refs) > 0 {
		o.ch.tables().refs.unsent(o.refs)
	}
	if len(o.streams) > 0 {
		o.ch.tables().streams.unsent(o.streams)
	}
	o.sent()
}

// annotations is what a Tail takes: nil in the dialects that have none.
func (o *values) annotations() *superjson.Encoder {
	if o.enc.Mode() != superjson.ModeSuperJSON {
		return nil
	}
	return o.enc
}
