package kkrpc

import (
	"context"
	"errors"
	"fmt"
	"strings"
)

// Caller is what operations go through, the parameter of [Call], [Get], [Set], [Construct], [Stream] and [Remote]: a
// *Channel, a *Ref of the peer, or what [Via] returns, which finds a channel for each operation.
type Caller interface {
	// do does op and waits for the answer. Its errors say which operation failed.
	do(ctx context.Context, op outgoing) error
}

var (
	_ Caller = (*Channel)(nil)
	_ Caller = (*Ref)(nil)
	_ Caller = via(nil)
)

// Via returns a Caller that asks open for the channel to use, each time; open gets the ctx of the operation and may wait.
// It is for connections that are made anew when they are lost. When a channel closes before an operation was sent, open
// is asked for the next one. When it closes later, nobody knows whether the peer has done it: the error, which wraps
// ErrClosed, says so, unless ctx is from [Idempotent]: then the operation is repeated on the next channel. It is sent at
// most four times, as it may be what closes the channels.
func Via(open func(ctx context.Context) (*Channel, error)) Caller {
	if open == nil {
		panic("kkrpc: Via: open is nil")
	}
	return via(open)
}

// Idempotent marks operations that are made with the returned context as safe to repeat, see [Via].
func Idempotent(ctx context.Context) context.Context {
	return context.WithValue(ctx, idempotentKey{}, true)
}

type idempotentKey struct{}

type via func(ctx context.Context) (*Channel, error)

// maxAttempts is how many channels an operation may outlive.
const maxAttempts = 4

func (open via) do(ctx context.Context, op outgoing) error {
	if s := scopeOf(ctx); s != nil {
		s.stepOut() // open may wait
		defer s.stepIn()
	}
	var last *Channel
	for attempt := 1; ; attempt++ {
		ch, err := open(ctx)
		if err == nil && ch == nil {
			err = errors.New("there is no channel")
		}
		if err != nil {
			return op.failed(err)
		}
		err = ch.do(ctx, op)
		if !errors.Is(err, ErrClosed) || ch.Err() == nil || context.Cause(ctx) != nil {
			return err
		}
		_, unsent := errors.AsType[unsentError](err)
		repeatable := ctx.Value(idempotentKey{}) != nil
		switch {
		case !unsent && !repeatable:
			return fmt.Errorf("%w; it was under way and the peer may have done it: use kkrpc.Idempotent(ctx) if it may be repeated", err)
		case ch == last, attempt == maxAttempts:
			return fmt.Errorf("%w, attempt %d", err, attempt)
		}
		last = ch
	}
}

// unsentError is for an operation that the peer has not heard of.
type unsentError struct{ error }

func (e unsentError) Unwrap() error { return e.error }

// failed is err with the operation it happened to.
func (op *outgoing) failed(err error) error {
	path := op.path
	if op.on != nil {
		path = strings.TrimSuffix("reference."+path, ".")
	}
	return fmt.Errorf("kkrpc: %s %s: %w", op.name(), path, err)
}
