package kkrpc

import (
	"errors"
	"fmt"

	"github.com/kkrpc-go/kkrpc/internal/wire"
)

// Errors that calls and channels return; test for them with errors.Is.
var (
	// ErrClosed: the channel is closed. The error that wraps it says why.
	ErrClosed = errors.New("channel closed")
	// ErrReleased: the callback or reference has been released.
	ErrReleased = errors.New("released")
	// ErrLimit: a limit of this side was reached; see Limits.
	ErrLimit = errors.New("limit reached")
	// ErrUnsupported: the peer's generation of kkrpc, or the transport, has no such operation.
	ErrUnsupported = errors.New("not supported by the peer's protocol")
)

// Error is a JavaScript Error. If the peer's function threw, the error of the call wraps one; use errors.As. If a
// function returns one, the peer's call throws it. Any other error crosses with the name "Error" and its text as the
// message. An error with a method RPCError() *Error chooses its form.
//
// Stacks never leave this side, and those of a peer are dropped.
type Error struct {
	Name    string         // "Error" when empty
	Message string         // what Error returns, behind Name
	Fields  map[string]any // further properties, such as code
	Cause   error          // what Unwrap returns; a cause that was no error is in Fields["cause"]
}

// Error returns "Name: Message", or the message alone when the name is Error or empty.
func (e *Error) Error() string {
	if e.Name == "" || e.Name == "Error" {
		return e.Message
	}
	return e.Name + ": " + e.Message
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Cause }

// Names of errors that cross for a limit, and for a reference that was released.
const (
	limitError    = "RPCLimitError"
	releasedError = "RPCRemoteReferenceReleasedError"
)

// typeErrorf is the error for a request that does not fit the function it names.
func typeErrorf(format string, args ...any) *Error {
	return &Error{Name: "TypeError", Message: fmt.Sprintf(format, args...)}
}

// toWire returns an error of this side as the peer sees it.
func toWire(err error) *wire.Error {
	if e, ok := err.(*wire.Error); ok {
		return e // of package bind
	}
	var own interface{ RPCError() *Error }
	var e *Error
	switch {
	case errors.As(err, &own):
		e = own.RPCError()
	case errors.As(err, &e):
	}
	if e == nil {
		e = &Error{Message: err.Error()}
	}
	return e.wire(0)
}

// maxCauses bounds how many causes of an error cross, since a chain may be a cycle.
const maxCauses = 16

func (e *Error) wire(depth int) *wire.Error {
	w := &wire.Error{Name: e.Name, Message: e.Message, Fields: e.Fields, Cause: e.Fields["cause"]}
	if w.Name == "" {
		w.Name = "Error"
	}
	if w.Message == "" {
		w.Message = w.Name
	}
	if e.Cause != nil && depth < maxCauses {
		var cause *Error
		if !errors.As(e.Cause, &cause) {
			cause = &Error{Message: e.Cause.Error()}
		}
		w.Cause = cause.wire(depth + 1)
	}
	return w
}

// fromWire is the inverse of Error.wire.
func fromWire(w *wire.Error) *Error {
	e := &Error{Name: w.Name, Message: w.Message, Fields: w.Fields}
	switch cause := w.Cause.(type) {
	case nil:
	case *wire.Error:
		e.Cause = fromWire(cause)
	default:
		if e.Fields == nil {
			e.Fields = make(map[string]any)
		}
		e.Fields["cause"] = cause
	}
	return e
}
