// Package superjson reads and writes the format of the JavaScript library superjson (2.2). The format adds metadata to
// JSON. With it undefined, NaN, bigint, Date, Map, Set, RegExp, URL, Error, typed arrays and shared references survive.
// Cycles survive in a Value.
//
// # Types
//
// A bigint is a *big.Int, a Date a time.Time (UTC, milliseconds), a URL a *url.URL, and a Uint8Array a []byte. Map,
// Set, RegExp, Error, Undefined and the other typed arrays are types of this package.
//
// A *url.URL returns the href of JavaScript by its String. Package url would write some of these in another form, as
// http://x/a|b. Such a URL has Opaque beside its other fields. Clear Opaque before you change them.
//
// Two places that hold one map, []any or pointer to a struct are written as one object. A Date that is decoded twice
// from one object becomes two times.
//
// # Structs
//
// The tag json:"name,options" knows the options omitzero, omitempty, string and embed of
// github.com/go-json-experiment/json. omitempty leaves out null, "", {} and [], so 0 and false are written. string is
// for numbers, embed for structs. Other options of that package, such as format and case, have no effect.
//
// A member belongs to the field with its exact name. Without one, upper and lower case do not matter. A struct with two
// fields of one name is refused. A member for a field behind a nil embedded pointer to an unexported struct cannot be
// read.
//
// # Errors
//
// A *TypeError reports a value that does not fit the Go type. An *EncodeError reports a Go value without a form in the
// mode. A *DataError reports malformed or hostile input. All of them name the place.
//
// # Limits
//
// Values nest 1000 deep, annotations 64. A bigint has at most 16384 digits. Shared objects repeat at most 16 MiB in one
// envelope, and as much in one any beyond its text. An any takes no cycle, since printing it would never end. Metadata
// has at most 1024 path segments and one more for every two of its bytes. Unlike the original, this package never
// allocates a typed array from a bare length. It reads Node's Buffer as []byte.
//
// # Package kkrpc
//
// Package kkrpc is built on this package. The paragraph "For package kkrpc" marks names that other programs do not need.
// They change with kkrpc.
package superjson

import (
	"sync"
)

// Mode is the form in which an Encoder writes and Decode reads values.
type Mode uint8

const (
	// ModeSuperJSON writes values of types that JSON lacks in SuperJSON's forms and annotates them.
	ModeSuperJSON Mode = iota
	// ModeJSON writes the output of JSON.stringify. A value that JSON cannot hold (*big.Int, NaN, Map, Set) is an
	// error. A []byte is a base64 string.
	ModeJSON
	// ModeTaggedJSON is ModeJSON, but a []byte is {"type":"Uint8Array","data":[…]}.
	ModeTaggedJSON
)

var encoderPool = sync.Pool{New: func() any { return NewEncoder(ModeSuperJSON) }}

// Marshal returns the output of superjson.stringify for v: {"json":…}, with "meta" if v contains values that JSON
// lacks.
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

// Unmarshal decodes the output of superjson.stringify or Marshal into the pointer v, like Decode. An envelope without
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
