package superjson

import (
	"bytes"
	"strings"
)

// UndefinedType is the type of Undefined.
type UndefinedType struct{}

// Undefined is JavaScript's undefined. It differs from nil, which is null.
var Undefined UndefinedType

func (UndefinedType) String() string { return "undefined" }

// Value is a value in its written form. It keeps values that Go cannot hold: lone surrogates, cycles, shared
// references. A nil JSON means undefined. Do not change either field while the Value is in use. Bytes that travelled beside
// the text of a message are in Meta, and JSON has a placeholder for each.
type Value struct {
	JSON []byte
	Meta *Meta // nil when there are no annotations

	checked *byte // &JSON[0] when JSON is known to be valid, so that an echo needs not scan it again
}

// Decode decodes the value into the pointer target, like the function Decode under ModeSuperJSON. Bytes that the JSON names more than
// once may take 16 MiB beyond what was received; more is ErrMemory.
func (v Value) Decode(target any) error { return Decode(ModeSuperJSON, v.JSON, v.Meta, target) }

func keptValue(raw []byte, meta *Meta, i *imports) (Value, error) {
	if len(raw) == 0 {
		return Value{}, nil
	}
	meta, err := meta.own(i)
	if err != nil {
		return Value{}, err
	}
	text := raw
	if p := meta.partsOf(); p != nil {
		var kept *Parts
		if text, kept, err = p.keep(raw, i.meter); err != nil {
			return Value{}, err
		}
		meta = newMeta(meta.root, meta.equal, meta.in, kept)
	}
	v := Value{JSON: bytes.Clone(text), Meta: meta}
	v.checked = &v.JSON[0]
	return v, nil
}

// RegExp is a JavaScript regular expression. Go does not run it.
type RegExp struct{ Source, Flags string }

// String returns the literal form, /source/flags.
func (r RegExp) String() string {
	if r.Source == "" {
		return "/(?:)/" + r.Flags
	}
	return "/" + r.Source + "/" + r.Flags
}

// parseRegExp splits a literal into source and flags. It refuses literals that no JavaScript engine would compile, as
// far as brackets, quantifiers and flags show.
func parseRegExp(literal string) (RegExp, bool) {
	end := strings.LastIndexByte(literal, '/')
	if end < 1 || literal[0] != '/' {
		return RegExp{}, false
	}
	r := RegExp{Source: literal[1:end], Flags: literal[end+1:]}
	for i, c := range r.Flags {
		if !strings.ContainsRune("dgimsuvy", c) || strings.ContainsRune(r.Flags[i+1:], c) {
			return RegExp{}, false
		}
	}
	if strings.ContainsRune(r.Flags, 'u') && strings.ContainsRune(r.Flags, 'v') {
		return RegExp{}, false
	}
	return r, balancedPattern(r.Source)
}

func balancedPattern(source string) bool {
	groups, class, start := 0, false, true
	for i := 0; i < len(source); i++ {
		c := source[i]
		wasStart := start
		start = false
		switch {
		case c == '\\':
			i++
			if i == len(source) {
				return false
			}
		case class:
			class = c != ']'
		case c == '[':
			class = true
		case c == '(':
			groups++
			start = true
			if strings.HasPrefix(source[i+1:], "?") {
				i++
				start = false
			}
		case c == ')':
			groups--
			if groups < 0 {
				return false
			}
		case c == '|':
			start = true
		case c == '*' || c == '+' || c == '?':
			if wasStart {
				return false
			}
		}
	}
	return groups == 0 && !class
}

// Error is a JavaScript Error as a value. A nil Cause is an absent one.
type Error struct {
	Name, Message string
	Cause         any
}

func (e *Error) Error() string {
	if e.Name == "" {
		return e.Message
	}
	if e.Message == "" {
		return e.Name
	}
	return e.Name + ": " + e.Message
}

// Unwrap returns the cause when it is an error.
func (e *Error) Unwrap() error {
	cause, _ := e.Cause.(error)
	return cause
}
