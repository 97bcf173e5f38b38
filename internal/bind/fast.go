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

// noSignature has no fast path.
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

// Retyped returns v as a value of an interface that it implements, or of a type that has the same underlying type. It is a small
// Value.Convert. The caller vouches for the types: it looks at their kinds alone.
func Retyped(v reflect.Value, to reflect.Type) reflect.Value {
	as := v.Type()
	if to.Kind() != reflect.Interface && to.Kind() != as.Kind() {
		panic(fmt.Sprintf("bind: a %s is no %s", as, to))
	}
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
	in       []reflect.Kind
	out      reflect.Kind
	run      func(c *fastCell, ctx context.Context) error
}

type none = struct{}

// fastCell is one call. It is of one type for all functions: code of generic types is in a program once for each of them.
type fastCell struct {
	*fastShared
	self   unsafe.Pointer
	args   [2]scalar
	result scalar
}

var fastCells = sync.Pool{New: func() any { return new(fastCell) }}

// scalar has a value in one of its fields.
type scalar struct {
	text   string
	number float64
	whole  int
	truth  bool
}

// pointer returns a pointer to the value of a kind.
func (s *scalar) pointer(kind reflect.Kind) any {
	switch kind {
	case reflect.String:
		return &s.text
	case reflect.Float64:
		return &s.number
	case reflect.Int:
		return &s.whole
	default:
		return &s.truth
	}
}

// value returns the value of a kind.
func (s *scalar) value(kind reflect.Kind) any {
	switch kind {
	case reflect.String:
		return s.text
	case reflect.Float64:
		return s.number
	case reflect.Int:
		return s.whole
	default:
		return s.truth
	}
}

// fieldOf returns the field of s for values of type T. A value of type none is in no field.
func fieldOf[T any](s *scalar) *T {
	var field any
	switch any((*T)(nil)).(type) {
	case *string:
		field = &s.text
	case *float64:
		field = &s.number
	case *int:
		field = &s.whole
	case *bool:
		field = &s.truth
	default:
		field = &none{}
	}
	return field.(*T)
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

// newStarter takes a function with that many parameters.
func newStarter[A, B, R any](fn func2[A, B, R], params int, calls fastShared) starter {
	calls.in = []reflect.Kind{reflect.TypeFor[A]().Kind(), reflect.TypeFor[B]().Kind()}[:params]
	calls.out = reflect.TypeFor[R]().Kind()
	calls.run = func(c *fastCell, ctx context.Context) (err error) {
		*fieldOf[R](&c.result), err = fn(c.self, ctx, *fieldOf[A](&c.args[0]), *fieldOf[B](&c.args[1]))
		return err
	}
	return func(self unsafe.Pointer) Invocation {
		c := fastCells.Get().(*fastCell)
		c.fastShared, c.self = &calls, self
		return c
	}
}

func (c *fastCell) Decode(in *Request) error {
	if err := surplus(c.path, in, len(c.in)); err != nil {
		return err
	}
	for i, kind := range c.in {
		if err := decodeScalar(c.types, in, c.path, i, c.args[i].pointer(kind)); err != nil {
			return err
		}
	}
	return nil
}

func (c *fastCell) Run(ctx context.Context) error { return c.run(c, ctx) }

func (c *fastCell) Arguments() []any {
	args := make([]any, len(c.in))
	for i, kind := range c.in {
		args[i] = c.args[i].value(kind)
	}
	return c.declared.arguments(args)
}

func (c *fastCell) Outcome() any { return c.declared.outcome(c.result.value(c.out)) }

func (c *fastCell) AppendPlain(dst []byte) (_ []byte, ok bool) {
	if dst, ok = AppendScalar(dst, c.result.pointer(c.out)); ok {
		c.free()
	}
	return dst, ok
}

func (c *fastCell) AppendResult(dst []byte, out Writer, path string) ([]byte, bool, error) {
	dst, err := out.Append(dst, path, c.result.value(c.out))
	c.free()
	return dst, false, err
}

func (c *fastCell) free() {
	*c = fastCell{}
	fastCells.Put(c)
}

// decodeScalar decodes argument i into dst, a pointer to a scalar.
func decodeScalar(types *Types, in *Request, path string, i int, dst any) error {
	var err error
	args := in.Message.Args
	expected := func() string { return types.expected(reflect.TypeOf(dst).Elem()) }
	switch {
	case i >= len(args) || args[i].Kind == wire.ArgValue && args[i].JSON == nil:
		err = &superjson.TypeError{Expected: expected(), Got: "undefined"}
	case args[i].Kind == wire.ArgCallback:
		err = &superjson.TypeError{Expected: expected(), Got: "function"}
	default:
		raw, meta := args[i].JSON, in.Message.ArgMeta(i)
		if text, ok := dst.(*string); ok && meta == nil {
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
