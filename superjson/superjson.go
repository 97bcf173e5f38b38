// Package superjson reads and writes the format of the JavaScript library superjson (2.2): JSON beside a description
// of what JSON cannot say, so that undefined, NaN, bigint, Date, Map, Set, RegExp, URL, Error, typed arrays, shared
// references and cycles survive.
//
// # Types
//
// bigint is *big.Int, Date is time.Time (UTC, milliseconds), URL is *url.URL, Uint8Array is []byte; Map, Set, RegExp,
// Error, Undefined and the other typed arrays are types of this package. Two places that hold one map, []any or pointer to
// a struct are written as one object; a Date decoded twice from one object is two times. Struct tags are those of
// github.com/go-json-experiment/json, except that only structs can be embedded.
//
// # Errors
//
// *TypeError: a value does not fit the Go type. *EncodeError: a Go value has no form in the mode. *DataError: the input is
// malformed or hostile. All name the place.
//
// # Limits
//
// Values nest 1000 deep, annotations 64; a bigint has at most 16384 digits; repeated objects add at most 16 MiB to one
// envelope. Unlike the original, typed arrays are never allocated by a bare length, and Node's Buffer is read as []byte.
package superjson

import (
	"sync"
)

// Mode is the form in which an Encoder writes values and Decode reads them.
type Mode uint8

const (
	// ModeSuperJSON writes values whose types JSON lacks in SuperJSON's forms and records annotations for them.
	ModeSuperJSON Mode = iota
	// ModeJSON writes what JSON.stringify would; a value that JSON cannot hold (*big.Int, NaN, Map, Set) is an error.
	// []byte is a base64 string.
	ModeJSON
	// ModeTaggedJSON is ModeJSON but for []byte, which is {"type":"Uint8Array","data":[…]}.
	ModeTaggedJSON
)

var encoderPool = sync.Pool{New: func() any { return NewEncoder(ModeSuperJSON) }}

// Marshal returns v as superjson.stringify would: {"json":…}, with "meta" when v has anything that JSON lacks.
func Marshal(v any) ([]byte, error) {
	e := encoderPool.Get().(*Encoder)
	defer func() {
		e.Reset(ModeSuperJSON)
		encoderPool.Put(e)
	}()
	out, err := e.Append([]byte(`{"json":`), "", v)
	if err != nil {
		return nil, err
	}
	if e.HasMeta() {
		out = e.AppendMeta(append(out, `,"meta":`...))
	}
	return append(out, '}'), nil
}

// Unmarshal decodes what superjson.stringify or Marshal wrote into the pointer v, as Decode does. An envelope without
// "json" is undefined.
func Unmarshal(data []byte, v any) error {
	var value, meta []byte
	dec := newDecoder(data)
	if dec.PeekKind() != '{' {
		return &DataError{Reason: "not an object with the member json"}
	}
	err := eachMember(dec, func(name string) error {
		raw, err := dec.ReadValue()
		if err != nil {
			return malformed(err)
		}
		end := dec.InputOffset()
		switch name {
		case "json":
			value = data[end-int64(len(raw)) : end]
		case "meta":
			meta = data[end-int64(len(raw)) : end]
		}
		return nil
	})
	if err != nil {
		return err
	}
	if err := atEnd(dec, data); err != nil {
		return err
	}
	parsed, err := ParseMeta(meta)
	if err != nil {
		return err
	}
	return Decode(ModeSuperJSON, value, parsed, v)
}
