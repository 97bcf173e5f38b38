package wire

import (
	"errors"
	"strconv"
	"strings"

	"github.com/kkrpc-go/kkrpc/superjson"
)

// Meta texts that every classic SuperJSON peer sends and that say nothing about values.
var trivialMeta = map[string]bool{
	`{}`:   true,
	`null`: true,
	`{"values":{"transferSlots":["undefined"]},"v":1}`:                             true,
	`{"values":{"callbackIds":["undefined"]},"v":1}`:                               true,
	`{"values":{"callbackIds":["undefined"],"transferSlots":["undefined"]},"v":1}`: true,
}

// AnnotationError says why the superjson meta of a message cannot be used. A library that is newer than this package, or one
// with registered classes, writes annotations that are unknown here.
type AnnotationError struct {
	Place  string // in the message: "argument 1.price"; "" for the message itself
	Reason string
}

func (e *AnnotationError) Error() string {
	if e.Place == "" {
		return e.Reason
	}
	return e.Place + ": " + e.Reason
}

// annotationError is err, of the meta of m.
func (m *Message) annotationError(err error) error {
	if e, ok := errors.AsType[*superjson.DataError](err); ok {
		return &AnnotationError{m.placeOf(e.Path), e.Reason}
	}
	return &AnnotationError{"", err.Error()}
}

// placeOf names the place in m to which the path of an annotation leads.
func (m *Message) placeOf(path string) string {
	head, rest, _ := strings.Cut(path, ".")
	list, value, envelope := "a", "v", true
	if m.Dialect.IsClassic() {
		list, value, envelope = "args", "value", false
	}
	name := map[Kind]string{Response: "result", StreamData: "item"}[m.Kind]
	switch {
	case head == list && name == "" && rest != "":
		index, inner, _ := strings.Cut(rest, ".")
		if i, err := strconv.ParseUint(index, 10, 31); err == nil {
			if envelope && i < uint64(len(m.Args)) && !m.Args[i].Bare {
				_, inner, _ = strings.Cut(inner, ".")
			}
			head, rest = "argument "+strconv.FormatUint(i+1, 10), inner
		}
	case head == list && !envelope:
		head, rest, _ = strings.Cut(rest, ".")
		if head != "error" {
			head = name
		}
	case head == value && name != "":
		head = name
	case head == value:
		head = "value"
	case head == "e":
		head = "error"
	case head == "meta":
		head = "metadata"
	}
	if rest != "" {
		head += "." + rest
	}
	return head
}

// annotate gives m the superjson meta of its envelope and drops what it declares undefined. Meta that cannot be read, or that
// annotates the message itself, is an *AnnotationError.
func (m *Message) annotate(meta []byte) error {
	m.annotations = m.annotations.WithParts(m.Parts)
	if len(meta) == 0 || trivialMeta[string(meta)] {
		return nil
	}
	parsed, err := superjson.ParseMeta(meta)
	if err == nil && rootAnnotated(meta) {
		err = errors.New("the message itself is annotated")
	}
	if err != nil {
		return m.annotationError(err)
	}
	m.annotations = parsed.WithParts(m.Parts)
	for i := range m.Args {
		if m.Args[i].Kind == ArgValue && isUndefined(m.ArgMeta(i)) {
			m.Args[i].JSON = nil
		}
	}
	if m.Value != nil && isUndefined(m.ValueMeta()) {
		m.Value = nil
	}
	if m.Err != nil && isUndefined(m.ErrMeta()) {
		m.Err = nil
	}
	if m.ID != nil && m.Dialect.IsClassic() && m.Kind != Callback && isUndefined(parsed.Sub("id")) {
		m.ID = nil
	}
	return nil
}

// Annotations returns the superjson meta of the whole envelope; nil when there is none that says anything about
// values.
func (m *Message) Annotations() *superjson.Meta { return m.annotations }

// ArgMeta returns the annotations of argument i, relative to its value; nil for none.
func (m *Message) ArgMeta(i int) *superjson.Meta {
	if m.annotations == nil {
		return nil
	}
	index := strconv.Itoa(i)
	switch {
	case m.Dialect.IsClassic():
		return m.annotations.Sub("args", index)
	case m.Args[i].Bare:
		return m.annotations.Sub("a", index)
	default:
		return m.annotations.Sub("a", index, "v")
	}
}

// ValueMeta returns the annotations of Value, relative to it; nil for none.
func (m *Message) ValueMeta() *superjson.Meta {
	switch {
	case m.annotations == nil:
		return nil
	case !m.Dialect.IsClassic():
		return m.annotations.Sub("v")
	case m.Kind == Set:
		return m.annotations.Sub("value")
	case m.Kind == StreamData:
		return m.annotations.Sub("args", "value")
	default:
		return m.annotations.Sub("args", "result")
	}
}

// ErrMeta returns the annotations of Err, relative to it; nil for none.
func (m *Message) ErrMeta() *superjson.Meta {
	switch {
	case m.annotations == nil:
		return nil
	case m.Dialect.IsClassic():
		return m.annotations.Sub("args", "error")
	default:
		return m.annotations.Sub("e")
	}
}

// isUndefined reports whether a value is annotated as undefined, whatever its JSON is.
func isUndefined(meta *superjson.Meta) bool {
	if meta == nil {
		return false
	}
	var v any
	err := superjson.Decode(superjson.ModeSuperJSON, []byte("null"), meta, &v)
	return err == nil && v == superjson.Undefined
}

// rootAnnotated reports whether the tree in meta, which is valid, is that of the root: an array, not an object.
func rootAnnotated(meta []byte) (annotated bool) {
	s := Scanner{text: meta, max: maxScanDepth}
	if s.Peek() != '{' || s.Open('{') != nil {
		return false
	}
	for first := true; ; first = false {
		key, ok, err := s.Key(first)
		if !ok || err != nil {
			return annotated
		}
		tree := s.Peek()
		if _, err := s.Value(); err != nil {
			return annotated
		}
		if string(key) == "values" {
			annotated = tree == '['
		}
	}
}

// Wrapped reads the envelope of SuperJSON, {"json":…,"meta":…}, in either order. It calls message at the value of json, and
// again if that is repeated, since the last one counts. A message that is no object has neither.
func (s *Scanner) Wrapped(message func() error) (meta []byte, err error) {
	if s.Peek() != '{' {
		_, err := s.Value()
		return nil, err
	}
	first := !s.OpenWith(`{"json":`)
	if first {
		err = s.Open('{')
	} else if err = message(); err == nil && s.trivialEnd() {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	for ; ; first = false {
		key, ok, err := s.Key(first)
		if !ok {
			return meta, err
		}
		switch string(key) {
		case "json":
			err = message()
		case "meta":
			meta, err = s.Value()
		default:
			_, err = s.Value()
		}
		if err != nil {
			return nil, err
		}
	}
}

// The ends of what kkrpc 0.7 sends most: requests, and whatever else carries a value.
const (
	requestEnd = `,"meta":{"values":{"callbackIds":["undefined"],"transferSlots":["undefined"]},"v":1}}`
	valueEnd   = `,"meta":{"values":{"transferSlots":["undefined"]},"v":1}}`
	endDepth   = 3 // how deep they nest inside the envelope
)

// trivialEnd consumes the end of an envelope whose meta says nothing about values.
func (s *Scanner) trivialEnd() bool {
	return s.depth+endDepth <= s.max && (s.Literal(requestEnd) || s.Literal(valueEnd))
}
