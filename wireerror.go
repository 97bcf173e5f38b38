package kkrpc

import (
	"errors"
	"fmt"

	"github.com/kkrpc-go/kkrpc/internal/wire"
)

// appendError writes the response e to the request with the raw JSON id. text: it is a mere string.
func (ch *Channel) appendError(dst []byte, codec wire.Codec, id []byte, e *wire.Error, text bool) []byte {
	e.Text = e.Text || text || ch.opts.errorText && codec.Dialect() == wire.Classic
	out := newValues(ch, codec)
	defer out.free()
	e.References = out
	b, err := codec.AppendError(dst, id, e, out.annotations())
	if err != nil {
		ch.report(fmt.Errorf("kkrpc: error %s: its fields cannot be sent: %w", e.Name, err))
		plain := &wire.Error{Name: e.Name, Message: e.Message, Text: e.Text}
		b, _ = codec.AppendError(dst, id, plain, out.annotations())
		return b
	}
	out.sent()
	return b
}

// toWire is what the peer sees of an error of this side.
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
