package kkrpc

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"sync/atomic"

	"github.com/kkrpc-go/kkrpc/internal/bind"
	"github.com/kkrpc-go/kkrpc/internal/wire"
)

// Request is what an Interceptor sees of an operation. Nothing in it may be changed.
type Request struct {
	Channel *Channel // to the peer; nil for a request that travels by itself, see API.Answer and Unary
	// Inbound: the peer asks this side. Otherwise this side asks the peer.
	Inbound bool
	// Operation is call, get, set or new. On a reference it is call, get, set or apply, which calls a function. Notify is
	// a call.
	Operation string
	// Path is as Call takes it, such as math.multiply. If Ref is not nil, Path begins at Ref and says nothing about the
	// API. Code that decides by Path must look at Ref too.
	Path string
	// Ref is the reference that the operation is on; nil for the API. Inbound it is one of this side, outbound one of
	// the peer.
	Ref *Ref
	// Args are the arguments, or the value alone of a set. Inbound they have the types of the parameters. Variadic
	// arguments are listed one by one. Functions of the peer are as the function gets them.
	Args []any
	// Metadata is, inbound, the result of MetadataFrom. Outbound it is the map that the caller gave to WithMetadata,
	// without the additions of Options.Metadata, deadlines and interceptors.
	Metadata map[string]any
}

// Handler does an operation and returns its result.
//
// Inbound, the result is the value that the function returned, in its type, and nil if it returns nothing. The error is
// the function's own. Outbound, the result has the type that the caller asked for. It is nil if the caller ignores it.
type Handler func(ctx context.Context, r *Request) (any, error)

// Interceptor runs around operations. next runs the further interceptors and then the operation. The result and error
// of the interceptor replace those of next. An interceptor may refuse an operation by an error without calling next. It
// may change the result or the error. It may give next a ctx derived from its own, with values, a deadline or,
// outbound, metadata. Changes to the Request that next gets have no effect.
//
// An inbound interceptor runs on the goroutine of the function. It may take long, and it may call the peer with its
// ctx. A panic becomes an InternalError. Inbound, next may be called once, on the goroutine of the interceptor, and
// must return before the interceptor does. Outbound, next may be called again for another attempt. An outbound
// interceptor runs on the goroutine of the caller. A result that it makes up must have the caller's type. A stream that
// a function returns lives on when next has returned. Inbound, code of the stream sees the end of the ctx that next
// got. Outbound, that ctx bounds the opening of the stream and not its items.
//
// Interceptors see call, get, set and new, also on references. They see the call that opens a stream, whose result is
// the stream. They do not see invocations of callbacks, which have neither result nor metadata, items of streams, or
// releases of references. They do not see requests that are refused before a function is found and its arguments are
// decoded.
type Interceptor func(ctx context.Context, r *Request, next Handler) (any, error)

// refOf returns what an operation is on as a Request shows it.
func refOf(on any) *Ref {
	r, _ := on.(*Ref)
	return r
}

// compose makes one interceptor of all, the first outermost; nil if there are none. name is for the error.
func compose(name string, all []Interceptor) (Interceptor, error) {
	if i := slices.IndexFunc(all, func(one Interceptor) bool { return one == nil }); i >= 0 {
		return nil, fmt.Errorf("kkrpc: Options.%s[%d] is nil", name, i)
	}
	return chain(all), nil
}

func chain(all []Interceptor) Interceptor {
	switch len(all) {
	case 0:
		return nil
	case 1:
		return all[0]
	}
	first, rest := all[0], chain(slices.Clone(all[1:]))
	return func(ctx context.Context, r *Request, next Handler) (any, error) {
		return first(ctx, r, func(ctx context.Context, r *Request) (any, error) { return rest(ctx, r, next) })
	}
}

// interception is the part of a request of the peer that only inbound interceptors need.
type interception struct {
	operation, path string
	on              any           // see insider.find; nil: the API
	next            atomic.Uint32 // may it be called; atomic since an interceptor may break the rules
	result          any
}

// States of interception.next.
const (
	nextUncalled = iota
	nextCalled
	nextOver // the interceptors have returned
)

// newInterception is for a request on something that was found.
func newInterception(m *wire.Message, on any) *interception {
	path, _ := m.Path.Segments(nil)
	i := &interception{operation: operationNames[m.Kind], on: on}
	if on != nil { // [id, action, ...path]
		i.operation, path = path[1], path[2:]
		if i.operation == "apply" {
			path = nil // what stands there has no meaning
		}
	}
	i.path = bind.JoinPath(path)
	return i
}

// run runs inv within the inbound interceptors of ch.
func (hook *interception) run(ctx context.Context, ch *Channel, inv bind.Invocation, m *metadata) (err error) {
	defer hook.next.Store(nextOver)
	r := &Request{Channel: ch.public(), Inbound: true, Operation: hook.operation, Path: hook.path, Ref: refOf(hook.on),
		Args: inv.Arguments(), Metadata: m.decoded()}
	hook.result, err = ch.inbound(ctx, r, func(ctx context.Context, _ *Request) (any, error) {
		if !hook.next.CompareAndSwap(nextUncalled, nextCalled) {
			if hook.next.Load() == nextOver {
				return nil, errors.New("an inbound interceptor called next after it had returned")
			}
			return nil, errors.New("an inbound interceptor called next twice")
		}
		if err := inv.Run(ctx); err != nil {
			return nil, err
		}
		return inv.Outcome(), nil
	})
	return err
}

// perform does op through the interceptors.
func (ch *Channel) perform(ctx context.Context, op outgoing) error {
	if err := op.checkResult(); err != nil {
		return err
	}
	if ch.outbound != nil {
		return ch.intercept(ctx, op)
	}
	return ch.carryOut(ctx, op)
}

// carryOut does op without interceptors.
func (ch *Channel) carryOut(ctx context.Context, op outgoing) error {
	if op.oneWay {
		return ch.notify(ctx, op)
	}
	return ch.exchange(ctx, op)
}

// intercept does op within the outbound interceptors.
func (ch *Channel) intercept(ctx context.Context, op outgoing) error {
	r := &Request{Channel: ch.public(), Operation: op.operation(), Path: op.path, Ref: refOf(op.on), Args: op.args, Metadata: metadataOf(ctx)}
	var target reflect.Value
	if op.result != nil {
		target = reflect.ValueOf(op.result).Elem()
	}
	caller := ctx
	result, err := ch.outbound(ctx, r, func(ctx context.Context, _ *Request) (any, error) {
		attempt := op
		attempt.items = caller
		if op.result == nil {
			return nil, ch.carryOut(ctx, attempt)
		}
		own := reflect.New(target.Type()) // so that a failed attempt leaves nothing behind
		own.Elem().Set(target)
		attempt.result = own.Interface()
		if err := ch.carryOut(ctx, attempt); err != nil {
			return nil, err
		}
		return own.Elem().Interface(), nil
	})
	if err != nil || op.result == nil {
		return err
	}
	return assign(target, result)
}

// assign stores the result of the interceptors.
func assign(target reflect.Value, result any) error {
	v := reflect.ValueOf(result)
	switch {
	case v.IsValid() && v.Type().AssignableTo(target.Type()):
		target.Set(v)
		return nil
	case !v.IsValid():
		switch target.Kind() {
		case reflect.Pointer, reflect.Interface, reflect.Map, reflect.Slice, reflect.Func, reflect.Chan:
			target.SetZero()
			return nil
		}
	}
	return fmt.Errorf("an outbound interceptor returned %T as the result, the caller wants %s", result, target.Type())
}
