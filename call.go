package kkrpc

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/kkrpc-go/kkrpc/internal/wire"
)

// Call calls the peer's function at path, such as "math.multiply". It stores the returned value in result, a non-nil
// pointer, or drops it if result is nil. A dot inside a name is written `\.`.
//
// Arguments are encoded as package superjson says. A func (or *Callback) as an argument is a callback: the peer gets a
// function that calls it. An iter.Seq, iter.Seq2[T, error], <-chan T or io.Reader is a stream, which only compact peers
// take. It runs when the peer asks for items, perhaps after Call has returned. The stream closes a reader that is an
// io.Closer, unless the request could not be sent. If the peer's function throws, the error wraps an
// *Error. Call blocks until the answer arrives, ctx or Options.CallTimeout ends, or the channel closes. In a handler,
// pass the handler's ctx: while Call waits, the handler does not count as running.
//
// If the peer returns a stream, result must point to an iter.Seq2[T, error], to an io.Reader or io.ReadCloser for a stream
// of bytes, or to an any. The any then holds an iter.Seq2[any, error]. Close of the reader ends the stream. With any other result, or nil, the peer is asked to stop the stream. The stream can be
// iterated over once, and ctx bounds the iteration too. [Stream] has more about items.
func (ch *Channel) Call(ctx context.Context, result any, path string, args ...any) error {
	if done, err := callScalar(ctx, ch, path, args, result); done {
		return err
	}
	return ch.do(ctx, outgoing{kind: wire.Call, path: path, args: slices.Clone(args), result: result})
}

var _ Caller = (*Channel)(nil)

// do implements Caller.
func (ch *Channel) do(ctx context.Context, op outgoing) error {
	if ch == nil {
		return op.failed(errNoChannel)
	}
	if err := ch.perform(ctx, op); err != nil {
		return op.failed(err)
	}
	return nil
}

// Call is Channel.Call for a result of type T, on anything that carries calls.
func Call[T any](ctx context.Context, c Caller, path string, args ...any) (T, error) {
	var result T
	if done, err := callScalar(ctx, c, path, args, &result); done {
		return result, err
	}
	kept := new(T)
	err := c.do(ctx, outgoing{kind: wire.Call, path: path, args: slices.Clone(args), result: kept})
	return *kept, err
}

// Do is Call without a result: it waits for the answer and drops what the function returned.
func Do(ctx context.Context, c Caller, path string, args ...any) error {
	if done, err := callScalar(ctx, c, path, args, nil); done {
		return err
	}
	return c.do(ctx, outgoing{kind: wire.Call, path: path, args: slices.Clone(args)})
}

// Get reads the peer's property at path. With a compact peer, "" is all data of the API. An undefined property is the
// zero T if T is a pointer, interface, map or slice. Otherwise it is an error.
func Get[T any](ctx context.Context, c Caller, path string) (T, error) {
	var result T
	err := c.do(ctx, outgoing{kind: wire.Get, path: path, result: &result})
	return result, err
}

// Set writes the peer's property at path and waits for the answer.
func Set(ctx context.Context, c Caller, path string, value any) error {
	return c.do(ctx, outgoing{kind: wire.Set, path: path, args: []any{value}})
}

// Construct calls the peer's constructor at path, which in JavaScript is new path(args...); the instance arrives as data.
func Construct[T any](ctx context.Context, c Caller, path string, args ...any) (T, error) {
	var result T
	err := c.do(ctx, outgoing{kind: wire.New, path: path, args: args, result: &result})
	return result, err
}

// Notify calls the peer's function at path and does not wait for its answer. It returns at once, when the message is
// queued, and never blocks, so that it may be called with a lock held. Messages arrive in the order of the calls, also
// beside Call and callbacks. An error that the peer answers goes to Options.OnError.
//
// If more than Limits.Backlog waits to be sent, Options.SlowConsumer applies: the error wraps ErrSlowConsumer and
// ErrClosed, or ErrDropped. While the dialect of the peer is not known, the error wraps ErrUnsupported.
func (ch *Channel) Notify(path string, args ...any) error { return Notify(ch, path, args...) }

// Notify is Channel.Notify on anything that carries calls. With the result of [Via] it waits for a channel. A
// [UnaryCaller] cannot do it: the error wraps ErrUnsupported.
func Notify(c Caller, path string, args ...any) error {
	return c.do(context.Background(), outgoing{kind: wire.Call, path: path, args: slices.Clone(args), oneWay: true})
}

// callScalar is Channel.do for calls whose result is nil or points to a scalar. It keeps neither args nor result, so
// that both stay on the stack of its caller. If c or result is of another kind, done is false and nothing has happened.
func callScalar(ctx context.Context, c Caller, path string, args []any, result any) (done bool, err error) {
	ch, ok := c.(*Channel)
	if !ok || ch == nil || ch.outbound != nil || !isScalar(result) {
		return false, nil
	}
	if err = ch.exchangeScalar(ctx, path, args, result); err != nil {
		op := outgoing{kind: wire.Call, path: path}
		err = op.failed(err)
	}
	return true, err
}

// isScalar reports whether decodeScalar takes result.
func isScalar(result any) bool {
	switch r := result.(type) {
	case nil:
		return true
	case *string:
		return r != nil
	case *bool:
		return r != nil
	case *int:
		return r != nil
	case *int64:
		return r != nil
	case *float64:
		return r != nil
	}
	return false
}

// Via returns a Caller that asks open for a channel for each operation. It is for connections that are made anew when
// they are lost. open gets the ctx of the operation and may wait. If a channel closes before an operation was sent,
// open is asked for the next one. If it closes later, the peer may have done the operation. The error wraps ErrClosed
// and says so. With a ctx from [Idempotent] the operation is repeated on the next channel instead. It is sent at most
// four times, since the operation itself may close the channels.
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
		name := nameOf(err)
		lost := errors.Is(err, ErrClosed) && ch.Err() != nil || name == interruptedError
		if !lost && name != unavailableError || context.Cause(ctx) != nil {
			return err
		}
		_, unsent := errors.AsType[unsentError](err)
		unsent = unsent || name == unavailableError
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
