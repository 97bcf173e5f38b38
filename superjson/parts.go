package superjson

import (
	"bytes"
	"encoding/binary"
	"io"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"

	"github.com/go-json-experiment/json/jsontext"
)

// PartType is the JavaScript type of the bytes in a Part. The numbers are those of the protocol.
//
// For package kkrpc: see Parts.
type PartType uint8

const (
	partUint8Array PartType = iota
	partUint8ClampedArray
	partInt8Array
	partUint16Array
	partInt16Array
	partUint32Array
	partInt32Array
	partFloat32Array
	partFloat64Array
	partBigUint64Array
	partBigInt64Array
	partArrayBuffer
	partDataView
)

// partTypes has a row for each PartType.
var partTypes = [...]struct {
	name string
	size int // of an element, in bytes
}{
	{uint8Array, 1}, {"Uint8ClampedArray", 1}, {"Int8Array", 1}, {"Uint16Array", 2}, {"Int16Array", 2}, {"Uint32Array", 4}, {"Int32Array", 4},
	{"Float32Array", 4}, {"Float64Array", 8}, {"BigUint64Array", 8}, {"BigInt64Array", 8}, {"ArrayBuffer", 1}, {"DataView", 1},
}

// Fits reports whether t is one of the protocol, and n bytes are whole elements of it.
func (t PartType) Fits(n int) bool { return int(t) < len(partTypes) && n%partTypes[t].size == 0 }

func (t PartType) String() string {
	if int(t) < len(partTypes) {
		return partTypes[t].name
	}
	return "PartType(" + strconv.Itoa(int(t)) + ")"
}

// isBytes reports whether a []byte holds what t is.
func (t PartType) isBytes() bool {
	return t == partUint8Array || t == partArrayBuffer || t == partDataView
}

// partTypeOf is the type for slices that are the typed array name.
func partTypeOf(name string) PartType {
	for i := range partTypes {
		if partTypes[i].name == name {
			return PartType(i)
		}
	}
	panic("superjson: no part is a " + name)
}

// Part is bytes that stand beside a text, little-endian.
//
// For package kkrpc: see Parts.
type Part struct {
	Type PartType
	Data []byte
}

// MaxParts is how many parts stand beside one text at most.
//
// For package kkrpc: it is a limit of the protocol.
const MaxParts = 1 << 16

// Parts are the bytes beside the text of a message. In the text a placeholder stands for each: a string that is the mark and
// the index of the part. Only the mark tells a placeholder from other strings, so nobody can guess it.
//
// For package kkrpc: a message with bytes is a binary frame.
type Parts struct {
	mark string
	list []*receivedPart
	cost int
}

type receivedPart struct {
	Part
	state atomic.Uint32
}

// The states of a receivedPart.
const (
	partFree  uint32 = iota
	partOwned        // the program has its bytes, and may change them
	partKept         // a Value has its bytes, and may be decoded again: they do not change
)

// partCost is what a part costs beside its bytes.
const partCost = 56

// NewParts returns the parts beside a text whose placeholders begin with mark. The bytes then belong to whoever decodes them.
//
// For package kkrpc: it reads binary frames.
func NewParts(mark string, list []Part) *Parts {
	p := &Parts{mark: mark, list: make([]*receivedPart, len(list))}
	for i, part := range list {
		p.list[i] = &receivedPart{Part: part}
		p.cost += partCost + len(part.Data)
	}
	return p
}

// WithParts returns the metadata of a message with the same annotations, and these parts. m and p may be nil.
//
// For package kkrpc: see Parts.
func (m *Meta) WithParts(p *Parts) *Meta {
	if p == nil {
		return m
	}
	with := &Meta{}
	if m != nil {
		*with = *m
	}
	with.parts = p
	with.cost += p.cost
	return with
}

// partsOf are the parts beside the text that m belongs to.
func (m *Meta) partsOf() *Parts {
	if m == nil {
		return nil
	}
	return m.parts
}

// marks reports whether text begins as placeholders do.
func (p *Parts) marks(text string) bool { return p != nil && strings.HasPrefix(text, p.mark) }

// find returns the part that the string text stands for. It returns nil if text is no placeholder.
func (p *Parts) find(text string) (*receivedPart, error) {
	if !p.marks(text) {
		return nil, nil
	}
	digits := text[len(p.mark):]
	i, err := strconv.ParseUint(digits, 10, 32)
	if err != nil || i >= uint64(len(p.list)) || len(digits) > 1 && digits[0] == '0' {
		return nil, &DataError{Reason: "a placeholder stands for bytes that the message does not have"}
	}
	return p.list[i], nil
}

// take returns the bytes of r, which the caller owns. A second time they are a copy, which counts in m.
func (p *Parts) take(r *receivedPart, m *Meter) ([]byte, error) {
	if r.state.CompareAndSwap(partFree, partOwned) {
		return r.Data, nil
	}
	if err := m.spendPart(p, len(r.Data), 0); err != nil {
		return nil, err
	}
	return append([]byte{}, r.Data...), nil
}

// spendPart counts n bytes, and more, for a value that is made of n bytes of p. Where there is no limit, the values of a text must
// not take much more than p: a short text can name a part any number of times.
func (m *Meter) spendPart(p *Parts, n, more int) error {
	if m != nil && m.Limit == 0 {
		if m.copied += n; m.copied > p.cost+maxCopied {
			m.err = ErrMemory
			return m.err
		}
	}
	return m.Spend(n + more)
}

// keep returns raw with placeholders for parts that a Value has.
func (p *Parts) keep(raw []byte, m *Meter) (text []byte, kept *Parts, err error) {
	if !bytes.Contains(raw, []byte(p.mark)) {
		return raw, nil, nil
	}
	kept = &Parts{mark: p.mark}
	known := map[*receivedPart]int{}
	text, err = p.replace(raw, func(dst []byte, r *receivedPart, _ jsontext.Pointer) ([]byte, error) {
		i, met := known[r]
		if !met {
			if err := m.Spend(partCost); err != nil {
				return dst, err
			}
			own, err := p.keepPart(r, m)
			if err != nil {
				return dst, err
			}
			i = len(kept.list)
			known[r] = i
			kept.list = append(kept.list, own)
			kept.cost += partCost + len(own.Data)
		}
		return appendPlaceholder(dst, p.mark, i), nil
	})
	if len(kept.list) == 0 {
		kept = nil
	}
	return text, kept, err
}

// keepPart returns r, or a copy if somebody owns its bytes.
func (p *Parts) keepPart(r *receivedPart, m *Meter) (*receivedPart, error) {
	if r.state.CompareAndSwap(partFree, partKept) || r.state.Load() == partKept {
		return r, nil
	}
	if err := m.spendPart(p, len(r.Data), 0); err != nil {
		return nil, err
	}
	own := &receivedPart{Part: Part{r.Type, bytes.Clone(r.Data)}}
	own.state.Store(partKept)
	return own, nil
}

// value returns what an any holds for r.
func (p *Parts) value(r *receivedPart, m *Meter) (any, error) {
	if r.Type.isBytes() {
		return p.take(r, m)
	}
	if err := m.spendPart(p, len(r.Data), listCost); err != nil {
		return nil, err
	}
	return r.Part.array(), nil
}

// array returns the elements as the Go type of the typed array.
func (p Part) array() any {
	t := typedArrayTypes[p.Type.listName()]
	size := partTypes[p.Type].size
	out := reflect.MakeSlice(t, len(p.Data)/size, len(p.Data)/size)
	copy(memoryOf(out), p.Data)
	littleEndian(memoryOf(out), size)
	return out.Interface()
}

// partFrom is the part for v, a typed array of this package.
func partFrom(v reflect.Value, name string) Part {
	t := partTypeOf(name)
	data := append([]byte{}, memoryOf(v)...)
	littleEndian(data, partTypes[t].size)
	return Part{t, data}
}

// littleEndian turns elements of size bytes between the order of this machine and the one of the protocol.
func littleEndian(data []byte, size int) {
	if size == 1 || binary.NativeEndian.Uint16([]byte{1, 0}) == 1 {
		return
	}
	for ; len(data) > 0; data = data[size:] {
		slices.Reverse(data[:size])
	}
}

// numbers is the text of the elements as SuperJSON writes a typed array.
func (p Part) numbers() ([]byte, error) {
	return NewEncoder(ModeSuperJSON).value(nil, p.array())
}

// replace returns the valid JSON raw with what write makes of each placeholder, which is at the place at.
func (p *Parts) replace(raw []byte, write func(dst []byte, r *receivedPart, at jsontext.Pointer) ([]byte, error)) ([]byte, error) {
	d := startDecoder(raw)
	defer d.end()
	var out []byte
	done := 0
	for {
		kind := d.dec.PeekKind()
		if kind != '"' {
			if _, err := d.dec.ReadToken(); err == io.EOF {
				break
			} else if err != nil {
				return nil, malformed(err)
			}
			continue
		}
		text, err := d.read()
		if err != nil {
			return nil, err
		}
		if !bytes.HasPrefix(text[1:], []byte(p.mark)) {
			continue
		}
		if in, n := d.dec.StackIndex(d.dec.StackDepth()); in == '{' && n%2 == 1 { // the name of a member
			continue
		}
		r, err := p.find(string(text[1 : len(text)-1]))
		if err != nil {
			return nil, err
		}
		end := int(d.dec.InputOffset())
		if out, err = write(append(out, raw[done:end-len(text)]...), r, d.dec.StackPointer()); err != nil {
			return nil, err
		}
		done = end
	}
	if done == 0 {
		return raw, nil
	}
	return append(out, raw[done:]...), nil
}

// inText returns raw with all bytes in the form of mode. Their text counts in m.
func (p *Parts) inText(raw []byte, mode Mode, m *Meter) ([]byte, error) {
	if p == nil || !bytes.Contains(raw, []byte(p.mark)) {
		return raw, nil
	}
	return p.replace(raw, func(dst []byte, r *receivedPart, _ jsontext.Pointer) ([]byte, error) {
		before := len(dst)
		if err := m.spendPart(p, len(r.Data), 0); err != nil {
			return dst, err
		}
		dst, err := NewEncoder(mode).value(dst, r.Part.array())
		if err == nil {
			err = m.Spend(len(dst) - before)
		}
		return dst, err
	})
}

// Beside has e keep the bytes of the values to come beside the text, also after Reset. mark makes the mark of each message:
// 16 characters that nobody can guess and that need no escapes. Nil has the bytes written into the text. Beside returns the
// function that it replaces.
//
// For package kkrpc: see Parts.
func (e *Encoder) Beside(mark func() string) (before func() string) {
	before, e.newMark = e.newMark, mark
	return before
}

// Parts returns what stands beside the text that was written since Reset, and the mark of the placeholders. The bytes belong to the
// values.
//
// For package kkrpc: see Parts.
func (e *Encoder) Parts() (mark string, parts []Part) { return e.partMark, e.parts }

// beside reports whether another part goes beside the text.
func (e *Encoder) beside() bool { return e.newMark != nil && len(e.parts) < MaxParts }

// part writes a placeholder for p.
func (e *Encoder) part(dst []byte, p Part) []byte {
	if len(e.parts) == 0 {
		e.partMark = e.newMark()
	}
	dst = appendPlaceholder(dst, e.partMark, len(e.parts))
	e.parts = append(e.parts, p)
	return dst
}

func appendPlaceholder(dst []byte, mark string, i int) []byte {
	dst = append(append(dst, '"'), mark...)
	return append(strconv.AppendInt(dst, int64(i), 10), '"')
}

// carries reports whether all parts of a Value go beside the text.
func (e *Encoder) carries(p *Parts) bool {
	return e.newMark != nil && len(e.parts)+len(p.list) <= MaxParts
}

// moved has the placeholders of from in dst, from index start on, stand for parts of e.
func (e *Encoder) moved(dst []byte, start int, from *Parts) ([]byte, error) {
	text, err := from.replace(dst[start:], func(out []byte, r *receivedPart, _ jsontext.Pointer) ([]byte, error) {
		if i, known := e.partOf[r]; known {
			return appendPlaceholder(out, e.partMark, i), nil
		}
		if e.partOf == nil {
			e.partOf = map[*receivedPart]int{}
		}
		e.partOf[r] = len(e.parts)
		return e.part(out, r.Part), nil
	})
	if err != nil {
		return dst, &EncodeError{Reason: reasonOf(err)}
	}
	return append(dst[:start], text...), nil
}

// spelled writes out the placeholders of from in dst, from index start on. It returns the annotations, which are beside those of root.
func (e *Encoder) spelled(dst []byte, start int, from *Parts, root *node) ([]byte, *node, error) {
	own := NewEncoder(e.mode)
	known := map[*receivedPart]bool{}
	copied := false // root
	text, err := from.replace(dst[start:], func(out []byte, r *receivedPart, at jsontext.Pointer) (_ []byte, err error) {
		before := len(out)
		if known[r] && e.copied+len(r.Data) > maxCopied {
			return out, &EncodeError{Reason: "bytes repeat too much data"}
		}
		if out, err = own.value(out, r.Part.array()); err != nil {
			return out, err
		}
		if known[r] {
			e.copied += len(out) - before
		}
		known[r] = true
		if e.mode != ModeSuperJSON {
			return out, nil
		}
		if !copied {
			root, copied = root.clone(), true
		}
		n := root
		for key := range at.Tokens() {
			next := n.child(key)
			if next == nil {
				next = n.add(key)
			}
			n = next
		}
		n.annotation = annotations[r.Type.listName()]
		return out, nil
	})
	if err != nil {
		return dst, nil, &EncodeError{Reason: reasonOf(err)}
	}
	return append(dst[:start], text...), root, nil
}

// reasonOf is why err, of this package, is none without the name of the package.
func reasonOf(err error) string {
	if e, ok := err.(*EncodeError); ok {
		return e.Reason
	} else if e, ok := err.(*DataError); ok {
		return e.Reason
	}
	return err.Error()
}

// elementsOfPart reads a placeholder into v, a list of numbers.
func (d *decoder) elementsOfPart(v reflect.Value, n *node) error {
	t, err := d.token()
	if err != nil {
		return err
	}
	r, err := d.parts.find(t.String())
	switch {
	case err != nil:
		return err
	case r == nil:
		return &TypeError{Expected: "array", Got: kindName('"', n)}
	}
	if err := d.meter.spendPart(d.parts, len(r.Data), 0); err != nil {
		return err
	}
	text, err := r.Part.numbers()
	if err == nil {
		err = d.spend(len(text) - len(r.Data))
	}
	if err != nil {
		return err
	}
	numbers := startDecoder(text)
	defer numbers.end()
	numbers.mode, numbers.depth, numbers.meter = ModeSuperJSON, d.depth, d.meter
	return decoderOf(v.Type())(numbers, v, &node{annotation: annotations[r.Type.listName()]})
}

// listName is the typed array whose elements those of t are.
func (t PartType) listName() string {
	if t.isBytes() {
		return uint8Array
	}
	return t.String()
}

// typedArrayOfPart reads a placeholder into v, a typed array of this package.
func (d *decoder) typedArrayOfPart(v reflect.Value, n *node) error {
	name := typedArrayName(v.Type())
	t, err := d.token()
	if err != nil {
		return err
	}
	r, err := d.parts.find(t.String())
	switch {
	case err != nil:
		return err
	case r == nil:
		return &TypeError{Expected: name, Got: kindName('"', n)}
	}
	array, err := d.parts.value(r, d.meter)
	if err != nil {
		return err
	}
	if value := reflect.ValueOf(array); value.Type() == v.Type() {
		v.Set(value)
		return nil
	}
	return &TypeError{Expected: name, Got: r.Type.String()}
}
