package kkrpc

import (
	"context"
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

var fastPaths = [...]func(fn any, path string) starter{
	fast0[string], fast0[int], fast0[float64], fast0[bool],
	fast1[string, string], fast1[int, int], fast1[float64, float64], fast1[string, bool], fast1[string, int], fast1[int, string],
	fast2[float64, float64, float64], fast2[int, int, int], fast2[string, string, string],
}

// fastStart returns nil for a function that has no fast path.
func fastStart(fn reflect.Value, path string) starter {
	if fn.Type().NumOut() == 0 || fn.Type().NumIn() > 4 {
		return nil
	}
	f := fn.Interface()
	for _, try := range fastPaths {
		if start := try(f, path); start != nil {
			return start
		}
	}
	return nil
}

// withoutReceiverType turns func(*T, …) into func(unsafe.Pointer, …), which is called the same way: both take a pointer.
// It is what lets one type switch serve the methods of all types.
func withoutReceiverType(fn reflect.Value) reflect.Value {
	t := fn.Type()
	in := make([]reflect.Type, t.NumIn())
	for i := range in {
		in[i] = t.In(i)
	}
	in[0] = reflect.TypeFor[unsafe.Pointer]()
	out := make([]reflect.Type, t.NumOut())
	for i := range out {
		out[i] = t.Out(i)
	}
	p := reflect.New(t)
	p.Elem().Set(fn)
	return reflect.NewAt(reflect.FuncOf(in, out, t.IsVariadic()), p.UnsafePointer()).Elem()
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
	cells sync.Pool
}

type cell0[R any] struct {
	*calls0[R]
	self   unsafe.Pointer
	result R
}

func fast0[R any](fn any, path string) starter {
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
	calls := &calls0[R]{fn: call, path: path}
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
func (c *cell0[R]) outcome() any     { return c.result }

func (c *cell0[R]) appendResult(dst []byte, out *values, path string) ([]byte, bool, error) {
	dst, err := out.appendScalar(dst, path, &c.result)
	*c = cell0[R]{calls0: c.calls0}
	c.cells.Put(c)
	return dst, false, err
}

type calls1[A, R any] struct {
	fn    func1[A, R]
	path  string
	cells sync.Pool
}

type cell1[A, R any] struct {
	*calls1[A, R]
	self   unsafe.Pointer
	a      A
	result R
}

func fast1[A, R any](fn any, path string) starter {
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
	calls := &calls1[A, R]{fn: call, path: path}
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

func (c *cell1[A, R]) arguments() []any { return []any{c.a} }
func (c *cell1[A, R]) outcome() any     { return c.result }

func (c *cell1[A, R]) appendResult(dst []byte, out *values, path string) ([]byte, bool, error) {
	dst, err := out.appendScalar(dst, path, &c.result)
	*c = cell1[A, R]{calls1: c.calls1}
	c.cells.Put(c)
	return dst, false, err
}

type calls2[A, B, R any] struct {
	fn    func2[A, B, R]
	path  string
	cells sync.Pool
}

type cell2[A, B, R any] struct {
	*calls2[A, B, R]
	self   unsafe.Pointer
	a      A
	b      B
	result R
}

func fast2[A, B, R any](fn any, path string) starter {
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
	calls := &calls2[A, B, R]{fn: call, path: path}
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

func (c *cell2[A, B, R]) arguments() []any { return []any{c.a, c.b} }
func (c *cell2[A, B, R]) outcome() any     { return c.result }

func (c *cell2[A, B, R]) appendResult(dst []byte, out *values, path string) ([]byte, bool, error) {
	dst, err := out.appendScalar(dst, path, &c.result)
	*c = cell2[A, B, R]{calls2: c.calls2}
	c.cells.Put(c)
	return dst, false, err
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
		err = superjson.Decode(in.msg.Dialect.Mode(), in.msg.Args[i].JSON, in.msg.ArgMeta(i), dst)
	}
	if err != nil {
		return argumentError(path, i, err)
	}
	return nil
}

const maxSafeInteger = 1<<53 - 1

// appendScalar appends what p points to.
func (o *values) appendScalar(dst []byte, path string, p any) ([]byte, error) {
	switch p := p.(type) {
	case *string:
		return wire.AppendString(dst, *p), nil
	case *bool:
		return strconv.AppendBool(dst, *p), nil
	case *int:
		if n := int64(*p); -maxSafeInteger <= n && n <= maxSafeInteger {
			return strconv.AppendInt(dst, n, 10), nil
		}
		return o.append(dst, path, *p)
	case *float64:
		if n := int64(*p); float64(n) == *p && -maxSafeInteger <= n && n <= maxSafeInteger && !math.Signbit(*p) {
			return strconv.AppendInt(dst, n, 10), nil
		}
		return o.append(dst, path, *p)
	}
	return o.append(dst, path, p)
}
