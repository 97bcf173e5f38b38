package kkrpc

import (
	"context"
	"fmt"
	"reflect"
	"sync"
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
		context:  t.NumIn() > 0 && t.In(0) == contextType,
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
		err := cb.send(ctx, p.arguments(in))
		if !p.failing {
			return nil
		}
		result := reflect.New(errorType).Elem()
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

// arguments returns in as single values, those of a variadic parameter included.
func (p *callbackParam) arguments(in []reflect.Value) []any {
	return spread(in, p.variadic)
}

func spread(in []reflect.Value, variadic bool) []any {
	args := make([]any, 0, len(in))
	for i, v := range in {
		if variadic && i == len(in)-1 {
			for j := range v.Len() {
				args = append(args, v.Index(j).Interface())
			}
			break
		}
		args = append(args, v.Interface())
	}
	return args
}

var callbackShapes sync.Map // reflect.Type → error or nil

// checkCallbackShape reports what keeps a func of this side from being a callback: it may take a context first, then
// what arguments are decoded into, and may return an error.
func checkCallbackShape(t reflect.Type) error {
	if known, ok := callbackShapes.Load(t); ok {
		err, _ := known.(error)
		return err
	}
	err := callbackResults(t)
	if err == nil {
		_, err = planFor(t, false)
	}
	if err != nil {
		err = fmt.Errorf("%s cannot be a callback: %w", t, err)
	}
	callbackShapes.Store(t, err)
	return err
}

// checkPeerCallback reports what keeps t from standing for a function of the peer.
func checkPeerCallback(t reflect.Type) error {
	if err := callbackResults(t); err != nil {
		return err
	}
	for i := range t.NumIn() {
		in := t.In(i)
		if i == 0 && in == contextType {
			continue
		}
		if t.IsVariadic() && i == t.NumIn()-1 {
			in = in.Elem()
		}
		var err error
		switch {
		case in == handleType:
		case in.Kind() == reflect.Func && !isStreamType(in):
			err = checkCallbackShape(in)
		default:
			err = checkOutbound(in)
		}
		if err != nil {
			return fmt.Errorf("its parameter %d%w", i+1, place(err))
		}
	}
	return nil
}

func callbackResults(t reflect.Type) error {
	if t.NumOut() == 0 || t.NumOut() == 1 && t.Out(0) == errorType {
		return nil
	}
	return fmt.Errorf("%s returns values; a function across the connection is called one way and returns nothing or an error", t)
}
