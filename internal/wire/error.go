package wire

import (
	"reflect"
	"slices"
	"strings"

	"github.com/kkrpc-go/kkrpc/superjson"
)

// Error is a failure as it crosses the wire, in the form both generations share.
type Error struct {
	Name, Message string // never empty when written
	// Fields are the other enumerable fields. Those called name, message, stack, cause and __proto__ are not written,
	// nor in compact those called n, m and s, since at the receiver they would replace what the error itself says.
	Fields map[string]any
	Cause  any  // *Error, or any value that was thrown as a cause; nil for none
	Text   bool // written as its message alone, as kkrpc 0.2 does (classic)

	References superjson.ReferenceEncoder // writes those among the fields; nil for none
}

// Error returns the name and the message.
func (e *Error) Error() string { return e.Name + ": " + e.Message }

// maxCauses bounds a chain of causes, which may be a circle.
const maxCauses = 16

// AppendDetails appends the members of e behind its name and message: the cause, then the fields in the order of
// their names. path is the annotation path of the error object. values is nil under JSON, when mode says which.
// skip says which fields are not written beside those that Error names.
func (e *Error) AppendDetails(dst []byte, path string, mode superjson.Mode, values *superjson.Encoder, skip func(name string) bool) ([]byte, error) {
	return e.appendDetails(dst, path, mode, values, skip, 0)
}

func (e *Error) appendDetails(dst []byte, path string, mode superjson.Mode, values *superjson.Encoder, skip func(string) bool, depth int) ([]byte, error) {
	names := make([]string, 0, len(e.Fields))
	for name := range e.Fields {
		if reserved(name) || skip(name) {
			continue
		}
		names = append(names, name)
	}
	slices.Sort(names)
	if values == nil && (len(names) > 0 || e.Cause != nil) {
		values = superjson.NewEncoder(mode)
		values.SetReferences(e.References)
	}
	var err error
	if e.Cause != nil && depth < maxCauses {
		if dst, err = e.appendCause(append(dst, `,"cause":`...), path+".cause", mode, values, depth); err != nil {
			return nil, err
		}
	}
	for _, name := range names {
		v := e.Fields[name]
		if v == any(superjson.Undefined) && mode != superjson.ModeSuperJSON {
			continue
		}
		dst = AppendString(append(dst, ','), name)
		dst = append(dst, ':')
		if dst, err = values.Append(dst, path+"."+EscapeSegment(name), v); err != nil {
			return nil, err
		}
	}
	return dst, nil
}

func (e *Error) appendCause(dst []byte, path string, mode superjson.Mode, values *superjson.Encoder, depth int) ([]byte, error) {
	cause, ok := e.Cause.(*Error)
	if !ok {
		return values.Append(dst, path, e.Cause)
	}
	if mode == superjson.ModeSuperJSON {
		return values.Append(dst, path, cause.asValue(depth+1))
	}
	dst = append(dst, `{"name":`...)
	dst = AppendString(dst, cause.Name)
	dst = append(dst, `,"message":`...)
	dst = AppendString(dst, cause.Message)
	dst, err := cause.appendDetails(dst, path, mode, values, func(string) bool { return false }, depth+1)
	if err != nil {
		return nil, err
	}
	return append(dst, '}'), nil
}

// asValue returns e as the Error value of superjson, which has no fields.
func (e *Error) asValue(depth int) *superjson.Error {
	v := &superjson.Error{Name: e.Name, Message: e.Message}
	if cause, ok := e.Cause.(*Error); !ok {
		v.Cause = e.Cause
	} else if cause != nil && depth < maxCauses {
		v.Cause = cause.asValue(depth + 1)
	}
	return v
}

func reserved(name string) bool {
	switch name {
	case "name", "message", "stack", "cause", "__proto__":
		return true
	}
	return false
}

// EscapeSegment escapes a name for use in a path, of annotations or of functions.
func EscapeSegment(name string) string {
	return strings.ReplaceAll(strings.ReplaceAll(name, `\`, `\\`), `.`, `\.`)
}

// ParseError reads m.Err as a peer of m's generation would. It never fails: what cannot be decoded gives an error that
// says so, and what is no error object gives one with its text as the message. references decodes the references among the
// fields; nil means that there are none. If one of them cannot be had, all are left as data. A cycle among the fields ends
// in null. meter counts every attempt.
func ParseError(m *Message, references superjson.ReferenceDecoder, meter *superjson.Meter) *Error {
	var v any
	meta := m.ErrMeta()
	decode := func(meta *superjson.Meta, references superjson.ReferenceDecoder) error {
		return superjson.DecodeMetered(m.Dialect.Mode(), m.Err, meta, &v, references, meter)
	}
	err := decode(meta, references)
	if err != nil && references != nil {
		err = decode(meta, nil)
	}
	if err != nil { // a cycle in a field must not hide the error
		err = decode(meta.Unshared(), nil)
	}
	if err != nil {
		return &Error{Name: "Error", Message: "undecodable error: " + err.Error()}
	}
	if e := errorValue(v, 0); e != nil {
		return e
	}
	fields, isObject := v.(map[string]any)
	switch {
	case isObject && m.Dialect.IsClassic():
		return classicError(fields)
	case isObject:
		return compactError(fields)
	case IsString(m.Err) && reflect.ValueOf(v).Kind() == reflect.Slice: // its text is a placeholder
		return &Error{Name: "Error", Message: "bytes"}
	case IsString(m.Err):
		text, _ := UnquoteString(m.Err)
		return &Error{Name: "Error", Message: text}
	case m.Dialect.IsClassic():
		return &Error{Name: "Error", Message: string(m.Err)}
	default: // the original looks for the member m
		return &Error{Name: "Error"}
	}
}

// compactError follows the original: n and m first, then every other member is assigned, name and message included.
func compactError(fields map[string]any) *Error {
	e := &Error{Name: "Error"}
	for _, key := range [...]string{"n", "name"} {
		if v, ok := fields[key]; ok {
			e.Name = nameText(v)
		}
	}
	for _, key := range [...]string{"m", "message"} {
		if v, ok := fields[key]; ok {
			e.Message = text(v)
		}
	}
	for _, key := range [...]string{"n", "m", "s"} {
		delete(fields, key)
	}
	return e.take(fields, 0)
}

// classicError follows the original, which takes an object without a name or a message for text.
func classicError(fields map[string]any) *Error {
	name, _ := fields["name"].(string)
	message, _ := fields["message"].(string)
	if name == "" || message == "" {
		return &Error{Name: "Error", Message: "[object Object]"}
	}
	return (&Error{Name: name, Message: message}).take(fields, 0)
}

// errorValue returns v as an error if it is one, an annotated Error; nil otherwise.
func errorValue(v any, depth int) *Error {
	value, ok := v.(*superjson.Error)
	if !ok || value == nil {
		return nil
	}
	return &Error{Name: nameText(value.Name), Message: value.Message, Cause: causeOf(value.Cause, depth)}
}

// causeOf returns what a cause is: an *Error for what looks like one, or the value.
func causeOf(v any, depth int) any {
	if depth == maxCauses || v == any(superjson.Undefined) {
		return nil
	}
	if e := errorValue(v, depth+1); e != nil {
		return e
	}
	fields, _ := v.(map[string]any)
	name, hasName := fields["name"].(string)
	message, hasMessage := fields["message"].(string)
	if !hasName || !hasMessage {
		return v
	}
	return (&Error{Name: nameText(name), Message: message}).take(fields, depth+1)
}

// take makes the members of an error object that are left over its fields and its cause.
func (e *Error) take(fields map[string]any, depth int) *Error {
	e.Cause = causeOf(fields["cause"], depth)
	for name := range fields {
		if reserved(name) {
			delete(fields, name)
		}
	}
	if len(fields) > 0 {
		e.Fields = fields
	}
	return e
}

// nameText is text for a name, which is Error when there is none.
func nameText(v any) string {
	if s := text(v); v != nil && s != "" {
		return s
	}
	return "Error"
}

// text returns v as JavaScript's String would for what is no string by mistake: a number, a boolean, null.
func text(v any) string {
	switch v := v.(type) {
	case string:
		return v
	case map[string]any:
		return "[object Object]"
	}
	if v == any(superjson.Undefined) {
		return ""
	}
	b, err := superjson.NewEncoder(superjson.ModeJSON).Append(nil, "", v)
	if err != nil {
		return ""
	}
	return string(b)
}
