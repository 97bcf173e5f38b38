package superjson

import (
	"bytes"
	"math"
	"strconv"
	"unsafe"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/kkrpc-go/kkrpc/internal/verbatim"
)

// peek returns the first byte of what comes next, behind white space, or 0.
func (q *quick) peek() byte {
	if q.pos < len(q.raw) {
		if c := q.raw[q.pos]; c > ' ' {
			return c
		}
	}
	return q.skipSpace()
}

func (q *quick) skipSpace() byte {
	for ; q.pos < len(q.raw); q.pos++ {
		if c := q.raw[q.pos]; c != ' ' && c != '\n' && c != '\r' && c != '\t' {
			return c
		}
	}
	return 0
}

// word consumes a literal.
func (q *quick) word(text string) bool {
	rest := q.raw[q.pos:]
	if len(rest) < len(text) || string(rest[:len(text)]) != text {
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
	end, plain := verbatim.Prefix(rest)
	if end == len(rest) {
		return nil, false, false
	}
	if rest[end] != '"' {
		plain = false
		for {
			n := bytes.IndexByte(rest[end:], '"')
			if n < 0 {
				return nil, false, false
			}
			if end += n; !isEscaped(rest[:end]) {
				break
			}
			end++
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
		return q.keep(body), true
	}
	text, err := jsontext.AppendUnquote(nil, q.raw[q.pos-len(body)-2:q.pos])
	return string(text), err == nil
}

const (
	blockSize = 256 // bytes, in which short strings stand together
	maxShared = 64  // bytes of a short string
)

// keep returns a string of the bytes of body. Short strings of one value share blocks of memory: allocating each takes
// longer than reading it. A program that keeps one of them keeps its block.
func (q *quick) keep(body []byte) string {
	if len(body) > maxShared {
		return string(body)
	}
	if len(body) > cap(q.block)-len(q.block) {
		if len(body) == 0 {
			return ""
		}
		q.block = make([]byte, 0, min(blockSize, len(body)+len(q.raw)-q.pos))
	}
	start := len(q.block)
	q.block = append(q.block, body...)
	// No byte of a block is written twice.
	return unsafe.String(unsafe.SliceData(q.block[start:]), len(body))
}

// number returns the characters that a number may have.
func (q *quick) number() []byte {
	q.peek()
	start := q.pos
	for q.pos < len(q.raw) && inNumber(q.raw[q.pos]) {
		q.pos++
	}
	return q.raw[start:q.pos]
}

func inNumber(c byte) bool { return c-'0' <= 9 || c == '-' || c == '.' || c|0x20 == 'e' || c == '+' }

// digits reads decimal digits from i on into n. It is wrong about more than 19 of them.
func (q *quick) digits(i int, n uint64) (uint64, int) {
	for i < len(q.raw) && q.raw[i]-'0' <= 9 {
		n = n*10 + uint64(q.raw[i]-'0')
		i++
	}
	return n, i
}

// maxQuickDigits is how many digits every number has that a float64 holds exactly and that has no digit more.
const maxQuickDigits = 15

// integer reads an integer without fraction and exponent that a JavaScript number holds exactly.
func (q *quick) integer() (int64, bool) {
	c := q.peek()
	start := q.pos
	if c == '-' {
		start++
	}
	n, end := q.digits(start, 0)
	if end == start || end-start > maxQuickDigits || q.raw[start] == '0' && end-start > 1 || end < len(q.raw) && inNumber(q.raw[end]) {
		text := q.number()
		if len(text) == 0 {
			return 0, false
		}
		return plainInt(text)
	}
	q.pos = end
	if c == '-' {
		return -int64(n), true
	}
	return int64(n), true
}

// float reads a number as the nearest one of so many bits.
func (q *quick) float(bits int) (float64, bool) {
	if bits == 64 {
		if f, ok := q.decimal(); ok {
			return f, true
		}
	}
	text := q.number()
	if len(text) == 0 {
		return 0, false
	}
	return plainFloat(text, bits)
}

// decimal reads a number of few digits without an exponent. The digits and the power of ten are exact, so their quotient
// is the nearest number. False means that nothing was read.
func (q *quick) decimal() (float64, bool) {
	c := q.peek()
	start := q.pos
	if c == '-' {
		start++
	}
	n, end := q.digits(start, 0)
	if end == start || q.raw[start] == '0' && end-start > 1 {
		return 0, false
	}
	places := 0
	if end < len(q.raw) && q.raw[end] == '.' {
		point := end
		n, end = q.digits(end+1, n)
		if places = end - point - 1; places == 0 {
			return 0, false
		}
	}
	if end-start > maxQuickDigits || end < len(q.raw) && inNumber(q.raw[end]) {
		return 0, false
	}
	q.pos = end
	f := float64(n)
	if places > 0 {
		f /= tens[places]
	}
	if c == '-' {
		f = math.Copysign(f, -1)
	}
	return f, true
}

// tens are the powers of ten by which decimal divides.
var tens = func() (all [maxQuickDigits + 1]float64) {
	for i := range all {
		all[i], _ = strconv.ParseFloat("1e"+strconv.Itoa(i), 64)
	}
	return all
}()
