package superjson

import (
	"bytes"
	"math"
	"reflect"
	"strconv"
	"sync"

	"github.com/go-json-experiment/json/jsontext"
)

// Decode decodes one JSON value into the pointer v. meta is the metadata of the value, or nil. Nothing in the result
// aliases raw. Strings of up to 64 bytes share blocks of up to 256 bytes with others of the same value, so a program that
// keeps few of them for long may want strings.Clone.
//
// The Go type directs the decoding. time.Time, *big.Int, []byte, floats, Map, Set, *url.URL, RegExp and *Error know
// their JSON form. Decode consults meta for places of type any, Value and error. It also does so for bigints that
// become integers, and for a Map that becomes a Go map. The JSON modes ignore meta. Empty raw means undefined.
//
// Null is decoded into pointers, slices, maps and any. Undefined is decoded into these too, and leaves a struct field
// unchanged. For other types both are a *TypeError. JavaScript writes an invalid Date as null. In an any, a number is a
// float64, an object a map[string]any, and an array an []any. A typed array is a type of this package. Objects that are
// shared inside an any are one object there. A cycle in it is a *TypeError; only a Value keeps one.
//
// An integer takes a number within ±(2^53-1), -0 included, and an annotated bigint that fits. JavaScript may have lost
// digits of other numbers, so they are a *TypeError. A json.Number takes every number as it is written.
func Decode(mode Mode, raw []byte, meta *Meta, v any) error {
	return decode(mode, raw, meta, v, nil, nil)
}

func decode(mode Mode, raw []byte, meta *Meta, v any, references ReferenceDecoder, m *Meter) error {
	if mode != ModeSuperJSON && meta != nil {
		meta = newMeta(nil, nil, region{}, meta.parts)
	}
	if meta == nil && decodeFast(raw, v) {
		return nil
	}
	if m == nil && meta.partsOf() != nil {
		m = new(Meter) // bounds copies of parts
	}
	if kept, ok := v.(*Value); ok {
		if len(raw) > 0 && !jsontext.Value(raw).IsValid(lenient...) {
			return &DataError{Reason: "malformed JSON"}
		}
		if !m.spend(len(raw)) {
			return m.err
		}
		value, err := keptValue(raw, meta, &imports{meter: m})
		if err == nil {
			*kept = value
		}
		return err
	}
	target := reflect.ValueOf(v)
	if target.Kind() != reflect.Pointer || target.IsNil() {
		return &DataError{Reason: "the target must be a pointer that is not nil"}
	}
	target = target.Elem()
	if (meta == nil || meta.equal == nil) && references == nil && len(raw) > 0 {
		if decodeQuick(mode, raw, meta, target, m) {
			return nil
		}
		if err := m.failed(); err != nil {
			return err
		}
	}
	return decodeSlow(mode, raw, meta, target, references, m)
}

// decodeSlow reads every value there is, and says what is wrong with the others.
func decodeSlow(mode Mode, raw []byte, meta *Meta, target reflect.Value, references ReferenceDecoder, m *Meter) error {
	var root *node
	if meta != nil {
		root = meta.root
	}
	if len(raw) == 0 {
		raw, root = []byte("null"), newNode("undefined")
	}
	d := startDecoder(raw)
	d.mode, d.references, d.meter, d.parts = mode, references, m, meta.partsOf()
	if meta != nil {
		d.equal, d.here = meta.equal, meta.in
	}
	err := decoderOf(target.Type())(d, target, root)
	if err == nil {
		err = atEnd(d.dec, raw)
	}
	d.end()
	return err
}

// DecodeScalar decodes raw into v without an allocation for v. v must point to a string, bool, number or any. raw must
// be a string without escapes, a bool or a number, and have no metadata. False means that nothing was decoded; Decode
// may still succeed.
//
// For package kkrpc: results of calls stay on the caller's stack.
func DecodeScalar(raw []byte, v any) bool { return decodeFast(raw, v) }

// decodeFast handles plain scalars without a decoder. False means nothing was decoded, not that raw is wrong.
func decodeFast(raw []byte, v any) bool {
	if len(raw) == 0 {
		return false
	}
	if raw[0] <= ' ' || raw[len(raw)-1] <= ' ' {
		if raw = bytes.Trim(raw, " \t\r\n"); len(raw) == 0 {
			return false
		}
	}
	switch v := v.(type) {
	case *string:
		s, ok := plainString(raw)
		if ok {
			*v = s
		}
		return ok
	case *bool:
		b, ok := literalBool(raw)
		if ok {
			*v = b
		}
		return ok
	case *float64:
		f, ok := plainFloat(raw, 64)
		if ok {
			*v = f
		}
		return ok
	case *int:
		n, ok := plainInt(raw)
		if ok && int64(int(n)) == n {
			*v = int(n)
			return true
		}
	case *int64:
		n, ok := plainInt(raw)
		if ok {
			*v = n
		}
		return ok
	case *int32:
		n, ok := plainInt(raw)
		if ok && n >= math.MinInt32 && n <= math.MaxInt32 {
			*v = int32(n)
			return true
		}
	case *any:
		return anyFast(raw, v)
	case *float32:
		f, ok := plainFloat(raw, 32)
		if ok {
			*v = float32(f)
		}
		return ok
	case *int8:
		return smallInt(raw, v)
	case *int16:
		return smallInt(raw, v)
	case *uint8:
		return smallInt(raw, v)
	case *uint16:
		return smallInt(raw, v)
	case *uint32:
		return smallInt(raw, v)
	case *uint64:
		n, ok := plainInt(raw)
		if ok && n >= 0 {
			*v = uint64(n)
			return true
		}
	case *uint:
		n, ok := plainInt(raw)
		if ok && n >= 0 && uint64(n) <= math.MaxUint {
			*v = uint(n)
			return true
		}
	}
	return false
}

func smallInt[T int8 | int16 | uint8 | uint16 | uint32](raw []byte, v *T) bool {
	n, ok := plainInt(raw)
	if !ok || int64(T(n)) != n {
		return false
	}
	*v = T(n)
	return true
}

func anyFast(raw []byte, v *any) bool {
	switch raw[0] {
	case '"':
		if s, ok := plainString(raw); ok {
			*v = s
			return true
		}
	case 't', 'f':
		if b, ok := literalBool(raw); ok {
			*v = b
			return true
		}
	case 'n':
		if string(raw) == "null" {
			*v = nil
			return true
		}
	case '{', '[':
	default:
		if f, ok := plainFloat(raw, 64); ok {
			*v = f
			return true
		}
	}
	return false
}

// plainString reads a string without escapes.
func plainString(raw []byte) (string, bool) {
	n := len(raw)
	if n < 2 || raw[0] != '"' || raw[n-1] != '"' {
		return "", false
	}
	if !isPlain(raw[1 : n-1]) {
		return "", false
	}
	return string(raw[1 : n-1]), true
}

func literalBool(raw []byte) (value, ok bool) {
	switch string(raw) {
	case "true":
		return true, true
	case "false":
		return false, true
	}
	return false, false
}

// plainInt reads an integer without fraction and exponent that a JavaScript number holds exactly.
func plainInt(raw []byte) (int64, bool) {
	digits := raw
	if digits[0] == '-' {
		digits = digits[1:]
	}
	if len(digits) == 0 || len(digits) > 16 || digits[0] == '0' && len(digits) > 1 {
		return 0, false
	}
	n := int64(0)
	for _, c := range digits {
		if c < '0' || c > '9' {
			return 0, false
		}
		n = n*10 + int64(c-'0')
	}
	if n > maxSafeInteger {
		return 0, false
	}
	if raw[0] == '-' {
		n = -n
	}
	return n, true
}

// plainFloat reads a number as the nearest one of so many bits.
func plainFloat(raw []byte, bits int) (float64, bool) {
	if n, ok := plainInt(raw); ok && n != 0 && (bits == 64 || -maxWholeFloat32 <= n && n <= maxWholeFloat32) {
		return float64(n), true
	}
	if !isNumberText(raw) {
		return 0, false
	}
	f, err := strconv.ParseFloat(string(raw), bits)
	return f, err == nil
}

// isNumberText reports whether raw is a JSON number.
func isNumberText(raw []byte) bool {
	i := 0
	digits := func() bool {
		start := i
		for i < len(raw) && raw[i]-'0' <= 9 {
			i++
		}
		return i > start
	}
	if raw[0] == '-' {
		i++
	}
	if i < len(raw) && raw[i] == '0' {
		i++
	} else if !digits() {
		return false
	}
	if i < len(raw) && raw[i] == '.' {
		i++
		if !digits() {
			return false
		}
	}
	if i < len(raw) && raw[i]|0x20 == 'e' {
		i++
		if i < len(raw) && (raw[i] == '+' || raw[i] == '-') {
			i++
		}
		if !digits() {
			return false
		}
	}
	return i == len(raw)
}

// decoder reads one value.
type decoder struct {
	mode  Mode
	depth int32
	dec   *jsontext.Decoder // of buf
	buf   bytes.Buffer
	raw   []byte

	equal *equalities // nil: none
	here  region      // where the decoder is
	outer []region    // around here
	taken imports     // for places that are copies

	unsettled []settler // of the tree being decoded, while there are equalities

	references ReferenceDecoder // nil: none are looked for
	meter      *Meter           // nil: nothing is counted
	parts      *Parts           // beside the text; nil: none
}

// decoderPool reuses the buffers of jsontext.Decoder.
var decoderPool = sync.Pool{New: func() any { return &decoder{dec: new(jsontext.Decoder)} }}

// startDecoder returns a decoder of raw. It is to be ended.
func startDecoder(raw []byte) *decoder {
	d := decoderPool.Get().(*decoder)
	d.raw, d.buf = raw, *bytes.NewBuffer(raw)
	d.dec.Reset(&d.buf, lenient...)
	return d
}

// end gives d back, without what it has read.
func (d *decoder) end() {
	*d = decoder{dec: d.dec}
	d.dec.Reset(&d.buf)
	decoderPool.Put(d)
}

func (d *decoder) enter() error {
	if d.depth >= maxDepth {
		return &DataError{Reason: "nested deeper than 1000"}
	}
	d.depth++
	return nil
}

// push enters a member; pop leaves it.
func (d *decoder) push(key string) {
	if d.equal != nil {
		d.outer = append(d.outer, d.here)
		d.here = d.equal.step(d.here, key)
	}
}

func (d *decoder) pushIndex(i int) {
	switch {
	case d.equal == nil:
	case d.here.empty():
		d.outer = append(d.outer, d.here)
	default:
		d.push(strconv.Itoa(i))
	}
}

func (d *decoder) pop() {
	if d.equal != nil {
		last := len(d.outer) - 1
		d.here, d.outer = d.outer[last], d.outer[:last]
	}
}

// counted is what inside counts in.
func (d *decoder) counted() *imports {
	d.taken.meter = d.meter
	return &d.taken
}

// spend counts memory that the value takes.
func (d *decoder) spend(n int) error {
	if d.meter.spend(n) {
		return nil
	}
	return d.meter.err
}

func (d *decoder) token() (jsontext.Token, error) {
	t, err := d.dec.ReadToken()
	if err != nil {
		return t, malformed(err)
	}
	return t, nil
}

// read returns the raw next value, valid for as long as d.raw is.
func (d *decoder) read() ([]byte, error) {
	v, err := d.dec.ReadValue()
	if err != nil {
		return nil, malformed(err)
	}
	end := d.dec.InputOffset()
	return d.raw[end-int64(len(v)) : end], nil
}

// unfit is the error for the value that comes next. The annotation names what JSON does not tell.
func (d *decoder) unfit(expected string, n *node) error {
	kind := d.dec.PeekKind()
	if kind == 0 {
		_, err := d.dec.ReadToken()
		return malformed(err)
	}
	if kind == '"' && d.parts != nil {
		if s, err := d.token(); err != nil {
			return err
		} else if r, err := d.parts.find(s.String()); err != nil {
			return err
		} else if r != nil {
			return &TypeError{Expected: expected, Got: r.Type.String()}
		}
	}
	return &TypeError{Expected: expected, Got: kindName(kind, n)}
}

func kindName(kind jsontext.Kind, n *node) string {
	switch n.kind() {
	case "":
	case "typed-array":
		return n.arg
	case "set":
		return "Set"
	case "map":
		return "Map"
	case "regexp":
		return "RegExp"
	default:
		return n.typ
	}
	switch kind {
	case 'n':
		return "null"
	case 't', 'f':
		return "boolean"
	case '"':
		return "string"
	case '0':
		return "number"
	case '[':
		return "array"
	}
	return "object"
}

// name reads a member name; false at the end of the object.
func (d *decoder) name() (string, bool, error) {
	t, err := d.token()
	if err != nil || t.Kind() == '}' {
		return "", false, err
	}
	return t.String(), true, nil
}

// more reports whether another element follows, and reads the bracket when none does.
func (d *decoder) more() (bool, error) {
	if d.dec.PeekKind() != ']' {
		return true, nil
	}
	_, err := d.token()
	return false, err
}
