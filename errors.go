package kkrpc

import (
	"errors"
	"fmt"
	"strings"

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
	// ErrSlowConsumer: the channel was closed since one-way messages came faster than the peer reads; see
	// Options.SlowConsumer.
	ErrSlowConsumer = errors.New("slow consumer")
	// ErrDropped: this one-way message was not sent, since the peer is a slow consumer; see Options.SlowConsumer.
	ErrDropped = errors.New("message not sent")
)

// errNil is the error of a nil *Ref and a nil *Callback. A peer that sends null for a parameter makes one.
var errNil = errors.New("it is nil")

// Error is a JavaScript Error. If the peer's function threw, the error of the call wraps one; use errors.As. If a
// function returns one, the peer's call throws it. Any other error crosses with the name "Error" and its text as the
// message. An error with a method RPCError() *Error chooses its form. Both are found in what wraps them, whose text does
// not cross. The texts of errors that are joined with them do.
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

// Names of errors that cross for a limit, for a reference that was released, for a request that did not run and for one that
// was cut off, both because this side shuts down.
const (
	limitError       = "RPCLimitError"
	releasedError    = "RPCRemoteReferenceReleasedError"
	unavailableError = "RPCUnavailableError"
	interruptedError = "RPCInterruptedError"
)

// unavailable refuses a request. text: in the form that kkrpc 0.2 understands.
func unavailable(text bool) *wire.Error {
	return shutdownError(unavailableError, "the other side is shutting down; the request did not run", text)
}

// shutdownError has its name in the message for a peer that reads nothing else.
func shutdownError(name, message string, text bool) *wire.Error {
	if text {
		message = name + ": " + message
	}
	return &wire.Error{Name: name, Message: message}
}

// nameOf returns the name of the JavaScript Error in err, or "".
func nameOf(err error) string {
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Name
	}
	return ""
}

// typeErrorf is the error for a request that does not fit the function it names.
func typeErrorf(format string, args ...any) *Error {
	return &Error{Name: "TypeError", Message: fmt.Sprintf(format, args...)}
}

// toWire returns an error of this side as the peer sees it.
func toWire(err error) *wire.Error {
	if e, ok := err.(*wire.Error); ok {
		return e // of package bind
	}
	own, ok := errors.AsType[chooser](err)
	if !ok {
		return find(err).wire(0)
	}
	e := own.RPCError()
	if e == nil {
		e = &Error{Message: err.Error()}
	}
	return e.among(err, func(err error) bool { _, ok := err.(chooser); return ok }).wire(0)
}

// chooser is an error that chooses its form.
type chooser interface {
	error
	RPCError() *Error
}

// find returns the Error in err, or one with its text.
func find(err error) *Error {
	e, ok := errors.AsType[*Error](err)
	if !ok {
		return &Error{Message: err.Error()}
	}
	return e.among(err, func(err error) bool { return err == error(e) })
}

// among returns e, the form of the first error in err that is reports, with the texts of the errors joined with that.
func (e *Error) among(err error, is func(error) bool) *Error {
	text, found := textAround(err, e.wire(maxCauses).Message, is)
	if !found || text == e.Message {
		return e
	}
	joined := *e
	joined.Message = text
	return &joined
}

// textAround returns the text of err in which message stands for the first error that is reports, and for what wraps it.
func textAround(err error, message string, is func(error) bool) (text string, found bool) {
	if is(err) {
		return message, true
	}
	switch outer := err.(type) {
	case interface{ Unwrap() error }:
		if inner := outer.Unwrap(); inner != nil {
			if text, found = textAround(inner, message, is); found {
				return text, true
			}
		}
	case interface{ Unwrap() []error }:
		var texts []string
		for _, inner := range outer.Unwrap() {
			text := ""
			switch {
			case inner == nil:
				continue
			case found:
				text = inner.Error()
			default:
				text, found = textAround(inner, message, is)
			}
			texts = append(texts, text)
		}
		if found {
			return strings.Join(texts, "\n"), true
		}
	}
	return err.Error(), false
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
		w.Cause = find(e.Cause).wire(depth + 1)
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
