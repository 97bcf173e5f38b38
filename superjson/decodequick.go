package superjson

import (
	"reflect"
	"sync"
	"time"
	"unsafe"

	"github.com/kkrpc-go/kkrpc/internal/jsonform"
)

// quick reads data as JSON.stringify writes it, in a fifth of the decoder's time. The data has no references and no shared
// objects. For anything unusual, and for annotations other than those of Dates, the methods of quick report false. The
// decoder then reads the value again from its beginning and reports the error, if there is one. It overwrites or takes
// back the partial result of quick.
type quick struct {
	raw    []byte
	pos    int
	depth  int
	mode   Mode
	note   *node  // of the next value, and those inside it
	parts  *Parts // beside the text; nil: none
	meter  *Meter
	block  []byte          // in which short strings stand
	filled []reflect.Value // were zero, and must be so again for the decoder
}

// maxKeptFilled is the largest number of places for which a pooled quick keeps its memory.
const maxKeptFilled = 64

// quickFunc reads the next value into p, which is of its type. A decodeFunc may have to set it again.
type quickFunc func(q *quick, p variable) bool

var quickPool = sync.Pool{New: func() any { return new(quick) }}

// decodeQuick is Decode for values as they mostly are. False means that the decoder has to read raw.
func decodeQuick(mode Mode, raw []byte, meta *Meta, target reflect.Value, m *Meter) bool {
	q := quickPool.Get().(*quick)
	q.raw, q.mode, q.meter = raw, mode, m
	if meta != nil {
		q.note, q.parts = meta.root, meta.parts
	}
	spent, copied := 0, 0
	if m != nil {
		spent, copied = m.Spent, m.copied
	}
	ok := quickOf(target.Type())(q, variableOf(target)) && q.peek() == 0 && q.pos == len(raw)
	if !ok {
		for _, v := range q.filled {
			v.SetZero()
		}
		if m != nil && m.err == nil {
			m.Spent, m.copied = spent, copied // the decoder counts again
		}
	}
	clear(q.filled)
	if cap(q.filled) > maxKeptFilled {
		q.filled = nil
	}
	*q = quick{filled: q.filled[:0]}
	quickPool.Put(q)
	return ok
}

var quicks byType[quickFunc]

func quickOf(t reflect.Type) quickFunc {
	return quicks.of(t, makeQuick, func(made func() quickFunc) quickFunc {
		return func(q *quick, p variable) bool { return made()(q, p) }
	})
}

func makeQuick(t reflect.Type) quickFunc {
	switch {
	case t == reflect.TypeFor[time.Time]():
		return quickDate
	case ownDecoder(t) != nil, jsonform.IsRaw(t), jsonform.IsNumber(t), typedArrayName(t) != "":
		return quickOther(t, decoderOf(t))
	case jsonform.Reads(t):
		return quickAdding(t, decoderOf(t))
	}
	switch t.Kind() {
	case reflect.Interface:
		if t.NumMethod() == 0 {
			return quickInterface
		}
	case reflect.Bool:
		return quickBool
	case reflect.String:
		return quickString
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		return quickInt(t.Size())
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64, reflect.Uintptr:
		return quickUint(t.Size())
	case reflect.Float32:
		return quickFloat32
	case reflect.Float64:
		return quickFloat64
	case reflect.Pointer:
		return quickPointer(t)
	case reflect.Struct:
		return quickStruct(t)
	case reflect.Map:
		if t.Key().Kind() == reflect.String && !jsonform.Reads(t.Key()) {
			return quickMap(t)
		}
	case reflect.Slice:
		if t.Elem().Kind() != reflect.Uint8 {
			return quickSlice(t)
		}
	case reflect.Array:
		return quickAdding(t, decoderOf(t)) // of anything
	}
	return quickOther(t, decoderOf(t))
}

// quickOther leaves a value to its decoder.
func quickOther(t reflect.Type, decode decodeFunc) quickFunc {
	return func(q *quick, p variable) bool {
		q.peek()
		start := q.pos
		if !q.skip() {
			return false
		}
		d := startDecoder(q.raw[start:q.pos])
		d.mode, d.depth, d.meter, d.parts = q.mode, int32(q.depth), q.meter, q.parts
		err := decode(d, p.value(t), q.note)
		d.end()
		return err == nil
	}
}

// quickAdding is quickOther for a type whose own methods may add to the existing value. Such a value must not be
// decoded into the result of a first attempt.
func quickAdding(t reflect.Type, decode decodeFunc) quickFunc {
	once := quickOther(t, decode)
	return func(q *quick, p variable) bool {
		v := p.value(t)
		return v.IsZero() && q.fill(v) && once(q, p)
	}
}

// container returns the annotations of the values inside of the next object or array. It reports false if the object or array has
// one of its own, such as that of a Map or Set.
func (q *quick) container() (inside *node, ok bool) {
	return q.note, q.note == nil || q.note.typ == ""
}

// forgetFilled forgets that places got a value, from number n on. The decoder does not read into them: it makes lists and
// maps anew.
func (q *quick) forgetFilled(n int) {
	clear(q.filled[n:])
	q.filled = q.filled[:n]
}

// fill notes that v, which is zero, gets a value.
func (q *quick) fill(v reflect.Value) bool {
	before := cap(q.filled)
	q.filled = append(q.filled, v)
	return q.meter.spendGrowth(before, cap(q.filled), unsafe.Sizeof(v))
}

// quickDate reads a Date, which has the form of a text, with an annotation or without.
func quickDate(q *quick, p variable) bool {
	if q.note != nil && (q.note.typ != "Date" || q.note.first != nil) {
		return false
	}
	body, plain, ok := q.text()
	if !ok || !plain || !q.meter.spend(len(body)) {
		return false
	}
	t, ok := parseDate(string(body))
	if ok {
		*as[time.Time](p) = t
	}
	return ok
}

func quickBool(q *quick, p variable) bool {
	is := q.peek() == 't'
	if q.note != nil || !is && !q.word("false") || is && !q.word("true") {
		return false
	}
	*as[bool](p) = is
	return true
}

func quickString(q *quick, p variable) bool {
	s, ok := q.string()
	if ok = ok && q.note == nil && !q.parts.marks(s); ok {
		*as[string](p) = s
	}
	return ok
}

// quickInt reads integers of size bytes.
func quickInt(size uintptr) quickFunc {
	unused := 64 - 8*size // bits
	return func(q *quick, p variable) bool {
		n, ok := q.integer()
		if !ok || q.note != nil || n<<unused>>unused != n {
			return false
		}
		p.setInteger(size, n)
		return true
	}
}

// quickUint reads unsigned integers of size bytes.
func quickUint(size uintptr) quickFunc {
	unused := 64 - 8*size
	return func(q *quick, p variable) bool {
		n, ok := q.integer()
		if !ok || q.note != nil || n < 0 || uint64(n)<<unused>>unused != uint64(n) {
			return false
		}
		p.setInteger(size, n)
		return true
	}
}

func quickFloat32(q *quick, p variable) bool {
	f, ok := q.float(32)
	if ok = ok && q.note == nil; ok {
		*as[float32](p) = float32(f)
	}
	return ok
}

func quickFloat64(q *quick, p variable) bool {
	f, ok := q.float(64)
	if ok = ok && q.note == nil; ok {
		*as[float64](p) = f
	}
	return ok
}

func quickPointer(t reflect.Type) quickFunc {
	inner, cost := quickOf(t.Elem()), pointerCost+int(t.Elem().Size())
	return func(q *quick, p variable) bool {
		if q.null() {
			p.value(t).SetZero()
			return true
		}
		if q.depth == maxQuickDepth || q.note.kind() == "undefined" { // a pointer type may point to itself
			return false
		}
		to := p.target()
		if to.at == nil {
			if !q.meter.spend(cost) {
				return false
			}
			to = p.point(t.Elem())
		}
		q.depth++
		ok := inner(q, to)
		q.depth--
		return ok
	}
}
