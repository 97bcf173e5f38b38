package wire

import (
	"errors"
	"fmt"
	"unicode/utf8"
)

// Errors of parsing. None of them is the end of a connection: the text is dropped and the next one read.
var (
	// ErrNotMessage: valid JSON, but no message of the protocol.
	ErrNotMessage = errors.New("not a kkrpc message")
	// ErrDepth: the JSON nests deeper than allowed. What is inside the nesting has not been checked, everything
	// around it has, so a message that comes with this error has its Kind and ID.
	ErrDepth = errors.New("message nests too deep")
	// ErrArgs: there are more than MaxArgs arguments. Those are in the message.
	ErrArgs = fmt.Errorf("message has more than %d arguments", MaxArgs)
	// ErrID: the id is longer than MaxID.
	ErrID = fmt.Errorf("the id of the message is longer than %d bytes", MaxID)
)

// SyntaxError says where text stops being JSON.
type SyntaxError struct {
	Offset int // in bytes; the length of the text when it ends too early
	Reason string
}

func (e *SyntaxError) Error() string {
	return fmt.Sprintf("invalid JSON at byte %d: %s", e.Offset, e.Reason)
}

const (
	reasonEnd    = "unexpected end"
	maxScanDepth = 10_000 // whatever is asked for, since a level costs stack
)

// Scanner walks once over a JSON text, as JavaScript's JSON.parse accepts it, and gives out spans of it. It allocates
// nothing, except for keys with escapes. Start it with Init; the first error is the last thing it says.
type Scanner struct {
	text    []byte
	pos     int
	depth   int
	max     int
	tooDeep bool
}

// Init starts over with text. A maxDepth of zero or less means 10,000.
func (s *Scanner) Init(text []byte, maxDepth int) error {
	s.initChecked(text, maxDepth)
	if !utf8.Valid(text) {
		return s.fail(firstInvalid(text), "invalid UTF-8")
	}
	return nil
}

// initChecked is Init for text that is known to be UTF-8.
func (s *Scanner) initChecked(text []byte, maxDepth int) {
	if maxDepth <= 0 || maxDepth > maxScanDepth {
		maxDepth = maxScanDepth
	}
	*s = Scanner{text: text, max: maxDepth}
}

// TooDeep reports whether a value was passed over that nests deeper than the limit.
func (s *Scanner) TooDeep() bool { return s.tooDeep }

// Peek returns the first byte of what comes next, behind white space, or 0 at the end.
func (s *Scanner) Peek() byte {
	if s.pos < len(s.text) {
		if c := s.text[s.pos]; c > ' ' {
			return c
		}
	}
	return s.skipSpace()
}

func (s *Scanner) skipSpace() byte {
	for ; s.pos < len(s.text); s.pos++ {
		if c := s.text[s.pos]; c != ' ' && c != '\n' && c != '\r' && c != '\t' {
			return c
		}
	}
	return 0
}

// End returns an error unless nothing but white space is left.
func (s *Scanner) End() error {
	s.Peek()
	if s.pos < len(s.text) {
		return s.fail(s.pos, "text behind the value")
	}
	return nil
}

// Open steps into an object or array, whichever bracket is '{' or '['.
func (s *Scanner) Open(bracket byte) error {
	if s.Peek() != bracket {
		return s.unexpected()
	}
	if s.depth++; s.depth > s.max {
		s.tooDeep = true
	}
	s.pos++
	return nil
}

// Key returns the name of the next member of the object that was opened and stops before its value; ok is false
// behind the last member. first says that no member has been read yet.
func (s *Scanner) Key(first bool) (key []byte, ok bool, err error) {
	if ok, err = s.more('}', first); !ok {
		return nil, false, err
	}
	if s.Peek() != '"' {
		return nil, false, s.unexpected()
	}
	start := s.pos
	escaped, err := s.skipString()
	if err != nil {
		return nil, false, err
	}
	key = s.text[start+1 : s.pos-1]
	if escaped {
		key = Unescape(nil, key)
	}
	if s.pos < len(s.text) && s.text[s.pos] == ':' {
		s.pos++
		return key, true, nil
	}
	if s.Peek() != ':' {
		return nil, false, s.unexpected()
	}
	s.pos++
	return key, true, nil
}

// Element stops before the next element of the array that was opened; ok is false behind the last one.
func (s *Scanner) Element(first bool) (ok bool, err error) { return s.more(']', first) }

// more consumes the comma before another element, or the closing bracket.
func (s *Scanner) more(end byte, first bool) (bool, error) {
	if s.Close(end) {
		return false, nil
	}
	switch {
	case first:
		return true, nil
	case s.Peek() == ',':
		s.pos++
		return true, nil
	default:
		return false, s.unexpected()
	}
}

// Value passes over one value and returns its text.
func (s *Scanner) Value() ([]byte, error) {
	s.Peek()
	start := s.pos
	if err := s.skipValue(); err != nil {
		return nil, err
	}
	return s.text[start:s.pos], nil
}

// OpenWith steps into an object whose text begins exactly with prefix, and behind prefix. It is how the usual form of
// a message is read fast; a false answer changes nothing.
func (s *Scanner) OpenWith(prefix string) bool {
	if !s.Literal(prefix) {
		return false
	}
	if s.depth++; s.depth > s.max {
		s.tooDeep = true
	}
	return true
}

// Literal consumes text when it is exactly what comes next, white space included.
func (s *Scanner) Literal(text string) bool {
	if rest := s.text[s.pos:]; len(rest) >= len(text) && string(rest[:len(text)]) == text {
		s.pos += len(text)
		return true
	}
	return false
}

// Close consumes the bracket end if it comes next, and steps out of what was opened.
func (s *Scanner) Close(end byte) bool {
	if s.Peek() != end {
		return false
	}
	s.pos++
	s.depth--
	return true
}

// Mark is a place in the text to which Back returns.
type Mark struct{ pos, depth int }

// Mark returns the place of what comes next.
func (s *Scanner) Mark() Mark { return Mark{s.pos, s.depth} }

// Back returns to a place that was passed.
func (s *Scanner) Back(m Mark) { s.pos, s.depth = m.pos, m.depth }

// Since returns the text from m to here.
func (s *Scanner) Since(m Mark) []byte { return s.text[m.pos:s.pos] }

func (s *Scanner) skipValue() error {
	switch c := s.Peek(); c {
	case '"':
		_, err := s.skipString()
		return err
	case '{', '[':
		if s.depth >= s.max {
			s.tooDeep = true
			return s.skipNested()
		}
		return s.skipTree()
	case 't':
		return s.skipWord("true")
	case 'f':
		return s.skipWord("false")
	case 'n':
		return s.skipWord("null")
	case '-', '0', '1', '2', '3', '4', '5', '6', '7', '8', '9':
		return s.skipNumber()
	default:
		return s.unexpected()
	}
}

// skipNested passes over a value that nests too deep by counting brackets, in constant space.
func (s *Scanner) skipNested() error {
	for open := 0; s.pos < len(s.text); {
		switch s.text[s.pos] {
		case '"':
			if _, err := s.skipString(); err != nil {
				return err
			}
			continue
		case '{', '[':
			open++
		case '}', ']':
			open--
		}
		s.pos++
		if open == 0 {
			return nil
		}
	}
	return s.fail(s.pos, reasonEnd)
}

func (s *Scanner) skipWord(word string) error {
	for i := range len(word) {
		if s.pos+i == len(s.text) || s.text[s.pos+i] != word[i] {
			s.pos += i
			return s.unexpected()
		}
	}
	s.pos += len(word)
	return nil
}

func (s *Scanner) skipNumber() error {
	if s.text[s.pos] == '-' {
		s.pos++
	}
	if s.pos < len(s.text) && s.text[s.pos] == '0' {
		s.pos++
	} else if !s.skipDigits() {
		return s.unexpected()
	}
	if s.pos < len(s.text) && s.text[s.pos] == '.' {
		s.pos++
		if !s.skipDigits() {
			return s.unexpected()
		}
	}
	if s.pos < len(s.text) && s.text[s.pos]|0x20 == 'e' {
		s.pos++
		if s.pos < len(s.text) && (s.text[s.pos] == '+' || s.text[s.pos] == '-') {
			s.pos++
		}
		if !s.skipDigits() {
			return s.unexpected()
		}
	}
	return nil
}

func (s *Scanner) skipDigits() bool {
	start := s.pos
	for s.pos < len(s.text) && s.text[s.pos]-'0' <= 9 {
		s.pos++
	}
	return s.pos > start
}

func (s *Scanner) unexpected() error {
	if s.pos >= len(s.text) {
		return s.fail(len(s.text), reasonEnd)
	}
	return s.fail(s.pos, fmt.Sprintf("unexpected %q", s.text[s.pos]))
}

func (s *Scanner) fail(offset int, reason string) error {
	s.pos = len(s.text)
	return &SyntaxError{Offset: offset, Reason: reason}
}

func firstInvalid(text []byte) int {
	for i := 0; i < len(text); {
		r, n := utf8.DecodeRune(text[i:])
		if r == utf8.RuneError && n == 1 {
			return i
		}
		i += n
	}
	return len(text)
}
