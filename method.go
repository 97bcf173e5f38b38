package kkrpc

import (
	"context"
	"sync/atomic"

	"github.com/kkrpc-go/kkrpc/internal/wire"
	"github.com/kkrpc-go/kkrpc/superjson"
)

// method is what one operation of an API was compiled to: a function to call, a property to get or to set, a
// constructor. It is shared by every channel that exposes the API; only slow ever changes.
type method struct {
	path         string            // dotted, for messages to people
	wantsContext bool              // run looks at its ctx
	hasResult    bool              // appendResult has something to append
	refs         bool              // a *Ref stands in its types
	begin        func() invocation // an empty cell for one call

	slow atomic.Int32 // calls left that are soon handed over, see lead.go
}

// invocation is one call of a method: the cell that holds its arguments, then its result. A channel uses it in the
// order of the methods below, from one goroutine at a time.
type invocation interface {
	// decode reads all arguments; afterwards nothing aliases the message. An error is an *Error for the peer.
	decode(in *request) error
	// run calls the user's code.
	run(ctx context.Context) error
	// arguments and outcome are for interceptors: what was decoded, before run, and what run returned, nil if nothing.
	arguments() []any
	outcome() any
	// appendPlain is appendResult for the commonest results: scalars that are written alike in all dialects. If it is not
	// one, ok is false and nothing has happened.
	appendPlain(dst []byte) (_ []byte, ok bool)
	// appendResult encodes what run returned. absent: the result is undefined, dst is as it was. The invocation must not
	// be used afterwards: its cell may already serve another call.
	appendResult(dst []byte, out *values, path string) (_ []byte, absent bool, err error)
}

// request is what a method may read of the request it serves.
type request struct {
	ch   *Channel
	msg  *wire.Message
	ref  *Ref       // of this side, that it is on; nil for the API
	came []received // with its arguments or value
}

// values encodes the values of one outgoing message.
type values struct {
	ch      *Channel
	enc     *superjson.Encoder
	meta    []byte       // the metadata of the message; kept for the next one
	tail    wire.Tail    // of a request
	path    []string     // likewise; kept for the next one
	host    host         // whose response it is; nil for other messages
	pending *pendingCall // whose request it is, and who holds the functions and streams in it; nil for others
	carried []carried    // by the message
	classic bool
}

// append appends v, whose annotations are recorded under path.
func (o *values) append(dst []byte, path string, v any) ([]byte, error) {
	if s, ok := v.(*Shared); ok {
		return s.append(o, dst, path)
	}
	return o.enc.Append(dst, path, v)
}
