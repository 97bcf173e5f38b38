package superjson

import (
	"bytes"
	"encoding/binary"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
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
	kept atomic.Bool // by a Value, which may be decoded again
	cost int
}

type receivedPart struct {
	Part
	taken atomic.Bool // whoever has taken it owns its bytes
}

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

// marks reports whether text, the inside of a string, begins as placeholders do.
func (p *Parts) marks(text []byte) bool {
	return p != nil && len(text) >= len(p.mark) && string(text[:len(p.mark)]) == p.mark
}

// marksString is marks for a string.
func (p *Parts) marksString(text string) bool { return p != nil && strings.HasPrefix(text, p.mark) }

// find returns the part that the string text stands for. It returns nil if text is no placeholder.
func (p *Parts) find(text string) (*receivedPart, error) {
	if !p.marksString(text) {
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
	if !p.kept.Load() && r.taken.CompareAndSwap(false, true) {
		return r.Data, nil
	}
	if err := m.Spend(len(r.Data)); err != nil {
		return nil, err
	}
	return append([]byte{}, r.Data...), nil
}

// value returns what an any holds for r.
func (p *Parts) value(r *receivedPart, m *Meter) (any, error) {
	if r.Type.isBytes() {
		return p.take(r, m)
	}
	if err := m.Spend(listCost + len(r.Data)); err != nil {
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

// replace returns the JSON text raw with what write makes of each placeholder.
func (p *Parts) replace(raw []byte, write func(dst []byte, r *receivedPart) ([]byte, error)) ([]byte, error) {
	var out []byte
	done := 0
	for i := 0; i < len(raw); i++ {
		if raw[i] != '"' {
			continue
		}
		start := i
		for i++; raw[i] != '"'; i++ {
			if raw[i] == '\\' {
				i++
			}
		}
		if !p.marks(raw[start+1 : i]) {
			continue
		}
		if rest := bytes.TrimLeft(raw[i+1:], " \t\r\n"); len(rest) > 0 && rest[0] == ':' {
			continue // the name of a member
		}
		r, err := p.find(string(raw[start+1 : i]))
		if err != nil {
			return nil, err
		}
		out = append(out, raw[done:start]...)
		if out, err = write(out, r); err != nil {
			return nil, err
		}
		done = i + 1
	}
	if done == 0 {
		return raw, nil
	}
	return append(out, raw[done:]...), nil
}

// inText returns raw with all bytes in the form of mode.
func (p *Parts) inText(raw []byte, mode Mode) ([]byte, error) {
	if p == nil || !bytes.Contains(raw, []byte(p.mark)) {
		return raw, nil
	}
	e := NewEncoder(mode)
	return p.replace(raw, func(dst []byte, r *receivedPart) ([]byte, error) { return e.value(dst, r.Part.array()) })
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
	dst = append(append(dst, '"'), e.partMark...)
	dst = append(strconv.AppendInt(dst, int64(len(e.parts)), 10), '"')
	e.parts = append(e.parts, p)
	return dst
}

// moved has the placeholders of from in dst, from index start on, stand for parts of e.
func (e *Encoder) moved(dst []byte, start int, from *Parts) ([]byte, error) {
	text, err := from.replace(dst[start:], func(out []byte, r *receivedPart) ([]byte, error) {
		if !e.beside() {
			return nil, &EncodeError{Reason: "a kept value has more bytes than a message can carry"}
		}
		return e.part(out, r.Part), nil
	})
	if err != nil {
		return dst, &EncodeError{Reason: err.Error()}
	}
	return append(dst[:start], text...), nil
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
	text, err := r.Part.numbers()
	if err == nil {
		err = d.spend(len(text))
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
