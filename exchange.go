package kkrpc

import (
	"context"
	"errors"
	"fmt"
	"math"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/kkrpc-go/kkrpc/internal/bind"
	"github.com/kkrpc-go/kkrpc/internal/outbox"
	"github.com/kkrpc-go/kkrpc/internal/wire"
	"github.com/kkrpc-go/kkrpc/superjson"
)

// Caller carries operations to the peer. It is a parameter of [Call], [Do], [Get], [Set], [Construct], [Stream] and [Remote].
// A *Channel is a Caller, as are a *Ref of the peer, a *UnaryCaller and the result of [Via].
type Caller interface {
	// do does op and waits for the answer. Its errors say which operation failed.
	do(ctx context.Context, op outgoing) error
}

// outgoing is an operation of this side on the peer.
type outgoing struct {
	kind   wire.Kind
	path   string
	args   []any // the value alone, for Set
	result any   // pointer, or nil

	on     subject // nil: the API of the peer
	action string  // on it
	meta   outgoingMetadata
	items  context.Context // bounds the items of a stream that is the result; nil: as it bounds the operation
	oneWay bool            // nobody waits for an answer
}

// subject is what an operation is on, if not on the API of the peer.
type subject interface {
	// appendRequest writes the request for op with the id name.
	appendRequest(dst []byte, codec wire.Codec, out *values, name string, op *outgoing) ([]byte, error)
}

var operationNames = map[wire.Kind]string{wire.Call: "call", wire.Get: "get", wire.Set: "set", wire.New: "new"}

// operation is the operation as a Request names it.
func (op *outgoing) operation() string {
	if op.action != "" {
		return op.action
	}
	return operationNames[op.kind]
}

// name is the operation as people call it.
func (op *outgoing) name() string {
	if op.oneWay {
		return "notify"
	}
	return op.operation()
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
	if ch.alone != nil {
		return ch.alone(ctx, op)
	}
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

// start makes a pending call for an operation, and gathers the metadata to encode with it. handling is the scope of
// ctx.
func (ch *Channel) start(ctx context.Context, handling *scope, result any) (codec wire.Codec, p *pendingCall, meta outgoingMetadata, err error) {
	if ctx.Err() != nil {
		return nil, nil, meta, context.Cause(ctx)
	}
	if codec, err = ch.ready(ctx); err != nil {
		return nil, nil, meta, err
	}
	if !codec.Dialect().IsClassic() {
		var handled *metadata
		if handling != nil {
			handled = handling.meta
		}
		meta = newOutgoingMetadata(ctx, ch.opts.metadata, handled)
	} else {
		meta.bounded = isBounded(ctx)
	}
	p, err = ch.register(result, meta.bounded)
	return codec, p, meta, err
}

// isBounded reports whether ctx has a deadline, which replaces Options.CallTimeout.
func isBounded(ctx context.Context) bool {
	_, bounded := ctx.Deadline()
	return bounded
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
				p.answer.discard(ch, false) // if it has come, and waits for callbacks
				return ch.gaveUp(ctx, codec)
			}
			<-p.done
		}
	}
	if ended := endOf(ctx, p.err != nil); ended != nil {
		return ended // the peer has given up for the same reason
	}
	return p.err
}

// gaveUp is the error of a call whose ctx has ended.
func (ch *Channel) gaveUp(ctx context.Context, codec wire.Codec) error {
	err := context.Cause(ctx)
	if errors.Is(err, context.DeadlineExceeded) {
		if hint := ch.silence(codec); hint != "" {
			return fmt.Errorf("%w%s", err, hint)
		}
	}
	return err
}

// endOf returns why ctx has ended if a call with it has failed. A deadline counts from its time on. The timer that ends
// ctx may be late, and the peer has its own timer.
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
	full := ch.out.Submit(b)
	if full != nil {
		defer ch.out.Block(b)()
	}
	for ; full != nil; full = ch.out.Submit(b) {
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
	for _, c := range p.carried {
		c.sent()
	}
	return nil
}

// ready waits until a message can be sent: the dialect is known.
func (ch *Channel) ready(ctx context.Context) (wire.Codec, error) {
	if c := ch.codec.Load(); c != nil {
		return *c, nil
	}
	if ch.opts.callTimeout >= 0 && !isBounded(ctx) {
		timeout := or(ch.opts.callTimeout, defaultCallTimeout)
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeoutCause(ctx, timeout, timeoutError(timeout, ""))
		defer cancel()
	}
	return ch.awaitCodec(ctx)
}

// encode writes the request. p carries the callbacks among the arguments. p ends if there is an error, or a panic in an
// argument's own marshaling.
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
	out.carryBytes()
	b := outbox.NewBuffer()
	if op.on != nil {
		b.Bytes, err = op.on.appendRequest(b.Bytes, codec, out, name, &op)
	} else {
		b.Bytes, err = ch.appendRequest(b.Bytes, codec, out, name, &op)
	}
	if err != nil {
		b.Free()
		return nil, err
	}
	b.Bytes = out.seal(b.Bytes)
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
		if tail.Metadata, err = out.metadata(&op.meta); err != nil {
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
		tail.Metadata, err = out.metadata(&op.meta)
		return codec.EndSet(dst, path, tail), err
	default:
		dst = codec.BeginCall(dst, op.kind, name, path)
		if dst, err = ch.appendArgs(dst, codec, out, op.args); err != nil {
			return dst, err
		}
		tail.Metadata, err = out.metadata(&op.meta)
		return codec.EndCall(dst, op.kind, tail), err
	}
}

// tellCancelled lets the peer know that nobody waits for the answer. Peers that do not know the record ignore it.
func (ch *Channel) tellCancelled(codec wire.Codec, id uint64) {
	b := outbox.NewBuffer()
	b.Bytes = codec.AppendCancel(b.Bytes, strconv.FormatUint(id, 10))
	if len(b.Bytes) == 0 {
		b.Free()
		return
	}
	ch.out.Send(b)
}

const defaultCallTimeout = 30 * time.Second

// unsentError is for an operation that the peer has not heard of.
type unsentError struct{ error }

func (e unsentError) Unwrap() error { return e.error }

// failed is err with the operation it happened to.
func (op *outgoing) failed(err error) error {
	path := op.path
	if op.on != nil {
		path = strings.TrimSuffix("reference."+path, ".")
	}
	return fmt.Errorf("kkrpc: %s %s: %w", op.name(), path, err)
}

// delay has d delay the answer to p, unless p has ended already.
func (ch *Channel) delay(p *pendingCall, d delayer) {
	ch.mu.Lock()
	defer ch.mu.Unlock()
	if ch.pending.table.find(p.id) != p {
		d.settledLocked()
		return
	}
	p.delayers = append(p.delayers, d)
}

// register makes a pending call and starts its timeout, unless it is bounded by a ctx.
func (ch *Channel) register(result any, bounded bool) (*pendingCall, error) {
	ch.mu.Lock()
	defer ch.mu.Unlock()
	return ch.registerLocked(result, bounded)
}

func (ch *Channel) registerLocked(result any, bounded bool) (*pendingCall, error) {
	if ch.err != nil {
		return nil, ch.err
	}
	c := &ch.pending
	p := c.newLocked()
	c.table.add(p)
	c.made++
	p.since, p.result, p.deadline = ch.events, result, math.MaxInt64
	if ch.opts.callTimeout >= 0 && !bounded {
		timeout := or(ch.opts.callTimeout, defaultCallTimeout)
		p.deadline = time.Since(epoch)
		p.deadline += min(timeout, math.MaxInt64-max(0, p.deadline))
		if c.timer == nil {
			c.timer = time.AfterFunc(timeout, ch.expire)
		}
	}
	return p, nil
}

// epoch is the start from which deadlines of calls count. time.Since costs half as much as time.Now.
var epoch = time.Now()

// withdraw removes p and reports whether it was still pending.
func (ch *Channel) withdraw(p *pendingCall) bool {
	ch.mu.Lock()
	defer ch.mu.Unlock()
	return ch.pending.takeLocked(p.id) != nil
}

func (ch *Channel) free(p *pendingCall) {
	ch.mu.Lock()
	ch.pending.freeLocked(p)
	ch.mu.Unlock()
}

// expire ends the calls that have waited too long. One timer serves all calls of a channel whose ctx has no deadline. They all
// have one timeout, so the oldest call ends first.
func (ch *Channel) expire() {
	var expired []*pendingCall
	ch.mu.Lock()
	now, next := time.Since(epoch), time.Duration(math.MaxInt64)
	for p := range ch.pending.table.all() {
		switch {
		case p.state != awaited: // its answer has come
		case p.deadline <= now:
			expired = append(expired, ch.pending.takeLocked(p.id))
		default:
			next = min(next, p.deadline)
		}
	}
	ch.pending.timer = nil
	if next != math.MaxInt64 {
		ch.pending.timer = time.AfterFunc(next-now, ch.expire)
	}
	ch.mu.Unlock()
	if len(expired) == 0 {
		return
	}
	codec := *ch.codec.Load()
	for _, p := range expired {
		ch.tellCancelled(codec, p.id)
		p.finish(timeoutError(or(ch.opts.callTimeout, defaultCallTimeout), ch.silence(codec)))
	}
}

// timeoutError has the name that kkrpc gives it.
func timeoutError(timeout time.Duration, hint string) *Error {
	return &Error{Name: "RPCTimeoutError", Message: fmt.Sprintf("no answer within %v%s", timeout, hint), Cause: context.DeadlineExceeded}
}

// silence explains a timeout on a channel that has never received anything, or nothing that it could read.
func (ch *Channel) silence(codec wire.Codec) string {
	if ch.heard.Load() {
		return ""
	}
	if n := ch.dropped.Load(); n > 0 {
		return fmt.Sprintf("; this channel speaks %v, and could not read what it has received (messages: %d, see Options.OnError)", Dialect(codec.Dialect()), n)
	}
	other := "a kkrpc 0.x peer needs Options.Dialect kkrpc.Classic or kkrpc.ClassicSuperJSON"
	if codec.Dialect().IsClassic() {
		other = "a kkrpc 2.x peer needs Options.Dialect kkrpc.Compact or kkrpc.CompactSuperJSON"
	}
	return fmt.Sprintf("; nothing was ever received on this channel, which speaks %v: %s", Dialect(codec.Dialect()), other)
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
	if meta.values == nil {
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
