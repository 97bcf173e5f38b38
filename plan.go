package kkrpc

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"sync"
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
	refs     bool     // a *Ref stands in it
	params   []*param // without receiver and context; the last of a variadic one is that of an element
	frames   sync.Pool
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
	start := fastStart(fn, path)
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
	start := fastStart(withoutReceiverType(m.Func), path)
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
	p.frames.New = func() any { return p.newFrame() }
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
	return nil
}

// frame is the arguments of one call by reflection. It is used again for other calls.
type frame struct {
	args    []reflect.Value // for Call: addressable, but for the receiver
	context context.Context // what the argument for the context points to
	first   int             // where the parameters of plan.params start
}

func (p *plan) newFrame() *frame {
	f := &frame{args: make([]reflect.Value, 0, p.typ.NumIn())}
	if p.receiver {
		f.args = append(f.args, reflect.Value{})
	}
	if p.context {
		f.args = append(f.args, reflect.ValueOf(&f.context).Elem())
	}
	f.first = len(f.args)
	for i := f.first; i < p.typ.NumIn(); i++ {
		f.args = append(f.args, reflect.New(p.typ.In(i)).Elem())
	}
	return f
}

// release empties the frame and gives it back.
func (p *plan) release(f *frame) {
	for _, arg := range f.args[f.first:] {
		arg.SetZero()
	}
	if p.receiver {
		f.args[0] = reflect.Value{}
	}
	f.context = nil
	p.frames.Put(f)
}

// start makes the cells of calls to fn by reflection.
func (p *plan) start(fn reflect.Value, path string) func(slot any) invocation {
	return func(slot any) invocation {
		c := &reflectCell{plan: p, fn: fn, path: path}
		if p.receiver {
			c.receiver = reflect.ValueOf(slot)
		}
		return c
	}
}

type reflectCell struct {
	plan     *plan
	fn       reflect.Value
	path     string
	receiver reflect.Value
	frame    *frame
	result   any
}

func (c *reflectCell) decode(in *request) error {
	p := c.plan
	f := p.frames.Get().(*frame)
	fixed := len(p.params)
	if p.variadic {
		fixed--
		if err := c.decodeRest(in, f, fixed); err != nil {
			return err
		}
	} else if err := surplus(c.path, in, fixed); err != nil {
		return err
	}
	for i, param := range p.params[:fixed] {
		var err error
		if i < len(in.msg.Args) {
			err = param.decode(in, i, f.args[f.first+i])
		} else {
			err = param.undefined()
		}
		if err != nil {
			return argumentError(c.path, i, err)
		}
	}
	c.frame = f
	return nil
}

// decodeRest decodes the arguments from number fixed on into the slice of the variadic parameter.
func (c *reflectCell) decodeRest(in *request, f *frame, fixed int) error {
	n := len(in.msg.Args) - fixed
	if n <= 0 {
		return nil
	}
	slice := f.args[len(f.args)-1]
	slice.Set(reflect.MakeSlice(slice.Type(), n, n))
	for i := range n {
		if err := c.plan.params[fixed].decode(in, fixed+i, slice.Index(i)); err != nil {
			return argumentError(c.path, fixed+i, err)
		}
	}
	return nil
}

func (c *reflectCell) run(ctx context.Context) error {
	f := c.frame
	c.frame = nil
	f.context = ctx
	if c.plan.receiver {
		f.args[0] = c.receiver
	}
	call := c.fn.Call
	if c.plan.variadic {
		call = c.fn.CallSlice
	}
	results := call(f.args)
	c.plan.release(f)
	if c.plan.failing {
		if err, _ := results[len(results)-1].Interface().(error); err != nil {
			return err
		}
	}
	if c.plan.result {
		c.result = results[0].Interface()
	}
	return nil
}

func (c *reflectCell) arguments() []any {
	return spread(c.frame.args[c.frame.first:], c.plan.variadic)
}

func (c *reflectCell) outcome() any { return c.result }

func (c *reflectCell) appendResult(dst []byte, out *values, path string) ([]byte, bool, error) {
	if !c.plan.result {
		return dst, true, nil
	}
	return out.appendAny(dst, path, c.result)
}
