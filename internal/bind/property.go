package bind

import (
	"context"
	"reflect"
)

func (b *builder) property(n *node, v reflect.Value, from source) {
	p, ok := v, true
	if v.Kind() != reflect.Func || v.CanAddr() {
		p, ok = pointerTo(v)
	}
	if !ok || v.Kind() == reflect.Func && v.IsNil() {
		b.fail(n.path, "%s is nil", v.Type())
		return
	}
	property := p.Interface()
	t, settable := b.kinds.PropertyType(property)
	if err := b.checkOutbound(t); err != nil {
		b.failType(n.path, err)
		return
	}
	b.note(t)
	n.value = t
	slot := b.slot(property, from)
	path := join(n.path)
	types := b.Types
	n.get = &operation{slot: slot, method: &Method{Path: path, WantsContext: true, HasResult: true}, start: func(slot any) Invocation {
		return &getCell{types: types, property: slot}
	}}
	if !settable {
		return
	}
	if err := b.CheckInbound(t); err != nil {
		b.failType(n.path, err)
		return
	}
	param := types.newParam(t)
	n.set = &operation{slot: slot, method: &Method{Path: path, HasResult: true, Keeps: true}, start: func(slot any) Invocation {
		return &setCell{param: param, property: slot, path: path}
	}}
}

func (b *builder) constant(n *node, v any) {
	if v != nil {
		t := reflect.TypeOf(v)
		if err := b.checkOutbound(t); err != nil {
			b.failType(n.path, err)
			return
		}
		b.note(t)
	}
	n.isNull, n.value = v == nil, reflect.TypeOf(v)
	n.get = &operation{slot: noSlot, method: &Method{Path: join(n.path), HasResult: true}, start: func(any) Invocation {
		return &constantCell{v}
	}}
}

func (b *builder) class(n *node, fn reflect.Value) {
	m, err := b.method(fn, join(n.path))
	switch {
	case err != nil:
		b.fail(n.path, "constructor: %w", err)
	case !m.HasResult:
		b.fail(n.path, "constructor: %s returns no value", fn.Type())
	case IsStreamType(fn.Type().Out(0)):
		b.fail(n.path, "constructor: %s returns a stream; want a value, which is what an instance is to the peer", fn.Type())
	default:
		n.construct = fixed(m)
		b.references = b.references || m.references
	}
}

// getCell reads a property.
type getCell struct {
	types    *Types
	property any
	value    any
}

func (*getCell) Decode(*Request) error { return nil }

func (c *getCell) Run(ctx context.Context) (err error) {
	c.value, err = c.types.kinds.Load(ctx, c.property)
	return err
}

func (*getCell) Arguments() []any { return nil }

func (c *getCell) Outcome() any { return c.value }

func (*getCell) AppendPlain(dst []byte) ([]byte, bool) { return dst, false }

func (c *getCell) AppendResult(dst []byte, out Writer, path string) ([]byte, bool, error) {
	return out.AppendAny(dst, path, c.value)
}

// setCell writes a property. The answer is true.
type setCell struct {
	param    *param
	property any
	path     string
	value    reflect.Value // addressable
}

func (c *setCell) Decode(in *Request) error {
	c.value = reflect.New(c.param.typ).Elem()
	if err := c.param.decodeValue(in, c.value); err != nil {
		return c.param.types.placeError(c.path, err)
	}
	return nil
}

func (c *setCell) Run(context.Context) error {
	return c.param.types.kinds.Store(c.property, c.value.Addr().Interface())
}

func (c *setCell) Arguments() []any { return []any{c.value.Interface()} }

func (*setCell) Outcome() any { return true }

func (*setCell) AppendPlain(dst []byte) ([]byte, bool) { return dst, false }

func (*setCell) AppendResult(dst []byte, _ Writer, _ string) ([]byte, bool, error) {
	return append(dst, "true"...), false, nil
}
