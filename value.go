package kkrpc

import (
	"context"
	"errors"
	"fmt"
	"math/big"
	"net/url"
	"reflect"
	"strconv"
	"time"

	"github.com/kkrpc-go/kkrpc/internal/wire"
	"github.com/kkrpc-go/kkrpc/superjson"
)

// param is how an argument of one type is decoded.
type param struct {
	typ      reflect.Type
	optional bool           // may be left out or undefined
	callback *callbackParam // a func, which stands for the peer's
	stream   *streamParam   // an iterator over a stream of the peer
	refs     refUse
	plain    bool // data without references, which superjson alone decodes
}

var (
	handleType  = reflect.TypeFor[*Callback]()
	sharedType  = reflect.TypeFor[*Shared]()
	anyType     = reflect.TypeFor[any]()
	valueType   = reflect.TypeFor[superjson.Value]()
	contextType = reflect.TypeFor[context.Context]()
	errorType   = reflect.TypeFor[error]()
)

func newParam(t reflect.Type) *param {
	p := &param{typ: t, refs: refUseOf(t)}
	switch {
	case t.Kind() == reflect.Func:
		if p.stream = newStreamParam(t); p.stream == nil {
			p.callback = newCallbackParam(t)
		}
	case t.Kind() == reflect.Pointer, t.Kind() == reflect.Interface, t == valueType,
		superjson.IsRawJSON(t):
		p.optional = true
	}
	p.plain = p.refs == refNever && t.Kind() != reflect.Func && t != handleType
	return p
}

// decode decodes argument i of in into dst, which is zero and addressable.
func (p *param) decode(in *request, i int, dst reflect.Value) error {
	arg := &in.msg.Args[i]
	switch {
	case p.typ == handleType, p.callback != nil, arg.Kind == wire.ArgCallback:
		return p.decodeCallback(in, i, dst)
	case arg.JSON == nil && (p.typ == anyType):
		dst.Set(reflect.ValueOf(superjson.Undefined))
		return nil
	case arg.JSON == nil:
		return p.undefined()
	case p.stream != nil, p.typ == anyType:
		if done, err := p.decodeStream(in, arg.JSON, dst); done {
			return err
		}
	}
	if p.refs == refNever {
		return superjson.Decode(in.msg.Dialect.Mode(), arg.JSON, in.msg.ArgMeta(i), dst.Addr().Interface())
	}
	return in.ch.decodeData(in.msg.Dialect, arg.JSON, in.msg.ArgMeta(i), dst.Addr().Interface(), p.refs)
}

// decodeStream stores an iterator in dst if raw stands for a stream. done is false if raw is to be decoded as data.
func (p *param) decodeStream(in *request, raw []byte, dst reflect.Value) (done bool, err error) {
	s, err := in.stream(raw)
	switch {
	case err != nil:
		return true, err
	case s == nil && p.stream != nil:
		return true, &superjson.TypeError{Expected: expected(p.typ), Got: jsonKind(raw)}
	case s == nil:
		return false, nil
	case p.stream != nil:
		dst.Set(p.stream.of(s))
	default:
		dst.Set(reflect.ValueOf(iterate[any](s)))
	}
	return true, nil
}

func (p *param) decodeCallback(in *request, i int, dst reflect.Value) error {
	arg := &in.msg.Args[i]
	if arg.Kind != wire.ArgCallback {
		if r := in.ch.references(in.msg.Dialect, arg.JSON); r != nil {
			return p.decodeFunction(in, i, dst)
		}
		if p.optional && (arg.JSON == nil || string(arg.JSON) == "null") {
			return nil
		}
		return &superjson.TypeError{Expected: "function", Got: jsonKind(arg.JSON)}
	}
	if p.callback == nil && p.typ != handleType && p.typ != anyType {
		return &superjson.TypeError{Expected: expected(p.typ), Got: "function"}
	}
	cb, err := in.ch.remoteCallback(arg.ID)
	if err != nil {
		return err
	}
	p.setCallback(cb, dst)
	return nil
}

func (p *param) setCallback(cb *Callback, dst reflect.Value) {
	if p.callback == nil {
		dst.Set(reflect.ValueOf(cb))
		return
	}
	dst.Set(reflect.ValueOf(cb.funcOf(p.typ, func() any { return p.callback.make(cb) })))
}

// decodeFunction decodes a reference to a function into a callback.
func (p *param) decodeFunction(in *request, i int, dst reflect.Value) error {
	var r *Ref
	if err := in.ch.decodeData(in.msg.Dialect, in.msg.Args[i].JSON, in.msg.ArgMeta(i), &r, refSurely); err != nil {
		return err
	}
	switch own := reflect.ValueOf(r.Value()); {
	case r.origin().kind != refFunction:
		return &superjson.TypeError{Expected: "function", Got: "object"}
	case r.ch != nil:
		p.setCallback(r.asCallback(), dst)
	case own.Type() == p.typ:
		dst.Set(own)
	default:
		return &superjson.TypeError{Expected: p.typ.String(), Got: "a function of this side, " + own.Type().String()}
	}
	return nil
}

// undefined is what an argument that is undefined or was left out means: nothing, where that is allowed.
func (p *param) undefined() error {
	if p.optional {
		return nil
	}
	return &superjson.TypeError{Expected: expected(p.typ), Got: "undefined"}
}

// argumentError is err as the peer sees it. i counts from zero, the text from one.
func argumentError(path string, i int, err error) error {
	return placeError(path+": argument "+strconv.Itoa(i+1), err)
}

// placeError puts where before the description of a value that cannot be decoded.
func placeError(where string, err error) error {
	inner, text := "", err.Error()
	if e, ok := errors.AsType[*superjson.TypeError](err); ok {
		inner, text = e.Path, "expected "+e.Expected+", got "+e.Got
	} else if e, ok := errors.AsType[*superjson.DataError](err); ok {
		inner, text = e.Path, e.Reason
	} else if e, ok := errors.AsType[*Error](err); ok {
		if e.Name == releasedError {
			return err // in the very words of the original
		}
		return &Error{Name: e.Name, Message: where + ": " + e.Message}
	} else if errors.Is(err, ErrLimit) || errors.Is(err, ErrClosed) {
		return fmt.Errorf("%s: %w", where, err)
	}
	if inner != "" && inner[0] != '[' {
		inner = "." + inner
	}
	return typeErrorf("%s%s: %s", where, inner, text)
}

// surplus refuses more than max arguments, which no function with so many parameters can mean.
func surplus(path string, in *request, max int) error {
	if got := len(in.msg.Args); got > max {
		return typeErrorf("%s: argument %d: expected at most %s, got %d", path, max+1, plural(max, "argument"), got)
	}
	return nil
}

func plural(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return strconv.Itoa(n) + " " + noun + "s"
}

// expected is what a peer must send for a t.
func expected(t reflect.Type) string {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	switch t {
	case reflect.TypeFor[time.Time]():
		return "Date"
	case reflect.TypeFor[big.Int]():
		return "bigint"
	case reflect.TypeFor[url.URL]():
		return "URL"
	case reflect.TypeFor[[]byte]():
		return "Uint8Array"
	case refType.Elem():
		return "reference"
	}
	switch t.Kind() {
	case reflect.Chan:
		return "stream"
	case reflect.String:
		return "string"
	case reflect.Bool:
		return "boolean"
	case reflect.Float32, reflect.Float64:
		return "number"
	case reflect.Func:
		if isStreamType(t) {
			return "stream"
		}
		return "function"
	case reflect.Slice, reflect.Array:
		return "array"
	case reflect.Struct, reflect.Map:
		return "object"
	case reflect.Interface:
		return "value"
	default:
		return "integer"
	}
}

// jsonKind is what JavaScript would call a value.
func jsonKind(raw []byte) string {
	if len(raw) == 0 {
		return "undefined"
	}
	switch raw[0] {
	case 'n':
		return "null"
	case 't', 'f':
		return "boolean"
	case '"':
		return "string"
	case '[':
		return "array"
	case '{':
		return "object"
	default:
		return "number"
	}
}

// appendAny appends v, which may be a stream, unless it is undefined: a message then has no value.
func (o *values) appendAny(dst []byte, path string, v any) (_ []byte, absent bool, err error) {
	if dst, is, err := o.appendStream(dst, v); is {
		return dst, false, err
	}
	return o.appendData(dst, path, v)
}

// appendData is appendAny for what is no stream.
func (o *values) appendData(dst []byte, path string, v any) (_ []byte, absent bool, err error) {
	if isUndefined(v) {
		return dst, true, nil
	}
	dst, err = o.append(dst, path, v)
	return dst, false, err
}
