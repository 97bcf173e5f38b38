package wire

import (
	"bytes"
)

// Handle is a value in a message that stands for something on the side of its sender, which the other side uses later.
type Handle uint8

const (
	NoHandle Handle = iota
	FunctionHandle
	StreamHandle
	ReferenceHandle
)

// FindHandle returns the first handle in m, or what m is on. It is for requests that travel by themselves, which cannot
// carry any. Like the original it looks for the envelopes of handles at any depth.
func FindHandle(m *Message) Handle {
	if m.Kind == Ref {
		return ReferenceHandle
	}
	for i := range m.Args {
		if m.Args[i].Kind == ArgCallback {
			return FunctionHandle
		}
		if found := findHandle(m, m.Args[i].JSON); found != NoHandle {
			return found
		}
	}
	if found := findHandle(m, m.Value); found != NoHandle {
		return found
	}
	return findHandle(m, m.Err)
}

// findHandle looks at a value of m.
func findHandle(m *Message, raw []byte) Handle {
	var s Scanner
	if m.Dialect.IsClassic() {
		// A whole result is the only place where classic has such a thing beside its callbacks.
		if m.Kind != Response || !bytes.Contains(raw, []byte("__stream")) || s.Init(raw, 0) != nil {
			return NoHandle
		}
		return (&envelopes{s: &s, classic: true}).value()
	}
	// No name of an envelope can be written without one of the two.
	if !bytes.Contains(raw, []byte("__kkrpc_")) && !bytes.Contains(raw, []byte(`\u`)) || s.Init(raw, 0) != nil {
		return NoHandle
	}
	return (&envelopes{s: &s}).value()
}

// envelopes looks for envelopes in a value whose JSON is known to be valid.
type envelopes struct {
	s       *Scanner
	classic bool // nothing but the marker of a stream, and only at the top
	depth   int
}

// maxHandleDepth bounds the depth of the search for envelopes, since each level uses stack.
const maxHandleDepth = 10_000

// value passes over a value and returns the handle in it.
func (e *envelopes) value() (found Handle) {
	e.depth++
	defer func() { e.depth-- }()
	if e.depth > maxHandleDepth {
		_, _ = e.s.Value()
		return NoHandle
	}
	switch e.s.Peek() {
	case '{':
		return e.object()
	case '[':
		if e.s.Open('[') != nil {
			return NoHandle
		}
		for first := true; found == NoHandle; first = false {
			if ok, err := e.s.Element(first); !ok || err != nil {
				return NoHandle
			}
			found = e.value()
		}
		return found
	}
	_, _ = e.s.Value()
	return NoHandle
}

// marks are the members of one object that make it an envelope.
type marks struct{ ref, id, kind, stream, arg, marker []byte }

// of returns the place of a member, nil for all others.
func (m *marks) of(name []byte) *[]byte {
	switch string(name) {
	case "__kkrpc_ref__":
		return &m.ref
	case "id":
		return &m.id
	case "kind":
		return &m.kind
	case "__kkrpc_next_stream__":
		return &m.stream
	case "__kkrpc_next_arg__":
		return &m.arg
	case "__stream":
		return &m.marker
	}
	return nil
}

func (e *envelopes) object() Handle {
	if e.s.Open('{') != nil {
		return NoHandle
	}
	var found marks
	for first := true; ; first = false {
		name, ok, err := e.s.Key(first)
		if err != nil {
			return NoHandle
		}
		if !ok {
			break
		}
		start := e.s.Mark()
		if inside := e.member(); inside != NoHandle {
			return inside
		}
		if place := found.of(name); place != nil {
			*place = bytes.TrimSpace(e.s.Since(start)) // the last one counts
		}
	}
	switch {
	case e.classic:
		if string(found.marker) == "true" {
			return StreamHandle
		}
	case is(found.stream, "async-iterable"):
		return StreamHandle
	case is(found.arg, "callback"):
		return FunctionHandle
	case string(found.ref) == "true" && IsString(found.id) && (is(found.kind, "function") || is(found.kind, "object")):
		return ReferenceHandle
	}
	return NoHandle
}

// member passes over the value of a member.
func (e *envelopes) member() Handle {
	if e.classic {
		_, _ = e.s.Value() // a stream that is not the whole result is data
		return NoHandle
	}
	return e.value()
}

// is reports whether raw is the JSON string want.
func is(raw []byte, want string) bool {
	s, ok := UnquoteString(raw)
	return ok && s == want
}
