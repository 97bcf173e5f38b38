package bind

import (
	"context"
	"fmt"
	"reflect"
	"sync"
	"unsafe"

	"github.com/kkrpc-go/kkrpc/internal/wire"
	"github.com/kkrpc-go/kkrpc/superjson"
)

// func2 is the common form of functions with up to two scalar parameters. It lets them be called without reflection, at a
// tenth of its cost. self is the receiver of a method. For plain functions, self is the func itself.
type func2[A, B, R any] = func(self unsafe.Pointer, ctx context.Context, a A, b B) (R, error)

// starter begins calls of a method with a receiver, or of a func.
type starter = func(self unsafe.Pointer) Invocation

// fastPaths are the signatures that have such a form, by the types of parameters and result.
var fastPaths = map[[3]reflect.Type]func(fn unsafe.Pointer, has fastForm, calls fastShared) starter{
	signature[none, none, string](): fast0[string], signature[none, none, int](): fast0[int],
	signature[none, none, float64](): fast0[float64], signature[none, none, bool](): fast0[bool],
	signature[string, none, string](): fast1[string, string], signature[int, none, int](): fast1[int, int],
	signature[float64, none, float64](): fast1[float64, float64], signature[string, none, bool](): fast1[string, bool],
	signature[string, none, int](): fast1[string, int], signature[int, none, string](): fast1[int, string],
	signature[float64, float64, float64](): fast2[float64, float64, float64], signature[int, int, int](): fast2[int, int, int],
	signature[string, string, string](): fast2[string, string, string],
}

func signature[A, B, R any]() [3]reflect.Type {
	return [3]reflect.Type{reflect.TypeFor[A](), reflect.TypeFor[B](), reflect.TypeFor[R]()}
}

// noSignature is none of fastPaths.
var noSignature [3]reflect.Type

// fastForm is what a function has besides its parameters and result.
type fastForm byte

const (
	hasError fastForm = 1 << iota
	hasContext
	hasReceiver
)

// fastStart returns nil for a function that has no fast path. Of a plain function, only the type of fn counts.
func (p *plan) fastStart(fn reflect.Value, path string) starter {
	plain, has, seen := p.fastSignature()
	start := fastPaths[plain]
	if start == nil {
		return nil
	}
	// A func value is a pointer to its code, whatever its type. The code takes each argument where a value of the same
	// underlying type is taken, and a receiver, which is a *T, where an unsafe.Pointer is taken.
	var code unsafe.Pointer
	storeFunc(&code, fn)
	return start(code, has, fastShared{types: p.types, path: path, declared: seen})
}

// fastSignature returns noSignature for a function that has no fast path. seen is nil if it declares the types in plain.
func (p *plan) fastSignature() (plain [3]reflect.Type, has fastForm, seen *declared) {
	t, first := p.typ, 0
	if p.receiver {
		has, first = has|hasReceiver, 1
	}
	if first < t.NumIn() && t.In(first) == contextType {
		has, first = has|hasContext, first+1
	}
	if t.NumOut() == 2 && t.Out(1) == errorType {
		has |= hasError
	} else if t.NumOut() != 1 {
		return noSignature, 0, nil
	}
	if t.NumIn()-first > 2 {
		return noSignature, 0, nil
	}
	declares := signature[none, none, none]()
	declares[2] = t.Out(0)
	plain = declares
	plain[2] = plainScalar(declares[2])
	for i := first; i < t.NumIn(); i++ {
		in := t.In(i)
		if plainScalars[in.Kind()] == nil { // the type none is no scalar either
			return noSignature, 0, nil
		}
		declares[i-first], plain[i-first] = in, plainScalar(in)
	}
	if plain != declares {
		seen = &declared{declares[:t.NumIn()-first], declares[2]}
	}
	return plain, has, seen
}

var plainScalars = map[reflect.Kind]reflect.Type{
	reflect.String: reflect.TypeFor[string](), reflect.Bool: reflect.TypeFor[bool](),
	reflect.Int: reflect.TypeFor[int](), reflect.Float64: reflect.TypeFor[float64](),
}

// plainScalar returns the underlying type of a scalar if no method has a say in its JSON, and any other type as it is. So
// the method func(*T, UserID) (Level, error) may have the signature of a func(string) (int, error).
func plainScalar(t reflect.Type) reflect.Type {
	plain := plainScalars[t.Kind()]
	if plain == nil || plain == t || hasOwnJSON(t) {
		return t
	}
	return plain
}

// hasOwnJSON reports whether methods of t or *t may have a say in its JSON.
func hasOwnJSON(t reflect.Type) bool {
	p := reflect.PointerTo(t)
	return p.NumMethod() > 1 || p.NumMethod() == 1 && !p.Implements(reflect.TypeFor[fmt.Stringer]())
}

// declared are the types in which interceptors see the values of a function whose signature has others.
type declared struct {
	in  []reflect.Type
	out reflect.Type
}

func (d *declared) arguments(plain []any) []any {
	if d != nil {
		for i, v := range plain {
			plain[i] = Retyped(reflect.ValueOf(v), d.in[i]).Interface()
		}
	}
	return plain
}

func (d *declared) outcome(plain any) any {
	if d == nil {
		return plain
	}
	return Retyped(reflect.ValueOf(plain), d.out).Interface()
}

// Retyped returns v as a value of an interface, or of a type that has the same underlying type. It is Value.Convert without
// what that needs for other types.
func Retyped(v reflect.Value, to reflect.Type) reflect.Value {
	as := v.Type()
	if to.Kind() == reflect.Interface {
		as = to
	}
	p := reflect.New(as)
	p.Elem().Set(v)
	return reflect.NewAt(to, p.UnsafePointer()).Elem()
}

// funcAt returns the func self, see storeFunc.
func funcAt[F any](self unsafe.Pointer) F { return *(*F)(unsafe.Pointer(&self)) }

// fastShared is common to all calls of one function.
type fastShared struct {
	types    *Types
	path     string
	declared *declared
	params   int
}

// fastCalls makes the calls of one function. A and B are none where it has fewer parameters.
type fastCalls[A, B, R any] struct {
	fastShared
	fn    func2[A, B, R]
	cells sync.Pool
}

type none = struct{}

// fastCell is one call.
type fastCell[A, B, R any] struct {
	*fastCalls[A, B, R]
	self   unsafe.Pointer
	a      A
	b      B
	result R
}

func fast0[R any](fn unsafe.Pointer, has fastForm, calls fastShared) starter {
	var call func2[none, none, R]
	switch has {
	case 0:
		call = func(self unsafe.Pointer, _ context.Context, _, _ none) (R, error) {
			return funcAt[func() R](self)(), nil
		}
	case hasError:
		call = func(self unsafe.Pointer, _ context.Context, _, _ none) (R, error) {
			return funcAt[func() (R, error)](self)()
		}
	case hasContext:
		call = func(self unsafe.Pointer, ctx context.Context, _, _ none) (R, error) {
			return funcAt[func(context.Context) R](self)(ctx), nil
		}
	case hasContext | hasError:
		call = func(self unsafe.Pointer, ctx context.Context, _, _ none) (R, error) {
			return funcAt[func(context.Context) (R, error)](self)(ctx)
		}
	case hasReceiver:
		f := funcAt[func(unsafe.Pointer) R](fn)
		call = func(self unsafe.Pointer, _ context.Context, _, _ none) (R, error) { return f(self), nil }
	case hasReceiver | hasError:
		f := funcAt[func(unsafe.Pointer) (R, error)](fn)
		call = func(self unsafe.Pointer, _ context.Context, _, _ none) (R, error) { return f(self) }
	case hasReceiver | hasContext:
		f := funcAt[func(unsafe.Pointer, context.Context) R](fn)
		call = func(self unsafe.Pointer, ctx context.Context, _, _ none) (R, error) { return f(self, ctx), nil }
	case hasReceiver | hasContext | hasError:
		f := funcAt[func(unsafe.Pointer, context.Context) (R, error)](fn)
		call = func(self unsafe.Pointer, ctx context.Context, _, _ none) (R, error) { return f(self, ctx) }
	}
	return newStarter(call, 0, calls)
}

func fast1[A, R any](fn unsafe.Pointer, has fastForm, calls fastShared) starter {
	var call func2[A, none, R]
	switch has {
	case 0:
		call = func(self unsafe.Pointer, _ context.Context, a A, _ none) (R, error) {
			return funcAt[func(A) R](self)(a), nil
		}
	case hasError:
		call = func(self unsafe.Pointer, _ context.Context, a A, _ none) (R, error) {
			return funcAt[func(A) (R, error)](self)(a)
		}
	case hasContext:
		call = func(self unsafe.Pointer, ctx context.Context, a A, _ none) (R, error) {
			return funcAt[func(context.Context, A) R](self)(ctx, a), nil
		}
	case hasContext | hasError:
		call = func(self unsafe.Pointer, ctx context.Context, a A, _ none) (R, error) {
			return funcAt[func(context.Context, A) (R, error)](self)(ctx, a)
		}
	case hasReceiver:
		f := funcAt[func(unsafe.Pointer, A) R](fn)
		call = func(self unsafe.Pointer, _ context.Context, a A, _ none) (R, error) { return f(self, a), nil }
	case hasReceiver | hasError:
		f := funcAt[func(unsafe.Pointer, A) (R, error)](fn)
		call = func(self unsafe.Pointer, _ context.Context, a A, _ none) (R, error) { return f(self, a) }
	case hasReceiver | hasContext:
		f := funcAt[func(unsafe.Pointer, context.Context, A) R](fn)
		call = func(self unsafe.Pointer, ctx context.Context, a A, _ none) (R, error) { return f(self, ctx, a), nil }
	case hasReceiver | hasContext | hasError:
		f := funcAt[func(unsafe.Pointer, context.Context, A) (R, error)](fn)
		call = func(self unsafe.Pointer, ctx context.Context, a A, _ none) (R, error) { return f(self, ctx, a) }
	}
	return newStarter(call, 1, calls)
}

func fast2[A, B, R any](fn unsafe.Pointer, has fastForm, calls fastShared) starter {
	var call func2[A, B, R]
	switch has {
	case 0:
		call = func(self unsafe.Pointer, _ context.Context, a A, b B) (R, error) {
			return funcAt[func(A, B) R](self)(a, b), nil
		}
	case hasError:
		call = func(self unsafe.Pointer, _ context.Context, a A, b B) (R, error) {
			return funcAt[func(A, B) (R, error)](self)(a, b)
		}
	case hasContext:
		call = func(self unsafe.Pointer, ctx context.Context, a A, b B) (R, error) {
			return funcAt[func(context.Context, A, B) R](self)(ctx, a, b), nil
		}
	case hasContext | hasError:
		call = func(self unsafe.Pointer, ctx context.Context, a A, b B) (R, error) {
			return funcAt[func(context.Context, A, B) (R, error)](self)(ctx, a, b)
		}
	case hasReceiver:
		f := funcAt[func(unsafe.Pointer, A, B) R](fn)
		call = func(self unsafe.Pointer, _ context.Context, a A, b B) (R, error) { return f(self, a, b), nil }
	case hasReceiver | hasError:
		f := funcAt[func(unsafe.Pointer, A, B) (R, error)](fn)
		call = func(self unsafe.Pointer, _ context.Context, a A, b B) (R, error) { return f(self, a, b) }
	case hasReceiver | hasContext:
		f := funcAt[func(unsafe.Pointer, context.Context, A, B) R](fn)
		call = func(self unsafe.Pointer, ctx context.Context, a A, b B) (R, error) { return f(self, ctx, a, b), nil }
	case hasReceiver | hasContext | hasError:
		call = funcAt[func2[A, B, R]](fn)
	}
	return newStarter(call, 2, calls)
}

func newStarter[A, B, R any](fn func2[A, B, R], params int, calls fastShared) starter {
	calls.params = params
	all := &fastCalls[A, B, R]{fastShared: calls, fn: fn}
	all.cells.New = func() any { return &fastCell[A, B, R]{fastCalls: all} }
	return func(self unsafe.Pointer) Invocation {
		c := all.cells.Get().(*fastCell[A, B, R])
		c.self = self
		return c
	}
}

func (c *fastCell[A, B, R]) Decode(in *Request) error {
	err := surplus(c.path, in, c.params)
	if err == nil && c.params > 0 {
		err = decodeScalar(c.types, in, c.path, 0, &c.a)
	}
	if err == nil && c.params > 1 {
		err = decodeScalar(c.types, in, c.path, 1, &c.b)
	}
	return err
}

func (c *fastCell[A, B, R]) Run(ctx context.Context) (err error) {
	c.result, err = c.fn(c.self, ctx, c.a, c.b)
	return err
}

func (c *fastCell[A, B, R]) Arguments() []any {
	return c.declared.arguments([]any{c.a, c.b}[:c.params])
}

func (c *fastCell[A, B, R]) Outcome() any { return c.declared.outcome(c.result) }

func (c *fastCell[A, B, R]) AppendPlain(dst []byte) (_ []byte, ok bool) {
	if dst, ok = AppendScalar(dst, &c.result); ok {
		c.free()
	}
	return dst, ok
}

func (c *fastCell[A, B, R]) AppendResult(dst []byte, out Writer, path string) ([]byte, bool, error) {
	dst, err := out.Append(dst, path, c.result)
	c.free()
	return dst, false, err
}

func (c *fastCell[A, B, R]) free() {
	*c = fastCell[A, B, R]{fastCalls: c.fastCalls}
	c.cells.Put(c)
}

// decodeScalar decodes argument i into dst, a pointer to a scalar.
func decodeScalar[T any](types *Types, in *Request, path string, i int, dst *T) error {
	var err error
	args := in.Message.Args
	switch {
	case i >= len(args) || args[i].Kind == wire.ArgValue && args[i].JSON == nil:
		err = &superjson.TypeError{Expected: types.expected(reflect.TypeFor[T]()), Got: "undefined"}
	case args[i].Kind == wire.ArgCallback:
		err = &superjson.TypeError{Expected: types.expected(reflect.TypeFor[T]()), Got: "function"}
	default:
		raw, meta := args[i].JSON, in.Message.ArgMeta(i)
		if text, ok := any(dst).(*string); ok && meta == nil {
			if *text, ok = wire.UnquoteString(raw); ok { // Decode would look at all of it again
				return nil
			}
		}
		err = superjson.Decode(in.Message.Dialect.Mode(), raw, meta, dst)
	}
	if err != nil {
		return types.argumentError(path, i, err)
	}
	return nil
}
