package kkrpc

import (
	"context"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"time"

	"github.com/kkrpc-go/kkrpc/internal/bind"
	"github.com/kkrpc-go/kkrpc/internal/outbox"
	"github.com/kkrpc-go/kkrpc/internal/wire"
)

// Call calls the peer's function at path, such as "math.multiply", and stores what it returns in result, a non-nil
// pointer; a nil result ignores it. A dot inside a name is written `\.`.
//
// Arguments are encoded as package superjson says. A func (or *Callback) as an argument is a callback: the peer gets a
// function that calls it. An iter.Seq, iter.Seq2[T, error] or <-chan T is a stream, which compact peers take: it is run
// when the peer asks for items, and may be after Call has returned. If the peer's function throws, the error wraps an
// *Error. Call blocks until the answer arrives, ctx or Options.CallTimeout ends, or the channel closes. In a
// handler, pass the handler's ctx: while Call waits, the handler does not count as running.
//
// If the peer returns a stream, result must point to an iter.Seq2[T, error] or an any, which then holds an
// iter.Seq2[any, error]; a nil result, or another, has the peer stop it. ctx bounds the iteration too, of which there can be
// only one. The items are as [Stream] says.
func (ch *Channel) Call(ctx context.Context, result any, path string, args ...any) error {
	if done, err := callScalar(ctx, ch, path, args, result); done {
		return err
	}
	return ch.do(ctx, outgoing{kind: wire.Call, path: path, args: slices.Clone(args), result: result})
}

// Call is Channel.Call for a result of type T, on anything that carries calls.
func Call[T any](ctx context.Context, c Caller, path string, args ...any) (T, error) {
	var result T
	if done, err := callScalar(ctx, c, path, args, &result); done {
		return result, err
	}
	kept := new(T)
	err := c.do(ctx, outgoing{kind: wire.Call, path: path, args: slices.Clone(args), result: kept})
	return *kept, err
}

// Get reads the peer's property at path; with a compact peer, "" is the whole API as far as it is data. A property that
// is undefined is the zero T if that is a pointer, interface, map or slice, and an error otherwise.
func Get[T any](ctx context.Context, c Caller, path string) (T, error) {
	var result T
	err := c.do(ctx, outgoing{kind: wire.Get, path: path, result: &result})
	return result, err
}

// Set writes the peer's property at path and waits for the answer.
func Set(ctx context.Context, c Caller, path string, value any) error {
	return c.do(ctx, outgoing{kind: wire.Set, path: path, args: []any{value}})
}

// Construct calls the peer's constructor at path, which in JavaScript is new path(args...); the instance arrives as data.
func Construct[T any](ctx context.Context, c Caller, path string, args ...any) (T, error) {
	var result T
	err := c.do(ctx, outgoing{kind: wire.New, path: path, args: args, result: &result})
	return result, err
}

// outgoing is what this side asks of the peer.
type outgoing struct {
	kind   wire.Kind
	path   string
	args   []any // the value alone, for Set
	result any   // pointer, or nil

	ref    *Ref   // what it is done on; nil for the peer's API
	action string // on ref
	meta   outgoingMetadata
	items  context.Context // bounds the items of a stream that is the result; nil: as it bounds the operation
}

var operationNames = map[wire.Kind]string{wire.Call: "call", wire.Get: "get", wire.Set: "set", wire.New: "new"}

// name is the operation as people call it.
func (op *outgoing) name() string {
	if op.action != "" {
		return op.action
	}
	return operationNames[op.kind]
}

// do does op and waits for the answer. Its errors say which operation failed.
func (ch *Channel) do(ctx context.Context, op outgoing) error {
	if err := ch.perform(ctx, op); err != nil {
		return op.failed(err)
	}
	return nil
}

// perform does op through the interceptors.
func (ch *Channel) perform(ctx context.Context, op outgoing) error {
	if err := op.checkResult(); err != nil {
		return err
	}
	if ch.outbound != nil {
		return ch.intercept(ctx, op)
	}
	return ch.exchange(ctx, op)
}

// checkResult reports why nothing can be stored in the result.
func (op *outgoing) checkResult() error {
	if op.result != nil {
		if v := reflect.ValueOf(op.result); v.Kind() != reflect.Pointer || v.IsNil() {
			return fmt.Errorf("the result must be a pointer that is not nil, not %T", op.result)
		}
	}
	return nil
}

// exchange sends the request and waits for the response.
func (ch *Channel) exchange(ctx context.Context, op outgoing) error {
	handling := scopeOf(ctx)
	if handling != nil && ctx.Err() == nil {
		handling.stepOut()
		defer handling.stepIn()
	}
	codec, p, meta, err := ch.start(ctx, handling, op.result)
	if err != nil {
		return unsentError{err}
	}
	op.meta = meta
	b, err := ch.encode(codec, op, p)
	if err != nil {
		return unsentError{err}
	}
	if err := ch.sendRequest(ctx, b, p); err != nil {
		return err
	}
	if err = ch.await(ctx, codec, p); err == nil && op.result != nil {
		if op.items == nil {
			op.items = ctx
		}
		err = p.decode(op.items, ch, op.result)
	}
	ch.free(p)
	return err
}

// start makes a pending call for an operation with ctx, whose scope is handling, and gathers what is needed to encode it.
func (ch *Channel) start(ctx context.Context, handling *scope, result any) (codec wire.Codec, p *pendingCall, meta outgoingMetadata, err error) {
	if ctx.Err() != nil {
		return nil, nil, meta, context.Cause(ctx)
	}
	if codec, err = ch.ready(ctx); err != nil {
		return nil, nil, meta, err
	}
	meta = ch.outgoingMetadata(ctx, codec, handling)
	p, err = ch.register(result)
	return codec, p, meta, err
}

// await waits for the answer to p's request.
func (ch *Channel) await(ctx context.Context, codec wire.Codec, p *pendingCall) error {
	if ended := ctx.Done(); ended == nil {
		<-p.done
	} else {
		select {
		case <-p.done:
		case <-ended:
			if ch.withdraw(p) {
				ch.tellCancelled(codec, p.id)
				p.answer.discard(ch) // if it has come, and waits for callbacks
				return context.Cause(ctx)
			}
			<-p.done
		}
	}
	if ended := endOf(ctx, p.err != nil); ended != nil {
		return ended // the peer has given up for the same reason
	}
	return p.err
}

// endOf returns why ctx has ended if a call with it has failed. A deadline counts from its time on, since the timer that tells
// ctx may be late, and the peer has one of its own.
func endOf(ctx context.Context, failed bool) error {
	switch {
	case !failed:
		return nil
	case ctx.Err() != nil:
		return context.Cause(ctx)
	}
	if deadline, ok := ctx.Deadline(); ok && !time.Now().Before(deadline) {
		return context.DeadlineExceeded
	}
	return nil
}

// sendRequest sends b, the request of p, when there is room for it. An error ends the call.
func (ch *Channel) sendRequest(ctx context.Context, b *outbox.Buffer, p *pendingCall) error {
	for full := ch.out.Submit(b); full != nil; full = ch.out.Submit(b) {
		var err error
		select {
		case <-full:
			continue
		case <-p.done:
			err = p.err
		case <-ctx.Done():
			err = context.Cause(ctx)
			ch.withdraw(p)
		}
		for _, c := range p.carried {
			c.unsent()
		}
		b.Free()
		return unsentError{fmt.Errorf("waiting for room in the outbound queue (Limits.Outbound): %w", err)}
	}
	return nil
}

// ready waits until a message can be sent: the dialect is known.
func (ch *Channel) ready(ctx context.Context) (wire.Codec, error) {
	if c := ch.codec.Load(); c != nil {
		return *c, nil
	}
	if ch.opts.callTimeout >= 0 {
		timeout := or(ch.opts.callTimeout, defaultCallTimeout)
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeoutCause(ctx, timeout, timeoutError(timeout, ""))
		defer cancel()
	}
	return ch.awaitCodec(ctx)
}

// encode writes the request. The callbacks among its arguments are held by p, which ends if there is an error or a panic
// in an argument's own marshaling.
func (ch *Channel) encode(codec wire.Codec, op outgoing, p *pendingCall) (_ *outbox.Buffer, err error) {
	out := newValues(ch, codec)
	encoded := false
	defer func() {
		if !encoded {
			ch.withdraw(p)
		}
		out.free()
	}()
	name := p.name()
	out.pending, out.tail.Values = p, out.annotations()
	b := outbox.NewBuffer()
	if op.ref != nil {
		b.Bytes, err = ch.appendRefRequest(b.Bytes, codec, out, name, &op)
	} else {
		b.Bytes, err = ch.appendRequest(b.Bytes, codec, out, name, &op)
	}
	if err == nil && ch.unary != nil {
		err = ch.unary.CheckRequest(b.Bytes)
	}
	if err != nil {
		b.Free()
		return nil, err
	}
	encoded = true
	p.carried = append(p.carried, out.carried...)
	out.letGo()
	return b, nil
}

// appendRequest writes a request to the peer's API.
func (ch *Channel) appendRequest(dst []byte, codec wire.Codec, out *values, name string, op *outgoing) ([]byte, error) {
	tail := &out.tail
	path, err := bind.SplitPath(out.path[:0], op.path)
	out.path = path
	if err != nil {
		return dst, err
	}
	switch {
	case op.kind == wire.Get, op.kind == wire.Set && isUndefined(op.args[0]):
		if tail.Metadata, err = op.meta.encode(out); err != nil {
			return dst, err
		}
		if op.kind == wire.Get {
			return codec.AppendGet(dst, name, path, tail), nil
		}
		return codec.AppendUndefinedSet(dst, name, path, tail), nil
	case op.kind == wire.Set:
		dst = codec.BeginSet(dst, name, path)
		if dst, _, err = out.AppendAny(dst, codec.SetPath(), op.args[0]); err != nil {
			return dst, err
		}
		tail.Metadata, err = op.meta.encode(out)
		return codec.EndSet(dst, path, tail), err
	default:
		dst = codec.BeginCall(dst, op.kind, name, path)
		if dst, err = ch.appendArgs(dst, codec, out, op.args); err != nil {
			return dst, err
		}
		tail.Metadata, err = op.meta.encode(out)
		return codec.EndCall(dst, op.kind, tail), err
	}
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
		if isCallback(arg) {
			id, err := ch.callbacks().export(codec.Dialect(), arg, out)
			if err != nil {
				return dst, fmt.Errorf("argument %d: %w", i+1, err)
			}
			tail.CallbackIDs = append(tail.CallbackIDs, id)
			dst = codec.AppendCallbackArg(dst, i, id)
			continue
		}
		var err error
		dst = codec.BeginArg(dst, i)
		if dst, _, err = out.AppendAny(dst, codec.ArgPath(i), arg); err != nil {
			return dst, fmt.Errorf("argument %d: %w", i+1, err)
		}
		dst = codec.EndArg(dst)
	}
	return dst, nil
}

func isUndefined(arg any) bool {
	if s, ok := arg.(*Shared); ok && s != nil {
		arg = s.value
	}
	return bind.IsUndefined(arg)
}

func isCallback(arg any) bool {
	switch arg.(type) {
	case nil, string, bool, int, int64, float64, []byte:
		return false
	case *Callback:
		return true
	}
	t := reflect.TypeOf(arg)
	return t.Kind() == reflect.Func && !bind.IsStreamType(t)
}

// tellCancelled lets the peer know that nobody waits for the answer. Peers that do not know the record ignore it.
func (ch *Channel) tellCancelled(codec wire.Codec, id uint64) {
	if ch.unary != nil {
		ch.unary.CancelRequest(strconv.FormatUint(id, 10))
		return
	}
	b := outbox.NewBuffer()
	b.Bytes = codec.AppendCancel(b.Bytes, strconv.FormatUint(id, 10))
	if len(b.Bytes) == 0 {
		b.Free()
		return
	}
	ch.out.Send(b)
}

const defaultCallTimeout = 30 * time.Second
