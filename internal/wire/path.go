package wire

import (
	"bytes"
	"errors"
	"strings"
)

// ErrPath says that a get or set request carries no path, or one that is no array of strings.
var ErrPath = errors.New("missing path")

// Segments appends the decoded segments of p to dst. It is the slow way to look a path up, for a text that the fast
// one does not know: `["a"]` and `[ "\u0061" ]` are the same path. A dotted path is split at every dot, so that the
// empty method is one empty segment.
func (p Path) Segments(dst []string) ([]string, error) {
	if p.Raw == nil {
		return dst, ErrPath
	}
	if p.Dotted {
		for segment := range strings.SplitSeq(string(Unescape(nil, p.Raw)), ".") {
			dst = append(dst, segment)
		}
		return dst, nil
	}
	// Parse has checked that Raw is strings, commas and white space.
	for rest := p.Raw; ; {
		start := bytes.IndexByte(rest, '"')
		if start < 0 {
			return dst, nil
		}
		s := Scanner{text: rest, pos: start, max: 1}
		if _, err := s.skipString(); err != nil {
			return dst, ErrPath
		}
		dst = append(dst, string(Unescape(nil, rest[start+1:s.pos-1])))
		rest = rest[s.pos:]
	}
}

// ScanPath reads an array of strings and returns what is between its brackets, never nil; ok is false when the
// value that comes next is anything else, which is passed over.
func ScanPath(s *Scanner) (raw []byte, ok bool, err error) {
	if raw, ok = s.plainStrings(); ok {
		return raw, true, nil
	}
	if s.Peek() != '[' {
		_, err = s.Value()
		return nil, false, err
	}
	if err = s.Open('['); err != nil {
		return nil, false, err
	}
	start := s.pos
	ok = true
	for first := true; ; first = false {
		another, err := s.Element(first)
		if err != nil {
			return nil, false, err
		}
		if !another {
			break
		}
		if s.Peek() != '"' {
			ok = false
		}
		if _, err := s.Value(); err != nil {
			return nil, false, err
		}
	}
	if !ok {
		return nil, false, nil
	}
	return s.text[start : s.pos-1], true, nil
}

// plainStrings is ScanPath for the way in which JSON.stringify writes a path without escapes. A false answer changes nothing.
func (s *Scanner) plainStrings() (raw []byte, ok bool) {
	text, start := s.text, s.pos+1
	if s.depth >= s.max || start >= len(text) || text[s.pos] != '[' {
		return nil, false
	}
	for i := start; i < len(text) && text[i] == '"'; {
		for i++; i < len(text) && plain[text[i]]; i++ {
		}
		if i+1 >= len(text) || text[i] != '"' {
			break
		}
		switch text[i+1] {
		case ',':
			i += 2
		case ']':
			s.pos = i + 2
			return text[start : i+1], true
		default:
			return nil, false
		}
	}
	return nil, false
}
