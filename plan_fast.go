package kkrpc

import (
	"context"
	"fmt"
	"math"
	"reflect"
	"strconv"
	"sync"
	"unsafe"

	"github.com/kkrpc-go/kkrpc/internal/wire"
	"github.com/kkrpc-go/kkrpc/superjson"
)

// The functions that APIs have most, of up to two scalars, are called without reflection, which costs a tenth. All of
// them are brought into one form per number of parameters: the receiver (nil for what is no method), the context, the
// arguments.
type (
	func0[R any]       = func(self unsafe.Pointer, ctx context.Context) (R, error)
	func1[A, R any]    = func(self unsafe.Pointer, ctx context.Context, a A) (R, error)
	func2[A, B, R any] = func(self unsafe.Pointer, ctx context.Context, a A, b B) (R, error)
)

// starter makes the cells of calls to one function.
type starter = func(slot any) invocation

var fastPaths = [...]func(fn any, path string, types *declared) starter{
	fast0[string], fast0[int], fast0[float64], fast0[bool],
	fast1[string, string], fast1[int, int], fast1[float64, float64], fast1[string, bool], fast1[string, int], fast1[int, string],
	fast2[float64, float64, float64], fast2[int, int, int], fast2[string, string, string],
}

// fastStart returns nil for a function that has no fast path.
func fastStart(fn reflect.Value, isMethod bool, path string) starter {
	if fn.Type().NumOut() == 0 || fn.Type().NumIn() > 4 {
		return nil
	}
	plain, types := plainForm(fn, isMethod)
	f := plain.Interface()
	for _, try := range fastPaths {
		if start := try(f, path, types); start != nil {
			return start
		}
	}
	return nil
}

// plainForm turns fn into a function of an unnamed type whose parameters and results are of unnamed types where they are
// scalars, so that one type switch serves them all: func(*T, UserID) (Level, error), a method, becomes
// func(unsafe.Pointer, string) (int, error). types is nil if that changes none but the receiver.
func plainForm(fn reflect.Value, isMethod bool) (plain reflect.Value, types *declared) {
	t := fn.Type()
	types = &declared{}
	in := make([]reflect.Type, t.NumIn())
	for i := range in {
		in[i] = plainScalar(t.In(i))
		if i == 0 && isMethod {
			in[i] = reflect.TypeFor[unsafe.Pointer]()
		} else if t.In(i) != contextType {
			types.in = append(types.in, t.In(i))
			types.differ = types.differ || in[i] != t.In(i)
		}
	}
	out := make([]reflect.Type, t.NumOut())
	for i := range out {
		out[i] = plainScalar(t.Out(i))
	}
	types.out = t.Out(0)
	if types.differ = types.differ || out[0] != types.out; !types.differ {
		types = nil
	}
	to := reflect.FuncOf(in, out, t.IsVariadic())
	if to == t {
		return fn, types
	}
	// A func value is a pointer to its code, whatever its type. The code takes its arguments where the underlying types
	// have them taken, and a receiver, which is a *T, where an unsafe.Pointer is taken: in is what t has but for that.
	p := reflect.New(t)
	p.Elem().Set(fn)
	return reflect.NewAt(to, p.UnsafePointer()).Elem(), types
}

var plainScalars = map[reflect.Kind]reflect.Type{
	reflect.String: reflect.TypeFor[string](), reflect.Bool: reflect.TypeFor[bool](),
	reflect.Int: reflect.TypeFor[int](), reflect.Float64: reflect.TypeFor[float64](),
}

// plainScalar returns the underlying type of a scalar whose methods have no say in its JSON, and any other type as it is.
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

// declared is the types in which interceptors see the values of a function that was brought into plain form.
type declared struct {
	in     []reflect.Type
	out    reflect.Type
	differ bool
}

func (d *declared) arguments(plain ...any) []any {
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

func receiver(slot any) unsafe.Pointer {
	if slot == nil {
		return nil
	}
	return reflect.ValueOf(slot).UnsafePointer()
}

// calls0, calls1 and calls2 are what all calls of one function share.
type calls0[R any] struct {
	fn    func0[R]
	path  string
	types *declared
	cells sync.Pool
}

type cell0[R any] struct {
	*calls0[R]
	self   unsafe.Pointer
	result R
}

func fast0[R any](fn any, path string, types *declared) starter {
	var call func0[R]
	switch f := fn.(type) {
	case func() R:
		call = func(unsafe.Pointer, context.Context) (R, error) { return f(), nil }
	case func() (R, error):
		call = func(unsafe.Pointer, context.Context) (R, error) { return f() }
	case func(context.Context) R:
		call = func(_ unsafe.Pointer, ctx context.Context) (R, error) { return f(ctx), nil }
	case func(context.Context) (R, error):
		call = func(_ unsafe.Pointer, ctx context.Context) (R, error) { return f(ctx) }
	case func(unsafe.Pointer) R:
		call = func(self unsafe.Pointer, _ context.Context) (R, error) { return f(self), nil }
	case func(unsafe.Pointer) (R, error):
		call = func(self unsafe.Pointer, _ context.Context) (R, error) { return f(self) }
	case func(unsafe.Pointer, context.Context) R:
		call = func(self unsafe.Pointer, ctx context.Context) (R, error) { return f(self, ctx), nil }
	case func0[R]:
		call = f
	default:
		return nil
	}
	calls := &calls0[R]{fn: call, path: path, types: types}
	calls.cells.New = func() any { return &cell0[R]{calls0: calls} }
	return func(slot any) invocation {
		c := calls.cells.Get().(*cell0[R])
		c.self = receiver(slot)
		return c
	}
}

func (c *cell0[R]) decode(in *request) error { return surplus(c.path, in, 0) }

func (c *cell0[R]) run(ctx context.Context) (err error) {
	c.result, err = c.fn(c.self, ctx)
	return err
}

func (c *cell0[R]) arguments() []any { return nil }
func (c *cell0[R]) outcome() any     { return c.types.outcome(c.result) }

func (c *cell0[R]) appendPlain(dst []byte) (_ []byte, ok bool) {
	if dst, ok = appendScalar(dst, &c.result); ok {
		c.free()
	}
	return dst, ok
}

func (c *cell0[R]) appendResult(dst []byte, out *values, path string) ([]byte, bool, error) {
	dst, err := out.append(dst, path, c.result)
	c.free()
	return dst, false, err
}

func (c *cell0[R]) free() {
	*c = cell0[R]{calls0: c.calls0}
	c.cells.Put(c)
}

type calls1[A, R any] struct {
	fn    func1[A, R]
	path  string
	types *declared
	cells sync.Pool
}

type cell1[A, R any] struct {
	*calls1[A, R]
	self   unsafe.Pointer
	a      A
	result R
}

func fast1[A, R any](fn any, path string, types *declared) starter {
	var call func1[A, R]
	switch f := fn.(type) {
	case func(A) R:
		call = func(_ unsafe.Pointer, _ context.Context, a A) (R, error) { return f(a), nil }
	case func(A) (R, error):
		call = func(_ unsafe.Pointer, _ context.Context, a A) (R, error) { return f(a) }
	case func(context.Context, A) R:
		call = func(_ unsafe.Pointer, ctx context.Context, a A) (R, error) { return f(ctx, a), nil }
	case func(context.Context, A) (R, error):
		call = func(_ unsafe.Pointer, ctx context.Context, a A) (R, error) { return f(ctx, a) }
	case func(unsafe.Pointer, A) R:
		call = func(self unsafe.Pointer, _ context.Context, a A) (R, error) { return f(self, a), nil }
	case func(unsafe.Pointer, A) (R, error):
		call = func(self unsafe.Pointer, _ context.Context, a A) (R, error) { return f(self, a) }
	case func(unsafe.Pointer, context.Context, A) R:
		call = func(self unsafe.Pointer, ctx context.Context, a A) (R, error) { return f(self, ctx, a), nil }
	case func1[A, R]:
		call = f
	default:
		return nil
	}
	calls := &calls1[A, R]{fn: call, path: path, types: types}
	calls.cells.New = func() any { return &cell1[A, R]{calls1: calls} }
	return func(slot any) invocation {
		c := calls.cells.Get().(*cell1[A, R])
		c.self = receiver(slot)
		return c
	}
}

func (c *cell1[A, R]) decode(in *request) error {
	if err := surplus(c.path, in, 1); err != nil {
		return err
	}
	return decodeScalar(in, c.path, 0, &c.a)
}

func (c *cell1[A, R]) run(ctx context.Context) (err error) {
	c.result, err = c.fn(c.self, ctx, c.a)
	return err
}

func (c *cell1[A, R]) arguments() []any { return c.types.arguments(c.a) }
func (c *cell1[A, R]) outcome() any     { return c.types.outcome(c.result) }

func (c *cell1[A, R]) appendPlain(dst []byte) (_ []byte, ok bool) {
	if dst, ok = appendScalar(dst, &c.result); ok {
		c.free()
	}
	return dst, ok
}

func (c *cell1[A, R]) appendResult(dst []byte, out *values, path string) ([]byte, bool, error) {
	dst, err := out.append(dst, path, c.result)
	c.free()
	return dst, false, err
}

func (c *cell1[A, R]) free() {
	*c = cell1[A, R]{calls1: c.calls1}
	c.cells.Put(c)
}

type calls2[A, B, R any] struct {
	fn    func2[A, B, R]
	path  string
	types *declared
	cells sync.Pool
}

type cell2[A, B, R any] struct {
	*calls2[A, B, R]
	self   unsafe.Pointer
	a      A
	b      B
	result R
}

func fast2[A, B, R any](fn any, path string, types *declared) starter {
	var call func2[A, B, R]
	switch f := fn.(type) {
	case func(A, B) R:
		call = func(_ unsafe.Pointer, _ context.Context, a A, b B) (R, error) { return f(a, b), nil }
	case func(A, B) (R, error):
		call = func(_ unsafe.Pointer, _ context.Context, a A, b B) (R, error) { return f(a, b) }
	case func(context.Context, A, B) R:
		call = func(_ unsafe.Pointer, ctx context.Context, a A, b B) (R, error) { return f(ctx, a, b), nil }
	case func(context.Context, A, B) (R, error):
		call = func(_ unsafe.Pointer, ctx context.Context, a A, b B) (R, error) { return f(ctx, a, b) }
	case func(unsafe.Pointer, A, B) R:
		call = func(self unsafe.Pointer, _ context.Context, a A, b B) (R, error) { return f(self, a, b), nil }
	case func(unsafe.Pointer, A, B) (R, error):
		call = func(self unsafe.Pointer, _ context.Context, a A, b B) (R, error) { return f(self, a, b) }
	case func(unsafe.Pointer, context.Context, A, B) R:
		call = func(self unsafe.Pointer, ctx context.Context, a A, b B) (R, error) { return f(self, ctx, a, b), nil }
	case func2[A, B, R]:
		call = f
	default:
		return nil
	}
	calls := &calls2[A, B, R]{fn: call, path: path, types: types}
	calls.cells.New = func() any { return &cell2[A, B, R]{calls2: calls} }
	return func(slot any) invocation {
		c := calls.cells.Get().(*cell2[A, B, R])
		c.self = receiver(slot)
		return c
	}
}

func (c *cell2[A, B, R]) decode(in *request) error {
	if err := surplus(c.path, in, 2); err != nil {
		return err
	}
	if err := decodeScalar(in, c.path, 0, &c.a); err != nil {
		return err
	}
	return decodeScalar(in, c.path, 1, &c.b)
}

func (c *cell2[A, B, R]) run(ctx context.Context) (err error) {
	c.result, err = c.fn(c.self, ctx, c.a, c.b)
	return err
}

func (c *cell2[A, B, R]) arguments() []any { return c.types.arguments(c.a, c.b) }
func (c *cell2[A, B, R]) outcome() any     { return c.types.outcome(c.result) }

func (c *cell2[A, B, R]) appendPlain(dst []byte) (_ []byte, ok bool) {
	if dst, ok = appendScalar(dst, &c.result); ok {
		c.free()
	}
	return dst, ok
}

func (c *cell2[A, B, R]) appendResult(dst []byte, out *values, path string) ([]byte, bool, error) {
	dst, err := out.append(dst, path, c.result)
	c.free()
	return dst, false, err
}

func (c *cell2[A, B, R]) free() {
	*c = cell2[A, B, R]{calls2: c.calls2}
	c.cells.Put(c)
}

// decodeScalar decodes argument i into dst, a pointer to a scalar.
func decodeScalar[T any](in *request, path string, i int, dst *T) error {
	var err error
	switch {
	case i >= len(in.msg.Args) || in.msg.Args[i].Kind == wire.ArgValue && in.msg.Args[i].JSON == nil:
		err = &superjson.TypeError{Expected: expected(reflect.TypeFor[T]()), Got: "undefined"}
	case in.msg.Args[i].Kind == wire.ArgCallback:
		err = &superjson.TypeError{Expected: expected(reflect.TypeFor[T]()), Got: "function"}
	default:
		raw, meta := in.msg.Args[i].JSON, in.msg.ArgMeta(i)
		if text, ok := any(dst).(*string); ok && meta == nil {
			if *text, ok = wire.UnquoteString(raw); ok { // Decode would look at all of it again
				return nil
			}
		}
		err = superjson.Decode(in.msg.Dialect.Mode(), raw, meta, dst)
	}
	if err != nil {
		return argumentError(path, i, err)
	}
	return nil
}

const maxSafeInteger = 1<<53 - 1

// appendScalar appends what p points to if it is written alike in all dialects.
func appendScalar(dst []byte, p any) (_ []byte, ok bool) {
	switch p := p.(type) {
	case *string:
		return wire.AppendString(dst, *p), true
	case *bool:
		return strconv.AppendBool(dst, *p), true
	case *int:
		return appendInteger(dst, int64(*p))
	case *float64:
		return appendWhole(dst, *p)
	}
	return dst, false
}

// appendReflected is appendScalar for the scalar in v.
func appendReflected(dst []byte, v reflect.Value) (_ []byte, ok bool) {
	switch {
	case v.Kind() == reflect.String:
		return wire.AppendString(dst, v.String()), true
	case v.Kind() == reflect.Bool:
		return strconv.AppendBool(dst, v.Bool()), true
	case v.CanInt():
		return appendInteger(dst, v.Int())
	case v.CanUint() && v.Uint() <= maxSafeInteger:
		return strconv.AppendUint(dst, v.Uint(), 10), true
	case v.Kind() == reflect.Float64, v.Kind() == reflect.Float32 && math.Abs(v.Float()) < 1<<24: // as in superjson
		return appendWhole(dst, v.Float())
	}
	return dst, false
}

func appendInteger(dst []byte, n int64) (_ []byte, ok bool) {
	if n < -maxSafeInteger || n > maxSafeInteger {
		return dst, false
	}
	return strconv.AppendInt(dst, n, 10), true
}

// appendWhole appends a number that is an integer, and not -0.
func appendWhole(dst []byte, f float64) (_ []byte, ok bool) {
	if n := int64(f); float64(n) == f && (n != 0 || !math.Signbit(f)) {
		return appendInteger(dst, n)
	}
	return dst, false
}

// appendPlain is appendScalar for what v holds.
func appendPlain(dst []byte, v any) (_ []byte, ok bool) {
	switch v := v.(type) {
	case string:
		return appendScalar(dst, &v)
	case bool:
		return appendScalar(dst, &v)
	case int:
		return appendScalar(dst, &v)
	case float64:
		return appendScalar(dst, &v)
	}
	return dst, false
}

// appendScalar is like the function, and appends any other value too.
func (o *values) appendScalar(dst []byte, path string, p any) ([]byte, error) {
	if dst, ok := appendScalar(dst, p); ok {
		return dst, nil
	}
	switch p := p.(type) {
	case *int:
		return o.append(dst, path, *p)
	case *float64:
		return o.append(dst, path, *p)
	}
	return o.append(dst, path, p)
}
