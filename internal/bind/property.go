package bind

import (
	"context"
	"reflect"
)

// propertyOf returns the property v. ok is false for nil.
func propertyOf(v reflect.Value) (property any, ok bool) {
	p, ok := v, true
	if v.Kind() != reflect.Func || v.CanAddr() {
		p, ok = pointerTo(v)
	}
	if !ok || v.Kind() == reflect.Func && v.IsNil() {
		return nil, false
	}
	return p.Interface(), true
}

func (b *builder) property(n *node, v reflect.Value, l *layout) {
	property, ok := propertyOf(v)
	if !ok {
		b.fail(n.path, "%s is nil", v.Type())
		return
	}
	l.form, l.typ = propertyForm, v.Type()
	t, settable := b.kinds.PropertyType(property)
	kind, _ := StreamKindOf(t)
	if kind == ByteReader && settable {
		b.fail(n.path, "%s can be read only once, a property any time; use a kkrpc.ReadOnly, which makes one each time", t)
		return
	}
	if err := b.checkOutbound(t); err != nil {
		b.failType(n.path, err)
		return
	}
	b.note(t)
	n.value = t
	slot := b.valueSlot(l)
	path := join(n.path)
	types := b.Types
	n.get = &operation{slot: slot, method: &Method{Path: path, WantsContext: true, HasResult: true}, cell: func(property any) Invocation {
		return &getCell{types: types, property: property, reader: kind == ByteReader}
	}}
	if !settable {
		return
	}
	if err := b.CheckInbound(t); err != nil {
		b.failType(n.path, err)
		return
	}
	param := types.newParam(t)
	n.set = &operation{slot: slot, method: &Method{Path: path, HasResult: true, Keeps: true}, cell: func(property any) Invocation {
		return &setCell{param: param, property: property, path: path}
	}}
}

func (b *builder) constant(n *node, v any, l *layout) {
	l.form = constantForm
	if v != nil {
		t := reflect.TypeOf(v)
		if err := b.checkOutbound(t); err != nil {
			b.failType(n.path, err)
			return
		}
		b.note(t)
	}
	n.constant, n.isNull, n.value = true, v == nil, reflect.TypeOf(v)
	n.get = &operation{slot: b.valueSlot(l), method: &Method{Path: join(n.path), HasResult: true}, cell: func(v any) Invocation {
		return &constantCell{v}
	}}
}

func (b *builder) class(n *node, fn reflect.Value, l *layout) {
	l.form = classForm
	op := b.function(n, fn, "constructor: ", l.add(layout{}))
	switch {
	case op == nil:
	case !op.method.HasResult:
		b.fail(n.path, "constructor: %s returns no value", fn.Type())
	case IsStreamType(op.method.plan.resultType()):
		b.fail(n.path, "constructor: %s returns a stream; want a value, which is what an instance is to the peer", fn.Type())
	default:
		n.construct = op
	}
}

// getCell reads a property.
type getCell struct {
	types    *Types
	property any
	reader   bool
	value    any
}

func (*getCell) Decode(*Request) error { return nil }

func (c *getCell) Run(ctx context.Context) (err error) {
	c.value, err = c.types.kinds.Load(ctx, c.property)
	if c.reader {
		c.value = asReader(c.value)
	}
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
