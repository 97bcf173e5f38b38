package kkrpc

import (
	"context"
	"reflect"

	"github.com/kkrpc-go/kkrpc/internal/bind"
)

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
		err := cb.send(ctx, bind.Spread(in, p.variadic))
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

// fastCallbacks are the functions that callbacks are most, which reflection would make three times as dear.
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
		return func(ctx context.Context) error { return cb.send(ctx, nil) }
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
		return func(ctx context.Context, a A) error { return cb.send(ctx, []any{a}) }
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
		return func(ctx context.Context, a A, b B) error { return cb.send(ctx, []any{a, b}) }
	}
	return nil
}
