// Package superjson reads and writes the format of the JavaScript library superjson (2.2): JSON beside a description
// of what JSON cannot say, so that undefined, NaN, bigint, Date, Map, Set, RegExp, URL, Error, typed arrays, shared
// references and cycles survive.
package superjson

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
