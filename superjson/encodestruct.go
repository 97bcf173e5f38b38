package superjson

import (
	"reflect"
	"strconv"

	"github.com/kkrpc-go/kkrpc/internal/jsonform"
)

// writtenField is a field of a struct that is written.
type writtenField struct {
	*field
	hops      []hop
	offset    uintptr
	member    string // `,"name":`
	write     encodeFunc
	undefined func(variable) bool // tells that the JSON modes leave it out; nil: they never do
	scalar    reflect.Kind        // of the most usual fields, which structEncoder writes itself; Invalid: none
	plain     bool                // it is written whatever its value is, and under a name that every mode allows
}

func structEncoder(t reflect.Type) encodeFunc {
	plan := fieldsOf(t)
	if plan.problem != "" {
		return func(_ *Encoder, dst []byte, _ variable) ([]byte, error) {
			return dst, &EncodeError{Reason: plan.problem}
		}
	}
	list := make([]writtenField, len(plan.list))
	for i := range plan.list {
		list[i] = newWrittenField(t, &plan.list[i])
	}
	return func(e *Encoder, dst []byte, p variable) ([]byte, error) {
		if err := e.enter(); err != nil {
			return dst, err
		}
		dst = append(dst, '{')
		start := len(dst)
		for i := range list {
			f := &list[i]
			var err error
			if !f.plain {
				if dst, err = e.field(dst, f, p, len(dst) > start); err != nil {
					return dst, atKey(err, f.name)
				}
				continue
			}
			name := f.member
			if len(dst) == start {
				name = name[1:]
			}
			dst = append(dst, name...)
			at := p.field(f.offset)
			switch f.scalar {
			case reflect.String:
				dst = appendString(dst, *as[string](at))
			case reflect.Bool:
				dst = strconv.AppendBool(dst, *as[bool](at))
			case reflect.Int:
				dst, err = appendInt(dst, int64(*as[int](at)))
			default:
				e.push(f.name)
				dst, err = f.write(e, dst, at)
				e.pop()
			}
			if err != nil {
				return dst, atKey(err, f.name)
			}
		}
		e.leave()
		return append(dst, '}'), nil
	}
}

func newWrittenField(t reflect.Type, f *field) writtenField {
	w := writtenField{field: f, member: "," + f.quoted, write: encoderOf(f.typ), undefined: undefinedTest(f.typ)}
	w.hops, w.offset = route(t, f.index)
	if f.quote {
		w.write = reflected(f.typ, encodeQuoted)
	}
	w.plain = w.hops == nil && f.isZero == nil && !f.omitEmpty && w.undefined == nil && !forbiddenKey(f.name)
	switch f.typ.Kind() {
	case reflect.String, reflect.Bool, reflect.Int:
		if !f.quote && !jsonform.IsNumber(f.typ) && !jsonform.Writes(f.typ) && !jsonform.Implements(f.typ, errorType) {
			w.scalar = f.typ.Kind()
		}
	}
	return w
}

// field writes a field of the struct p that may have to be left out. comma: members stand before it.
func (e *Encoder) field(dst []byte, f *writtenField, p variable, comma bool) ([]byte, error) {
	for _, h := range f.hops {
		if p = p.field(h.offset).target(); p.at == nil { // an embedded pointer
			return dst, nil
		}
	}
	at := p.field(f.offset)
	if f.isZero != nil && f.isZero(at.value(f.typ)) || f.omitEmpty && isEmpty(at.value(f.typ)) {
		return dst, nil
	}
	if e.mode != ModeSuperJSON {
		if f.undefined != nil && f.undefined(at) {
			return dst, nil
		}
	} else if forbiddenKey(f.name) {
		return e.guarded(dst, f.name, func(dst []byte) ([]byte, error) { return f.write(e, dst, at) })
	}
	length, before := len(dst), mark{}
	if f.omitEmpty {
		before = e.mark()
	}
	name := f.member
	if !comma {
		name = name[1:]
	}
	dst = append(dst, name...)
	start := len(dst)
	e.push(f.name)
	dst, err := f.write(e, dst, at)
	e.pop()
	if err != nil {
		return dst, err
	}
	if f.omitEmpty {
		switch string(dst[start:]) {
		case "null", `""`, "{}", "[]":
			dst = dst[:length]
			e.unwrite(before, length)
		}
	}
	return dst, nil
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
