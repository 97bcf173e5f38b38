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
	// Operation is call, get, set or new. On a reference it is call, get, set or apply, which calls a function.
	Operation string
	// Path is as Call takes it, such as math.multiply. If Ref is not nil it begins there, and says nothing about the API:
	// what decides by Path looks at Ref too.
	Path string
	// Ref is what the operation is on: inbound one of this side, outbound one of the peer; nil for the API.
	Ref *Ref
	// Args are the arguments, or the value alone of a set. Inbound they are of the types that the function takes, those
	// of a variadic parameter one by one; functions of the peer are what the function gets.
	Args []any
	// Metadata is, inbound, what MetadataFrom returns; outbound what the caller gave to WithMetadata, without what
	// Options.Metadata, a deadline or an interceptor adds.
	Metadata map[string]any
}

// Handler does an operation and returns its result.
//
// Inbound, the result is what the function returned, of its type, and nil if it returns nothing; the error is the very
// error that it returned. Outbound, the result is decoded into the type that the caller asked for, and nil if it ignores
// it.
type Handler func(ctx context.Context, r *Request) (any, error)

// Interceptor stands around operations: next does r, through the interceptors that come behind and then for real, and
// what the interceptor returns counts instead. It may refuse an operation by an error without calling next, change the
// result or the error, and give next a ctx that is derived from its own, with values, a deadline or, outbound, metadata.
// What is sent, called or decoded does not depend on the Request that next gets.
//
// An inbound interceptor runs where the function would, under the same rules: it may take its time, it may call the peer
// with its ctx, and a panic becomes an InternalError. Inbound, next may be called once, by the goroutine that the
// interceptor was called on, and must have returned before it. Outbound it may be called again, for another attempt. An
// outbound interceptor runs on the goroutine of the caller; a result that it makes up must be of the caller's type. A stream
// that a function returns lives on when next has returned: inbound, an end of the ctx that next was given ends what the
// stream does with it; outbound, that ctx bounds the opening of the stream and not its items.
//
// Interceptors see what was asked for by a call, get, set or new, also on references, and the call that opens a stream, whose
// result is the stream. They do not see invocations of callbacks, which have neither result nor metadata, items of streams,
// releases of references, or requests that are refused before a function is found and its arguments decoded.
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

// interception is what a request of the peer has if there are inbound interceptors.
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
	return ch.exchange(ctx, op)
}

// intercept does op within the outbound interceptors.
func (ch *Channel) intercept(ctx context.Context, op outgoing) error {
	r := &Request{Channel: ch.public(), Operation: op.name(), Path: op.path, Ref: refOf(op.on), Args: op.args, Metadata: metadataOf(ctx)}
	var target reflect.Value
	if op.result != nil {
		target = reflect.ValueOf(op.result).Elem()
	}
	caller := ctx
	result, err := ch.outbound(ctx, r, func(ctx context.Context, _ *Request) (any, error) {
		attempt := op
		attempt.items = caller
		if op.result == nil {
			return nil, ch.exchange(ctx, attempt)
		}
		own := reflect.New(target.Type()) // so that a failed attempt leaves nothing behind
		own.Elem().Set(target)
		attempt.result = own.Interface()
		if err := ch.exchange(ctx, attempt); err != nil {
			return nil, err
		}
		return own.Elem().Interface(), nil
	})
	if err != nil || op.result == nil {
		return err
	}
	return assign(target, result)
}

// assign stores what the interceptors returned.
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
