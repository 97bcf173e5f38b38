package kkhttp

import (
	"bytes"

	"github.com/kkrpc-go/kkrpc/internal/wire"
)

// This file finds values that need a connection beyond one request and its response.
const (
	noCallback  = "HTTP carries no functions, since the server could not call them; use a WebSocket"
	noStream    = "HTTP carries no streams, only one response to a request; use a WebSocket"
	noReference = "HTTP carries no remote references, since none outlives its request; use a WebSocket"
)

// impossible returns what in m HTTP cannot carry, or "". Like the original it looks for the envelopes wherever they are.
func impossible(m *wire.Message) string {
	if m.Kind == wire.Ref {
		return noReference
	}
	for i := range m.Args {
		if m.Args[i].Kind == wire.ArgCallback {
			return noCallback
		}
		if reason := impossibleValue(m, m.Args[i].JSON); reason != "" {
			return reason
		}
	}
	if reason := impossibleValue(m, m.Value); reason != "" {
		return reason
	}
	return impossibleValue(m, m.Err)
}

// impossibleValue looks at a value of m.
func impossibleValue(m *wire.Message, raw []byte) string {
	var s wire.Scanner
	if m.Dialect.IsClassic() {
		// A whole result is the only place where classic has such a thing beside its callbacks.
		if m.Kind != wire.Response || !bytes.Contains(raw, []byte("__stream")) || s.Init(raw, 0) != nil {
			return ""
		}
		return (&envelopes{s: &s, classic: true}).value()
	}
	// No name of an envelope can be written without one of the two.
	if !bytes.Contains(raw, []byte("__kkrpc_")) && !bytes.Contains(raw, []byte(`\u`)) || s.Init(raw, 0) != nil {
		return ""
	}
	return (&envelopes{s: &s}).value()
}

// envelopes looks for envelopes in a value whose JSON is known to be valid.
type envelopes struct {
	s       *wire.Scanner
	classic bool // nothing but the marker of a stream, and only at the top
	depth   int
}

// maxDepth bounds the depth of the search for envelopes, since each level uses stack.
const maxDepth = 10_000

// value passes over a value and returns what is impossible in it.
func (e *envelopes) value() (reason string) {
	e.depth++
	defer func() { e.depth-- }()
	if e.depth > maxDepth {
		_, _ = e.s.Value()
		return ""
	}
	switch e.s.Peek() {
	case '{':
		return e.object()
	case '[':
		if e.s.Open('[') != nil {
			return ""
		}
		for first := true; reason == ""; first = false {
			if ok, err := e.s.Element(first); !ok || err != nil {
				return ""
			}
			reason = e.value()
		}
		return reason
	}
	_, _ = e.s.Value()
	return ""
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

func (e *envelopes) object() string {
	if e.s.Open('{') != nil {
		return ""
	}
	var found marks
	for first := true; ; first = false {
		name, ok, err := e.s.Key(first)
		if err != nil {
			return ""
		}
		if !ok {
			break
		}
		start := e.s.Mark()
		if reason := e.member(); reason != "" {
			return reason
		}
		if place := found.of(name); place != nil {
			*place = bytes.TrimSpace(e.s.Since(start)) // the last one counts
		}
	}
	switch {
	case e.classic:
		if string(found.marker) == "true" {
			return noStream
		}
	case is(found.stream, "async-iterable"):
		return noStream
	case is(found.arg, "callback"):
		return noCallback
	case string(found.ref) == "true" && wire.IsString(found.id) && (is(found.kind, "function") || is(found.kind, "object")):
		return noReference
	}
	return ""
}

// member passes over the value of a member.
func (e *envelopes) member() string {
	if e.classic {
		_, _ = e.s.Value() // a stream that is not the whole result is data
		return ""
	}
	return e.value()
}

// is reports whether raw is the JSON string want.
func is(raw []byte, want string) bool {
	s, ok := wire.UnquoteString(raw)
	return ok && s == want
}
