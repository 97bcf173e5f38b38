package wire

import (
	"bytes"
	"sync"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/kkrpc-go/kkrpc/internal/verbatim"
)

const hexDigits = "0123456789abcdef"

// AppendString appends s as a JSON string, escaped as JSON.stringify does it. Invalid UTF-8 becomes U+FFFD.
func AppendString(dst []byte, s string) []byte {
	dst = append(dst, '"')
	dst = AppendStringBody(dst, s)
	return append(dst, '"')
}

// AppendStringBody is AppendString without the quotes.
func AppendStringBody(dst []byte, s string) []byte {
	if verbatim.InString(s) {
		return append(dst, s...)
	}
	start := 0
	for i := 0; i < len(s); {
		if i+8 <= len(s) {
			if w := word(s[i : i+8]); w&highBits == 0 {
				n := stops(w)
				if n == 0 {
					i += 8
					continue
				}
				i += n - 1
			}
		}
		c := s[i]
		if plain[c] && c < utf8.RuneSelf {
			i++
			continue
		}
		if c >= utf8.RuneSelf {
			r, n := utf8.DecodeRuneInString(s[i:])
			if r == utf8.RuneError && n == 1 {
				dst = append(dst, s[start:i]...)
				dst = append(dst, "\uFFFD"...)
				start = i + 1
			}
			i += n
			continue
		}
		dst = append(dst, s[start:i]...)
		dst = appendEscape(dst, c)
		i++
		start = i
	}
	return append(dst, s[start:]...)
}

// word is the eight bytes of s, the first one lowest.
func word(s string) uint64 {
	_ = s[7]
	return uint64(s[0]) | uint64(s[1])<<8 | uint64(s[2])<<16 | uint64(s[3])<<24 |
		uint64(s[4])<<32 | uint64(s[5])<<40 | uint64(s[6])<<48 | uint64(s[7])<<56
}

func appendEscape(dst []byte, c byte) []byte {
	switch c {
	case '"', '\\':
		return append(dst, '\\', c)
	case '\b':
		return append(dst, '\\', 'b')
	case '\f':
		return append(dst, '\\', 'f')
	case '\n':
		return append(dst, '\\', 'n')
	case '\r':
		return append(dst, '\\', 'r')
	case '\t':
		return append(dst, '\\', 't')
	default:
		return append(dst, '\\', 'u', '0', '0', hexDigits[c>>4], hexDigits[c&15])
	}
}

// Unescape appends what the inside of a valid JSON string stands for. A lone surrogate becomes U+FFFD.
func Unescape(dst, body []byte) []byte {
	for i := 0; ; {
		run := bytes.IndexByte(body[i:], '\\')
		if run < 0 {
			return append(dst, body[i:]...)
		}
		dst = append(dst, body[i:i+run]...)
		i += run
		if body[i+1] != 'u' {
			dst = append(dst, unescapeByte(body[i+1]))
			i += 2
			continue
		}
		r, _ := hex4(body[i+2 : i+6])
		i += 6
		if utf16.IsSurrogate(r) {
			low := rune(-1)
			if i+6 <= len(body) && body[i] == '\\' && body[i+1] == 'u' {
				low, _ = hex4(body[i+2 : i+6])
			}
			if r = utf16.DecodeRune(r, low); r != utf8.RuneError {
				i += 6
			}
		}
		dst = utf8.AppendRune(dst, r)
	}
}

func unescapeByte(c byte) byte {
	switch c {
	case 'b':
		return '\b'
	case 'f':
		return '\f'
	case 'n':
		return '\n'
	case 'r':
		return '\r'
	case 't':
		return '\t'
	default:
		return c
	}
}

// UnquoteString returns what a raw JSON string, quotes included, stands for; ok is false when raw is no string.
func UnquoteString(raw []byte) (s string, ok bool) {
	if !IsString(raw) {
		return "", false
	}
	body := raw[1 : len(raw)-1]
	if bytes.IndexByte(body, '\\') < 0 {
		return string(body), true
	}
	scratch := unquoted.Get().(*[]byte)
	text := Unescape((*scratch)[:0], body)
	s = string(text)
	if cap(text) <= maxScratch {
		*scratch = text
		unquoted.Put(scratch)
	}
	return s, true
}

const maxScratch = 128 << 10

var unquoted = sync.Pool{New: func() any { return new([]byte) }}

// IsString reports whether raw, a valid JSON value or nil, is a string.
func IsString(raw []byte) bool { return len(raw) >= 2 && raw[0] == '"' }

// StringBody returns what raw, a valid JSON value or nil, stands for if it is a string, and nothing otherwise. Without
// escapes it is a part of raw.
func StringBody(raw []byte) []byte {
	if !IsString(raw) {
		return nil
	}
	body := raw[1 : len(raw)-1]
	if bytes.IndexByte(body, '\\') >= 0 {
		body = Unescape(nil, body)
	}
	return body
}

func hex4(b []byte) (r rune, ok bool) {
	for _, c := range b {
		d, ok := hexDigit(c)
		if !ok {
			return 0, false
		}
		r = r<<4 | rune(d)
	}
	return r, true
}

func allHex(b []byte) bool {
	_, ok := hex4(b)
	return ok
}

func hexDigit(c byte) (byte, bool) {
	switch {
	case c >= '0' && c <= '9':
		return c - '0', true
	case c|0x20 >= 'a' && c|0x20 <= 'f':
		return c | 0x20 - 'a' + 10, true
	}
	return 0, false
}
