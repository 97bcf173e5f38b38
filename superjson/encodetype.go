package superjson

import (
	"encoding/base64"
	"errors"
	"math/big"
	"net/url"
	"reflect"
	"strconv"
	"time"

	"github.com/kkrpc-go/kkrpc/internal/jsonform"
)

// encodeFunc writes the value of p, which is of its type.
type encodeFunc func(e *Encoder, dst []byte, p variable) ([]byte, error)

var encoders byType[encodeFunc]

func encoderOf(t reflect.Type) encodeFunc {
	return encoders.of(t, makeEncoder, func(made func() encodeFunc) encodeFunc {
		return func(e *Encoder, dst []byte, p variable) ([]byte, error) { return made()(e, dst, p) }
	})
}

// own makes an encodeFunc of a method for exactly one type.
func own[T any](write func(e *Encoder, dst []byte, v T) ([]byte, error)) encodeFunc {
	return func(e *Encoder, dst []byte, p variable) ([]byte, error) { return write(e, dst, *as[T](p)) }
}

// reflected makes an encodeFunc for t of a function that needs reflection.
func reflected(t reflect.Type, write func(e *Encoder, dst []byte, v reflect.Value) ([]byte, error)) encodeFunc {
	return func(e *Encoder, dst []byte, p variable) ([]byte, error) { return write(e, dst, p.value(t)) }
}

// ownEncoder returns how the types with a form of their own are written.
func ownEncoder(t reflect.Type) encodeFunc {
	switch t {
	case reflect.TypeFor[time.Time]():
		return own((*Encoder).date)
	case reflect.TypeFor[Value]():
		return own((*Encoder).keptValue)
	case reflect.TypeFor[UndefinedType]():
		return own(func(e *Encoder, dst []byte, _ UndefinedType) ([]byte, error) { return e.undefined(dst), nil })
	case reflect.TypeFor[big.Int]():
		return own(func(e *Encoder, dst []byte, v big.Int) ([]byte, error) { return e.bigInt(dst, &v) })
	case reflect.TypeFor[url.URL]():
		return own(func(e *Encoder, dst []byte, v url.URL) ([]byte, error) { return e.url(dst, &v) })
	case reflect.TypeFor[RegExp]():
		return own((*Encoder).regExp)
	case reflect.TypeFor[Map]():
		return own(func(e *Encoder, dst []byte, v Map) ([]byte, error) { return e.orderedMap(dst, &v) })
	case reflect.TypeFor[Set]():
		return own(func(e *Encoder, dst []byte, v Set) ([]byte, error) { return e.set(dst, &v) })
	case reflect.TypeFor[map[string]any]():
		return own((*Encoder).anyMap)
	case reflect.TypeFor[[]any]():
		return own((*Encoder).anySlice)
	case reflect.TypeFor[[]string]():
		return own(func(e *Encoder, dst []byte, v []string) ([]byte, error) { return e.strings(dst, v), nil })
	case reflect.TypeFor[Error]():
		return own(func(e *Encoder, dst []byte, v Error) ([]byte, error) { return e.error(dst, v.Name, v.Message, v.Cause) })
	}
	return nil
}

var errorType = reflect.TypeFor[error]()

func makeEncoder(t reflect.Type) encodeFunc {
	if f := ownEncoder(t); f != nil {
		return f
	}
	if jsonform.IsRaw(t) {
		return func(e *Encoder, dst []byte, p variable) ([]byte, error) { return e.raw(dst, *as[[]byte](p)) }
	}
	if name := typedArrayName(t); name != "" {
		return typedArrayEncoder(t, name)
	}
	if jsonform.IsNumber(t) {
		return func(_ *Encoder, dst []byte, p variable) ([]byte, error) { return appendNumber(dst, *as[string](p)) }
	}
	switch t.Kind() {
	case reflect.Interface:
		if t.NumMethod() == 0 {
			return func(e *Encoder, dst []byte, p variable) ([]byte, error) { return e.value(dst, *as[any](p)) }
		}
		return reflected(t, func(e *Encoder, dst []byte, v reflect.Value) ([]byte, error) { return e.value(dst, v.Interface()) })
	case reflect.Pointer:
		if jsonform.Writes(t) {
			return referenceEncoder(t, pointerEncoder(t))
		}
		return pointerEncoder(t)
	}
	if p := jsonform.Embedded(t); p != nil {
		return heldEncoder(t, p, reflected(t, encodeMarshaler))
	}
	if jsonform.Writes(t) {
		return reflected(t, encodeMarshaler)
	}
	if jsonform.Implements(t, errorType) {
		return reflected(t, encodeError)
	}
	switch t.Kind() {
	case reflect.Bool:
		return func(_ *Encoder, dst []byte, p variable) ([]byte, error) {
			return strconv.AppendBool(dst, *as[bool](p)), nil
		}
	case reflect.String:
		return func(_ *Encoder, dst []byte, p variable) ([]byte, error) {
			return appendString(dst, *as[string](p)), nil
		}
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		size := t.Size()
		return func(_ *Encoder, dst []byte, p variable) ([]byte, error) { return appendInt(dst, p.integer(size)) }
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64, reflect.Uintptr:
		size := t.Size()
		unused := 64 - 8*size // bits, which integer fills with the highest one that there is
		return func(_ *Encoder, dst []byte, p variable) ([]byte, error) {
			return appendUint(dst, uint64(p.integer(size))<<unused>>unused)
		}
	case reflect.Float32:
		return func(e *Encoder, dst []byte, p variable) ([]byte, error) {
			return e.float(dst, float64(*as[float32](p)), 32)
		}
	case reflect.Float64:
		return func(e *Encoder, dst []byte, p variable) ([]byte, error) { return e.float(dst, *as[float64](p), 64) }
	case reflect.Struct:
		return structEncoder(t)
	case reflect.Map:
		return mapEncoder(t)
	case reflect.Slice, reflect.Array:
		return listEncoder(t)
	}
	return func(_ *Encoder, dst []byte, _ variable) ([]byte, error) {
		return dst, &EncodeError{Reason: "a " + t.Kind().String() + " cannot be sent"}
	}
}

// pointerEncoder writes what is pointed to. Pointers to what is an object in JavaScript have an identity.
func pointerEncoder(t reflect.Type) encodeFunc {
	elem := t.Elem()
	identified := elem.Kind() == reflect.Struct && elem.Size() > 0 && elem != reflect.TypeFor[Value]()
	if elem == reflect.TypeFor[big.Int]() {
		return own((*Encoder).bigInt)
	}
	inner := encoderOf(elem)
	return func(e *Encoder, dst []byte, p variable) ([]byte, error) {
		to := p.target()
		if to.at == nil {
			return append(dst, "null"...), nil
		}
		if !identified {
			if e.hops >= maxDepth {
				return dst, &EncodeError{Reason: "a pointer that leads to itself"}
			}
			e.hops++
			dst, err := inner(e, dst, to)
			e.hops--
			return dst, err
		}
		return e.object(dst, objectKey{typ: t, ptr: to.at}, func(dst []byte) ([]byte, error) { return inner(e, dst, to) })
	}
}

func encodeError(e *Encoder, dst []byte, v reflect.Value) ([]byte, error) {
	if !v.Type().Implements(errorType) {
		pointer := reflect.New(v.Type())
		pointer.Elem().Set(v)
		v = pointer
	}
	err := v.Interface().(error)
	var cause any
	if inner := errors.Unwrap(err); inner != nil {
		cause = inner
	}
	return e.error(dst, "Error", err.Error(), cause)
}

func (e *Encoder) error(dst []byte, name, message string, cause any) ([]byte, error) {
	if e.mode == ModeSuperJSON {
		e.note("Error", "")
	}
	if err := e.enter(); err != nil {
		return dst, err
	}
	dst = append(dst, `{"name":`...)
	dst = appendString(dst, name)
	dst = append(dst, `,"message":`...)
	dst = appendString(dst, message)
	if cause != nil && (e.mode == ModeSuperJSON || cause != Undefined) {
		e.push("cause")
		var err error
		if dst, err = e.value(append(dst, `,"cause":`...), cause); err != nil {
			return dst, atKey(err, "cause")
		}
		e.pop()
	}
	e.leave()
	return append(dst, '}'), nil
}

func (e *Encoder) bigInt(dst []byte, n *big.Int) ([]byte, error) {
	if n == nil {
		return append(dst, "null"...), nil
	}
	if e.mode != ModeSuperJSON {
		return dst, &EncodeError{Reason: "a bigint has no JSON form"}
	}
	e.note("bigint", "")
	dst = append(dst, '"')
	return append(n.Append(dst, 10), '"'), nil
}

func (e *Encoder) url(dst []byte, u *url.URL) ([]byte, error) {
	if e.mode == ModeSuperJSON {
		if !absoluteURL(u) {
			return dst, &EncodeError{Reason: "a JavaScript URL is absolute, not " + strconv.Quote(u.String())}
		}
		e.note("URL", "")
	}
	return appendString(dst, u.String()), nil
}

func (e *Encoder) regExp(dst []byte, r RegExp) ([]byte, error) {
	if e.mode != ModeSuperJSON {
		return append(dst, "{}"...), nil // as JSON.stringify
	}
	if _, ok := parseRegExp(r.String()); !ok {
		return dst, &EncodeError{Reason: r.String() + " is no regular expression"}
	}
	e.note("regexp", "")
	return appendString(dst, r.String()), nil
}

func typedArrayEncoder(t reflect.Type, name string) encodeFunc {
	if holdsBigInts(name) {
		return reflected(t, bigIntArrayEncoder(name))
	}
	float := t.Elem().Kind() == reflect.Float32 || t.Elem().Kind() == reflect.Float64
	signed := t.Elem().Kind() >= reflect.Int && t.Elem().Kind() <= reflect.Int64
	return reflected(t, func(e *Encoder, dst []byte, v reflect.Value) ([]byte, error) {
		if e.beside() {
			return e.part(dst, partFrom(v, name)), nil
		}
		if e.mode == ModeSuperJSON {
			e.note("typed-array", name)
		}
		dst = append(dst, '[')
		for i := range v.Len() {
			if i > 0 {
				dst = append(dst, ',')
			}
			switch item := v.Index(i); {
			case float:
				var err error
				if dst, err = e.typedArrayFloat(dst, item.Float()); err != nil {
					return dst, atIndex(err, i)
				}
			case signed:
				dst = strconv.AppendInt(dst, item.Int(), 10)
			default:
				dst = strconv.AppendUint(dst, item.Uint(), 10)
			}
		}
		return append(dst, ']'), nil
	})
}

func bigIntArrayEncoder(name string) func(e *Encoder, dst []byte, v reflect.Value) ([]byte, error) {
	return func(e *Encoder, dst []byte, v reflect.Value) ([]byte, error) {
		if e.beside() {
			return e.part(dst, partFrom(v, name)), nil
		}
		if e.mode != ModeSuperJSON {
			return dst, &EncodeError{Reason: "a " + name + " has no JSON form"}
		}
		e.note("typed-array", name)
		dst = append(dst, '[')
		for i := range v.Len() {
			if i > 0 {
				dst = append(dst, ',')
			}
			dst = append(dst, '"')
			if item := v.Index(i); item.CanInt() {
				dst = strconv.AppendInt(dst, item.Int(), 10)
			} else {
				dst = strconv.AppendUint(dst, item.Uint(), 10)
			}
			dst = append(dst, '"')
		}
		return append(dst, ']'), nil
	}
}

func appendBase64(dst []byte, b []byte) []byte {
	dst = append(dst, '"')
	dst = base64.StdEncoding.AppendEncode(dst, b)
	return append(dst, '"')
}
