package kkrpc

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"sync"

	"github.com/kkrpc-go/kkrpc/internal/wire"
	"github.com/kkrpc-go/kkrpc/superjson"
)

// plan is a type of functions, compiled: how arguments are decoded and a call is made. It is found by the type, so that
// the functions of an API that is made for each connection cost next to nothing.
type plan struct {
	typ      reflect.Type
	receiver bool // the first parameter is the receiver of a method
	context  bool
	variadic bool
	failing  bool // the last result is an error
	result   bool
	scalar   bool     // the result is one whose methods have no say in its JSON
	data     bool     // the result is neither a stream nor undefined nor something of this package
	refs     bool     // a *Ref stands in it
	params   []*param // without receiver and context; the last of a variadic one is that of an element
	cells    sync.Pool
}

var plans sync.Map // planKey → *plan or error

type planKey struct {
	typ    reflect.Type
	method bool
}

// planOf compiles fn, whose path is for messages. Methods are compiled by plan.operation.
func planOf(fn reflect.Value, path string) (*method, error) {
	if fn.Kind() != reflect.Func {
		return nil, fmt.Errorf("want a func, not %s", typeName(fn))
	}
	if fn.IsNil() {
		return nil, fmt.Errorf("the %s is nil", fn.Type())
	}
	p, err := planFor(fn.Type(), false)
	if err != nil {
		return nil, err
	}
	start := fastStart(fn, false, path)
	if start == nil {
		start = p.start(fn, path)
	}
	m := p.method(path)
	m.begin = func() invocation { return start(nil) }
	return m, nil
}

func typeName(v reflect.Value) string {
	if !v.IsValid() {
		return "nil"
	}
	return v.Type().String()
}

// operation compiles a method of a pointer type; the receiver is in the slot.
func (p *plan) operation(m reflect.Method, path string, slot int) *operation {
	start := fastStart(m.Func, true, path)
	if start == nil {
		start = p.start(m.Func, path)
	}
	return &operation{method: p.method(path), slot: slot, start: start}
}

func (p *plan) method(path string) *method {
	return &method{path: path, wantsContext: p.context, hasResult: p.result, refs: p.refs}
}

func planFor(t reflect.Type, isMethod bool) (*plan, error) {
	key := planKey{t, isMethod}
	known, ok := plans.Load(key)
	if !ok {
		p, err := newPlan(t, isMethod)
		if err != nil {
			known = err
		} else {
			known = p
		}
		plans.Store(key, known)
	}
	if err, failed := known.(error); failed {
		return nil, err
	}
	return known.(*plan), nil
}

func newPlan(t reflect.Type, isMethod bool) (*plan, error) {
	p := &plan{typ: t, receiver: isMethod, variadic: t.IsVariadic()}
	var errs []error
	first := 0
	if p.receiver {
		first++
	}
	if first < t.NumIn() && t.In(first) == contextType {
		p.context = true
		first++
	}
	for i := first; i < t.NumIn(); i++ {
		in := t.In(i)
		if p.variadic && i == t.NumIn()-1 {
			in = in.Elem()
		}
		if err := checkParameter(in); err != nil {
			errs = append(errs, fmt.Errorf("parameter %d%w", i-first+1, err))
			continue
		}
		p.params = append(p.params, newParam(in))
		p.refs = p.refs || refUseOf(in) == refSurely
	}
	if err := p.results(t); err != nil {
		errs = append(errs, err)
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	p.cells.New = func() any { return p.newCell() }
	return p, nil
}

func (p *plan) results(t reflect.Type) error {
	n := t.NumOut()
	if n > 0 && t.Out(n-1) == errorType {
		p.failing = true
		n--
	}
	switch {
	case n == 0:
		return nil
	case n > 1:
		return fmt.Errorf("it returns %d values; want at most one, and an error behind it", t.NumOut())
	case t.Out(0).Implements(errorType) && t.Out(0).Kind() != reflect.Interface:
		return fmt.Errorf("it returns a %s; want error, which can be nil", t.Out(0))
	}
	p.result = true
	p.refs = p.refs || refUseOf(t.Out(0)) == refSurely
	if err := checkOutbound(t.Out(0)); err != nil {
		return fmt.Errorf("result%w", err)
	}
	p.scalar, p.data = isPlainScalar(t.Out(0)), isPlainData(t.Out(0))
	return nil
}

// isPlainScalar reports whether a t is written as the scalar that it is.
func isPlainScalar(t reflect.Type) bool {
	switch k := t.Kind(); {
	case k == reflect.String, k >= reflect.Bool && k <= reflect.Float64 && k != reflect.Uintptr:
		return !hasOwnJSON(t)
	}
	return false
}

// isPlainData reports whether a t can be nothing but data: what values.appendAny looks for is not in it.
func isPlainData(t reflect.Type) bool {
	switch t.Kind() {
	case reflect.Interface, reflect.Func, reflect.Chan:
		return false
	}
	return t != sharedType && t != valueType && t != reflect.TypeFor[superjson.UndefinedType]()
}

// reflectCell is one call by reflection. It is used again for calls of other functions with the same plan.
type reflectCell struct {
	plan    *plan
	fn      reflect.Value
	path    string
	args    []reflect.Value // for Call: addressable, but for the receiver
	targets []any           // pointers to the arguments from first on
	first   int             // where the parameters of plan.params start
	context context.Context // what the argument for the context points to
	result  reflect.Value   // zero: none
}

func (p *plan) newCell() *reflectCell {
	c := &reflectCell{plan: p, args: make([]reflect.Value, 0, p.typ.NumIn())}
	if p.receiver {
		c.args = append(c.args, reflect.Value{})
	}
	if p.context {
		c.args = append(c.args, reflect.ValueOf(&c.context).Elem())
	}
	c.first = len(c.args)
	for i := c.first; i < p.typ.NumIn(); i++ {
		target := reflect.New(p.typ.In(i))
		c.args = append(c.args, target.Elem())
		c.targets = append(c.targets, target.Interface())
	}
	return c
}

// start makes the cells of calls to fn by reflection.
func (p *plan) start(fn reflect.Value, path string) func(slot any) invocation {
	return func(slot any) invocation {
		c := p.cells.Get().(*reflectCell)
		c.fn, c.path = fn, path
		if p.receiver {
			c.args[0] = reflect.ValueOf(slot)
		}
		return c
	}
}

func (c *reflectCell) decode(in *request) error {
	p := c.plan
	fixed := len(p.params)
	if p.variadic {
		fixed--
		if err := c.decodeRest(in, fixed); err != nil {
			return err
		}
	} else if err := surplus(c.path, in, fixed); err != nil {
		return err
	}
	for i, param := range p.params[:fixed] {
		var err error
		switch {
		case i >= len(in.msg.Args):
			err = param.undefined()
		case param.plain && in.msg.Args[i].Kind == wire.ArgValue && in.msg.Args[i].JSON != nil:
			err = superjson.Decode(in.msg.Dialect.Mode(), in.msg.Args[i].JSON, in.msg.ArgMeta(i), c.targets[i])
		default:
			err = param.decode(in, i, c.args[c.first+i])
		}
		if err != nil {
			return argumentError(c.path, i, err)
		}
	}
	return nil
}

// decodeRest decodes the arguments from number fixed on into the slice of the variadic parameter.
func (c *reflectCell) decodeRest(in *request, fixed int) error {
	n := len(in.msg.Args) - fixed
	if n <= 0 {
		return nil
	}
	slice := c.args[len(c.args)-1]
	slice.Set(reflect.MakeSlice(slice.Type(), n, n))
	for i := range n {
		if err := c.plan.params[fixed].decode(in, fixed+i, slice.Index(i)); err != nil {
			return argumentError(c.path, fixed+i, err)
		}
	}
	return nil
}

func (c *reflectCell) run(ctx context.Context) error {
	c.context = ctx
	var results []reflect.Value
	if c.plan.variadic {
		results = c.fn.CallSlice(c.args)
	} else {
		results = c.fn.Call(c.args)
	}
	for _, arg := range c.args[c.first:] {
		arg.SetZero()
	}
	c.context = nil
	if c.plan.failing {
		if failure := results[len(results)-1]; !failure.IsNil() {
			return failure.Interface().(error)
		}
	}
	if c.plan.result {
		c.result = results[0]
	}
	return nil
}

func (c *reflectCell) arguments() []any { return spread(c.args[c.first:], c.plan.variadic) }

func (c *reflectCell) outcome() any {
	if !c.result.IsValid() {
		return nil
	}
	return c.result.Interface()
}

func (c *reflectCell) appendPlain(dst []byte) (_ []byte, ok bool) {
	if !c.plan.scalar {
		return dst, false
	}
	if dst, ok = appendReflected(dst, c.result); ok {
		c.free()
	}
	return dst, ok
}

func (c *reflectCell) appendResult(dst []byte, out *values, path string) (_ []byte, absent bool, err error) {
	switch {
	case !c.plan.result:
		absent = true
	case c.plan.data:
		dst, err = out.append(dst, path, c.result.Interface())
	default:
		dst, absent, err = out.appendAny(dst, path, c.result.Interface())
	}
	c.free()
	return dst, absent, err
}

func (c *reflectCell) free() {
	if c.plan.receiver {
		c.args[0] = reflect.Value{}
	}
	c.fn, c.result = reflect.Value{}, reflect.Value{}
	c.plan.cells.Put(c)
}
