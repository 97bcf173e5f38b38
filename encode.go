package kkrpc

import (
	"errors"
	"fmt"
	"reflect"
	"sync"

	"github.com/kkrpc-go/kkrpc/internal/bind"
	"github.com/kkrpc-go/kkrpc/internal/outbox"
	"github.com/kkrpc-go/kkrpc/internal/wire"
	"github.com/kkrpc-go/kkrpc/superjson"
)

// values encodes the values of one outgoing message. It implements bind.Writer.
type values struct {
	ch       *Channel
	enc      *superjson.Encoder
	meta     []byte        // the metadata of the message; kept for the next one
	tail     wire.Tail     // of a request
	path     []string      // of a request; kept for the next one
	host     host          // whose response it is; nil for other messages
	pending  *pendingCall  // whose request it is; nil for other messages
	carried  []carried     // by the message
	byteMark func() string // see carryBytes; nil for messages whose bytes are in the text
	classic  bool
}

var valuesPool = sync.Pool{New: func() any {
	o := &values{enc: superjson.NewEncoder(superjson.ModeJSON)}
	o.enc.SetReferences(o)
	return o
}}

// maxKeptPath is how many segments of a path are kept room for.
const maxKeptPath = 32

// newValues returns an encoder for the values of one message in codec's form. Its user calls sent when the message is
// queued, and free in any case.
func newValues(ch *Channel, codec wire.Codec) *values {
	out := valuesPool.Get().(*values)
	out.ch, out.classic = ch, codec.Dialect().IsClassic()
	if mode := codec.Dialect().Mode(); mode != out.enc.Mode() {
		out.enc.Reset(mode)
	}
	return out
}

// free ends the use of o. Without a call of sent, it takes back everything that o carries. That includes a panic in a
// value's own marshaling.
func (o *values) free() {
	o.takeBack()
	o.ch, o.host, o.pending, o.tail, o.byteMark = nil, nil, nil, wire.Tail{}, nil
	o.enc.Beside(nil)
	if cap(o.meta) > idleBuffer {
		o.meta = nil
	}
	if clear(o.path); cap(o.path) > maxKeptPath {
		o.path = nil
	}
	o.enc.Reset(o.enc.Mode()) // lets go of the values
	valuesPool.Put(o)
}

// carryBytes lets the bytes of the values go beside the text, if the peer takes that. The message is then to be sealed.
func (o *values) carryBytes() {
	o.byteMark = o.ch.byteMark
	o.enc.Beside(o.byteMark)
}

// seal ends the message text, which its caller owns: it becomes a binary frame if there are bytes beside it.
func (o *values) seal(text []byte) []byte {
	mark, parts := o.enc.Parts()
	if len(parts) == 0 {
		return text
	}
	return wire.AppendBinary(outbox.Large(wire.BinarySize(text, parts)), text, mark, parts)
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

// takeBack takes back everything that o carries since the last message.
func (o *values) takeBack() {
	for _, c := range o.carried {
		c.unsent()
	}
	o.letGo()
}

// letGo makes o forget what it carries, which another owner now has.
func (o *values) letGo() {
	clear(o.carried)
	o.carried = o.carried[:0]
}

// mayBeHandle reports whether v can be of a kind that stands by itself.
func mayBeHandle(v any) bool {
	switch v.(type) {
	case nil, string, bool, int, int64, float64, []byte, map[string]any, []any:
		return false
	}
	t := reflect.TypeOf(v)
	return t == types.Handle() || t.Kind() == reflect.Func || t.Kind() == reflect.Chan || bind.IsReader(v)
}

// appendHandle appends the handle of v if v is of a kind that can stand there.
func (o *values) appendHandle(dst []byte, at place, v any) (_ []byte, is bool, err error) {
	for _, one := range o.ch.kinds().list {
		if dst, is, err = one.write(o, dst, at, v); is {
			return dst, true, err
		}
	}
	return dst, false, nil
}

// ReferenceType implements superjson.ReferenceEncoder.
func (o *values) ReferenceType() reflect.Type { return types.Ref() }

// AppendReference implements superjson.ReferenceEncoder.
func (o *values) AppendReference(dst []byte, v any) ([]byte, error) {
	return o.ch.kinds().inside.append(o, dst, v)
}

// annotations returns the encoder for Tail.Values, and nil in the dialects without annotations.
func (o *values) annotations() *superjson.Encoder {
	if o.enc.Mode() != superjson.ModeSuperJSON {
		return nil
	}
	return o.enc
}

// appendArg appends argument i, which is not undefined.
func (o *values) appendArg(dst []byte, codec wire.Codec, i int, v any) (_ []byte, err error) {
	if mayBeHandle(v) {
		if dst, is, err := o.appendHandle(dst, place{argument: true, index: i}, v); is {
			return dst, err
		}
	}
	if err := bind.CheckWriter(v); err != nil {
		return dst, err
	}
	dst = codec.BeginArg(dst, i)
	if dst, _, err = o.appendData(dst, codec.ArgPath(i), v); err != nil {
		return dst, err
	}
	return codec.EndArg(dst), nil
}

// Append appends v, whose annotations are recorded under path.
func (o *values) Append(dst []byte, path string, v any) ([]byte, error) {
	if s, ok := v.(*Shared); ok {
		return s.append(o.enc, dst, path, o.byteMark)
	}
	return o.enc.Append(dst, path, v)
}

// AppendAny appends v, which may be a stream, unless it is undefined: a message then has no value.
func (o *values) AppendAny(dst []byte, path string, v any) (_ []byte, absent bool, err error) {
	if mayBeHandle(v) {
		if dst, is, err := o.appendHandle(dst, place{}, v); is {
			return dst, false, err
		}
	}
	return o.appendData(dst, path, v)
}

// appendData is AppendAny for a v that is no stream.
func (o *values) appendData(dst []byte, path string, v any) (_ []byte, absent bool, err error) {
	if isUndefined(v) {
		return dst, true, nil
	}
	dst, err = o.Append(dst, path, v)
	return dst, false, err
}

// appendScalar appends the value that p points to, by the short way if it is a scalar.
func (o *values) appendScalar(dst []byte, path string, p any) ([]byte, error) {
	if dst, ok := bind.AppendScalar(dst, p); ok {
		return dst, nil
	}
	switch p := p.(type) {
	case *int:
		return o.Append(dst, path, *p)
	case *float64:
		return o.Append(dst, path, *p)
	}
	return o.Append(dst, path, p)
}

// metadata returns m as JSON, nil for none. It stays valid until o is freed.
func (o *values) metadata(m *outgoingMetadata) (_ []byte, err error) {
	switch {
	case m.values != nil:
		o.enc.SetReferences(misplaced("a *kkrpc.Ref can only be sent as an argument, or in one"))
		defer o.enc.SetReferences(o)
		mark := o.enc.Beside(nil) // metadata is all text
		defer func() { o.enc.Beside(mark) }()
		if o.meta, err = o.Append(o.meta[:0], "meta", m.values); err != nil {
			return nil, fmt.Errorf("metadata: %w", err)
		}
	case m.timeout > 0:
		o.meta = appendTimeout(o.meta[:0], m.timeout)
	default:
		return nil, nil
	}
	return o.meta, nil
}

// appendArgs writes arguments. Callbacks among them are held for out.pending.
func (ch *Channel) appendArgs(dst []byte, codec wire.Codec, out *values, args []any) ([]byte, error) {
	tail := &out.tail
	for i, arg := range args {
		if plain, ok := bind.AppendPlain(codec.BeginArg(dst, i), arg); ok {
			dst = codec.EndArg(plain)
			continue
		}
		if isUndefined(arg) {
			dst = codec.AppendUndefinedArg(dst, i, tail)
			continue
		}
		var err error
		if dst, err = out.appendArg(dst, codec, i, arg); err != nil {
			return dst, fmt.Errorf("argument %d: %w", i+1, err)
		}
	}
	return dst, nil
}

// appendError writes the response e to the request with the raw JSON id. text: it is a mere string.
func (ch *Channel) appendError(dst []byte, codec wire.Codec, id []byte, e *wire.Error, text bool) []byte {
	e.Text = e.Text || text || ch.opts.errorText && codec.Dialect() == wire.Classic
	out := newValues(ch, codec)
	defer out.free()
	e.References = out
	b, err := codec.AppendError(dst, id, e, out.annotations())
	if err != nil {
		ch.report(fmt.Errorf("kkrpc: error %s: its fields cannot be sent: %w", e.Name, err))
		plain := &wire.Error{Name: e.Name, Message: e.Message, Text: e.Text}
		b, _ = codec.AppendError(dst, id, plain, out.annotations())
		return b
	}
	out.sent()
	return b
}

// unsendable is the error for a value that cannot cross by identity, as there is no connection.
type unsendable struct{ reason string }

func (e unsendable) Error() string { return e.reason }

// isUnsendable reports whether err is, or wraps, that error.
func isUnsendable(err error) bool {
	_, is := errors.AsType[unsendable](err)
	return is
}
