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

// newValues returns what encodes the values of one message in codec's form. It is to be freed.
func newValues(ch *Channel, codec wire.Codec) *values {
	out := valuesPool.Get().(*values)
	out.ch, out.classic = ch, codec.Dialect().IsClassic()
	out.enc.Reset(codec.Dialect().Mode())
	return out
}

func (o *values) free() {
	o.sent()
	o.ch, o.call, o.pending, o.streams, o.tail = nil, nil, nil, nil, wire.Tail{}
	if cap(o.meta) > idleBuffer {
		o.meta = nil
	}
	o.enc.Reset(o.enc.Mode()) // lets go of the values
	valuesPool.Put(o)
}

// sent keeps what was written: nothing can be taken back any more.
func (o *values) sent() {
	clear(o.refs)
	o.refs = o.refs[:0]
}

// unsent takes back what was written: the message is not sent.
func (o *values) unsent() {
	o.ch.tables().refs.unsent(o.refs)
	o.ch.tables().streams.unsent(o.streams)
	o.refs, o.streams = o.refs[:0], nil
}

// annotations is what a Tail takes: nil in the dialects that have none.
func (o *values) annotations() *superjson.Encoder {
	if o.enc.Mode() != superjson.ModeSuperJSON {
		return nil
	}
	return o.enc
}
