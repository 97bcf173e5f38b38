package kkrpc

import (
	"context"
	"fmt"
	"reflect"
	"strconv"

	"github.com/kkrpc-go/kkrpc/internal/bind"
	"github.com/kkrpc-go/kkrpc/internal/wire"
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
	result, ok, err := types.Apply(ctx, r.value, op.args, convert)
	if refused, is := err.(*wire.Error); is {
		return fromWire(refused)
	}
	switch {
	case err != nil, op.result == nil:
		return err
	case !ok:
		return decodeUndefined(op.result)
	}
	return resultError(convert(result, reflect.ValueOf(op.result).Elem()))
}

// convert stores in dst what v is to who gets it over a channel. Functions and streams are stored as they are.
func convert(v any, dst reflect.Value) error {
	if s, ok := v.(*Shared); ok && s != nil {
		v = s.value
	}
	if isUndefined(v) {
		return decodeUndefined(dst.Addr().Interface())
	}
	if isCallback(v) || bind.IsStream(v) {
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
