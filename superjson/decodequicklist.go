package superjson

import (
	"reflect"
	"strings"
	"sync"
	"unsafe"

	"github.com/kkrpc-go/kkrpc/internal/jsonform"
)

// quickField is a field of a struct that is read.
type quickField struct {
	*field
	hops   []hop
	offset uintptr
	read   quickFunc
}

// quickStruct expects the members in the order of the fields, and finds them in any.
func quickStruct(t reflect.Type) quickFunc {
	plan := fieldsOf(t)
	if plan.problem != "" {
		return quickOther(t, decoderOf(t))
	}
	list := make([]quickField, len(plan.list))
	for i := range plan.list {
		f := &plan.list[i]
		list[i] = quickField{field: f, read: quickOf(f.typ)}
		list[i].hops, list[i].offset = route(t, f.index)
		if f.quote {
			list[i].read = quickOther(f.typ, decodeQuoted)
		}
	}
	return func(q *quick, p variable) bool {
		notes, ok := q.container()
		if !ok {
			return false
		}
		var exact, folded uint64 // fields that came by their name, and by one in another case
		more, ok := q.open('{')
		for i := 0; more && ok; i++ {
			folds := false
			if i >= len(list) || q.peek() != '"' || !q.word(list[i].quoted) {
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
			f := &list[i]
			if notes != nil {
				// A member that JSON.stringify would have left out leaves the field as it is: the decoder knows.
				if q.note = notes.child(f.name); folds || q.note.kind() == "undefined" {
					return false
				}
			}
			at, reached := p, true
			if f.hops != nil {
				if at, reached = q.follow(p, f.hops); !reached {
					return false
				}
			}
			at = at.field(f.offset)
			switch bit := uint64(1) << uint(i); {
			case !folds && folded&bit == 0:
				exact |= bit
			case !folds, bit == 0:
				return false // an exact name replaces what another has set
			case folded&bit != 0 && !f.adds: // the last one counts
			case !at.value(f.typ).IsZero(), folded&bit == 0 && !q.fill(at.value(f.typ)):
				return false
			default:
				folded |= bit
			}
			if !f.read(q, at) {
				return false
			}
			more, ok = q.next('{')
		}
		q.note = notes
		if q.meter.requires() && (len(list) > 64 || plan.require.first&^(exact|folded) != 0) {
			return false // the decoder tells which one is missing
		}
		return ok
	}
}

// follow makes the embedded pointers on the way to a field.
func (q *quick) follow(p variable, hops []hop) (variable, bool) {
	for _, h := range hops {
		at := p.field(h.offset)
		if p = at.target(); p.at == nil {
			if h.sealed || !q.meter.spend(pointerCost+int(h.to.Size())) {
				return p, false
			}
			p = at.point(h.to)
		}
	}
	return p, true
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
	inner, size := quickOf(t.Elem()), t.Elem().Size()
	reuse := !methodsRead(t.Elem())
	drafts := sync.Pool{New: func() any { return reflect.New(t).Interface() }}
	return func(q *quick, p variable) bool {
		if q.null() {
			p.value(t).SetZero()
			return true
		}
		kept := drafts.Get()
		draft := reflect.ValueOf(kept).Elem()
		filled := len(q.filled)
		n, ok := q.elements(draft, size, inner)
		q.forgetFilled(filled) // the draft is another's from now on
		if ok {
			list := p.value(t)
			if n == 0 {
				list.Set(reflect.MakeSlice(t, 0, 0))
			} else {
				list.SetZero()
				list.Grow(n)
				list.SetLen(n)
				reflect.Copy(list, draft)
			}
		}
		if reuse && draft.Cap()*int(size) <= maxKeptDraft {
			draft.Clear()
			draft.SetLen(0)
			drafts.Put(kept)
		}
		return ok
	}
}

// methodsRead reports whether reading a t gives a method of the program the address of the t or of a part of it, which the
// method may keep.
func methodsRead(t reflect.Type) bool {
	return contains(t, func(t reflect.Type) (is, plain bool) { return jsonform.Reads(t), ownDecoder(t) != nil })
}

// maxKeptDraft is how many bytes a list may have for its memory to be kept for the next one.
const maxKeptDraft = 64 << 10

// elements reads a list into draft, a slice that is made as long as needed, and returns how many there are.
func (q *quick) elements(draft reflect.Value, size uintptr, inner quickFunc) (n int, ok bool) {
	notes, ok := q.container()
	if !ok {
		return 0, false
	}
	room, counted := draft.Cap(), 0
	draft.SetLen(room)
	list := variableOf(draft).items(size)
	more, ok := q.open('[')
	for ; more && ok; n++ {
		if n == counted && !q.meter.count(&counted, size) {
			return n, false
		}
		if n == room {
			draft.Grow(1)
			room = draft.Cap()
			draft.SetLen(room)
			list = variableOf(draft).items(size)
		}
		if notes != nil {
			q.note = notes.item(n)
		}
		if !inner(q, list.item(n)) {
			return n, false
		}
		more, ok = q.next('[')
	}
	q.note = notes
	draft.SetLen(n)
	return n, ok
}

// quickList is quickSlice for a []T, whose elements read reads.
func quickList[T any](read func(*quick) (T, bool)) quickFunc {
	return func(q *quick, p variable) bool {
		into := as[[]T](p)
		if q.null() {
			*into = nil
			return true
		}
		if q.note != nil {
			return false
		}
		list, ok := quickItems(q, read)
		if ok {
			*into = list
		}
		return ok
	}
}

func quickItems[T any](q *quick, read func(*quick) (T, bool)) ([]T, bool) {
	if !q.meter.spend(listCost) {
		return nil, false
	}
	var few [8]T // so that a short list is allocated once
	var list []T
	n, size := 0, unsafe.Sizeof(few[0])
	more, ok := q.open('[')
	for ; more && ok; n++ {
		item, read := read(q)
		before := cap(list)
		switch {
		case !read:
			return nil, false
		case n < len(few):
			few[n] = item
			read = q.meter.spend(int(size))
		case n == len(few):
			list = append(append(make([]T, 0, 2*len(few)), few[:]...), item)
			read = q.meter.spendGrowth(len(few), cap(list), size)
		default:
			list = append(list, item)
			read = q.meter.spendGrowth(before, cap(list), size)
		}
		if !read {
			return nil, false
		}
		more, ok = q.next('[')
	}
	if n <= len(few) {
		list = append(make([]T, 0, n), few[:n]...)
	}
	return list, ok
}

func quickMap(t reflect.Type) quickFunc {
	if t == reflect.TypeFor[map[string]any]() {
		return func(q *quick, p variable) bool {
			into := as[map[string]any](p)
			if q.null() {
				*into = nil
				return true
			}
			m, ok := q.object()
			if ok = ok && q.note == nil; ok {
				*into = m
			}
			return ok
		}
	}
	inner, reuse := quickOf(t.Elem()), !methodsRead(t.Elem())
	return func(q *quick, p variable) bool {
		if q.null() {
			p.value(t).SetZero()
			return true
		}
		notes, ok := q.container()
		out, size := reflect.MakeMap(t), memberSize(t)
		if !ok || !q.meter.spend(mapCost) {
			return false
		}
		key, value := reflect.New(t.Key()).Elem(), reflect.New(t.Elem()).Elem()
		filled := len(q.filled)
		more, ok := q.open('{')
		for more && ok {
			name, read := q.memberName()
			if !read {
				return false
			}
			if !q.meter.spendMember(out.Len(), size) {
				return false
			}
			if notes != nil {
				q.note = notes.child(name)
			}
			key.SetString(name)
			if reuse {
				value.SetZero()
			} else {
				value = reflect.New(t.Elem()).Elem()
			}
			if !inner(q, variableOf(value)) {
				return false
			}
			q.forgetFilled(filled)
			out.SetMapIndex(key, value)
			more, ok = q.next('{')
		}
		q.note = notes
		if ok {
			p.value(t).Set(out)
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

func quickInterface(q *quick, p variable) bool {
	value, ok := q.any()
	if ok = ok && q.note == nil; ok {
		*as[any](p) = value
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
		s, ok := q.string()
		return s, ok && !q.parts.marks(s)
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
