package kkrpc

import (
	"sync"

	"github.com/kkrpc-go/kkrpc/internal/wire"
	"github.com/kkrpc-go/kkrpc/superjson"
)

var valuesPool = sync.Pool{New: func() any { return &values{enc: superjson.NewEncoder(superjson.ModeJSON)} }}

// newValues returns what encodes the values of one message in codec's form. It is to be freed.
func newValues(ch *Channel, codec wire.Codec) *values {
	out := valuesPool.Get().(*values)
	out.ch = ch
	out.enc.Reset(codec.Dialect().Mode())
	return out
}

func (o *values) free() {
	o.ch, o.call, o.pending, o.streams = nil, nil, nil, nil
	o.enc.Reset(o.enc.Mode()) // lets go of the values
	valuesPool.Put(o)
}

// annotations is what a Tail takes: nil in the dialects that have none.
func (o *values) annotations() *superjson.Encoder {
	if o.enc.Mode() != superjson.ModeSuperJSON {
		return nil
	}
	return o.enc
}
