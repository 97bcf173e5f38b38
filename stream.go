package kkrpc

import (
	"context"
	"errors"
	"io"
	"iter"
	"reflect"
	"runtime"

	"github.com/kkrpc-go/kkrpc/internal/bind"
	"github.com/kkrpc-go/kkrpc/internal/wire"
)

// Stream calls the peer's function at path, which returns a stream, and iterates over its items. In JavaScript a stream
// is an async iterable. Each iteration makes a call of its own when it begins. The arguments are those of
// [Channel.Call]. Leaving the loop early stops the peer at once.
//
// If the call or the stream fails, the last pair has the zero T and the error. All other errors are nil. The error is
// an [*Error] if the peer's code threw. If the stream was cut off, it wraps ErrClosed, ErrLimit or the cause of ctx.
// ctx bounds the whole iteration, Options.CallTimeout only the call that opens the stream.
//
// A compact peer runs at most 32 items ahead of the loop. A classic peer has no such limit. If it is more than
// Limits.StreamBuffer ahead, the stream ends with ErrLimit.
func Stream[T any](ctx context.Context, c Caller, path string, args ...any) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		var opened openedStream
		err := c.do(ctx, outgoing{kind: wire.Call, path: path, args: args, result: &opened})
		if err != nil {
			var zero T
			yield(zero, err)
			return
		}
		deliver(ctx, opened.handle.stream, path, yield)
		runtime.KeepAlive(opened.handle)
	}
}

// openedStream is a result that takes a stream as it comes. An interceptor may drop it.
type openedStream struct{ handle *streamHandle }

func (openedStream) String() string { return "stream" }

// takesHandle implements handleResult.
func (*openedStream) takesHandle() {}

// deliver decodes the items of s and gives them to yield.
func deliver[T any](ctx context.Context, s *inStream, path string, yield func(T, error) bool) {
	item := new(T)
	var zero T
	use := types.RefUseOf(reflect.TypeFor[T]())
	more := true
	err := s.each(ctx, func(i *inItem) (bool, error) {
		*item = zero
		if err := s.decode(i, item, use); err != nil {
			return false, err
		}
		more = yield(*item, nil)
		return more, nil
	})
	if err != nil && more {
		yield(zero, streamError(path, err))
	}
}

// errNilStream is what producerOf says of a nil iterator or channel.
var errNilStream = errors.New("the stream is nil")

// producerOf returns v as a producer; nil if it is no stream.
func producerOf(v any) (producer, error) {
	switch v.(type) {
	case nil, string, bool, int, int64, float64, []byte, map[string]any, []any:
		return nil, nil
	}
	if bind.IsReader(v) {
		if bind.IsNil(v) {
			return nil, errNilStream
		}
		return &readerProducer{reader: v.(io.Reader)}, nil
	}
	rv := reflect.ValueOf(v)
	if k := rv.Kind(); k != reflect.Func && k != reflect.Chan {
		return nil, nil
	}
	kind, item := bind.StreamKindOf(rv.Type())
	switch {
	case kind == bind.NotStream:
		return nil, nil
	case kind == bind.PairSeq:
		return nil, bind.PairError(rv.Type())
	case rv.IsNil():
		return nil, errNilStream
	}
	for _, try := range fastProducers {
		if s := try(v); s != nil {
			return s, nil
		}
	}
	if kind == bind.ReceiveChan {
		return reflectChan{rv}, nil
	}
	return reflectSeq{rv, item}, nil
}

// Streams of these items are run without reflection.
var fastProducers = [...]func(v any) producer{
	fastProducer[string], fastProducer[any], fastProducer[int], fastProducer[float64], fastProducer[map[string]any], fastProducer[[]byte],
	fastProducer[bool], fastProducer[int64],
}

func fastProducer[T any](v any) producer {
	switch v := v.(type) {
	case iter.Seq[T]:
		return seqProducer[T](v)
	case func(func(T) bool):
		return seqProducer[T](v)
	case iter.Seq2[T, error]:
		return seq2Producer[T](v)
	case func(func(T, error) bool):
		return seq2Producer[T](v)
	case <-chan T:
		return chanProducer[T](v)
	}
	return nil
}

type (
	seqProducer[T any]  func(yield func(T) bool)
	seq2Producer[T any] func(yield func(T, error) bool)
	chanProducer[T any] <-chan T
	reflectSeq          struct {
		fn   reflect.Value
		item reflect.Type
	}
	reflectChan struct{ ch reflect.Value }
)

func (q seqProducer[T]) run(s *outStream) {
	item := new(T) // one for all: an item is encoded before the next one comes
	q(func(v T) bool {
		*item = v
		return s.emit(item)
	})
}

func (q seq2Producer[T]) run(s *outStream) {
	item := new(T)
	q(func(v T, err error) bool {
		if err != nil {
			return s.failed(err)
		}
		*item = v
		return s.emit(item)
	})
}

func (q chanProducer[T]) run(s *outStream) {
	item := new(T)
	for {
		select {
		case v, ok := <-q:
			if !ok {
				return
			}
			*item = v
			if !s.emit(item) {
				return
			}
		case <-s.done:
			return
		}
	}
}

func (q reflectSeq) run(s *outStream) {
	yield := reflect.MakeFunc(q.fn.Type().In(0), func(in []reflect.Value) []reflect.Value {
		var more bool
		if len(in) == 2 && !in[1].IsNil() {
			more = s.failed(in[1].Interface().(error))
		} else {
			more = s.emitValue(in[0].Interface())
		}
		return []reflect.Value{reflect.ValueOf(more)}
	})
	q.fn.Call([]reflect.Value{yield})
}

func (q reflectChan) run(s *outStream) {
	cases := []reflect.SelectCase{
		{Dir: reflect.SelectRecv, Chan: q.ch},
		{Dir: reflect.SelectRecv, Chan: reflect.ValueOf(s.done)},
	}
	for {
		chosen, v, ok := reflect.Select(cases)
		if chosen == 1 || !ok || !s.emitValue(v.Interface()) {
			return
		}
	}
}

// streamParam is how a peer's stream becomes a Go iterator of one type, or an io.Reader.
type streamParam struct {
	typ  reflect.Type
	item reflect.Type
	make func(s *inStream) any // nil: by reflection
}

// newStreamParam returns nil if t does not stand for a stream of the peer.
func newStreamParam(t reflect.Type) *streamParam {
	kind, item := bind.StreamKindOf(t)
	p := &streamParam{typ: t, item: item}
	switch kind {
	case bind.FailingSeq:
	case bind.ByteReader:
		p.make = newByteReader
		return p
	default:
		return nil
	}
	switch item {
	case reflect.TypeFor[any]():
		p.make = iterate[any]
	case reflect.TypeFor[string]():
		p.make = iterate[string]
	case reflect.TypeFor[int]():
		p.make = iterate[int]
	case reflect.TypeFor[float64]():
		p.make = iterate[float64]
	case reflect.TypeFor[bool]():
		p.make = iterate[bool]
	case reflect.TypeFor[[]byte]():
		p.make = iterate[[]byte]
	case reflect.TypeFor[map[string]any]():
		p.make = iterate[map[string]any]
	}
	return p
}

func iterate[T any](s *inStream) any {
	h := s.handle()
	return iter.Seq2[T, error](func(yield func(T, error) bool) {
		deliver(h.stream.ctx, h.stream, "", yield)
		runtime.KeepAlive(h)
	})
}

// of returns the iterator over s, or the reader of s.
func (p *streamParam) of(s *inStream) reflect.Value {
	if p.make != nil {
		return bind.Retyped(reflect.ValueOf(p.make(s)), p.typ)
	}
	h := s.handle()
	return reflect.MakeFunc(p.typ, func(in []reflect.Value) []reflect.Value {
		p.deliver(h.stream.ctx, h.stream, "", in[0])
		runtime.KeepAlive(h)
		return nil
	})
}

// calling returns an iterator that makes a call each time, and iterates over the stream that it returns.
func (p *streamParam) calling(ctx context.Context, c Caller, path string, args []any) reflect.Value {
	return reflect.MakeFunc(p.typ, func(in []reflect.Value) []reflect.Value {
		var opened openedStream
		err := c.do(ctx, outgoing{kind: wire.Call, path: path, args: args, result: &opened})
		if err != nil {
			p.fail(in[0], err)
		} else {
			p.deliver(ctx, opened.handle.stream, path, in[0])
			runtime.KeepAlive(opened.handle)
		}
		return nil
	})
}

// deliver is the function deliver by reflection.
func (p *streamParam) deliver(ctx context.Context, s *inStream, path string, yield reflect.Value) {
	noError := reflect.Zero(reflect.TypeFor[error]())
	more := true
	use := types.RefUseOf(p.item)
	err := s.each(ctx, func(i *inItem) (bool, error) {
		v := reflect.New(p.item)
		if err := s.decode(i, v.Interface(), use); err != nil {
			return false, err
		}
		more = yield.Call([]reflect.Value{v.Elem(), noError})[0].Bool()
		return more, nil
	})
	if err != nil && more {
		p.fail(yield, streamError(path, err))
	}
}

func (p *streamParam) fail(yield reflect.Value, err error) {
	yield.Call([]reflect.Value{reflect.Zero(p.item), reflect.ValueOf(&err).Elem()})
}
