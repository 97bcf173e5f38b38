package shrink

import (
	"cmp"
	"encoding/binary"
	"fmt"
	"slices"
)

// Go's linker omits runs of zeros from the data of a program. That splits the data into up to 100,000 segments. Their
// addresses hardly compress, but zeros do. A program with few segments is larger, and smaller once it is gzipped.

// maxGap is the number of zeros between two segments up to which they are joined. A value above 64 saves nothing.
const maxGap = 64

// segment is data that a program puts into memory at an address when it starts.
type segment struct {
	address int64
	data    []byte
}

func (s *segment) end() int64 { return s.address + int64(len(s.data)) }

// memory is what a program puts into memory: segments in ascending order. All else is zero.
type memory []segment

// from returns what is at an address, to the end of its segment.
func (m memory) from(address int64) []byte {
	i, found := slices.BinarySearchFunc(m, address, func(s segment, address int64) int { return cmp.Compare(s.address, address) })
	if !found {
		i--
	}
	if i < 0 || address >= m[i].end() {
		return nil
	}
	return m[i].data[address-m[i].address:]
}

// read returns a copy of n bytes.
func (m memory) read(address, n int64) []byte {
	out := make([]byte, n)
	for _, s := range m {
		if from, to := max(address, s.address), min(address+n, s.end()); from < to {
			copy(out[from-address:], s.data[from-s.address:to-s.address])
		}
	}
	return out
}

// clear sets n bytes to zero.
func (m memory) clear(address, n int64) {
	for _, s := range m {
		from, to := max(address, s.address), min(address+n, s.end())
		if from < to {
			clear(s.data[from-s.address : to-s.address])
		}
	}
}

// merge joins segments that are within maxGap of each other, whatever their order.
func merge(segments []segment) memory {
	var merged memory
	for _, s := range slices.SortedFunc(slices.Values(segments), func(a, b segment) int { return cmp.Compare(a.address, b.address) }) {
		if n := len(merged); n > 0 && s.address-merged[n-1].end() <= maxGap {
			last := &merged[n-1]
			last.data = append(last.data, make([]byte, max(0, s.end()-last.end()))...)
			continue
		}
		merged = append(merged, segment{s.address, make([]byte, len(s.data))})
	}
	for _, s := range segments { // in their order: of two that write to one address, the later one counts
		copy(merged.from(s.address), s.data)
	}
	return merged
}

// split is the inverse of merge for data that has been set to zero since.
func (m memory) split() memory {
	var kept memory
	for _, s := range m {
		for from := 0; from < len(s.data); {
			if s.data[from] == 0 {
				from++
				continue
			}
			to, last := from, from // last is behind what is not zero
			for ; to < len(s.data) && to-last <= maxGap; to++ {
				if s.data[to] != 0 {
					last = to + 1
				}
			}
			kept = append(kept, segment{s.address + int64(from), s.data[from:last]})
			from = to
		}
	}
	return kept
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
		data, err := r.sized()
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

func appendSegments(dst []byte, segments memory) []byte {
	dst = binary.AppendUvarint(dst, uint64(len(segments)))
	for _, s := range segments {
		dst = append(dst, activeInMemory0, opI32Const)
		dst = appendSigned(dst, s.address)
		dst = append(dst, opEnd)
		dst = appendSized(dst, s.data)
	}
	return dst
}
