package main

import (
	"cmp"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
)

// Go's linker omits runs of zeros from the data of a program. That splits the data into up to 100,000 segments. Their
// addresses hardly compress, but zeros do. A program with few segments is larger, and smaller once it is gzipped.

// maxGap is the number of zeros between two segments up to which they are joined. A value above 64 saves nothing.
const maxGap = 64

// sectionData is the id of the data section of WebAssembly.
const sectionData = 11

// errModule is the error for a program that violates the specification of WebAssembly.
var errModule = errors.New("not a WebAssembly module that Go has linked")

// segment is data that a program puts into memory at an address when it starts.
type segment struct {
	address int64
	data    []byte
}

func (s *segment) end() int64 { return s.address + int64(len(s.data)) }

// mergeSegments returns a WebAssembly module which does the same with fewer segments of data. change, if it is not nil, may
// change the bytes of these.
func mergeSegments(module []byte, change func([]segment) error) ([]byte, error) {
	out := append(make([]byte, 0, len(module)*5/4), wasmHeader...)
	err := eachSection(module, func(id byte, body []byte) error {
		if id == sectionData {
			segments, err := readSegments(body)
			if err != nil {
				return err
			}
			merged := merge(segments)
			if change != nil {
				if err := change(merged); err != nil {
					return err
				}
			}
			body = appendSegments(nil, merged)
		}
		out = append(out, id)
		out = binary.AppendUvarint(out, uint64(len(body)))
		out = append(out, body...)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

const wasmHeader = "\x00asm\x01\x00\x00\x00"

// eachSection calls f with each section of a module until f fails.
func eachSection(module []byte, f func(id byte, body []byte) error) error {
	if len(module) < len(wasmHeader) || string(module[:len(wasmHeader)]) != wasmHeader {
		return fmt.Errorf("%w: it begins with %.8q", errModule, module)
	}
	for r := (reader{module[len(wasmHeader):]}); len(r.rest) > 0; {
		id, err := r.bytes(1)
		if err != nil {
			return err
		}
		size, err := r.unsigned()
		if err != nil {
			return err
		}
		body, err := r.bytes(size)
		if err != nil {
			return err
		}
		if err := f(id[0], body); err != nil {
			return err
		}
	}
	return nil
}

// merge joins segments that are within maxGap of each other, whatever their order.
func merge(segments []segment) []segment {
	var merged []segment
	for _, s := range slices.SortedFunc(slices.Values(segments), func(a, b segment) int { return cmp.Compare(a.address, b.address) }) {
		if n := len(merged); n > 0 && s.address-merged[n-1].end() <= maxGap {
			last := &merged[n-1]
			last.data = append(last.data, make([]byte, max(0, s.end()-last.end()))...)
			continue
		}
		merged = append(merged, segment{s.address, make([]byte, len(s.data))})
	}
	for _, s := range segments { // in their order: of two that write to one address, the later one counts
		i, found := slices.BinarySearchFunc(merged, s.address, func(m segment, address int64) int { return cmp.Compare(m.address, address) })
		if !found {
			i--
		}
		copy(merged[i].data[s.address-merged[i].address:], s.data)
	}
	return merged
}

// Go writes a segment as memory 0, the address as a constant expression, the length, and the data.
const (
	activeInMemory0 = 0x00
	opI32Const      = 0x41
	opEnd           = 0x0b
)

func readSegments(body []byte) ([]segment, error) {
	r := reader{body}
	count, err := r.unsigned()
	if err != nil {
		return nil, err
	}
	var segments []segment
	for range count {
		if err := r.expect(activeInMemory0, opI32Const); err != nil {
			return nil, err
		}
		address, err := r.signed()
		if err != nil {
			return nil, err
		}
		if err := r.expect(opEnd); err != nil {
			return nil, err
		}
		size, err := r.unsigned()
		if err != nil {
			return nil, err
		}
		data, err := r.bytes(size)
		if err != nil {
			return nil, err
		}
		segments = append(segments, segment{address, data})
	}
	if len(r.rest) > 0 {
		return nil, fmt.Errorf("%w: %d bytes after its data", errModule, len(r.rest))
	}
	return segments, nil
}

func appendSegments(dst []byte, segments []segment) []byte {
	dst = binary.AppendUvarint(dst, uint64(len(segments)))
	for _, s := range segments {
		dst = append(dst, activeInMemory0, opI32Const)
		dst = appendSigned(dst, s.address)
		dst = append(dst, opEnd)
		dst = binary.AppendUvarint(dst, uint64(len(s.data)))
		dst = append(dst, s.data...)
	}
	return dst
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
