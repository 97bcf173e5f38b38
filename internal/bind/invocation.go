package bind

import (
	"context"
	"sync/atomic"

	"github.com/kkrpc-go/kkrpc/internal/wire"
	"github.com/kkrpc-go/kkrpc/superjson"
)

// Method is one operation of an API: a function to call, a property to get or to set, a constructor. All channels that
// expose an API of its shape share it. Only Slow ever changes.
type Method struct {
	Path         string // with dots, for messages to people
	WantsContext bool   // Run looks at its ctx
	HasResult    bool   // AppendResult has something to append
	Keeps        bool   // what was decoded is still used after Run has returned without an error

	// Slow belongs to those who run the method: how many of the next calls they expect to take long.
	Slow atomic.Int32

	plan  *plan // nil for what is no function
	begin func() Invocation
}

// Begin returns an empty cell for one call of a method of Function or Callback.
func (m *Method) Begin() Invocation { return m.begin() }

// Invocation is one call of a method: the cell that holds its arguments, then its result. Its methods are called in the
// order in which they stand here, by one goroutine at a time.
type Invocation interface {
	// Decode reads all arguments. Afterwards nothing aliases the message. The error is for the peer.
	Decode(in *Request) error
	// Run calls the user's code.
	Run(ctx context.Context) error
	// Arguments returns what was decoded, before Run. It is for interceptors.
	Arguments() []any
	// Outcome returns what Run returned; nil if nothing. It is for interceptors.
	Outcome() any
	// AppendPlain is AppendResult for a scalar that all dialects write alike. ok is false for any other result, and then
	// nothing has happened.
	AppendPlain(dst []byte) (_ []byte, ok bool)
	// AppendResult encodes what Run returned. If the result is undefined, absent is true and dst is as it was. The
	// Invocation must not be used afterwards: its cell may already serve another call.
	AppendResult(dst []byte, out Writer, path string) (_ []byte, absent bool, err error)
}

// Request is one message with arguments, or with the value of a set, and the peer that sent it.
type Request struct {
	Peer    Peer
	Message *wire.Message
	Meter   superjson.Meter // counts what decoding allocates
}

// Peer gives a meaning to what crosses by identity.
type Peer interface {
	// Function returns the handle of the peer's function with the raw JSON id.
	Function(id []byte) (Handle, error)
	// Stream returns the stream that raw, an argument or a value, stands for; nil if it stands for none.
	Stream(raw []byte) (Source, error)
	// References returns what decodes the references in raw; nil if there are none.
	References(raw []byte) superjson.ReferenceDecoder
}

// Writer encodes the values of one outgoing message.
type Writer interface {
	// Append appends v, whose annotations are recorded under path.
	Append(dst []byte, path string, v any) ([]byte, error)
	// AppendAny appends v, which may be a stream, unless it is undefined: then absent is true and dst is as it was.
	AppendAny(dst []byte, path string, v any) (_ []byte, absent bool, err error)
}

// get is the method of requests that run no code of the user.
var get = Method{Path: "get", HasResult: true}

// Get returns the operation that answers v.
func Get(v any) (*Method, Invocation) { return &get, &constantCell{v} }

// constantCell answers a value that is known before the request.
type constantCell struct{ value any }

func (*constantCell) Decode(*Request) error { return nil }

func (*constantCell) Run(context.Context) error { return nil }

func (*constantCell) Arguments() []any { return nil }

func (c *constantCell) Outcome() any { return c.value }

func (*constantCell) AppendPlain(dst []byte) ([]byte, bool) { return dst, false }

func (c *constantCell) AppendResult(dst []byte, out Writer, path string) ([]byte, bool, error) {
	return out.AppendAny(dst, path, c.value)
}
