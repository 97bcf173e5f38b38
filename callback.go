package kkrpc

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"runtime"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"weak"

	"github.com/kkrpc-go/kkrpc/internal/bind"
	"github.com/kkrpc-go/kkrpc/internal/outbox"
	"github.com/kkrpc-go/kkrpc/internal/wire"
)

// Callback is a function that crosses the connection by reference. NewCallback makes one of this side's, to be passed as
// an argument; as the type of a parameter it is one of the peer's, to be called.
type Callback struct {
	fn     any          // of this side; nil in one of the peer's
	method *bind.Method // of fn

	ch       *Channel // of the peer; nil in one of this side's
	ref      *Ref     // it came as a reference; nil for most
	id       string
	released atomic.Bool

	mu    sync.Mutex
	funcs map[reflect.Type]any // Go functions made for it
}

// NewCallback gives fn a stable identity: the peer sees one function however often the Callback is passed. That matters
// for functions made anew each time, such as method values, above all with classic peers, which never give one back. fn
// takes any arguments, a context.Context first if it likes, and returns nothing or an error, which goes to
// Options.OnError. NewCallback panics if fn is anything else.
func NewCallback(fn any) *Callback {
	m, err := types.Callback(fn)
	if err != nil {
		panic("kkrpc: NewCallback: " + err.Error())
	}
	return &Callback{fn: fn, method: m}
}

// MarshalJSON fails: a Callback can only be an argument itself.
func (cb *Callback) MarshalJSON() ([]byte, error) {
	return nil, errors.New("a function can only be an argument itself, not inside of another value")
}

// Call invokes the peer's function. It returns when the message is queued; what the function returns or throws does not
// come back. The error wraps ErrReleased or ErrClosed, or says which argument cannot be encoded. Call blocks only while
// the outbound queue is full.
func (cb *Callback) Call(args ...any) error { return cb.send(context.Background(), args) }

// Release tells the peer that this side no longer needs callback: a func or *Callback that a handler got as an argument.
// Calling it afterwards fails with ErrReleased. What is not released is when it is garbage collected. The error wraps
// ErrUnsupported on a classic channel, which has no such message. A *Ref is released too, without waiting for the answer.
func Release(callback any) error {
	if r, ok := callback.(*Ref); ok && r != nil {
		return r.letGo()
	}
	cb, _ := callback.(*Callback)
	if cb == nil {
		cb = boundTo(callback)
	}
	if cb == nil || cb.ch == nil {
		return fmt.Errorf("kkrpc: release: %T is no callback that came from a peer", callback)
	}
	return cb.release()
}

func (cb *Callback) release() error {
	codec := cb.ch.codec.Load()
	if (*codec).Dialect().IsClassic() {
		return fmt.Errorf("kkrpc: release callback: %w", ErrUnsupported)
	}
	if cb.ref != nil {
		return cb.ref.letGo()
	}
	if cb.released.Swap(true) {
		return nil
	}
	cb.ch.callbacks().held.forget(cb.id, cb)
	b := outbox.NewBuffer()
	b.Bytes = (*codec).AppendRelease(b.Bytes, []string{cb.id})
	cb.ch.out.Send(b)
	return nil
}

func (cb *Callback) send(ctx context.Context, args []any) error {
	done, err := cb.sendPlain(ctx, args)
	if !done {
		err = cb.sendAny(ctx, slices.Clone(args)) // so that only such arguments cost the caller the allocation
	}
	if err != nil {
		return fmt.Errorf("kkrpc: callback: %w", err)
	}
	return nil
}

// sendPlain is sendAny for arguments that can be written as they are. It reports done false if there are others, and does
// not keep args.
func (cb *Callback) sendPlain(ctx context.Context, args []any) (done bool, err error) {
	if err := cb.refusal(); err != nil {
		return true, err
	}
	if cb.ref != nil {
		return false, nil
	}
	codec := *cb.ch.codec.Load()
	b := outbox.NewBuffer()
	bytes := codec.BeginCallback(b.Bytes, cb.id)
	for i, arg := range args {
		bytes = codec.BeginArg(bytes, i)
		plain := false
		if s, ok := arg.(*Shared); ok {
			bytes, plain = s.appendPlain(bytes, codec.Dialect().Mode())
		} else {
			bytes, plain = bind.AppendPlain(bytes, arg)
		}
		if !plain {
			b.Free()
			return false, nil
		}
		bytes = codec.EndArg(bytes)
	}
	b.Bytes = codec.EndCallback(bytes, nil)
	if err = cb.post(ctx, b); err != nil {
		b.Free()
	}
	return true, err
}

// refusal says why cb cannot be called, or is nil.
func (cb *Callback) refusal() error {
	switch {
	case cb.ch == nil:
		return errors.New("it is a function of this side, only the peer can call it")
	case cb.released.Load(), cb.ref != nil && cb.ref.released.Load():
		return ErrReleased
	case cb.ch.closed.Load():
		return cb.ch.Err()
	}
	return nil
}

func (cb *Callback) sendAny(ctx context.Context, args []any) error {
	if err := cb.refusal(); err != nil {
		return err
	}
	ch := cb.ch
	codec := *ch.codec.Load()
	out := newValues(ch, codec)
	tail := &out.tail // where it is, it costs no allocation for each of many receivers
	tail.Values = out.annotations()
	b := outbox.NewBuffer()
	var watched *pendingCall
	sent := false
	defer func() { // also after a panic of an argument's own marshaling
		if !sent {
			if watched != nil && ch.withdraw(watched) {
				ch.unwatch(watched)
			}
			b.Free()
		}
		out.free()
	}()
	var err error
	if cb.ref != nil {
		id := unawaited
		if watched = ch.watchApply(); watched != nil {
			id = strconv.FormatUint(watched.id, 10)
		}
		b.Bytes = codec.BeginCall(b.Bytes, wire.Ref, id, []string{cb.ref.id, "apply"})
		b.Bytes, err = ch.appendBareArgs(b.Bytes, codec, out, args)
		b.Bytes = codec.EndCall(b.Bytes, wire.Ref, tail)
	} else {
		b.Bytes = codec.BeginCallback(b.Bytes, cb.id)
		b.Bytes, err = ch.appendArgs(b.Bytes, codec, out, args)
		b.Bytes = codec.EndCallback(b.Bytes, tail)
	}
	if err != nil {
		return err
	}
	if err = cb.post(ctx, b); err != nil {
		return err
	}
	sent = true
	out.sent()
	return nil
}

// post queues b, an invocation of cb. With an error, b remains the caller's.
func (cb *Callback) post(ctx context.Context, b *outbox.Buffer) error {
	var err error
	if full := cb.ch.out.Post(b); full != nil {
		err = cb.ch.awaitRoom(ctx, b, full)
	}
	runtime.KeepAlive(cb)
	return err
}

// awaitRoom blocks until b, a one-way message, is queued.
func (ch *Channel) awaitRoom(ctx context.Context, b *outbox.Buffer, full <-chan struct{}) error {
	if s := scopeOf(ctx); s != nil {
		s.stepOut()
		defer s.stepIn()
	}
	for ; full != nil; full = ch.out.Post(b) {
		select {
		case <-full:
		case <-ch.done:
			return ch.Err()
		case <-ctx.Done():
			return fmt.Errorf("waiting for room in the outbound queue (Limits.Outbound): %w", context.Cause(ctx))
		}
	}
	return nil
}

// funcOf returns the function of type t that stands for cb, made by make the first time.
func (cb *Callback) funcOf(t reflect.Type, make func() any) any {
	cb.mu.Lock()
	defer cb.mu.Unlock()
	fn, ok := cb.funcs[t]
	if !ok {
		fn = make()
		if cb.funcs == nil {
			cb.funcs = map[reflect.Type]any{}
		}
		cb.funcs[t] = fn
		b := binding{funcIdentity(fn), weak.Make(cb)}
		bindings.Store(b.key, b.callback)
		runtime.AddCleanup(cb, binding.drop, b)
	}
	return fn
}

// binding is one entry of bindings.
type binding struct {
	key      identity
	callback weak.Pointer[Callback]
}

// drop removes the entry, unless another function has come to live at the same address.
func (b binding) drop() { bindings.CompareAndDelete(b.key, b.callback) }

// bindings leads from the identity of a function that stands for a peer's to its weak *Callback, for Release.
var bindings sync.Map

func boundTo(fn any) *Callback {
	if reflect.ValueOf(fn).Kind() != reflect.Func {
		return nil
	}
	if w, ok := bindings.Load(funcIdentity(fn)); ok {
		return w.(weak.Pointer[Callback]).Value()
	}
	return nil
}
