package bind

import (
	"context"
	"errors"
	"fmt"
	"io"
	"reflect"
	"slices"
	"sync"
	"unsafe"

	"github.com/kkrpc-go/kkrpc/internal/wire"
	"github.com/kkrpc-go/kkrpc/superjson"
)

// plan is a compiled type of functions: how arguments are decoded and a call is made. It is found by the type, so that
// the functions of an API that is made for each connection cost next to nothing.
type plan struct {
	types      *Types
	typ        reflect.Type
	receiver   bool // the first parameter is the receiver of a method
	context    bool
	variadic   bool
	failing    bool // the last result is an error
	result     bool
	scalar     bool     // the methods of the result have no say in its JSON
	data       bool     // the result is neither a stream nor undefined nor a type of package kkrpc
	references bool     // a Ref stands in it
	reader     bool     // the result is an io.Reader
	writer     int      // the parameter of typ that is an io.Writer; what is written is the result. -1: none
	params     []*param // without receiver, context and writer; the last of a variadic one is that of an element
	cells      sync.Pool
}

type planKey struct {
	typ    reflect.Type
	method bool
}

// Function compiles the func fn, whose path is for messages.
func (t *Types) Function(fn any, path string) (*Method, error) {
	return t.method(reflect.ValueOf(fn), path)
}

// method is Function for a reflected func. plan.operation compiles the methods of types.
func (t *Types) method(fn reflect.Value, path string) (*Method, error) {
	p, err := t.planOf(fn)
	if err != nil {
		return nil, err
	}
	var self unsafe.Pointer
	storeFunc(&self, fn)
	start := p.start(path)
	m := p.method(path)
	m.begin = func() Invocation { return start(self) }
	return m, nil
}

// planOf returns the plan of fn, which must be a func.
func (t *Types) planOf(fn reflect.Value) (*plan, error) {
	if fn.Kind() != reflect.Func {
		return nil, fmt.Errorf("want a func, not %s", typeName(fn))
	}
	if fn.IsNil() {
		return nil, fmt.Errorf("the %s is nil", fn.Type())
	}
	return t.planFor(fn.Type(), false)
}

// storeFunc makes self the func fn. A func is one pointer, to its closure.
func storeFunc(self *unsafe.Pointer, fn reflect.Value) {
	reflect.NewAt(fn.Type(), unsafe.Pointer(self)).Elem().Set(fn)
}

func typeName(v reflect.Value) string {
	if !v.IsValid() {
		return "nil"
	}
	return v.Type().String()
}

// operation compiles a method of a pointer type; the receiver is in the slot.
func (p *plan) operation(m reflect.Method, path string, slot int) *operation {
	return &operation{method: p.method(path), slot: slot, call: p.startMethod(m.Func, path)}
}

func (p *plan) method(path string) *Method {
	return &Method{Path: path, WantsContext: p.context, HasResult: p.result, plan: p}
}

// planFor returns the plan of functions of type fn, or of methods, whose first parameter is the receiver.
func (t *Types) planFor(fn reflect.Type, isMethod bool) (*plan, error) {
	key := planKey{fn, isMethod}
	known, ok := t.plans.Load(key)
	if !ok {
		p, err := t.newPlan(fn, isMethod)
		if err != nil {
			known = err
		} else {
			known = p
		}
		t.plans.Store(key, known)
	}
	if err, failed := known.(error); failed {
		return nil, err
	}
	return known.(*plan), nil
}

func (t *Types) newPlan(fn reflect.Type, isMethod bool) (*plan, error) {
	p := &plan{types: t, typ: fn, receiver: isMethod, variadic: fn.IsVariadic(), writer: -1}
	var errs []error
	first := 0
	if p.receiver {
		first++
	}
	if first < fn.NumIn() && fn.In(first) == contextType {
		p.context = true
		first++
	}
	for i := first; i < fn.NumIn(); i++ {
		in := fn.In(i)
		rest := p.variadic && i == fn.NumIn()-1
		if rest {
			in = in.Elem()
		}
		if in == writerType {
			if rest || p.writer >= 0 {
				errs = append(errs, fmt.Errorf("parameter %d: only one io.Writer can be a parameter, since what is written to it is the result", i-first+1))
			}
			p.writer = i
			continue
		}
		if err := t.checkParameter(in); err != nil {
			errs = append(errs, fmt.Errorf("parameter %d%w", i-first+1, err))
			continue
		}
		p.params = append(p.params, t.newParam(in))
		p.references = p.references || t.RefUseOf(in) == RefSurely
	}
	if err := p.results(fn); err != nil {
		errs = append(errs, err)
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	p.cells.New = func() any { return p.newCell() }
	return p, nil
}

func (p *plan) results(fn reflect.Type) error {
	n := fn.NumOut()
	if n > 0 && fn.Out(n-1) == errorType {
		p.failing = true
		n--
	}
	switch {
	case n > 0 && p.writer >= 0:
		return fmt.Errorf("it returns a %s, but what it writes to its io.Writer is the result; return nothing but an error", fn.Out(0))
	case n == 0:
		p.result = p.writer >= 0
		return nil
	case n > 1:
		return fmt.Errorf("it returns %d values; want at most one, and an error behind it", fn.NumOut())
	case fn.Out(0).Implements(errorType) && fn.Out(0).Kind() != reflect.Interface:
		return fmt.Errorf("it returns a %s; want error, which can be nil", fn.Out(0))
	}
	p.result = true
	p.references = p.references || p.types.RefUseOf(fn.Out(0)) == RefSurely
	if err := p.types.checkOutbound(fn.Out(0)); err != nil {
		return fmt.Errorf("result%w", err)
	}
	p.scalar, p.data = isPlainScalar(fn.Out(0)), p.types.isPlainData(fn.Out(0))
	kind, _ := StreamKindOf(fn.Out(0))
	p.reader = kind == ByteReader
	return nil
}

// resultType is the type of what the peer gets, nil for nothing.
func (p *plan) resultType() reflect.Type {
	switch {
	case !p.result:
		return nil
	case p.writer >= 0:
		return writtenType
	}
	return p.typ.Out(0)
}

// written returns the stream of what the function writes, which call calls. args lack the io.Writer and must not change.
func (p *plan) written(args []reflect.Value, call func([]reflect.Value) []reflect.Value) any {
	return p.types.kinds.Written(func(w io.Writer) error {
		return p.failure(call(slices.Concat(args[:p.writer], []reflect.Value{reflect.ValueOf(&w).Elem()}, args[p.writer:])))
	})
}

// failure is the error among the results of a function.
func (p *plan) failure(results []reflect.Value) error {
	if !p.failing {
		return nil
	}
	err, _ := results[len(results)-1].Interface().(error)
	return err
}

// isPlainScalar reports whether a t is a scalar and no method has a say in its JSON.
func isPlainScalar(t reflect.Type) bool {
	switch k := t.Kind(); {
	case k == reflect.String, k >= reflect.Bool && k <= reflect.Float64 && k != reflect.Uintptr:
		return !hasOwnJSON(t)
	}
	return false
}

// isPlainData reports whether Writer.Append will do for a v: it is no stream, and it is never undefined.
func (t *Types) isPlainData(v reflect.Type) bool {
	switch v.Kind() {
	case reflect.Interface, reflect.Func, reflect.Chan:
		return false
	}
	return v != t.kinds.Shared && v != valueType && v != reflect.TypeFor[superjson.UndefinedType]()
}

// reflectCell is one call by reflection. Calls of other functions with the same plan use it again.
type reflectCell struct {
	plan    *plan
	self    unsafe.Pointer // the func, or the receiver of the method fn
	fn      reflect.Value  // of plain functions: it points to self
	path    string
	args    []reflect.Value // for Call, without an io.Writer: addressable, but for the receiver
	targets []any           // pointers to the arguments from first on
	first   int             // the index in args of the first of plan.params
	context context.Context // the argument for the context points to it
	result  reflect.Value   // zero: none
}

func (p *plan) newCell() *reflectCell {
	c := &reflectCell{plan: p, args: make([]reflect.Value, 0, p.typ.NumIn())}
	if p.receiver {
		c.args = append(c.args, reflect.NewAt(p.typ.In(0), unsafe.Pointer(&c.self)).Elem())
	} else {
		c.fn = reflect.NewAt(p.typ, unsafe.Pointer(&c.self)).Elem()
	}
	if p.context {
		c.args = append(c.args, reflect.ValueOf(&c.context).Elem())
	}
	c.first = len(c.args)
	for i := c.first; i < p.typ.NumIn(); i++ {
		if i == p.writer {
			continue
		}
		target := reflect.New(p.typ.In(i))
		c.args = append(c.args, target.Elem())
		c.targets = append(c.targets, target.Interface())
	}
	return c
}

// start returns what begins calls of any func of the type.
func (p *plan) start(path string) starter {
	if start := p.fastStart(reflect.Zero(p.typ), path); start != nil {
		return start
	}
	return func(self unsafe.Pointer) Invocation {
		c := p.cells.Get().(*reflectCell)
		c.self, c.path = self, path
		return c
	}
}

// startMethod returns what begins calls of the method fn.
func (p *plan) startMethod(fn reflect.Value, path string) starter {
	if start := p.fastStart(fn, path); start != nil {
		return start
	}
	return func(self unsafe.Pointer) Invocation {
		c := p.cells.Get().(*reflectCell)
		c.self, c.fn, c.path = self, fn, path
		return c
	}
}

func (c *reflectCell) Decode(in *Request) error {
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
		case i >= len(in.Message.Args):
			err = param.undefined()
		case param.plain && in.Message.Args[i].Kind == wire.ArgValue && in.Message.Args[i].JSON != nil:
			err = superjson.DecodeMetered(in.Message.Dialect.Mode(), in.Message.Args[i].JSON, in.Message.ArgMeta(i), c.targets[i], nil, &in.Meter)
		default:
			err = param.decode(in, i, c.args[c.first+i])
		}
		if err != nil {
			return c.plan.types.argumentError(c.path, i, err)
		}
	}
	return nil
}

// decodeRest decodes the arguments from number fixed on into the slice of the variadic parameter.
func (c *reflectCell) decodeRest(in *Request, fixed int) error {
	n := len(in.Message.Args) - fixed
	if n <= 0 {
		return nil
	}
	slice := c.args[len(c.args)-1]
	if err := in.Meter.Spend(n * int(slice.Type().Elem().Size())); err != nil {
		return c.plan.types.argumentError(c.path, fixed, err)
	}
	slice.Set(reflect.MakeSlice(slice.Type(), n, n))
	for i := range n {
		if err := c.plan.params[fixed].decode(in, fixed+i, slice.Index(i)); err != nil {
			return c.plan.types.argumentError(c.path, fixed+i, err)
		}
	}
	return nil
}

func (c *reflectCell) Run(ctx context.Context) error {
	c.context = ctx
	var results []reflect.Value
	switch {
	case c.plan.writer >= 0:
		results = c.written()
	case c.plan.variadic:
		results = c.fn.CallSlice(c.args)
	default:
		results = c.fn.Call(c.args)
	}
	for _, arg := range c.args[c.first:] {
		arg.SetZero()
	}
	c.context = nil
	if c.plan.failing && c.plan.writer < 0 {
		if failure := results[len(results)-1]; !failure.IsNil() {
			return failure.Interface().(error)
		}
	}
	if c.plan.result {
		c.result = results[0]
	}
	if c.plan.reader && !c.result.IsNil() {
		c.result = reflect.ValueOf(asReader(c.result.Interface()))
	}
	return nil
}

// written is the result of a function with an io.Writer. It outlives the cell.
func (c *reflectCell) written() []reflect.Value {
	args := make([]reflect.Value, len(c.args))
	for i, arg := range c.args {
		args[i] = detached(arg)
	}
	call := detached(c.fn).Call
	if c.plan.variadic {
		call = detached(c.fn).CallSlice
	}
	return []reflect.Value{reflect.ValueOf(c.plan.written(args, call))}
}

// detached is v without the variable that it stands for.
func detached(v reflect.Value) reflect.Value {
	d := reflect.New(v.Type()).Elem()
	d.Set(v)
	return d
}

func (c *reflectCell) Arguments() []any { return Spread(c.args[c.first:], c.plan.variadic) }

func (c *reflectCell) Outcome() any {
	if !c.result.IsValid() {
		return nil
	}
	return c.result.Interface()
}

func (c *reflectCell) AppendPlain(dst []byte) (_ []byte, ok bool) {
	if !c.plan.scalar {
		return dst, false
	}
	if dst, ok = appendReflected(dst, c.result); ok {
		c.free()
	}
	return dst, ok
}

func (c *reflectCell) AppendResult(dst []byte, out Writer, path string) (_ []byte, absent bool, err error) {
	switch {
	case !c.plan.result:
		absent = true
	case c.plan.data:
		dst, err = out.Append(dst, path, c.result.Interface())
	default:
		dst, absent, err = out.AppendAny(dst, path, c.result.Interface())
	}
	c.free()
	return dst, absent, err
}

func (c *reflectCell) free() {
	c.self, c.result = nil, reflect.Value{}
	c.plan.cells.Put(c)
}
