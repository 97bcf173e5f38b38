// Package verbatim tells fast whether text can stand in a JSON string as it is, which is what most text that crosses can.
package verbatim

import (
	"bytes"
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
	for ; i < len(s); i++ {
		c := s[i]
		if c < ' ' || c == '"' || c == '\\' {
			return false
		}
		seen |= uint64(c)
	}
	return seen&high == 0 || valid(s)
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
