// Package testhost has package wasmtest stand in for the JavaScript server of package wasm.
package testhost

// Host answers for the connection of a request.
type Host interface {
	// Value returns the value of a variable, or of the environment, as JSON. ok is false if it is not set.
	Value(environment bool, name string) (text []byte, ok bool, err error)
	// Do returns the result of the calls of a binding, as JSON, or as bytes if that is what it is. ok is false if there is none.
	Do(binding string, calls []Call) (result []byte, isBytes, ok bool, err error)
}

// Call is a call of a method. An argument is a []byte, or any other value as encoding/json decodes it.
type Call struct {
	Method string
	Args   []any
}

// Attach makes a *wasm.Request one of a connection of h. Package wasm sets it, but in programs for js/wasm.
var Attach func(request any, h Host)
