// Package verbatim tells fast whether text can stand in a JSON string as it is, which is what most text that crosses can.
package verbatim

import (
	"bytes"
	"math/bits"
	"strings"
	"unicode/utf8"
)

const (
	ones  = 0x0101010101010101
	high  = 0x80 * ones
	space = ' ' * ones
	quote = '"' * ones
	slash = '\\' * ones

	// long is from how many bytes on it pays to search for quotes and backslashes by themselves.
	long = 128
)

// InString reports whether s is UTF-8 without control characters, quotes and backslashes.
func InString[S string | []byte](s S) bool {
	i, seen := 0, uint64(0)
	// A subtraction borrows from a byte below what is looked for, so that the highest bit of that byte comes up; in
	// characters beyond ASCII it is set anyway. A borrow from the byte before is no harm, since that one is found too.
	if len(s) >= long {
		if contains(s, '"') || contains(s, '\\') {
			return false
		}
		for ; i+32 <= len(s); i += 32 {
			a, b, c, d := word(s[i:i+8]), word(s[i+8:i+16]), word(s[i+16:i+24]), word(s[i+24:i+32])
			if ((a-space)|a|(b-space)|b|(c-space)|c|(d-space)|d)&high != 0 {
				break // beyond ASCII, or not plain
			}
		}
	}
	for ; i+8 <= len(s); i += 8 {
		w := word(s[i : i+8])
		if ((w-space)|((w^quote)-ones)|((w^slash)-ones))&^w&high != 0 {
			return false
		}
		seen |= w
	}
	if len(s) >= 8 { // the last word once more, instead of what is left byte by byte
		w := word(s[len(s)-8:])
		if ((w-space)|((w^quote)-ones)|((w^slash)-ones))&^w&high != 0 {
			return false
		}
		return (seen|w)&high == 0 || valid(s)
	}
	for ; i < len(s); i++ {
		c := s[i]
		if c < ' ' || c == '"' || c == '\\' {
			return false
		}
		seen |= uint64(c)
	}
	return seen&high == 0 || valid(s)
}

// Prefix returns how many bytes of s stand in a JSON string before its end: before a quote, a backslash or a control
// character. verbatim reports that they are UTF-8.
func Prefix(s []byte) (n int, verbatim bool) {
	i, seen := 0, uint64(0)
	for ; i+8 <= len(s); i += 8 {
		w := word(s[i : i+8])
		m := ((w - space) | ((w ^ quote) - ones) | ((w ^ slash) - ones)) &^ w & high
		if m != 0 { // the lowest is exact, those above it may be borrows
			n := bits.TrailingZeros64(m) &^ 7
			seen |= w & (1<<n - 1)
			i += n / 8
			return i, seen&high == 0 || utf8.Valid(s[:i])
		}
		seen |= w
	}
	for ; i < len(s); i++ {
		c := s[i]
		if c < ' ' || c == '"' || c == '\\' {
			break
		}
		seen |= uint64(c)
	}
	return i, seen&high == 0 || utf8.Valid(s[:i])
}

// word is eight bytes, the first one lowest.
func word[S string | []byte](b S) uint64 {
	_ = b[7]
	return uint64(b[0]) | uint64(b[1])<<8 | uint64(b[2])<<16 | uint64(b[3])<<24 |
		uint64(b[4])<<32 | uint64(b[5])<<40 | uint64(b[6])<<48 | uint64(b[7])<<56
}

func contains[S string | []byte](s S, c byte) bool {
	switch s := any(s).(type) {
	case string:
		return strings.IndexByte(s, c) >= 0
	case []byte:
		return bytes.IndexByte(s, c) >= 0
	}
	return false
}

func valid[S string | []byte](s S) bool {
	switch s := any(s).(type) {
	case string:
		return utf8.ValidString(s)
	case []byte:
		return utf8.Valid(s)
	}
	return false
}
