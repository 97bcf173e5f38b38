package shrink

import (
	"bytes"
	"encoding/binary"
	"fmt"
)

// Numbers in ascending order compress badly, their differences well. PackTables keeps differences. The start function of the
// module undoes that: a host runs it when it instantiates the module, before it can call anything.

// Go gives each function functionSize addresses, and each bucketRange addresses a bucket, by which the runtime finds the
// function of an address: a runtime.findfuncbucket, the number of the first function and 16 bytes that are zero if that is the
// only one.
const (
	functionSize = 1 << 16
	bucketRange  = 1 << 12
	bucketSize   = 20
)

// packedWords is how many of the first fields of each function become differences: its entry and its name. The other fields
// are in no order.
const packedWords = 2

// PackTables packs the entries, places and names of functions, and leaves the buckets out. A program that has other tables
// stays as it is, and the error is ErrTables.
func (p *Program) PackTables() error {
	t, err := findTables(p.memory)
	if err != nil {
		return err
	}
	if err := t.findModule(); err != nil {
		return err
	}
	if !p.canStart() {
		return ErrTables
	}
	for i := t.count - 1; i > 0; i-- {
		for field := packedWords - 1; field >= 0; field-- {
			at, before := t.place(i)+4*field, t.place(i-1)+4*field
			t.setWord(at, t.word(at)-t.word(before))
		}
	}
	words := 2*t.count + 1 // of each function an entry and a place; the end is an entry too
	for i := words - 1; i >= 2; i-- {
		t.setWord(4*i, t.word(4*i)-t.word(4*(i-2)))
	}
	buckets := t.packBuckets()
	p.start = startFunction(t, words, buckets)
	return nil
}

// packBuckets zeroes the buckets that are as expected. It returns how many there are, from the first one on.
func (t *tables) packBuckets() (count int64) {
	const perFunction = functionSize / bucketRange
	want := func(bucket int64) []byte {
		return binary.LittleEndian.AppendUint32(make([]byte, 0, bucketSize), uint32(bucket/perFunction))
	}
	for ; count < int64(t.count)*perFunction; count++ {
		got := t.read(t.buckets+count*bucketSize, bucketSize)
		if !bytes.Equal(bytes.TrimRight(got, "\x00"), bytes.TrimRight(want(count), "\x00")) {
			break
		}
	}
	t.clear(t.buckets, count*bucketSize)
	return count
}

// Instructions of WebAssembly.
const (
	opLoop     = 0x03
	opBrIf     = 0x0d
	opLocalGet = 0x20
	opLocalSet = 0x21
	opLoad     = 0x28
	opStore    = 0x36
	opLess     = 0x49 // unsigned
	opAdd      = 0x6a
	opShift    = 0x76 // to the right, unsigned
	typeI32    = 0x7f
	typeVoid   = 0x40
)

// Locals of the start function, all of type i32.
const (
	localNext = iota // where a loop is
	localTo          // what it sets
	localFrom        // what it adds to that
	locals
)

// startFunction returns the body of a function that undoes PackTables.
func startFunction(t *tables, words int, buckets int64) []byte {
	c := code{1, locals, typeI32} // one kind of locals
	functions, end := t.address, t.address+4*int64(words)
	c.loop(functions+8, end, 4, func() {
		c.get(localNext)
		c.get(localNext).load(0)
		c.get(localNext).constant(-8).op(opAdd).load(0)
		c.op(opAdd).store(0)
	})
	c.loop(functions+8, functions+8*int64(t.count), 8, func() {
		c.get(localNext).load(4).constant(t.address).op(opAdd).set(localTo)
		c.get(localNext).constant(-4).op(opAdd).load(0).constant(t.address).op(opAdd).set(localFrom)
		for field := range int64(packedWords) {
			c.get(localTo)
			c.get(localTo).load(4 * field)
			c.get(localFrom).load(4 * field)
			c.op(opAdd).store(4 * field)
		}
	})
	if buckets == 0 {
		return append(c, opEnd)
	}
	c.constant(0).set(localTo) // the number of the bucket
	c.loop(t.buckets, t.buckets+bucketSize*buckets, bucketSize, func() {
		c.get(localNext)
		c.get(localTo).constant(4).op(opShift).store(0)
		c.get(localTo).constant(1).op(opAdd).set(localTo)
	})
	return append(c, opEnd)
}

// code is the body of a function.
type code []byte

func (c *code) op(ops ...byte) *code { *c = append(*c, ops...); return c }

func (c *code) constant(n int64) *code {
	*c = appendSigned(append(*c, opI32Const), n)
	return c
}

func (c *code) get(local byte) *code { return c.op(opLocalGet, local) }
func (c *code) set(local byte) *code { return c.op(opLocalSet, local) }

// load and store have the alignment of a byte, 0, which holds for all addresses.
func (c *code) load(offset int64) *code  { return c.memory(opLoad, offset) }
func (c *code) store(offset int64) *code { return c.memory(opStore, offset) }

func (c *code) memory(op byte, offset int64) *code {
	*c = binary.AppendUvarint(append(*c, op, 0), uint64(offset))
	return c
}

// loop runs body with localNext from an address to before another one, at least once.
func (c *code) loop(from, end, step int64, body func()) {
	c.constant(from).set(localNext)
	c.op(opLoop, typeVoid)
	body()
	c.get(localNext).constant(step).op(opAdd).set(localNext)
	c.get(localNext).constant(end).op(opLess)
	c.op(opBrIf, 0, opEnd)
}

// canStart reports whether the module has what withStart changes, and no start function of its own.
func (p *Program) canStart() bool {
	for _, id := range []byte{sectionType, sectionFunction, sectionElement, sectionCode} {
		if p.section(id) == nil {
			return false
		}
	}
	_, err := countImports(p.section(sectionImport))
	return err == nil && p.section(sectionStart) == nil
}

// withStart returns the sections with the start function, as the last function of the module.
func (p *Program) withStart() ([]section, error) {
	imported, err := countImports(p.section(sectionImport))
	if err != nil {
		return nil, err
	}
	var out []section
	index, types := uint64(0), uint64(0)
	for _, s := range p.sections {
		var count uint64
		switch s.id {
		case sectionType: // a function without parameters and results
			if types, s.body, err = appendEntry(s.body, []byte{0x60, 0, 0}); err != nil {
				return nil, err
			}
		case sectionFunction:
			if count, s.body, err = appendEntry(s.body, binary.AppendUvarint(nil, types)); err != nil {
				return nil, err
			}
			index = imported + count
		case sectionElement: // the section of the start function is before it
			out = append(out, section{sectionStart, binary.AppendUvarint(nil, index)})
		case sectionCode:
			if _, s.body, err = appendEntry(s.body, appendSized(nil, p.start)); err != nil {
				return nil, err
			}
		}
		out = append(out, s)
	}
	return out, nil
}

// appendEntry returns a section with one entry more, and how many it had.
func appendEntry(body, entry []byte) (count uint64, longer []byte, err error) {
	r := reader{body}
	if count, err = r.unsigned(); err != nil {
		return 0, nil, err
	}
	longer = binary.AppendUvarint(make([]byte, 0, len(body)+len(entry)+1), count+1)
	return count, append(append(longer, r.rest...), entry...), nil
}

// countImports returns how many functions a module imports. Go's modules import nothing else.
func countImports(body []byte) (count uint64, err error) {
	r := reader{body}
	if count, err = r.unsigned(); err != nil {
		return 0, err
	}
	for range count {
		for range 2 { // the names of module and function
			if _, err := r.sized(); err != nil {
				return 0, err
			}
		}
		kind, err := r.bytes(1)
		if err != nil {
			return 0, err
		}
		if kind[0] != 0 {
			return 0, fmt.Errorf("%w: it imports what is no function", errModule)
		}
		if _, err := r.unsigned(); err != nil { // the type
			return 0, err
		}
	}
	return count, nil
}
