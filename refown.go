package kkrpc

import (
	"context"
	"fmt"
	"reflect"
	"strconv"

	"github.com/kkrpc-go/kkrpc/superjson"
)

// A function of this side that comes back as a reference can be called like one of the peer, as JavaScript code would do.
// Arguments and result are encoded and decoded, so that the function gets the types that it would get from there.

// applyOwn does op, an apply, on a function of this side.
func (r *Ref) applyOwn(ctx context.Context, op *outgoing) error {
	if err := r.prepare(); err != nil {
		return err
	}
	if err := context.Cause(ctx); err != nil {
		return err
	}
	fn := reflect.ValueOf(r.value)
	p, err := planFor(fn.Type(), false)
	if err != nil {
		return err
	}
	in, err := p.convertArgs(op.args)
	if err != nil {
		return err
	}
	if p.context {
		in = append([]reflect.Value{reflect.ValueOf(&ctx).Elem()}, in...)
	}
	out := fn.Call(in)
	if p.failing {
		if err, _ := out[len(out)-1].Interface().(error); err != nil {
			return err
		}
	}
	switch {
	case op.result == nil:
		return nil
	case !p.result:
		return decodeUndefined(op.result)
	}
	return resultError(convert(out[0].Interface(), reflect.ValueOf(op.result).Elem()))
}

// convertArgs returns the arguments of a call, those of a variadic parameter one by one.
func (p *plan) convertArgs(args []any) ([]reflect.Value, error) {
	fixed := len(p.params)
	if p.variadic {
		fixed--
	} else if len(args) > fixed {
		return nil, typeErrorf("argument %d: expected at most %s, got %d", fixed+1, plural(fixed, "argument"), len(args))
	}
	in := make([]reflect.Value, max(fixed, len(args)))
	for i := range in {
		param := p.params[min(i, len(p.params)-1)]
		in[i] = reflect.New(param.typ).Elem()
		var err error
		switch {
		case i < len(args) && !isUndefined(args[i]):
			err = convert(args[i], in[i])
		case i < len(args) && param.typ == anyType:
			in[i].Set(reflect.ValueOf(superjson.Undefined))
		default:
			err = param.undefined()
		}
		if err != nil {
			return nil, placeError("argument "+strconv.Itoa(i+1), err)
		}
	}
	return in, nil
}

// convert stores in dst what v is to who gets it over a channel. Functions and streams are stored as they are.
func convert(v any, dst reflect.Value) error {
	if s, ok := v.(*Shared); ok && s != nil {
		v = s.value
	}
	if isUndefined(v) {
		return decodeUndefined(dst.Addr().Interface())
	}
	if isCallback(v) || isStream(v) {
		if given := reflect.ValueOf(v); given.Type().AssignableTo(dst.Type()) {
			dst.Set(given)
			return nil
		}
		return &superjson.TypeError{Expected: dst.Type().String(), Got: fmt.Sprintf("%T", v)}
	}
	var refs passedRefs
	enc := superjson.NewEncoder(superjson.ModeSuperJSON)
	enc.SetReferences(&refs)
	raw, err := enc.Append(nil, "", v)
	if err != nil {
		return err
	}
	var meta *superjson.Meta
	if enc.HasMeta() {
		if meta, err = superjson.ParseMeta(enc.AppendMeta(nil)); err != nil {
			return err
		}
	}
	return superjson.DecodeReferences(superjson.ModeSuperJSON, raw, meta, dst.Addr().Interface(), &refs)
}

// passedRefs are the references in a value that stays on this side. Their ids are indexes.
type passedRefs []*Ref

func (p *passedRefs) ReferenceType() reflect.Type { return refType }

func (p *passedRefs) AppendReference(dst []byte, v any) ([]byte, error) {
	*p = append(*p, v.(*Ref))
	return fmt.Appendf(dst, `{"%s":true,"id":"%d","kind":"object"}`, refTag, len(*p)-1), nil
}

func (p *passedRefs) DecodeReference(object map[string]any, _ bool) (any, error) {
	id, _, _, ok := refParts(object)
	i, err := strconv.Atoi(id)
	if !ok || err != nil || i < 0 || i >= len(*p) {
		return nil, nil
	}
	return (*p)[i], nil
}
