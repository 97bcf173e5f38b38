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

// Callback is a function that crosses the connection by reference. NewCallback makes one of this side, for an argument
// of a call. A parameter of type *Callback is a function of the peer. Calls of a nil *Callback fail.
type Callback struct {
	fn     any          // of this side; nil in one of the peer's
	method *bind.Method // of fn

	ch       *Channel // of the peer; nil in one of this side's
	through  target   // what it is called through; nil for a function that the peer passed as such
	id       string
	released atomic.Bool

	mu    sync.Mutex
	funcs map[reflect.Type]any // Go functions made for it
}

// target is a function of the peer that is no callback and can be called like one.
type target interface {
	// appendInvocation writes a request with the id name.
	appendInvocation(dst []byte, codec wire.Codec, out *values, name string, args []any) ([]byte, error)
	isReleased() bool
	letGo() error
}

// NewCallback gives fn a stable identity: the peer sees one function however often the Callback is passed. Method
// values, for example, are new functions each time. Classic peers never give a function back, so each new one stays. fn
// takes any arguments, perhaps a context.Context first. It returns nothing, or an error, which goes to Options.OnError.
// NewCallback panics if fn is anything else.
func NewCallback(fn any) *Callback {
	m, err := types.Callback(fn)
	if err != nil {
		panic("kkrpc: NewCallback: " + err.Error())
	}
	return &Callback{fn: fn, method: m}
}

// CallbackOf returns the Callback behind fn, a func that a handler got for a function of the peer. It has what a func
// lacks, such as Notify, while the types of fn's parameters reach the peer. It is nil if fn is no such func.
func CallbackOf(fn any) *Callback {
	if cb, ok := fn.(*Callback); ok {
		return cb
	}
	if reflect.ValueOf(fn).Kind() != reflect.Func {
		return nil
	}
	if w, ok := bindings.Load(funcIdentity(fn)); ok {
		return w.(weak.Pointer[Callback]).Value()
	}
	return nil
}

// MarshalJSON fails: a Callback can only be an argument itself.
func (cb *Callback) MarshalJSON() ([]byte, error) {
	return nil, errors.New("a function can only be an argument itself, not inside of another value")
}

// Call invokes the peer's function. It returns when the message is queued. The result of the function does not come
// back, nor does an error that it throws. The error wraps ErrReleased or ErrClosed, or says which argument cannot be
// encoded. Call blocks only while the outbound queue is full, at most for Limits.SendWait. Then Options.SlowConsumer
// applies.
func (cb *Callback) Call(args ...any) error { return cb.send(context.Background(), args, inTurn) }

// Notify is Call for a function that many receivers have: it never blocks, so that it may be called with a lock held. If
// more than Limits.Backlog waits to be sent, Options.SlowConsumer applies: the error wraps ErrSlowConsumer and
// ErrClosed, or ErrDropped.
func (cb *Callback) Notify(args ...any) error { return cb.send(context.Background(), args, atOnce) }

// delivery says whether a message waits for room.
type delivery bool

const (
	inTurn delivery = false
	atOnce delivery = true
)

// Release tells the peer that this side no longer needs callback. It was an argument of a handler, as a func or
// *Callback. Calls of it fail with ErrReleased from then on. A callback that is never released is released when it is
// garbage collected. On a classic channel, which has no message for it, the error wraps ErrUnsupported. Release also
// releases a *Ref, without waiting for the answer.
func Release(callback any) error {
	if r, ok := callback.(target); ok && !reflect.ValueOf(r).IsNil() {
		return r.letGo()
	}
	cb := CallbackOf(callback)
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
	if cb.through != nil {
		return cb.through.letGo()
	}
	if cb.released.Swap(true) {
		return nil
	}
	cb.ch.kinds().called.forget(cb.id, cb)
	b := outbox.NewBuffer()
	b.Bytes = (*codec).AppendRelease(b.Bytes, []string{cb.id})
	cb.ch.out.Send(b)
	return nil
}

func (cb *Callback) send(ctx context.Context, args []any, how delivery) error {
	done, err := cb.sendPlain(ctx, args, how)
	if !done {
		err = cb.sendAny(ctx, slices.Clone(args), how) // so that only such arguments cost the caller the allocation
	}
	if err != nil {
		return fmt.Errorf("kkrpc: callback: %w", err)
	}
	return nil
}

// sendPlain is sendAny for arguments that can be written as they are. It reports done false if there are others, and does
// not keep args.
func (cb *Callback) sendPlain(ctx context.Context, args []any, how delivery) (done bool, err error) {
	if err := cb.refusal(); err != nil {
		return true, err
	}
	if cb.through != nil {
		return false, nil
	}
	codec := *cb.ch.codec.Load()
	b := outbox.NewBuffer()
	bytes := codec.BeginCallback(b.Bytes, cb.id)
	for i, arg := range args {
		bytes = codec.BeginArg(bytes, i)
		plain := false
		if s, ok := arg.(*Shared); ok {
			bytes, plain = s.appendPlain(bytes, codec.Dialect().Mode(), cb.ch.byteMark)
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
	if err = cb.post(ctx, b, how); err != nil {
		b.Free()
	}
	return true, err
}

// refusal says why cb cannot be called, or is nil.
func (cb *Callback) refusal() error {
	switch {
	case cb == nil:
		return errNil
	case cb.ch == nil:
		return errors.New("it is a function of this side, only the peer can call it")
	case cb.released.Load(), cb.through != nil && cb.through.isReleased():
		return ErrReleased
	case cb.ch.closed.Load():
		return cb.ch.Err()
	}
	return nil
}

func (cb *Callback) sendAny(ctx context.Context, args []any, how delivery) error {
	if err := cb.refusal(); err != nil {
		return err
	}
	ch := cb.ch
	codec := *ch.codec.Load()
	out := newValues(ch, codec)
	tail := &out.tail // where it is, it costs no allocation for each of many receivers
	tail.Values = out.annotations()
	out.carryBytes()
	b := outbox.NewBuffer()
	var watched uint64 // id of a call; 0: none
	sent := false
	defer func() { // also after a panic of an argument's own marshaling
		if !sent {
			ch.unwatch(watched)
			b.Free()
		}
		out.free()
	}()
	var err error
	if cb.through != nil {
		id := unawaited
		if watched = ch.watch(); watched != 0 {
			id = strconv.FormatUint(watched, 10)
		}
		b.Bytes, err = cb.through.appendInvocation(b.Bytes, codec, out, id, args)
	} else {
		b.Bytes = codec.BeginCallback(b.Bytes, cb.id)
		b.Bytes, err = ch.appendArgs(b.Bytes, codec, out, args)
		b.Bytes = codec.EndCallback(b.Bytes, tail)
	}
	if err != nil {
		return err
	}
	b.Bytes = out.seal(b.Bytes)
	if err = cb.post(ctx, b, how); err != nil {
		return err
	}
	sent = true
	out.sent()
	return nil
}

// post queues b, an invocation of cb. With an error, b remains the caller's.
func (cb *Callback) post(ctx context.Context, b *outbox.Buffer, how delivery) error {
	var err error
	if how == atOnce {
		err = cb.ch.postNow(b)
	} else if full := cb.ch.out.Post(b); full != nil {
		err = cb.ch.awaitRoom(ctx, b, full)
	}
	runtime.KeepAlive(cb)
	return err
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

// bindings leads from the identity of a function that stands for a peer's to its weak *Callback, for CallbackOf.
var bindings sync.Map

// callbackParam is a func type whose values stand for functions of the peer.
type callbackParam struct {
	typ      reflect.Type
	context  bool
	variadic bool
	failing  bool
}

func newCallbackParam(t reflect.Type) *callbackParam {
	return &callbackParam{
		typ:      t,
		context:  t.NumIn() > 0 && t.In(0) == reflect.TypeFor[context.Context](),
		variadic: t.IsVariadic(),
		failing:  t.NumOut() == 1,
	}
}

// make makes the function that sends its arguments to cb. It keeps cb alive.
func (p *callbackParam) make(cb *Callback) any {
	for _, try := range fastCallbacks {
		if fn := try(p.typ, cb); fn != nil {
			return fn
		}
	}
	return reflect.MakeFunc(p.typ, func(in []reflect.Value) []reflect.Value {
		ctx := context.Background()
		if p.context {
			if given, ok := in[0].Interface().(context.Context); ok {
				ctx = given
			}
			in = in[1:]
		}
		err := cb.send(ctx, bind.Spread(in, p.variadic), inTurn)
		if !p.failing {
			return nil
		}
		result := reflect.New(reflect.TypeFor[error]()).Elem()
		if err != nil {
			result.Set(reflect.ValueOf(err))
		}
		return []reflect.Value{result}
	}).Interface()
}

// fastCallbacks make the most common types of callbacks. By reflection they would cost three times as much.
var fastCallbacks = [...]func(t reflect.Type, cb *Callback) any{
	fastCallback0, fastCallback1[string], fastCallback1[int], fastCallback1[float64], fastCallback1[bool], fastCallback1[any],
	fastCallback1[*Shared], fastCallback2[int, int], fastCallback2[string, string], fastCallback2[string, *Shared],
}

// fastCallback0 returns nil if t is another type than those that it knows, like the others.
func fastCallback0(t reflect.Type, cb *Callback) any {
	switch t {
	case reflect.TypeFor[func()]():
		return func() { _ = cb.Call() }
	case reflect.TypeFor[func() error]():
		return func() error { return cb.Call() }
	case reflect.TypeFor[func(context.Context) error]():
		return func(ctx context.Context) error { return cb.send(ctx, nil, inTurn) }
	}
	return nil
}

func fastCallback1[A any](t reflect.Type, cb *Callback) any {
	switch t {
	case reflect.TypeFor[func(A)]():
		return func(a A) { _ = cb.Call(a) }
	case reflect.TypeFor[func(A) error]():
		return func(a A) error { return cb.Call(a) }
	case reflect.TypeFor[func(context.Context, A) error]():
		return func(ctx context.Context, a A) error { return cb.send(ctx, []any{a}, inTurn) }
	}
	return nil
}

func fastCallback2[A, B any](t reflect.Type, cb *Callback) any {
	switch t {
	case reflect.TypeFor[func(A, B)]():
		return func(a A, b B) { _ = cb.Call(a, b) }
	case reflect.TypeFor[func(A, B) error]():
		return func(a A, b B) error { return cb.Call(a, b) }
	case reflect.TypeFor[func(context.Context, A, B) error]():
		return func(ctx context.Context, a A, b B) error { return cb.send(ctx, []any{a, b}, inTurn) }
	}
	return nil
}
