package bind

import (
	"context"
	"reflect"
	"strconv"

	"github.com/kkrpc-go/kkrpc/superjson"
)

// Apply calls fn, a func of this side that the peer has sent back, as the peer would call it. convert stores in dst what
// v is to the receiver of a message. ok is false if fn returns no value. Arguments that do not fit give a *wire.Error.
func (t *Types) Apply(ctx context.Context, fn any, args []any, convert func(v any, dst reflect.Value) error) (result any, ok bool, err error) {
	f := reflect.ValueOf(fn)
	p, err := t.planFor(f.Type(), false)
	if err != nil {
		return nil, false, err
	}
	in, err := p.convertArgs(args, convert)
	if err != nil {
		return nil, false, err
	}
	if p.context {
		in = append([]reflect.Value{reflect.ValueOf(&ctx).Elem()}, in...)
	}
	if p.writer >= 0 {
		return p.written(in, f.Call), true, nil
	}
	out := f.Call(in)
	if err := p.failure(out); err != nil {
		return nil, false, err
	}
	if !p.result {
		return nil, false, nil
	}
	return out[0].Interface(), true, nil
}

// convertArgs returns the arguments of a call, those of a variadic parameter one by one.
func (p *plan) convertArgs(args []any, convert func(v any, dst reflect.Value) error) ([]reflect.Value, error) {
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
		case i < len(args) && !IsUndefined(p.types.kinds.Unshare(args[i])):
			err = convert(args[i], in[i])
		case i < len(args) && param.typ == anyType:
			in[i].Set(reflect.ValueOf(superjson.Undefined))
		default:
			err = param.undefined()
		}
		if err != nil {
			return nil, p.types.placeError("argument "+strconv.Itoa(i+1), err)
		}
	}
	return in, nil
}

// IsUndefined reports whether v is the value undefined of JavaScript.
func IsUndefined(v any) bool {
	if v, ok := v.(superjson.Value); ok {
		return v.JSON == nil
	}
	return v == any(superjson.Undefined)
}
