package kkrpc

import (
	"context"
	"slices"
	"strconv"

	"github.com/kkrpc-go/kkrpc/internal/bind"
	"github.com/kkrpc-go/kkrpc/internal/outbox"
	"github.com/kkrpc-go/kkrpc/internal/wire"
	"github.com/kkrpc-go/kkrpc/superjson"
)

// callScalar calls the function at path through c and stores what it returns in result, which is nil or points to a
// scalar. It keeps neither args nor result, so that both stay on the stack of whoever calls it. done is false if c or
// result is of another kind: then nothing has happened.
func callScalar(ctx context.Context, c Caller, path string, args []any, result any) (done bool, err error) {
	ch, ok := c.(*Channel)
	if !ok || ch.outbound != nil || !isScalar(result) {
		return false, nil
	}
	if err = ch.exchangeScalar(ctx, path, args, result); err != nil {
		op := outgoing{kind: wire.Call, path: path}
		err = op.failed(err)
	}
	return true, err
}

// isScalar is for what decodeScalar takes.
func isScalar(result any) bool {
	switch r := result.(type) {
	case nil:
		return true
	case *string:
		return r != nil
	case *bool:
		return r != nil
	case *int:
		return r != nil
	case *int64:
		return r != nil
	case *float64:
		return r != nil
	}
	return false
}

// exchangeScalar is exchange for callScalar.
func (ch *Channel) exchangeScalar(ctx context.Context, path string, args []any, result any) error {
	handling := scopeOf(ctx)
	if handling != nil && ctx.Err() == nil {
		handling.stepOut()
		defer handling.stepIn()
	}
	codec, p, meta, err := ch.start(ctx, handling, nil) // nil is as good as a scalar to know whether it takes a stream
	if err != nil {
		return unsentError{err}
	}
	var b *outbox.Buffer
	if meta.values == nil && ch.unary == nil {
		b = p.encodeScalars(codec, path, args, meta.timeout)
	}
	if b == nil {
		op := outgoing{kind: wire.Call, path: path, args: slices.Clone(args), meta: meta}
		if b, err = ch.encode(codec, op, p); err != nil {
			return unsentError{err}
		}
	}
	if err = ch.sendRequest(ctx, b, p); err != nil {
		return err
	}
	if err = ch.await(ctx, codec, p); err == nil && result != nil {
		err = p.decodeScalar(ctx, ch, result)
	}
	ch.free(p)
	return err
}

// encodeScalars is encode for arguments that are scalars written alike in all dialects; nil if one is not.
func (p *pendingCall) encodeScalars(codec wire.Codec, path string, args []any, timeout int64) *outbox.Buffer {
	segments, err := bind.SplitPath(p.path[:0], path)
	p.path = segments
	if err != nil {
		return nil
	}
	b := outbox.NewBuffer()
	b.Bytes = codec.BeginCall(b.Bytes, wire.Call, p.name(), segments)
	for i, arg := range args {
		dst, ok := bind.AppendPlain(codec.BeginArg(b.Bytes, i), arg)
		if !ok {
			b.Free()
			return nil
		}
		b.Bytes = codec.EndArg(dst)
	}
	var tail *wire.Tail
	if timeout > 0 {
		p.tail.Metadata = appendTimeout(p.tail.Metadata[:0], timeout)
		tail = &p.tail
	}
	b.Bytes = codec.EndCall(b.Bytes, wire.Call, tail)
	return b
}

// appendTimeout writes metadata with nothing but a timeout.
func appendTimeout(dst []byte, milliseconds int64) []byte {
	dst = append(dst, `{"`+metaTimeout+`":`...)
	return append(strconv.AppendInt(dst, milliseconds, 10), '}')
}

// decodeScalar is decode into a pointer to a scalar, which it does not keep.
func (p *pendingCall) decodeScalar(ctx context.Context, ch *Channel, result any) error {
	if p.came == nil && p.meta == nil && superjson.DecodeScalar(p.raw, result) {
		return nil
	}
	switch r := result.(type) {
	case *string:
		return decodeKeeping(ctx, ch, p, r)
	case *bool:
		return decodeKeeping(ctx, ch, p, r)
	case *int:
		return decodeKeeping(ctx, ch, p, r)
	case *int64:
		return decodeKeeping(ctx, ch, p, r)
	case *float64:
		return decodeKeeping(ctx, ch, p, r)
	}
	return nil
}

// decodeKeeping is decode by way of a pointer that may be kept.
func decodeKeeping[T any](ctx context.Context, ch *Channel, p *pendingCall, result *T) error {
	kept := new(T)
	err := p.decode(ctx, ch, kept)
	*result = *kept
	return err
}
