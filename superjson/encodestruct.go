package superjson

import (
	"reflect"
	"strconv"
)

func structEncoder(t reflect.Type) encodeFunc {
	plan := fieldsOf(t)
	if plan.problem != "" {
		return func(_ *Encoder, dst []byte, _ reflect.Value) ([]byte, error) {
			return dst, &EncodeError{Reason: plan.problem}
		}
	}
	inner := make([]encodeFunc, len(plan.list))
	for i, f := range plan.list {
		inner[i] = encoderOf(f.typ)
		if f.quote {
			inner[i] = encodeQuoted
		}
	}
	return func(e *Encoder, dst []byte, v reflect.Value) ([]byte, error) {
		if err := e.enter(); err != nil {
			return dst, err
		}
		dst = append(dst, '{')
		for i := range plan.list {
			var err error
			if dst, err = e.field(dst, &plan.list[i], v, inner[i]); err != nil {
				return dst, atKey(err, plan.list[i].name)
			}
		}
		e.leave()
		return append(dst, '}'), nil
	}
}

func (e *Encoder) field(dst []byte, f *field, parent reflect.Value, inner encodeFunc) ([]byte, error) {
	v, ok := fieldValue(parent, f.index)
	if !ok || f.isZero != nil && f.isZero(v) || f.omitEmpty && isEmpty(v) {
		return dst, nil
	}
	if e.mode != ModeSuperJSON {
		if f.absent && undefinedField(v) {
			return dst, nil
		}
	} else if forbiddenKey(f.name) {
		return e.guarded(dst, f.name, func(dst []byte) ([]byte, error) { return inner(e, dst, v) })
	}
	length, before := len(dst), mark{}
	if f.omitEmpty {
		before = e.mark()
	}
	if dst[length-1] != '{' {
		dst = append(dst, ',')
	}
	dst = append(dst, f.quoted...)
	start := len(dst)
	at := e.push(f.name)
	dst, err := inner(e, dst, v)
	if err != nil {
		return dst, err
	}
	e.pop(at)
	if f.omitEmpty {
		switch string(dst[start:]) {
		case "null", `""`, "{}", "[]":
			dst = dst[:length]
			e.unwrite(before, length)
		}
	}
	return dst, nil
}

// fieldValue is false when an embedded pointer on the way is nil.
func fieldValue(v reflect.Value, index []int) (reflect.Value, bool) {
	if len(index) == 1 {
		return v.Field(index[0]), true
	}
	for i, n := range index {
		if i > 0 && v.Kind() == reflect.Pointer {
			if v.IsNil() {
				return v, false
			}
			v = v.Elem()
		}
		v = v.Field(n)
	}
	return v, true
}

type zeroer interface{ IsZero() bool }

// zeroTest returns what the option omitzero asks of a t: its method IsZero if it or its pointer has one.
func zeroTest(t reflect.Type) func(v reflect.Value) bool {
	switch {
	case t.Kind() == reflect.Interface:
	case t.Implements(reflect.TypeFor[zeroer]()):
		return func(v reflect.Value) bool {
			return v.Kind() == reflect.Pointer && v.IsNil() || v.Interface().(zeroer).IsZero()
		}
	case reflect.PointerTo(t).Implements(reflect.TypeFor[zeroer]()):
		return func(v reflect.Value) bool {
			if !v.CanAddr() {
				copied := reflect.New(t).Elem()
				copied.Set(v)
				v = copied
			}
			return v.Addr().Interface().(zeroer).IsZero()
		}
	}
	return reflect.Value.IsZero
}

// isEmpty reports what is empty in JSON without writing it.
func isEmpty(v reflect.Value) bool {
	switch v.Kind() {
	case reflect.Map, reflect.Slice:
		return v.Len() == 0 && v.Type() != reflect.TypeFor[Value]()
	case reflect.Interface, reflect.Pointer:
		return v.IsNil()
	}
	return false
}

// encodeQuoted writes the number v, or what it points to, in a string, so that it may be of any size.
func encodeQuoted(_ *Encoder, dst []byte, v reflect.Value) ([]byte, error) {
	if v.Kind() == reflect.Pointer {
		if v.IsNil() {
			return append(dst, "null"...), nil
		}
		v = v.Elem()
	}
	dst = append(dst, '"')
	switch {
	case v.CanInt():
		dst = strconv.AppendInt(dst, v.Int(), 10)
	case v.CanUint():
		dst = strconv.AppendUint(dst, v.Uint(), 10)
	default:
		if special := specialNumber(v.Float()); special != "" && special != "-0" {
			return dst, &EncodeError{Reason: special + " has no JSON form"}
		}
		dst = appendFloat(dst, v.Float(), v.Type().Bits())
	}
	return append(dst, '"'), nil
}
