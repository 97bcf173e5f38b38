package wire

import (
	"bytes"
	"unicode/utf8"
)

// Detect finds out how a whole JSON text is written: a string t that compact knows, at the top or under json, means
// compact; otherwise a string type means classic. Unknown with a nil error is JSON that is neither. cut says that
// the text ends before its value does, so that more of it may come.
func Detect(text []byte, maxDepth int) (d Dialect, cut bool, err error) {
	var s Scanner
	var top, inner sighting
	if err = s.Init(text, maxDepth); err == nil {
		if err = top.scan(&s, &inner); err == nil {
			err = s.End()
		}
	}
	if err != nil {
		e, ok := err.(*SyntaxError)
		return Unknown, ok && (e.Offset == len(text) || !utf8.FullRune(text[e.Offset:])), err
	}
	switch {
	case top.compact:
		return Compact, false, nil
	case inner.compact:
		return CompactSuperJSON, false, nil
	case inner.classic && bytes.HasPrefix(text, []byte(`{"json":`)):
		return ClassicSuperJSON, false, nil
	case top.classic || inner.classic:
		return Classic, false, nil
	}
	return Unknown, false, nil
}

// Begins returns the dialect whose known writers begin a message so.
func Begins(text []byte) Dialect {
	switch {
	case bytes.HasPrefix(text, []byte(`{"t":"`)):
		return Compact
	case bytes.HasPrefix(text, []byte(`{"id":"`)):
		return Classic
	case bytes.HasPrefix(text, []byte(`{"json":{"t":"`)):
		return CompactSuperJSON
	case bytes.HasPrefix(text, []byte(`{"json":{"id":"`)):
		return ClassicSuperJSON
	}
	return Unknown
}

// sighting is what an object shows of its generation.
type sighting struct{ compact, classic bool }

// scan reads a value and what its members t and type say. A member json is read into inner, if that is not nil.
func (g *sighting) scan(s *Scanner, inner *sighting) error {
	*g = sighting{}
	if s.Peek() != '{' {
		_, err := s.Value()
		return err
	}
	if err := s.Open('{'); err != nil {
		return err
	}
	for first := true; ; first = false {
		key, ok, err := s.Key(first)
		if !ok {
			return err
		}
		if inner != nil && string(key) == "json" {
			if err := inner.scan(s, nil); err != nil {
				return err
			}
			continue
		}
		raw, err := s.Value()
		if err != nil {
			return err
		}
		switch string(key) {
		case "t":
			g.compact = isCompactKind(raw)
		case "type":
			g.classic = IsString(raw)
		}
	}
}

func isCompactKind(raw []byte) bool {
	t, _ := UnquoteString(raw)
	switch t {
	case "q", "r", "cb", "cbr", "sq", "sr", "qc":
		return true
	}
	return false
}
