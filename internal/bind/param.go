package bind

import (
	"reflect"

	"github.com/kkrpc-go/kkrpc/internal/jsonform"
	"github.com/kkrpc-go/kkrpc/internal/wire"
	"github.com/kkrpc-go/kkrpc/superjson"
)

// param is how an argument of one type is decoded.
type param struct {
	types    *Types
	typ      reflect.Type
	optional bool             // may be left out or undefined
	callback func(Handle) any // makes a func, which stands for one of the peer
	stream   func(Source) any // makes an iterator over a stream of the peer
	refs     RefUse
	plain    bool // data without references, which superjson alone decodes
}

func (t *Types) newParam(typ reflect.Type) *param {
	p := &param{types: t, typ: typ, refs: t.RefUseOf(typ)}
	switch kind, _ := StreamKindOf(typ); {
	case kind == FailingSeq, kind == ByteReader:
		p.stream = t.kinds.Stream(typ)
	case typ.Kind() == reflect.Func:
		p.callback = t.kinds.Callback(typ)
	case typ.Kind() == reflect.Pointer, typ.Kind() == reflect.Interface, typ == valueType, jsonform.IsRaw(typ):
		p.optional = true
	}
	p.plain = p.refs == RefNever && typ.Kind() != reflect.Func && typ != t.kinds.Handle
	return p
}

// decode decodes argument i of in into dst, which is zero and addressable.
func (p *param) decode(in *Request, i int, dst reflect.Value) error {
	arg := &in.Message.Args[i]
	switch {
	case p.typ == p.types.kinds.Handle, p.callback != nil, arg.Kind == wire.ArgCallback:
		return p.decodeCallback(in, i, dst)
	case arg.JSON == nil && p.typ == anyType:
		dst.Set(reflect.ValueOf(superjson.Undefined))
		return nil
	case arg.JSON == nil:
		return p.undefined()
	}
	return p.decodeData(in, arg.JSON, in.Message.ArgMeta(i), dst)
}

// decodeValue decodes the value of a set request into dst, which is zero and addressable.
func (p *param) decodeValue(in *Request, dst reflect.Value) error {
	m := in.Message
	if m.Value == nil && p.typ != anyType && p.typ != valueType {
		return p.undefined()
	}
	return p.decodeData(in, m.Value, m.ValueMeta(), dst)
}

// decodeData decodes raw, which stands for data or for a stream.
func (p *param) decodeData(in *Request, raw []byte, meta *superjson.Meta, dst reflect.Value) error {
	if p.stream != nil || p.typ == anyType {
		if done, err := p.decodeStream(in, raw, dst); done {
			return err
		}
	}
	if p.refs == RefNever {
		return superjson.DecodeMetered(in.Message.Dialect.Mode(), raw, meta, dst.Addr().Interface(), nil, &in.Meter)
	}
	return p.types.DecodeData(in.Message.Dialect, raw, meta, dst.Addr().Interface(), p.refs, in.Peer.References(raw), &in.Meter)
}

// decodeStream stores an iterator in dst if raw stands for a stream. done is false if raw is to be decoded as data.
func (p *param) decodeStream(in *Request, raw []byte, dst reflect.Value) (done bool, err error) {
	source, err := in.Peer.Stream(raw)
	switch {
	case err != nil:
		return true, err
	case source == nil && p.stream != nil:
		return true, &superjson.TypeError{Expected: p.types.expected(p.typ), Got: JSONKind(raw)}
	case source == nil:
		return false, nil
	case p.stream != nil:
		dst.Set(reflect.ValueOf(p.stream(source)))
	default:
		dst.Set(reflect.ValueOf(p.types.anyStream(source)))
	}
	return true, nil
}

func (p *param) decodeCallback(in *Request, i int, dst reflect.Value) error {
	arg := &in.Message.Args[i]
	if arg.Kind != wire.ArgCallback {
		if references := in.Peer.References(arg.JSON); references != nil {
			return p.decodeFunction(in, i, references, dst)
		}
		if p.optional && (arg.JSON == nil || string(arg.JSON) == "null") {
			return nil
		}
		return &superjson.TypeError{Expected: "function", Got: JSONKind(arg.JSON)}
	}
	if p.callback == nil && p.typ != p.types.kinds.Handle && p.typ != anyType {
		return &superjson.TypeError{Expected: p.types.expected(p.typ), Got: "function"}
	}
	handle, err := in.Peer.Function(arg.ID)
	if err != nil {
		return err
	}
	p.setCallback(handle, dst)
	return nil
}

func (p *param) setCallback(handle Handle, dst reflect.Value) {
	if p.callback == nil {
		dst.Set(reflect.ValueOf(handle))
		return
	}
	dst.Set(reflect.ValueOf(p.callback(handle)))
}

// decodeFunction decodes a reference to a function into a callback.
func (p *param) decodeFunction(in *Request, i int, references superjson.ReferenceDecoder, dst reflect.Value) error {
	ref := reflect.New(p.types.kinds.Ref)
	err := superjson.DecodeMetered(in.Message.Dialect.Mode(), in.Message.Args[i].JSON, in.Message.ArgMeta(i), ref.Interface(), references, &in.Meter)
	if err != nil {
		return err
	}
	switch peer, own := p.types.kinds.Referent(ref.Elem().Interface()); {
	case peer != nil:
		p.setCallback(peer, dst)
	case own == nil:
		return &superjson.TypeError{Expected: "function", Got: "object"}
	case reflect.TypeOf(own) == p.typ:
		dst.Set(reflect.ValueOf(own))
	default:
		return &superjson.TypeError{Expected: p.typ.String(), Got: "a function of this side, " + reflect.TypeOf(own).String()}
	}
	return nil
}

// undefined is the meaning of an argument that is undefined or was left out: nothing, where that is allowed.
func (p *param) undefined() error {
	if p.optional {
		return nil
	}
	return &superjson.TypeError{Expected: p.types.expected(p.typ), Got: "undefined"}
}
