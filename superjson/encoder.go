package superjson

import (
	"bytes"
	"maps"
	"reflect"
	"slices"
	"strconv"
	"time"

	"github.com/go-json-experiment/json/jsontext"
)

// Encoder writes the values of one envelope and collects their annotations. The zero Encoder uses ModeSuperJSON. An
// Encoder keeps the values that it wrote until Reset, because a later value may share objects with them. Reset it
// before you put it into a pool. It is not safe for concurrent use.
type Encoder struct {
	mode  Mode
	depth int
	hops  int // pointers followed that are nothing in JSON: they may lead to themselves

	path  []byte     // of the value being written, escaped; the last steps may be missing
	steps []pathStep // from the value of Append to the one being written
	taken int        // of the steps: those that are in path

	notes []note
	text  []byte // the paths that notes and refs refer to

	// Objects met so far. A path in refs is where one was met.
	objects map[objectKey]int32
	seen    []object
	refs    []ref
	round   int32 // the Append under way
	again   int   // how deep we are inside an object that an earlier Append wrote: what it holds is not met anew
	copied  int   // bytes written by repeating objects
	kept    [][]path
	active  map[objectKey]bool // where objects are not shared: the deep ones around the current one

	unshared int // how deep we are inside members whose names no path may have

	metaNodes []metaNode

	references ReferenceEncoder // nil: there are none

	newMark  func() string         // nil: bytes are in the text
	partMark string                // of the placeholders in the text; set with the first part
	parts    []Part                // beside the text
	partOf   map[*receivedPart]int // the index in parts of those that Values had
}

// note is one annotation. Notes are in the order of the walk: an outer one comes before those inside.
type note struct {
	span
	root     bool // of the envelope itself
	typ, arg string
}

// span is a part of Encoder.text.
type span struct{ start, end int32 }

type ref struct {
	span
	object int32
	root   bool // the object is the root of the envelope
}

// maxCopied bounds the bytes that repeated objects may add to one envelope. Without it, n references could produce 2^n
// bytes.
const maxCopied = 16 << 20

// NewEncoder returns an Encoder for mode.
func NewEncoder(mode Mode) *Encoder { return &Encoder{mode: mode} }

// Reset discards everything recorded and sets the mode. Buffers are kept.
func (e *Encoder) Reset(mode Mode) {
	e.mode = mode
	e.notes, e.text, e.refs, e.kept = e.notes[:0], e.text[:0], e.refs[:0], nil
	if len(e.seen) > 0 {
		clear(e.objects)
		clear(e.seen)
		e.seen = e.seen[:0]
	}
	if len(e.active) > 0 {
		clear(e.active)
	}
	clear(e.steps[:cap(e.steps)]) // of names
	e.round, e.again, e.copied, e.depth, e.hops, e.unshared = 0, 0, 0, 0, 0, 0
	e.partMark = ""
	clear(e.parts)
	e.parts = e.parts[:0]
	e.partOf = nil
}

// Mode returns the mode in which the Encoder writes.
//
// For package kkrpc: a channel learns the mode from its peer.
func (e *Encoder) Mode() Mode { return e.mode }

// Annotate records that the value at path is of a simple type such as "undefined". path is already escaped. Annotate
// does nothing under the JSON modes.
//
// For package kkrpc: its messages have members of their own that are undefined.
func (e *Encoder) Annotate(path, typ string) {
	if e.mode == ModeSuperJSON {
		e.begins(path)
		e.note(typ, "")
	}
}

// Append appends the JSON of v to dst and records its annotations under path. path is dotted and already escaped; "" is
// the root of the envelope. After an error, usually an *EncodeError, Append returns dst unchanged and records nothing.
func (e *Encoder) Append(dst []byte, path string, v any) ([]byte, error) {
	switch v := v.(type) {
	case nil:
		return append(dst, "null"...), nil
	case string:
		return appendString(dst, v), nil
	case bool:
		return strconv.AppendBool(dst, v), nil
	}
	e.begins(path)
	e.round++
	before := e.mark()
	out, err := e.value(dst, v)
	if err != nil {
		e.rollback(before)
		for i := range e.seen {
			e.seen[i].open = false
		}
		clear(e.active)
		e.depth, e.again, e.hops, e.unshared = 0, 0, 0, 0
		return dst, err
	}
	return out, nil
}

// mark is a state of the recordings to which the Encoder can return.
type mark struct{ notes, text, seen, refs, kept, copied, parts int }

func (e *Encoder) mark() mark {
	return mark{len(e.notes), len(e.text), len(e.seen), len(e.refs), len(e.kept), e.copied, len(e.parts)}
}

func (e *Encoder) rollback(m mark) {
	e.notes, e.text, e.refs, e.kept, e.copied = e.notes[:m.notes], e.text[:m.text], e.refs[:m.refs], e.kept[:m.kept], m.copied
	for _, o := range e.seen[m.seen:] {
		delete(e.objects, o.key)
	}
	clear(e.seen[m.seen:])
	e.seen = e.seen[:m.seen]
	clear(e.parts[m.parts:])
	e.parts = e.parts[:m.parts]
	maps.DeleteFunc(e.partOf, func(_ *receivedPart, i int) bool { return i >= m.parts })
}

func (e *Encoder) note(typ, arg string) { e.noteAt(e.fullPath(), typ, arg) }

func (e *Encoder) noteAt(path []byte, typ, arg string) {
	e.notes = append(e.notes, note{e.savePath(path), len(path) == 0 && e.depth == 0, typ, arg})
}

func (e *Encoder) savePath(path []byte) span {
	start := int32(len(e.text))
	e.text = append(e.text, path...)
	return span{start, int32(len(e.text))}
}

// pathStep leads from an object or array to a value inside. Most values have no annotation, so a step becomes a part of the
// path only when the path is asked for.
type pathStep struct {
	key   string
	index int // noIndex: the step has a key
	from  int // the length of the path before it, once it is taken
}

const noIndex = -1

// begins starts at the value with that path.
func (e *Encoder) begins(path string) {
	e.path = append(e.path[:0], path...)
	e.steps, e.taken = e.steps[:0], 0
}

// fullPath takes all steps and returns the path of the value being written. It is valid until the next step.
func (e *Encoder) fullPath() []byte {
	for ; e.taken < len(e.steps); e.taken++ {
		s := &e.steps[e.taken]
		s.from = len(e.path)
		if len(e.path) > 0 || e.taken > 0 {
			e.path = append(e.path, '.')
		}
		if s.index == noIndex {
			e.path = appendEscaped(e.path, s.key)
		} else {
			e.path = strconv.AppendInt(e.path, int64(s.index), 10)
		}
	}
	return e.path
}

// push enters the member key of the current value; pop leaves it.
func (e *Encoder) push(key string) {
	if e.mode == ModeSuperJSON {
		e.steps = append(e.steps, pathStep{key: key, index: noIndex})
	}
}

func (e *Encoder) pushIndex(i int) {
	if e.mode == ModeSuperJSON {
		e.steps = append(e.steps, pathStep{index: i})
	}
}

func (e *Encoder) pop() {
	if e.mode != ModeSuperJSON {
		return
	}
	last := len(e.steps) - 1
	if e.taken > last {
		e.path, e.taken = e.path[:e.steps[last].from], last
	}
	e.steps = e.steps[:last]
}

// value writes any value, common types first.
func (e *Encoder) value(dst []byte, v any) ([]byte, error) {
	switch v := v.(type) {
	case nil:
		return append(dst, "null"...), nil
	case string:
		return appendString(dst, v), nil
	case bool:
		return strconv.AppendBool(dst, v), nil
	case float64:
		return e.float(dst, v, 64)
	case int:
		return appendInt(dst, int64(v))
	case int64:
		return appendInt(dst, v)
	case int32:
		return strconv.AppendInt(dst, int64(v), 10), nil
	case uint64:
		return appendUint(dst, v)
	case uint:
		return appendUint(dst, uint64(v))
	case uint32:
		return strconv.AppendUint(dst, uint64(v), 10), nil
	case int16:
		return strconv.AppendInt(dst, int64(v), 10), nil
	case uint16:
		return strconv.AppendUint(dst, uint64(v), 10), nil
	case int8:
		return strconv.AppendInt(dst, int64(v), 10), nil
	case uint8:
		return strconv.AppendUint(dst, uint64(v), 10), nil
	case float32:
		return e.float(dst, float64(v), 32)
	case time.Time:
		return e.date(dst, v)
	case []byte:
		return e.bytes(dst, v)
	case []string:
		return e.strings(dst, v), nil
	case jsontext.Value:
		return e.raw(dst, v)
	case Value:
		return e.keptValue(dst, v)
	case UndefinedType:
		return e.undefined(dst), nil
	case map[string]any:
		return e.anyMap(dst, v)
	case []any:
		return e.anySlice(dst, v)
	}
	return copiesOf(reflect.TypeOf(v)).write(e, dst, reflect.ValueOf(v))
}

func appendInt(dst []byte, n int64) ([]byte, error) {
	if n < -maxSafeInteger || n > maxSafeInteger {
		return dst, unsafeInteger(strconv.FormatInt(n, 10))
	}
	return strconv.AppendInt(dst, n, 10), nil
}

func appendUint(dst []byte, n uint64) ([]byte, error) {
	if n > maxSafeInteger {
		return dst, unsafeInteger(strconv.FormatUint(n, 10))
	}
	return strconv.AppendUint(dst, n, 10), nil
}

func unsafeInteger(text string) error {
	return &EncodeError{Reason: text + " is outside what a JavaScript number holds exactly (use *big.Int)"}
}

func (e *Encoder) float(dst []byte, f float64, bits int) ([]byte, error) {
	if f != 0 && f-f == 0 {
		return appendFloat(dst, f, bits), nil
	}
	special := specialNumber(f)
	if e.mode == ModeSuperJSON && special != "" {
		e.note("number", "")
		dst = append(dst, '"')
		dst = append(dst, special...)
		return append(dst, '"'), nil
	}
	if f != 0 {
		return dst, &EncodeError{Reason: special + " has no JSON form"}
	}
	return append(dst, '0'), nil
}

func (e *Encoder) date(dst []byte, t time.Time) ([]byte, error) {
	out, ok := appendDate(dst, t)
	if !ok {
		return dst, &EncodeError{Reason: "a JavaScript Date cannot hold the year " + strconv.Itoa(t.Year())}
	}
	if e.mode == ModeSuperJSON {
		e.note("Date", "")
	}
	return out, nil
}

func (e *Encoder) strings(dst []byte, list []string) []byte {
	dst = append(dst, '[')
	for i, s := range list {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = appendString(dst, s)
	}
	return append(dst, ']')
}

func (e *Encoder) undefined(dst []byte) []byte {
	if e.mode == ModeSuperJSON {
		e.note("undefined", "")
	}
	return append(dst, "null"...)
}

// raw copies JSON that the program provides.
func (e *Encoder) raw(dst []byte, raw []byte) ([]byte, error) {
	if raw == nil {
		return append(dst, "null"...), nil
	}
	if !jsontext.Value(raw).IsValid(lenient...) {
		return dst, &EncodeError{Reason: "raw JSON is not valid"}
	}
	return append(dst, bytes.TrimSpace(raw)...), nil
}

// keptValue writes a Value and its annotations under the current path. The JSON modes have no annotations, so annotated
// values are converted there.
func (e *Encoder) keptValue(dst []byte, v Value) ([]byte, error) {
	if v.JSON == nil {
		return e.undefined(dst), nil
	}
	if e.mode != ModeSuperJSON && v.Meta != nil && (v.Meta.root != nil || v.Meta.equal != nil) {
		var tree any
		if err := v.Decode(&tree); err != nil {
			return dst, &EncodeError{Reason: err.Error()}
		}
		return e.value(dst, tree)
	}
	var err error
	before := len(dst)
	if v.checked == nil || v.checked != &v.JSON[0] {
		dst, err = e.raw(dst, v.JSON)
	} else {
		dst = append(dst, v.JSON...)
	}
	if err != nil || v.Meta == nil {
		return dst, err
	}
	root := v.Meta.root
	switch parts := v.Meta.parts; {
	case parts == nil:
	case e.carries(parts):
		dst, err = e.moved(dst, before, parts)
	default:
		dst, root, err = e.spelled(dst, before, parts, root)
	}
	if err != nil || e.mode != ModeSuperJSON {
		return dst, err
	}
	e.noteTree(root)
	if v.Meta.equal != nil && e.again == 0 {
		groups, err := v.Meta.equal.inside(v.Meta.in, new(imports))
		if err != nil {
			return dst, &EncodeError{Reason: err.Error()}
		}
		base, _ := parsePath(string(e.fullPath()), false)
		if len(e.path) == 0 && e.depth == 0 {
			base = nil
		}
		for _, group := range groups {
			moved := make([]path, len(group))
			for i, p := range group {
				moved[i] = append(base[:len(base):len(base)], p...)
			}
			e.kept = append(e.kept, moved)
		}
	}
	return dst, nil
}

func (e *Encoder) noteTree(n *node) {
	if n == nil {
		return
	}
	if n.typ != "" {
		e.note(n.typ, n.arg)
	}
	e.depth++
	for c := n.first; c != nil; c = c.next {
		e.push(c.key)
		e.noteTree(c)
		e.pop()
	}
	e.depth--
}

// bytes writes a Uint8Array.
func (e *Encoder) bytes(dst []byte, b []byte) ([]byte, error) {
	switch {
	case e.beside():
		return e.part(dst, Part{partUint8Array, b}), nil
	case e.mode == ModeJSON:
		return appendBase64(dst, b), nil
	case e.mode == ModeTaggedJSON:
		dst = append(dst, `{"type":"Uint8Array","data":`...)
		return append(appendNumbers(dst, b), '}'), nil
	}
	e.note("typed-array", uint8Array)
	return appendNumbers(dst, b), nil
}

func appendNumbers(dst []byte, b []byte) []byte {
	dst = append(slices.Grow(dst, 4*len(b)+2), '[')
	for _, c := range b {
		t := &byteTexts[c]
		dst = append(dst, t.text[:]...)[:len(dst)+t.size] // four bytes at once, of which the next takes back what is too much
	}
	if len(b) > 0 {
		dst = dst[:len(dst)-1]
	}
	return append(dst, ']')
}

// byteTexts are the numbers up to 255, each followed by a comma.
var byteTexts = func() (all [256]struct {
	text [4]byte
	size int
}) {
	for i := range all {
		all[i].size = copy(all[i].text[:], strconv.Itoa(i)+",")
	}
	return all
}()

// typedArrayFloat writes an element. Numbers that JSON lacks have no annotation inside of a typed array.
func (e *Encoder) typedArrayFloat(dst []byte, f float64) ([]byte, error) {
	special := specialNumber(f)
	switch {
	case special == "":
		return appendFloat(dst, f, 64), nil
	case e.mode == ModeSuperJSON:
		return appendString(dst, special), nil
	case f == 0:
		return append(dst, '0'), nil
	}
	return dst, &EncodeError{Reason: special + " has no JSON form"}
}
