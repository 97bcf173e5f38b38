package superjson

import (
	"bytes"
	"reflect"
	"sync"
	"unsafe"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/kkrpc-go/kkrpc/internal/jsonform"
)

// quick reads plain data as JSON.stringify writes it, in a quarter of the decoder's time. Plain data has no annotations
// and no references. For anything unusual the methods of quick report false. The decoder then reads the value again
// from its beginning and reports the error, if there is one. It overwrites or takes back the partial result of quick.
type quick struct {
	raw    []byte
	pos    int
	depth  int
	mode   Mode
	meter  *Meter
	filled []reflect.Value // were zero, and must be so again for the decoder
}

// maxKeptFilled is the largest number of places for which a pooled quick keeps its memory.
const maxKeptFilled = 64

// quickFunc reads the next value into v. A decodeFunc may have to set v again.
type quickFunc func(q *quick, v reflect.Value) bool

var quickPool = sync.Pool{New: func() any { return new(quick) }}

// decodeQuick is Decode for values as they mostly are. False means that the decoder has to read raw.
func decodeQuick(mode Mode, raw []byte, target reflect.Value, m *Meter) bool {
	q := quickPool.Get().(*quick)
	q.raw, q.mode, q.meter = raw, mode, m
	spent := 0
	if m != nil {
		spent = m.Spent
	}
	ok := quickOf(target.Type())(q, target) && q.peek() == 0 && q.pos == len(raw)
	if !ok {
		for _, v := range q.filled {
			v.SetZero()
		}
		if m != nil && m.err == nil {
			m.Spent = spent // the decoder counts again
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
		return func(q *quick, v reflect.Value) bool { return made()(q, v) }
	})
}

func makeQuick(t reflect.Type) quickFunc {
	switch {
	case ownDecoder(t) != nil, jsonform.IsRaw(t), jsonform.IsNumber(t), typedArrayName(t) != "":
		return quickOther(decoderOf(t))
	case jsonform.Reads(t):
		return quickAdding(decoderOf(t))
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
		return quickInt
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64, reflect.Uintptr:
		return quickUint
	case reflect.Float32, reflect.Float64:
		return quickFloat
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
		return quickAdding(decoderOf(t)) // of anything
	}
	return quickOther(decoderOf(t))
}

// quickOther leaves a value to its decoder.
func quickOther(decode decodeFunc) quickFunc {
	return func(q *quick, v reflect.Value) bool {
		q.peek()
		start := q.pos
		if !q.skip() {
			return false
		}
		d := startDecoder(q.raw[start:q.pos])
		d.mode, d.depth, d.meter = q.mode, int32(q.depth), q.meter
		err := decode(d, v, nil)
		d.end()
		return err == nil
	}
}

// quickAdding is quickOther for a type whose own methods may add to the existing value. Such a value must not be
// decoded into the result of a first attempt.
func quickAdding(decode decodeFunc) quickFunc {
	once := quickOther(decode)
	return func(q *quick, v reflect.Value) bool {
		return v.IsZero() && q.fill(v) && once(q, v)
	}
}

// fill notes that v, which is zero, gets a value.
func (q *quick) fill(v reflect.Value) bool {
	before := cap(q.filled)
	q.filled = append(q.filled, v)
	return q.meter.spendGrowth(before, cap(q.filled), unsafe.Sizeof(v))
}

// peek returns the first byte of what comes next, behind white space, or 0.
func (q *quick) peek() byte {
	for ; q.pos < len(q.raw); q.pos++ {
		if c := q.raw[q.pos]; c > ' ' || c != ' ' && c != '\n' && c != '\r' && c != '\t' {
			return c
		}
	}
	return 0
}

// word consumes a literal.
func (q *quick) word(text string) bool {
	if rest := q.raw[q.pos:]; len(rest) < len(text) || string(rest[:len(text)]) != text {
		return false
	}
	q.pos += len(text)
	return true
}

// null consumes null if it comes next.
func (q *quick) null() bool { return q.peek() == 'n' && q.word("null") }

// maxQuickDepth bounds the stack. The decoder handles deeper values and enforces the real limit.
const maxQuickDepth = 100

// open steps behind the bracket of an object or array; more says whether it has a first element.
func (q *quick) open(bracket byte) (more, ok bool) {
	if q.peek() != bracket || q.depth == maxQuickDepth {
		return false, false
	}
	q.pos++
	if q.peek() == bracket+2 { // its counterpart
		q.pos++
		return false, true
	}
	q.depth++
	return true, true
}

// next steps behind the comma before another element, or behind the bracket that closes.
func (q *quick) next(bracket byte) (more, ok bool) {
	switch q.peek() {
	case ',':
		q.pos++
		return true, true
	case bracket + 2:
		q.pos++
		q.depth--
		return false, true
	}
	return false, false
}

// skip passes over any value.
func (q *quick) skip() bool {
	c := q.peek()
	start := q.pos
	switch c {
	case '"':
		_, plain, ok := q.text()
		if !plain && ok {
			q.pos = start
			_, ok = q.string()
		}
		return ok
	case '{', '[':
		more, ok := q.open(c)
		for more && ok {
			if c == '{' {
				if _, named := q.memberName(); !named {
					return false
				}
			}
			if !q.skip() {
				return false
			}
			more, ok = q.next(c)
		}
		return ok
	case 't':
		return q.word("true")
	case 'f':
		return q.word("false")
	case 'n':
		return q.word("null")
	}
	number := q.number()
	return len(number) > 0 && isNumberText(number)
}

// text reads a string and returns the bytes between its quotes. plain reports that these bytes are UTF-8 without
// escapes. Otherwise text has checked nothing.
func (q *quick) text() (body []byte, plain, ok bool) {
	if q.peek() != '"' {
		return nil, false, false
	}
	rest := q.raw[q.pos+1:]
	end := bytes.IndexByte(rest, '"')
	if end < 0 {
		return nil, false, false
	}
	plain = isPlain(rest[:end])
	if !plain {
		for isEscaped(rest[:end]) {
			n := bytes.IndexByte(rest[end+1:], '"')
			if n < 0 {
				return nil, false, false
			}
			end += 1 + n
		}
	}
	q.pos += end + 2
	return rest[:end], plain, true
}

// isEscaped reports whether what follows before has a backslash before it that is not itself escaped.
func isEscaped(before []byte) bool {
	n := 0
	for n < len(before) && before[len(before)-1-n] == '\\' {
		n++
	}
	return n%2 == 1
}

// string reads a string.
func (q *quick) string() (string, bool) {
	body, plain, ok := q.text()
	if !ok || !q.meter.spend(len(body)) {
		return "", false
	}
	if plain {
		return string(body), true
	}
	text, err := jsontext.AppendUnquote(nil, q.raw[q.pos-len(body)-2:q.pos])
	return string(text), err == nil
}

// number returns the characters that a number may have.
func (q *quick) number() []byte {
	q.peek()
	start := q.pos
	for q.pos < len(q.raw) {
		if c := q.raw[q.pos]; c-'0' > 9 && c != '-' && c != '.' && c|0x20 != 'e' && c != '+' {
			break
		}
		q.pos++
	}
	return q.raw[start:q.pos]
}

func quickBool(q *quick, v reflect.Value) bool {
	is := q.peek() == 't'
	if !is && !q.word("false") || is && !q.word("true") {
		return false
	}
	v.SetBool(is)
	return true
}

func quickString(q *quick, v reflect.Value) bool {
	s, ok := q.string()
	if ok {
		v.SetString(s)
	}
	return ok
}

func quickInt(q *quick, v reflect.Value) bool {
	digits := q.number()
	if len(digits) == 0 {
		return false
	}
	n, ok := plainInt(digits)
	if !ok || v.OverflowInt(n) {
		return false
	}
	v.SetInt(n)
	return true
}

func quickUint(q *quick, v reflect.Value) bool {
	digits := q.number()
	if len(digits) == 0 {
		return false
	}
	n, ok := plainInt(digits)
	if !ok || n < 0 || v.OverflowUint(uint64(n)) {
		return false
	}
	v.SetUint(uint64(n))
	return true
}

func quickFloat(q *quick, v reflect.Value) bool {
	f, ok := q.float(v.Type().Bits())
	if ok {
		v.SetFloat(f)
	}
	return ok
}

func (q *quick) float(bits int) (float64, bool) {
	text := q.number()
	if len(text) == 0 {
		return 0, false
	}
	return plainFloat(text, bits)
}

func quickPointer(t reflect.Type) quickFunc {
	inner := quickOf(t.Elem())
	return func(q *quick, v reflect.Value) bool {
		if q.null() {
			v.SetZero()
			return true
		}
		if q.depth == maxQuickDepth { // a pointer type may point to itself
			return false
		}
		if v.IsNil() {
			if !q.meter.spend(pointerCost + int(t.Elem().Size())) {
				return false
			}
			v.Set(reflect.New(t.Elem()))
		}
		q.depth++
		ok := inner(q, v.Elem())
		q.depth--
		return ok
	}
}
