package kkrpc

import (
	"context"
	"errors"
	"reflect"
	"sync"
)

// Property is a value that both sides may read and write at any time: a field of an exposed struct, or a value in an
// Object. The zero Property holds the zero value of T. It must not be copied after first use. A T with slices, maps or
// pointers in it is shared with whoever gets it: replace it by Set, never change it in place.
type Property[T any] struct {
	mu    sync.RWMutex
	value T
	check func(old, value T) error
}

// NewProperty returns a Property that holds v.
func NewProperty[T any](v T) *Property[T] { return &Property[T]{value: v} }

// Get returns the value.
func (p *Property[T]) Get() T {
	p.mu.RLock()
	defer p.mu.RUnlock()
	return p.value
}

// Set replaces the value. It tells nobody.
func (p *Property[T]) Set(v T) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.value = v
}

// OnSet makes check see every value that a peer sets, before it is stored; its error refuses the value and goes to the
// peer. One check runs at a time, and must not use the Property. OnSet is called before the Property is exposed.
func (p *Property[T]) OnSet(check func(old, value T) error) { p.check = check }

// ReadOnly returns a view through which the peer reads but cannot write.
func (p *Property[T]) ReadOnly() ReadOnly[T] {
	return func(context.Context) (T, error) { return p.Get(), nil }
}

// ReadOnly is a property that is computed each time the peer reads it. T may be a stream. It may be called from many goroutines at a time;
// its ctx is like that of a function.
type ReadOnly[T any] func(ctx context.Context) (T, error)

// Class is what [Constructor] returns. It has no other use than to be exposed.
type Class struct{ fn any }

// Constructor makes fn what the peer's `new` calls: new api.Counter(1). fn is like any function of an API, but must return
// a value, which the peer gets as plain data.
func Constructor(fn any) Class { return Class{fn: fn} }

// property is what the API needs of a Property or ReadOnly of any type.
type property interface {
	valueType() reflect.Type
	load(ctx context.Context) (any, error)
}

// settable is a property that the peer may write.
type settable interface {
	property
	store(in *request, path string) (v any, commit func() error, err error)
}

func (p *Property[T]) valueType() reflect.Type           { return reflect.TypeFor[T]() }
func (p *Property[T]) load(context.Context) (any, error) { return p.Get(), nil }

// store decodes the value of a set request, and returns a pointer to it and what makes it the property's.
func (p *Property[T]) store(in *request, path string) (any, func() error, error) {
	v := new(T)
	if err := decodeValue(in, v); err != nil {
		return nil, nil, placeError(path, err)
	}
	return v, func() error {
		p.mu.Lock()
		defer p.mu.Unlock()
		if p.check != nil {
			if err := p.check(p.value, *v); err != nil {
				return err
			}
		}
		p.value = *v
		return nil
	}, nil
}

func (ReadOnly[T]) valueType() reflect.Type { return reflect.TypeFor[T]() }

func (r ReadOnly[T]) load(ctx context.Context) (any, error) {
	if r == nil {
		return nil, errors.New("property has no value")
	}
	return r(ctx)
}

// decodeValue decodes the value of a set request into the pointer v.
func decodeValue(in *request, v any) error {
	m := in.msg
	p := newParam(reflect.TypeOf(v).Elem())
	if p.stream != nil || p.typ == anyType {
		if done, err := p.decodeStream(in, m.Value, reflect.ValueOf(v).Elem()); done {
			return err
		}
	}
	if m.Value == nil && p.typ != anyType && p.typ != valueType {
		return p.undefined()
	}
	return in.ch.decodeData(m.Dialect, m.Value, m.ValueMeta(), v, p.refs)
}

func (b *builder) property(n *node, v reflect.Value, from source) {
	p, ok := v, true
	if v.Kind() != reflect.Func || v.CanAddr() {
		p, ok = pointerTo(v)
	}
	if !ok || v.Kind() == reflect.Func && v.IsNil() {
		b.fail(n.path, "%s is nil", v.Type())
		return
	}
	prop := p.Interface().(property)
	if err := checkOutbound(prop.valueType()); err != nil {
		b.failType(n.path, err)
		return
	}
	b.refs = b.refs || refUseOf(prop.valueType()) == refSurely
	slot := b.slot(prop, from)
	path := join(n.path)
	n.get = &operation{slot: slot, method: &method{path: path, wantsContext: true, hasResult: true}, start: func(slot any) invocation {
		return &getCell{property: slot.(property)}
	}}
	if _, ok := prop.(settable); !ok {
		return
	}
	if err := checkInbound(prop.valueType()); err != nil {
		b.failType(n.path, err)
		return
	}
	n.set = &operation{slot: slot, method: &method{path: path, hasResult: true}, start: func(slot any) invocation {
		return &setCell{property: slot.(settable), path: path}
	}}
}

func (b *builder) constant(n *node, v any) {
	if v != nil {
		if err := checkOutbound(reflect.TypeOf(v)); err != nil {
			b.failType(n.path, err)
			return
		}
	}
	b.refs = b.refs || v != nil && refUseOf(reflect.TypeOf(v)) == refSurely
	n.isNull = v == nil
	value := ReadOnly[any](func(context.Context) (any, error) { return v, nil })
	n.get = &operation{slot: noSlot, method: &method{path: join(n.path), hasResult: true}, start: func(any) invocation {
		return &getCell{property: value}
	}}
}

func (b *builder) class(n *node, c Class) {
	fn := reflect.ValueOf(c.fn)
	m, err := planOf(fn, join(n.path))
	switch {
	case err != nil:
		b.fail(n.path, "constructor: %w", err)
	case !m.hasResult:
		b.fail(n.path, "constructor: %s returns no value", fn.Type())
	case isStreamType(fn.Type().Out(0)):
		b.fail(n.path, "constructor: %s returns a stream; want a value, which is what an instance is to the peer", fn.Type())
	default:
		n.construct = fixed(m)
		b.refs = b.refs || m.refs
	}
}

// getCell reads a property.
type getCell struct {
	property property
	value    any
}

func (c *getCell) decode(*request) error { return nil }

func (c *getCell) run(ctx context.Context) (err error) {
	c.value, err = c.property.load(ctx)
	return err
}

func (c *getCell) arguments() []any { return nil }
func (c *getCell) outcome() any     { return c.value }

func (*getCell) appendPlain(dst []byte) ([]byte, bool) { return dst, false }

func (c *getCell) appendResult(dst []byte, out *values, path string) ([]byte, bool, error) {
	return out.appendAny(dst, path, c.value)
}

// setCell writes a property. The answer is true.
type setCell struct {
	property settable
	path     string
	value    any // a pointer
	commit   func() error
}

func (c *setCell) decode(in *request) (err error) {
	c.value, c.commit, err = c.property.store(in, c.path)
	return err
}

func (c *setCell) run(context.Context) error { return c.commit() }

func (c *setCell) arguments() []any {
	return []any{reflect.ValueOf(c.value).Elem().Interface()}
}

func (c *setCell) outcome() any { return true }

func (*setCell) appendPlain(dst []byte) ([]byte, bool) { return dst, false }

func (c *setCell) appendResult(dst []byte, _ *values, _ string) ([]byte, bool, error) {
	return append(dst, "true"...), false, nil
}
