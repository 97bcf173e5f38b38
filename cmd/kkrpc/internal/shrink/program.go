// Package shrink makes WebAssembly programs of Go's linker smaller once they are gzipped. They do the same, but for their stack
// traces.
package shrink

import (
	"encoding/binary"
	"errors"
	"fmt"
)

const wasmHeader = "\x00asm\x01\x00\x00\x00"

// Ids of sections of a module that are read or changed.
const (
	sectionType     = 1
	sectionImport   = 2
	sectionFunction = 3
	sectionStart    = 8
	sectionElement  = 9
	sectionCode     = 10
	sectionData     = 11
)

// errModule is the error for a program that violates the specification of WebAssembly.
var errModule = errors.New("not a WebAssembly module that Go has linked")

// Program is a module that Go has linked.
type Program struct {
	sections []section
	memory   memory // of the data section, whose body is not kept
	start    []byte // the body of a function to run when the module is instantiated, or nil
}

type section struct {
	id   byte
	body []byte
}

// Read reads a module. The Program does not write into it.
func Read(module []byte) (*Program, error) {
	if len(module) < len(wasmHeader) || string(module[:len(wasmHeader)]) != wasmHeader {
		return nil, fmt.Errorf("%w: it begins with %.8q", errModule, module)
	}
	p := &Program{}
	for r := (reader{module[len(wasmHeader):]}); len(r.rest) > 0; {
		id, err := r.bytes(1)
		if err != nil {
			return nil, err
		}
		body, err := r.sized()
		if err != nil {
			return nil, err
		}
		if id[0] == sectionData {
			segments, err := readSegments(body)
			if err != nil {
				return nil, err
			}
			p.memory, body = merge(segments), nil
		}
		p.sections = append(p.sections, section{id[0], body})
	}
	return p, nil
}

// section returns the body of a section, or nil.
func (p *Program) section(id byte) []byte {
	for _, s := range p.sections {
		if s.id == id {
			return s.body
		}
	}
	return nil
}

// Bytes returns the module.
func (p *Program) Bytes() ([]byte, error) {
	sections := p.sections
	if p.start != nil {
		var err error
		if sections, err = p.withStart(); err != nil {
			return nil, err
		}
	}
	out := []byte(wasmHeader)
	for _, s := range sections {
		if s.id == sectionData {
			s.body = appendSegments(nil, p.memory.split())
		}
		out = append(out, s.id)
		out = appendSized(out, s.body)
	}
	return out, nil
}

func appendSized(dst, body []byte) []byte {
	return append(binary.AppendUvarint(dst, uint64(len(body))), body...)
}

// reader reads the numbers of WebAssembly, LEB128. Go's Uvarint is the unsigned one; there is none for the signed.
type reader struct {
	rest []byte
}

func (r *reader) bytes(n uint64) ([]byte, error) {
	if n > uint64(len(r.rest)) {
		return nil, fmt.Errorf("%w: it ends too early", errModule)
	}
	b := r.rest[:n]
	r.rest = r.rest[n:]
	return b, nil
}

// sized reads bytes with their number before them.
func (r *reader) sized() ([]byte, error) {
	n, err := r.unsigned()
	if err != nil {
		return nil, err
	}
	return r.bytes(n)
}

func (r *reader) expect(want ...byte) error {
	got, err := r.bytes(uint64(len(want)))
	if err == nil && string(got) != string(want) {
		return fmt.Errorf("%w: a data segment has % x, want % x", errModule, got, want)
	}
	return err
}

func (r *reader) unsigned() (uint64, error) {
	n, size := binary.Uvarint(r.rest)
	if size <= 0 {
		return 0, fmt.Errorf("%w: a bad number", errModule)
	}
	r.rest = r.rest[size:]
	return n, nil
}

// signed reads an i32, at most five bytes.
func (r *reader) signed() (n int64, err error) {
	for shift := 0; shift < 35; shift += 7 {
		b, err := r.bytes(1)
		if err != nil {
			return 0, err
		}
		n |= int64(b[0]&0x7f) << shift
		if b[0]&0x80 == 0 {
			if b[0]&0x40 != 0 {
				n |= -1 << (shift + 7)
			}
			return n, nil
		}
	}
	return 0, fmt.Errorf("%w: a bad number", errModule)
}

func appendSigned(dst []byte, n int64) []byte {
	for {
		b := byte(n & 0x7f)
		n >>= 7
		if n == 0 && b&0x40 == 0 || n == -1 && b&0x40 != 0 {
			return append(dst, b)
		}
		dst = append(dst, b|0x80)
	}
}
