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
	o.takeBack()
	o.ch, o.host, o.pending, o.tail = nil, nil, nil, wire.Tail{}
	if cap(o.meta) > idleBuffer {
		o.meta = nil
	}
	if clear(o.path); cap(o.path) > maxKeptPath {
		o.path = nil
	}
	o.enc.Reset(o.enc.Mode()) // lets go of the values
	valuesPool.Put(o)
}

// sent is called when the message is queued.
func (o *values) sent() {
	if len(o.carried) == 0 {
		return
	}
	for _, c := range o.carried {
		c.sent()
	}
	o.letGo()
}

// takeBack undoes what was carried since the last message.
func (o *values) takeBack() {
	for _, c := range o.carried {
		c.unsent()
	}
	o.letGo()
}

// letGo leaves what is carried to somebody else.
func (o *values) letGo() {
	clear(o.carried)
	o.carried = o.carried[:0]
}

// annotations is what a Tail takes: nil in the dialects that have none.
func (o *values) annotations() *superjson.Encoder {
	if o.enc.Mode() != superjson.ModeSuperJSON {
		return nil
	}
	return o.enc
}
