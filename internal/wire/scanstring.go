package wire

import (
	"bytes"
	"encoding/binary"
	"math/bits"
)

const (
	shortString = 64 // bytes of a string that are looked at in words
	unknown     = -1

	highBits       = 0x8080808080808080
	lowBits        = 0x0101010101010101
	spacesPerWord  = ' ' * lowBits
	quotesPerWord  = '"' * lowBits
	slashesPerWord = '\\' * lowBits
)

// plain marks the bytes that stand for themselves in a JSON string.
var plain = func() (t [256]bool) {
	for c := range t {
		t[c] = c >= 0x20 && c != '"' && c != '\\'
	}
	return
}()

// skipString passes over the string that starts here and reports whether it has escapes. The first bytes, and those
// behind an escape, are looked at in words of eight; the rest of a longer string is searched at the speed of IndexByte.
// No byte is searched twice, since the place of the next quote is remembered.
func (s *Scanner) skipString() (escaped bool, err error) {
	text, i := s.text, s.pos+1
	quote := unknown
	for {
		short, stop := min(i+shortString, len(text)), 0
		for ; i+8 <= short; i += 8 {
			if stop = stops(binary.LittleEndian.Uint64(text[i:])); stop != 0 {
				break
			}
		}
		switch {
		case stop != 0:
			i += stop - 1
		case short == len(text):
			for i < len(text) && plain[text[i]] {
				i++
			}
		default:
			if quote < i {
				n := bytes.IndexByte(text[i:], '"')
				if n < 0 {
					return escaped, s.fail(len(text), reasonEnd)
				}
				quote = i + n
			}
			run := text[i:quote]
			if n := bytes.IndexByte(run, '\\'); n >= 0 {
				run = run[:n]
			}
			if n := indexControl(run); n >= 0 {
				return escaped, s.fail(i+n, "control character in a string")
			}
			i += len(run)
		}
		if i == len(text) {
			return escaped, s.fail(i, reasonEnd)
		}
		switch text[i] {
		case '"':
			s.pos = i + 1
			return escaped, nil
		case '\\':
			escaped = true
			n, ok := escapeLen(text[i:])
			if !ok {
				return escaped, s.badEscape(i)
			}
			i += n
		default:
			return escaped, s.fail(i, "control character in a string")
		}
	}
}

// escapeLen returns the length of the escape that text begins with.
func escapeLen(text []byte) (n int, ok bool) {
	if len(text) < 2 {
		return 0, false
	}
	switch text[1] {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		return 2, true
	case 'u':
		if len(text) < 6 {
			return 0, false
		}
		_, ok := hex4(text[2:6])
		return 6, ok
	}
	return 0, false
}

func (s *Scanner) badEscape(i int) error {
	rest := s.text[i:]
	if len(rest) < 2 {
		return s.fail(len(s.text), reasonEnd)
	}
	if rest[1] == 'u' && len(rest) < 6 && allHex(rest[2:]) {
		return s.fail(len(s.text), reasonEnd)
	}
	return s.fail(i, "bad escape in a string")
}

// stops returns the place, counted from 1, of the first byte of a word that is not plain; 0 for none.
func stops(w uint64) int {
	// Each subtraction borrows from a byte below what is looked for. The lowest mark is exact; those above it may be
	// borrows. Bytes with the high bit set are part of longer characters, and plain.
	m := ((w - spacesPerWord) | ((w ^ quotesPerWord) - lowBits) | ((w ^ slashesPerWord) - lowBits)) & ^w & highBits
	if m == 0 {
		return 0
	}
	return bits.TrailingZeros64(m)/8 + 1
}

// indexControl returns the index of the first byte below 0x20, or -1.
func indexControl(b []byte) int {
	i := 0
	for ; i+32 <= len(b); i += 32 {
		q := b[i : i+32 : i+32]
		w, x := binary.LittleEndian.Uint64(q), binary.LittleEndian.Uint64(q[8:])
		y, z := binary.LittleEndian.Uint64(q[16:]), binary.LittleEndian.Uint64(q[24:])
		if ((w-spacesPerWord)&^w|(x-spacesPerWord)&^x|(y-spacesPerWord)&^y|(z-spacesPerWord)&^z)&highBits != 0 {
			break
		}
	}
	for ; i+8 <= len(b); i += 8 {
		w := binary.LittleEndian.Uint64(b[i:])
		// The lowest set bit is exact; those above it may be borrows.
		if m := (w - spacesPerWord) & ^w & highBits; m != 0 {
			return i + bits.TrailingZeros64(m)/8
		}
	}
	for ; i < len(b); i++ {
		if b[i] < ' ' {
			return i
		}
	}
	return -1
}
