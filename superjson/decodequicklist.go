package superjson

import (
	"reflect"
	"strings"
	"unsafe"
)

// quickStruct expects the members in the order of the fields, and finds them in any.
func quickStruct(t reflect.Type) quickFunc {
	plan := fieldsOf(t)
	if plan.problem != "" {
		return quickOther(decoderOf(t))
	}
	inner := make([]quickFunc, len(plan.list))
	for i, f := range plan.list {
		if inner[i] = quickOf(f.typ); f.quote {
			inner[i] = quickOther(decodeQuoted)
		}
	}
	return func(q *quick, v reflect.Value) bool {
		var exact, folded uint64 // fields that came by their name, and by one in another case
		more, ok := q.open('{')
		for i := 0; more && ok; i++ {
			folds := false
			if i >= len(plan.list) || q.peek() != '"' || !q.word(plan.list[i].quoted) {
				f, named := q.field(plan, &folds)
				if !named {
					return false
				}
				if f == nil || folds && exact>>uint(f.order)&1 == 1 {
					if !q.skip() {
						return false
					}
					more, ok = q.next('{')
					continue
				}
				i = f.order
			}
			f := &plan.list[i]
			at, err := settableField(v, f.index, q.meter)
			if err != nil {
				return false
			}
			switch bit := uint64(1) << uint(i); {
			case !folds && folded&bit == 0:
				exact |= bit
			case !folds, bit == 0:
				return false // an exact name replaces what another has set
			case folded&bit != 0 && !f.adds: // the last one counts
			case !at.IsZero(), folded&bit == 0 && !q.fill(at):
				return false
			default:
				folded |= bit
			}
			if !inner[i](q, at) {
				return false
			}
			more, ok = q.next('{')
		}
		return ok
	}
}

// field reads a name and returns the field that it means, nil for none. folds reports another case.
func (q *quick) field(plan *fields, folds *bool) (f *field, ok bool) {
	body, plain, ok := q.text()
	if !ok || !plain || q.peek() != ':' {
		return nil, false
	}
	q.pos++
	if f = plan.exact[string(body)]; f == nil {
		f, *folds = plan.folded[strings.ToLower(string(body))], true
	}
	return f, true
}

func quickSlice(t reflect.Type) quickFunc {
	switch t {
	case reflect.TypeFor[[]string]():
		return quickList((*quick).string)
	case reflect.TypeFor[[]float64]():
		return quickList(func(q *quick) (float64, bool) { return q.float(64) })
	case reflect.TypeFor[[]any]():
		return quickList((*quick).any)
	}
	inner := quickOf(t.Elem())
	return func(q *quick, v reflect.Value) bool {
		if q.null() {
			v.SetZero()
			return true
		}
		out := reflect.New(t).Elem()
		out.Set(reflect.MakeSlice(t, 0, 0))
		more, ok := q.open('[')
		for i := 0; more && ok; i++ {
			if i == out.Cap() && !q.meter.grow(out) {
				return false
			}
			out.SetLen(i + 1)
			if !inner(q, out.Index(i)) {
				return false
			}
			more, ok = q.next('[')
		}
		if ok {
			v.Set(out)
		}
		return ok
	}
}

// quickList is quickSlice for a []T, whose elements read reads.
func quickList[T any](read func(*quick) (T, bool)) quickFunc {
	return func(q *quick, v reflect.Value) bool {
		into := v.Addr().Interface().(*[]T)
		if q.null() {
			*into = nil
			return true
		}
		list, ok := quickItems(q, read)
		if ok {
			*into = list
		}
		return ok
	}
}

func quickItems[T any](q *quick, read func(*quick) (T, bool)) ([]T, bool) {
	list := []T{}
	if !q.meter.spend(listCost) {
		return nil, false
	}
	more, ok := q.open('[')
	for more && ok {
		item, read := read(q)
		if !read {
			return nil, false
		}
		before := cap(list)
		list = append(list, item)
		if !q.meter.spendGrowth(before, cap(list), unsafe.Sizeof(item)) {
			return nil, false
		}
		more, ok = q.next('[')
	}
	return list, ok
}

func quickMap(t reflect.Type) quickFunc {
	if t == reflect.TypeFor[map[string]any]() {
		return func(q *quick, v reflect.Value) bool {
			into := v.Addr().Interface().(*map[string]any)
			if q.null() {
				*into = nil
				return true
			}
			m, ok := q.object()
			if ok {
				*into = m
			}
			return ok
		}
	}
	inner := quickOf(t.Elem())
	return func(q *quick, v reflect.Value) bool {
		if q.null() {
			v.SetZero()
			return true
		}
		out, size := reflect.MakeMap(t), memberSize(t)
		if !q.meter.spend(mapCost) {
			return false
		}
		key, value := reflect.New(t.Key()).Elem(), reflect.New(t.Elem()).Elem()
		more, ok := q.open('{')
		for more && ok {
			name, read := q.memberName()
			if !read {
				return false
			}
			if !q.meter.spendMember(out.Len(), size) {
				return false
			}
			key.SetString(name)
			value.SetZero()
			if !inner(q, value) {
				return false
			}
			out.SetMapIndex(key, value)
			more, ok = q.next('{')
		}
		if ok {
			v.Set(out)
		}
		return ok
	}
}

// memberName reads the name of a member, and the colon behind it.
func (q *quick) memberName() (string, bool) {
	name, ok := q.string()
	if !ok || q.peek() != ':' {
		return "", false
	}
	q.pos++
	return name, true
}

func quickInterface(q *quick, v reflect.Value) bool {
	value, ok := q.any()
	switch {
	case !ok:
	case value == nil:
		v.SetZero()
	default:
		v.Set(reflect.ValueOf(value))
	}
	return ok
}

// any reads a value as decoder.plain does.
func (q *quick) any() (any, bool) {
	switch q.peek() {
	case '{':
		m, ok := q.object()
		if ok && q.mode == ModeTaggedJSON {
			if b, is := taggedBytes(m); is {
				return b, true
			}
		}
		return m, ok
	case '[':
		return boxed(quickItems(q, (*quick).any))
	case '"':
		if !q.meter.spend(stringCost) {
			return nil, false
		}
		return boxed(q.string())
	case 't':
		return true, q.word("true")
	case 'f':
		return false, q.word("false")
	case 'n':
		return nil, q.word("null")
	}
	return boxedNumber(q)
}

func boxedNumber(q *quick) (any, bool) {
	if !q.meter.spend(numberCost) {
		return nil, false
	}
	return boxed(q.float(64))
}

func boxed[T any](v T, ok bool) (any, bool) { return v, ok }

func (q *quick) object() (map[string]any, bool) {
	m := map[string]any{}
	if !q.meter.spend(mapCost) {
		return nil, false
	}
	more, ok := q.open('{')
	for more && ok {
		name, read := q.memberName()
		if !read || !q.meter.spendMember(len(m), anyMember) {
			return nil, false
		}
		if m[name], read = q.any(); !read {
			return nil, false
		}
		more, ok = q.next('{')
	}
	return m, ok
}
