package superjson

import (
	"bytes"
	"encoding"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"unsafe"

	"github.com/kkrpc-go/kkrpc/internal/jsonform"
)

// list writes an array of n items.
func (e *Encoder) list(dst []byte, n int, item func(dst []byte, i int) ([]byte, error)) ([]byte, error) {
	if err := e.enter(); err != nil {
		return dst, err
	}
	dst = append(dst, '[')
	for i := range n {
		if i > 0 {
			dst = append(dst, ',')
		}
		e.pushIndex(i)
		var err error
		if dst, err = item(dst, i); err != nil {
			return dst, atIndex(err, i)
		}
		e.pop()
	}
	e.leave()
	return append(dst, ']'), nil
}

func (e *Encoder) anySlice(dst []byte, list []any) ([]byte, error) {
	write := func(dst []byte) ([]byte, error) {
		return e.list(dst, len(list), func(dst []byte, i int) ([]byte, error) { return e.value(dst, list[i]) })
	}
	if len(list) == 0 {
		return write(dst)
	}
	return e.object(dst, objectKey{reflect.TypeFor[[]any](), unsafe.Pointer(&list[0]), len(list)}, write)
}

// member writes "key":value with a comma before it where needed. The JSON modes leave undefined members out.
func (e *Encoder) member(dst []byte, key string, v any) ([]byte, error) {
	if e.mode != ModeSuperJSON {
		if isUndefined(v) {
			return dst, nil
		}
	} else if forbiddenKey(key) {
		return e.guarded(dst, key, func(dst []byte) ([]byte, error) { return e.value(dst, v) })
	}
	dst = appendName(dst, key)
	e.push(key)
	dst, err := e.value(dst, v)
	e.pop()
	return dst, err
}

// appendName writes "key": with a comma before it where needed.
func appendName(dst []byte, key string) []byte {
	if dst[len(dst)-1] != '{' {
		dst = append(dst, ',')
	}
	return append(appendString(dst, key), ':')
}

func isUndefined(v any) bool {
	switch v := v.(type) {
	case UndefinedType:
		return true
	case Value:
		return v.JSON == nil
	}
	return false
}

// guarded writes a member named constructor or prototype. The library refuses to write one, but reads it if no path of the
// metadata leads into it. So nothing inside may be annotated, and shared objects inside are written as copies. A member named
// __proto__ is an error: superjson.deserialize leaves it out.
func (e *Encoder) guarded(dst []byte, key string, write func(dst []byte) ([]byte, error)) ([]byte, error) {
	if key == "__proto__" {
		return dst, &EncodeError{Reason: "superjson refuses the member name " + key}
	}
	before := e.mark()
	e.unshared++
	dst, err := write(appendName(dst, key))
	e.unshared--
	if err == nil && len(e.notes) > before.notes {
		err = &EncodeError{Reason: "superjson refuses a value of type " + e.notes[before.notes].typ + " inside of the member name " + key}
	} else if err == nil && len(e.kept) > before.kept {
		err = &EncodeError{Reason: "superjson refuses shared objects inside of the member name " + key}
	}
	return dst, err
}

func (e *Encoder) anyMap(dst []byte, m map[string]any) ([]byte, error) {
	write := func(dst []byte) ([]byte, error) { return e.anyMembers(dst, m) }
	if m == nil {
		return write(dst)
	}
	return e.object(dst, objectKey{typ: reflect.TypeFor[map[string]any](), ptr: reflect.ValueOf(m).UnsafePointer()}, write)
}

func (e *Encoder) anyMembers(dst []byte, m map[string]any) ([]byte, error) {
	if err := e.enter(); err != nil {
		return dst, err
	}
	dst = append(dst, '{')
	var buf [16]string
	keys := buf[:0]
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	for _, k := range keys {
		var err error
		if dst, err = e.member(dst, k, m[k]); err != nil {
			return dst, atKey(err, k)
		}
	}
	e.leave()
	return append(dst, '}'), nil
}

func (e *Encoder) orderedMap(dst []byte, m *Map) ([]byte, error) {
	if e.mode != ModeSuperJSON {
		return dst, &EncodeError{Reason: "a Map has no JSON form"}
	}
	e.note("map", "")
	return e.list(dst, len(m.entries), func(dst []byte, i int) ([]byte, error) {
		pair := [...]any{m.entries[i].Key, m.entries[i].Value}
		return e.list(dst, len(pair), func(dst []byte, i int) ([]byte, error) { return e.value(dst, pair[i]) })
	})
}

func (e *Encoder) set(dst []byte, s *Set) ([]byte, error) {
	if e.mode != ModeSuperJSON {
		return dst, &EncodeError{Reason: "a Set has no JSON form"}
	}
	e.note("set", "")
	return e.list(dst, len(s.values), func(dst []byte, i int) ([]byte, error) { return e.value(dst, s.values[i]) })
}

// listEncoder writes slices and arrays of any element type.
func listEncoder(t reflect.Type) encodeFunc {
	elem := t.Elem()
	if elem.Kind() == reflect.Uint8 && !jsonform.Writes(elem) && !jsonform.Implements(elem, errorType) {
		array := t.Kind() == reflect.Array
		return reflected(t, func(e *Encoder, dst []byte, v reflect.Value) ([]byte, error) {
			b := v.Bytes()
			if array && e.beside() {
				b = bytes.Clone(b) // the array may be in a variable of copies
			}
			return e.bytes(dst, b)
		})
	}
	identified := t.Kind() == reflect.Slice && elem.Kind() == reflect.Interface
	inner, size := encoderOf(elem), elem.Size()
	if t.Kind() == reflect.Array {
		n := t.Len()
		return func(e *Encoder, dst []byte, p variable) ([]byte, error) { return e.items(dst, p.array(n, size), inner) }
	}
	return func(e *Encoder, dst []byte, p variable) ([]byte, error) {
		list := p.items(size)
		if !identified || list.n == 0 {
			return e.items(dst, list, inner)
		}
		return e.object(dst, objectKey{t, list.first, list.n}, func(dst []byte) ([]byte, error) { return e.items(dst, list, inner) })
	}
}

// items writes an array of elements that inner writes.
func (e *Encoder) items(dst []byte, list items, inner encodeFunc) ([]byte, error) {
	if err := e.enter(); err != nil {
		return dst, err
	}
	dst = append(dst, '[')
	for i := range list.n {
		if i > 0 {
			dst = append(dst, ',')
		}
		e.pushIndex(i)
		var err error
		if dst, err = inner(e, dst, list.item(i)); err != nil {
			return dst, atIndex(err, i)
		}
		e.pop()
	}
	e.leave()
	return append(dst, ']'), nil
}

type member struct {
	name  string
	value variable
}

// mapEncoder writes a Go map as an object, its keys sorted.
func mapEncoder(t reflect.Type) encodeFunc {
	name := keyName(t.Key())
	if name == nil {
		return func(_ *Encoder, dst []byte, _ variable) ([]byte, error) {
			return dst, &EncodeError{Reason: "map keys of type " + t.Key().String() + " (use *Map)"}
		}
	}
	inner, undefined := encoderOf(t.Elem()), undefinedTest(t.Elem())
	return reflected(t, func(e *Encoder, dst []byte, v reflect.Value) ([]byte, error) {
		write := func(dst []byte) ([]byte, error) { return e.typedMembers(dst, v, name, inner, undefined) }
		if v.IsNil() {
			return write(dst)
		}
		return e.object(dst, objectKey{typ: t, ptr: v.UnsafePointer()}, write)
	})
}

func (e *Encoder) typedMembers(dst []byte, v reflect.Value, name func(reflect.Value) (string, error), inner encodeFunc, undefined func(variable) bool) ([]byte, error) {
	if err := e.enter(); err != nil {
		return dst, err
	}
	members := make([]member, v.Len())
	sorted := make([]*member, 0, len(members)) // as in sortByPath
	values := reflect.MakeSlice(reflect.SliceOf(v.Type().Elem()), v.Len(), v.Len())
	key := reflect.New(v.Type().Key()).Elem()
	for entry := v.MapRange(); entry.Next(); {
		key.SetIterKey(entry)
		s, err := name(key)
		if err != nil {
			return dst, &EncodeError{Reason: err.Error()}
		}
		n := len(sorted)
		value := values.Index(n)
		value.SetIterValue(entry)
		members[n] = member{s, variableOf(value)}
		sorted = append(sorted, &members[n])
	}
	slices.SortFunc(sorted, func(a, b *member) int { return strings.Compare(a.name, b.name) })
	dst = append(dst, '{')
	for _, m := range sorted {
		var err error
		if dst, err = e.typedMember(dst, m, inner, undefined); err != nil {
			return dst, atKey(err, m.name)
		}
	}
	e.leave()
	return append(dst, '}'), nil
}

func (e *Encoder) typedMember(dst []byte, m *member, inner encodeFunc, undefined func(variable) bool) ([]byte, error) {
	if e.mode == ModeSuperJSON {
		if forbiddenKey(m.name) {
			return e.guarded(dst, m.name, func(dst []byte) ([]byte, error) { return inner(e, dst, m.value) })
		}
	} else if undefined != nil && undefined(m.value) {
		return dst, nil
	}
	dst = appendName(dst, m.name)
	e.push(m.name)
	dst, err := inner(e, dst, m.value)
	e.pop()
	return dst, err
}

// undefinedTest returns what tells that JSON.stringify would leave a t out of an object; nil: nothing does.
func undefinedTest(t reflect.Type) func(variable) bool {
	switch {
	case t == reflect.TypeFor[UndefinedType]():
		return func(variable) bool { return true }
	case t == reflect.TypeFor[Value]():
		return func(p variable) bool { return as[Value](p).JSON == nil }
	case t == reflect.TypeFor[any]():
		return func(p variable) bool { return isUndefined(*as[any](p)) }
	case t.Kind() == reflect.Interface:
		return func(p variable) bool { return isUndefined(p.value(t).Interface()) }
	}
	return nil
}

// keyName returns how the keys of a map are named, nil when they cannot be.
func keyName(t reflect.Type) func(reflect.Value) (string, error) {
	if t.Implements(textMarshalerType) {
		return func(v reflect.Value) (string, error) {
			text, err := v.Interface().(encoding.TextMarshaler).MarshalText()
			return string(text), err
		}
	}
	switch t.Kind() {
	case reflect.String:
		return func(v reflect.Value) (string, error) { return v.String(), nil }
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		return func(v reflect.Value) (string, error) { return strconv.FormatInt(v.Int(), 10), nil }
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64, reflect.Uintptr:
		return func(v reflect.Value) (string, error) { return strconv.FormatUint(v.Uint(), 10), nil }
	}
	return nil
}
