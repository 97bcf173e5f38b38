package superjson

import (
	"bytes"
	"encoding"
	"errors"
	"fmt"
	"io"
	"reflect"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/kkrpc-go/kkrpc/internal/jsonform"
)

// Types with their own JSON form have the methods of encoding/json or of its version 2. This file calls them in the
// order of version 2.

var (
	textMarshalerType   = reflect.TypeFor[encoding.TextMarshaler]()
	textUnmarshalerType = reflect.TypeFor[encoding.TextUnmarshaler]()
)

// methodsOf returns v with all of its methods, including those of a pointer to it. A v in a map or an interface has no
// address, so methodsOf copies it.
func methodsOf(v reflect.Value) any {
	if !v.CanAddr() {
		c := reflect.New(v.Type()).Elem()
		c.Set(v)
		v = c
	}
	return v.Addr().Interface()
}

func encodeMarshaler(_ *Encoder, dst []byte, v reflect.Value) ([]byte, error) {
	var out []byte
	var err error
	switch m := methodsOf(v).(type) {
	case jsonform.MarshalerTo:
		var b bytes.Buffer
		if err = m.MarshalJSONTo(jsontext.NewEncoder(&b, lenient...)); err == nil {
			out = b.Bytes()
		}
	case jsonform.Marshaler:
		out, err = m.MarshalJSON()
	case encoding.TextAppender:
		var text []byte
		if text, err = m.AppendText(nil); err == nil {
			return appendString(dst, string(text)), nil
		}
	case encoding.TextMarshaler:
		var text []byte
		if text, err = m.MarshalText(); err == nil {
			return appendString(dst, string(text)), nil
		}
	}
	if err == nil && !jsontext.Value(out).IsValid(lenient...) {
		err = invalid(out)
	}
	if err != nil {
		return dst, &EncodeError{Reason: fmt.Sprintf("a %s: %v", v.Type(), err)}
	}
	return appendCompact(dst, out), nil
}

// invalid returns why a text is not one JSON value.
func invalid(text []byte) error {
	dec := newDecoder(text)
	err := dec.SkipValue()
	if err == nil {
		return fmt.Errorf("more follows after the JSON value, at byte offset %d", dec.InputOffset())
	}
	if err == io.EOF {
		return io.ErrUnexpectedEOF
	}
	return err
}

// appendCompact appends JSON without the white space between its tokens. It is Value.Compact without the encoder that this
// needs.
func appendCompact(dst, value []byte) []byte {
	inString := false
	for i := 0; i < len(value); i++ {
		switch c := value[i]; {
		case !inString && (c == ' ' || c == '\t' || c == '\n' || c == '\r'):
			continue
		case inString && c == '\\':
			dst = append(dst, c)
			i++
		case c == '"':
			inString = !inString
		}
		dst = append(dst, value[i])
	}
	return dst
}

func decodeUnmarshaler(d *decoder, v reflect.Value, n *node) error {
	kind := d.dec.PeekKind()
	raw, err := d.read()
	if err == nil {
		err = d.spend(len(raw))
	}
	if err == nil {
		raw, err = d.parts.inText(raw, d.mode, d.meter)
	}
	if kind == '"' && err == nil {
		kind = jsontext.Value(raw).Kind() // of the bytes that a placeholder stood for
	}
	if err != nil {
		return err
	}
	if kind == 'n' && n.kind() == "undefined" {
		return &TypeError{Expected: expectedOf(v.Type()), Got: "undefined"}
	}
	switch m := v.Addr().Interface().(type) {
	case jsonform.UnmarshalerFrom:
		dec := jsontext.NewDecoder(bytes.NewReader(raw), lenient...)
		if err = m.UnmarshalJSONFrom(dec); err == nil {
			if _, rest := dec.ReadToken(); rest != io.EOF {
				err = errors.New("UnmarshalJSONFrom has not read the whole value")
			}
		}
	case jsonform.Unmarshaler:
		err = m.UnmarshalJSON(bytes.Clone(raw)) // it may keep them
	case encoding.TextUnmarshaler:
		switch kind {
		case 'n':
			v.SetZero()
		case '"':
			text, _ := jsontext.AppendUnquote(nil, raw) // half a surrogate becomes U+FFFD, as it does in other strings
			err = m.UnmarshalText(text)
		default:
			return &TypeError{Expected: expectedOf(v.Type()), Got: kindName(kind, n)}
		}
	}
	if err != nil {
		return &DataError{Reason: fmt.Sprintf("a %s: %v", v.Type(), err)}
	}
	return nil
}
