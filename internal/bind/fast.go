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

var fastPaths = [...]func(fn any, calls fastShared) starter{
	fast0[string], fast0[int], fast0[float64], fast0[bool],
	fast1[string, string], fast1[int, int], fast1[float64, float64], fast1[string, bool], fast1[string, int], fast1[int, string],
	fast2[float64, float64, float64], fast2[int, int, int], fast2[string, string, string],
}

// fastStart returns nil for a function that has no fast path. Of a plain function, only the type of fn counts.
func (p *plan) fastStart(fn reflect.Value, path string) starter {
	if p.typ.NumOut() == 0 || p.typ.NumIn() > 4 {
		return nil
	}
	plain, declared := plainForm(fn, p.receiver)
	f := plain.Interface()
	for _, try := range fastPaths {
		if start := try(f, fastShared{types: p.types, path: path, declared: declared}); start != nil {
			return start
		}
	}
	return nil
}

// plainForm turns fn into a func of an unnamed type. Its scalar parameters and results get unnamed types too, so that
// one type switch serves them all. The method func(*T, UserID) (Level, error) becomes
// func(unsafe.Pointer, string) (int, error). seen is nil if no type changes but that of the receiver.
func plainForm(fn reflect.Value, isMethod bool) (plain reflect.Value, seen *declared) {
	t := fn.Type()
	seen = &declared{}
	in := make([]reflect.Type, t.NumIn())
	for i := range in {
		in[i] = plainScalar(t.In(i))
		if i == 0 && isMethod {
			in[i] = reflect.TypeFor[unsafe.Pointer]()
		} else if t.In(i) != contextType {
			seen.in = append(seen.in, t.In(i))
			seen.differ = seen.differ || in[i] != t.In(i)
		}
	}
	out := make([]reflect.Type, t.NumOut())
	for i := range out {
		out[i] = plainScalar(t.Out(i))
	}
	seen.out = t.Out(0)
	if seen.differ = seen.differ || out[0] != seen.out; !seen.differ {
		seen = nil
	}
	to := reflect.FuncOf(in, out, t.IsVariadic())
	if to == t {
		return fn, seen
	}
	// A func value is a pointer to its code, whatever its type. The code takes each argument where a value of the same
	// underlying type is taken, and a receiver, which is a *T, where an unsafe.Pointer is taken. The types in differ from
	// those of t in nothing else.
	p := reflect.New(t)
	p.Elem().Set(fn)
	return reflect.NewAt(to, p.UnsafePointer()).Elem(), seen
}

var plainScalars = map[reflect.Kind]reflect.Type{
	reflect.String: reflect.TypeFor[string](), reflect.Bool: reflect.TypeFor[bool](),
	reflect.Int: reflect.TypeFor[int](), reflect.Float64: reflect.TypeFor[float64](),
}

// plainScalar returns the underlying type of a scalar if no method has a say in its JSON, and any other type as it is.
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

// declared are the types in which interceptors see the values of a function in plain form.
type declared struct {
	in     []reflect.Type
	out    reflect.Type
	differ bool
}

func (d *declared) arguments(plain []any) []any {
	if d != nil {
		for i, v := range plain {
			plain[i] = reflect.ValueOf(v).Convert(d.in[i]).Interface()
		}
	}
	return plain
}

func (d *declared) outcome(plain any) any {
	if d == nil {
		return plain
	}
	return reflect.ValueOf(plain).Convert(d.out).Interface()
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

func fast0[R any](fn any, calls fastShared) starter {
	var call func2[none, none, R]
	switch f := fn.(type) {
	case func() R:
		call = func(self unsafe.Pointer, _ context.Context, _, _ none) (R, error) {
			return funcAt[func() R](self)(), nil
		}
	case func() (R, error):
		call = func(self unsafe.Pointer, _ context.Context, _, _ none) (R, error) {
			return funcAt[func() (R, error)](self)()
		}
	case func(context.Context) R:
		call = func(self unsafe.Pointer, ctx context.Context, _, _ none) (R, error) {
			return funcAt[func(context.Context) R](self)(ctx), nil
		}
	case func(context.Context) (R, error):
		call = func(self unsafe.Pointer, ctx context.Context, _, _ none) (R, error) {
			return funcAt[func(context.Context) (R, error)](self)(ctx)
		}
	case func(unsafe.Pointer) R:
		call = func(self unsafe.Pointer, _ context.Context, _, _ none) (R, error) { return f(self), nil }
	case func(unsafe.Pointer) (R, error):
		call = func(self unsafe.Pointer, _ context.Context, _, _ none) (R, error) { return f(self) }
	case func(unsafe.Pointer, context.Context) R:
		call = func(self unsafe.Pointer, ctx context.Context, _, _ none) (R, error) { return f(self, ctx), nil }
	case func(unsafe.Pointer, context.Context) (R, error):
		call = func(self unsafe.Pointer, ctx context.Context, _, _ none) (R, error) { return f(self, ctx) }
	}
	return newStarter(call, 0, calls)
}

func fast1[A, R any](fn any, calls fastShared) starter {
	var call func2[A, none, R]
	switch f := fn.(type) {
	case func(A) R:
		call = func(self unsafe.Pointer, _ context.Context, a A, _ none) (R, error) {
			return funcAt[func(A) R](self)(a), nil
		}
	case func(A) (R, error):
		call = func(self unsafe.Pointer, _ context.Context, a A, _ none) (R, error) {
			return funcAt[func(A) (R, error)](self)(a)
		}
	case func(context.Context, A) R:
		call = func(self unsafe.Pointer, ctx context.Context, a A, _ none) (R, error) {
			return funcAt[func(context.Context, A) R](self)(ctx, a), nil
		}
	case func(context.Context, A) (R, error):
		call = func(self unsafe.Pointer, ctx context.Context, a A, _ none) (R, error) {
			return funcAt[func(context.Context, A) (R, error)](self)(ctx, a)
		}
	case func(unsafe.Pointer, A) R:
		call = func(self unsafe.Pointer, _ context.Context, a A, _ none) (R, error) { return f(self, a), nil }
	case func(unsafe.Pointer, A) (R, error):
		call = func(self unsafe.Pointer, _ context.Context, a A, _ none) (R, error) { return f(self, a) }
	case func(unsafe.Pointer, context.Context, A) R:
		call = func(self unsafe.Pointer, ctx context.Context, a A, _ none) (R, error) { return f(self, ctx, a), nil }
	case func(unsafe.Pointer, context.Context, A) (R, error):
		call = func(self unsafe.Pointer, ctx context.Context, a A, _ none) (R, error) { return f(self, ctx, a) }
	}
	return newStarter(call, 1, calls)
}

func fast2[A, B, R any](fn any, calls fastShared) starter {
	var call func2[A, B, R]
	switch f := fn.(type) {
	case func(A, B) R:
		call = func(self unsafe.Pointer, _ context.Context, a A, b B) (R, error) {
			return funcAt[func(A, B) R](self)(a, b), nil
		}
	case func(A, B) (R, error):
		call = func(self unsafe.Pointer, _ context.Context, a A, b B) (R, error) {
			return funcAt[func(A, B) (R, error)](self)(a, b)
		}
	case func(context.Context, A, B) R:
		call = func(self unsafe.Pointer, ctx context.Context, a A, b B) (R, error) {
			return funcAt[func(context.Context, A, B) R](self)(ctx, a, b), nil
		}
	case func(context.Context, A, B) (R, error):
		call = func(self unsafe.Pointer, ctx context.Context, a A, b B) (R, error) {
			return funcAt[func(context.Context, A, B) (R, error)](self)(ctx, a, b)
		}
	case func(unsafe.Pointer, A, B) R:
		call = func(self unsafe.Pointer, _ context.Context, a A, b B) (R, error) { return f(self, a, b), nil }
	case func(unsafe.Pointer, A, B) (R, error):
		call = func(self unsafe.Pointer, _ context.Context, a A, b B) (R, error) { return f(self, a, b) }
	case func(unsafe.Pointer, context.Context, A, B) R:
		call = func(self unsafe.Pointer, ctx context.Context, a A, b B) (R, error) { return f(self, ctx, a, b), nil }
	case func2[A, B, R]:
		call = f
	}
	return newStarter(call, 2, calls)
}

// newStarter returns nil for a nil fn.
func newStarter[A, B, R any](fn func2[A, B, R], params int, calls fastShared) starter {
	if fn == nil {
		return nil
	}
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
