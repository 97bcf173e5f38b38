package kkrpc

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"reflect"
	"runtime"

	"github.com/kkrpc-go/kkrpc/internal/wire"
)

// streamKind is how a Go type stands for a stream.
type streamKind uint8

const (
	notStream   streamKind = iota
	plainSeq               // iter.Seq[T]
	failingSeq             // iter.Seq2[T, error]
	pairSeq                // iter.Seq2[K, V], which has no meaning here
	receiveChan            // <-chan T
)

// streamKindOf recognises streams by their shape. No other func is ever taken for one: a callback returns nothing or an
// error, and neither does yield.
func streamKindOf(t reflect.Type) (kind streamKind, item reflect.Type) {
	switch t.Kind() {
	case reflect.Chan:
		if t.ChanDir() != reflect.RecvDir {
			return notStream, nil // the other end of it would be of no use to the peer
		}
		return receiveChan, t.Elem()
	case reflect.Func:
	default:
		return notStream, nil
	}
	if t.NumIn() != 1 || t.NumOut() != 0 || t.IsVariadic() {
		return notStream, nil
	}
	yield := t.In(0)
	if yield.Kind() != reflect.Func || yield.NumOut() != 1 || yield.Out(0) != reflect.TypeFor[bool]() || yield.IsVariadic() {
		return notStream, nil
	}
	switch {
	case yield.NumIn() == 1:
		return plainSeq, yield.In(0)
	case yield.NumIn() == 2 && yield.In(1) == errorType:
		return failingSeq, yield.In(0)
	case yield.NumIn() == 2:
		return pairSeq, yield.In(0)
	}
	return notStream, nil
}

func isStreamType(t reflect.Type) bool {
	kind, _ := streamKindOf(t)
	return kind != notStream
}

func isStream(v any) bool { return v != nil && isStreamType(reflect.TypeOf(v)) }

const misplacedStream = "a stream can only be a result, a parameter or a property itself"

// checkOutbound reports why a t cannot be a result, a property or an argument: it is data or a stream.
func checkOutbound(t reflect.Type) error {
	kind, item := streamKindOf(t)
	switch kind {
	case notStream:
		return checkValue(t, outbound)
	case pairSeq:
		return &placedError{reason: fmt.Sprintf("%s: a stream of pairs cannot cross; use iter.Seq2[T, error]", t)}
	}
	return checkItem(item, outbound)
}

// checkInbound reports why a t cannot hold what the peer sends: data or a stream.
func checkInbound(t reflect.Type) error {
	kind, item := streamKindOf(t)
	switch kind {
	case notStream:
		return checkValue(t, inbound)
	case plainSeq, pairSeq, receiveChan:
		return &placedError{reason: fmt.Sprintf("%s cannot say that the stream has failed; use iter.Seq2[%s, error]", t, item)}
	}
	return checkItem(item, inbound)
}

func checkItem(item reflect.Type, d direction) error {
	err := checkValue(item, d)
	if err == nil {
		return nil
	}
	placed := err.(*placedError)
	return &placedError{at: " items" + placed.at, reason: placed.reason}
}

// producer is a stream of this side before it runs.
type producer interface {
	// run gives the items to s until there are no more or s wants no more.
	run(s *outStream)
}

// errNilStream is what producerOf says of a nil iterator or channel.
var errNilStream = errors.New("the stream is nil")

// producerOf returns v as a producer; nil if it is no stream.
func producerOf(v any) (producer, error) {
	switch v.(type) {
	case nil, string, bool, int, int64, float64, []byte, map[string]any, []any:
		return nil, nil
	}
	rv := reflect.ValueOf(v)
	if k := rv.Kind(); k != reflect.Func && k != reflect.Chan {
		return nil, nil
	}
	kind, item := streamKindOf(rv.Type())
	switch {
	case kind == notStream:
		return nil, nil
	case kind == pairSeq:
		return nil, errors.New(checkOutbound(rv.Type()).(*placedError).reason)
	case rv.IsNil():
		return nil, errNilStream
	}
	for _, try := range fastProducers {
		if s := try(v); s != nil {
			return s, nil
		}
	}
	if kind == receiveChan {
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

// streamParam is how a peer's stream becomes a Go iterator of one type.
type streamParam struct {
	typ  reflect.Type // of the iterator
	item reflect.Type
	make func(s *inStream) any // nil: by reflection
}

// newStreamParam returns nil if t does not stand for a stream of the peer.
func newStreamParam(t reflect.Type) *streamParam {
	kind, item := streamKindOf(t)
	if kind != failingSeq {
		return nil
	}
	p := &streamParam{typ: t, item: item}
	switch item {
	case anyType:
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

// of returns the iterator over s.
func (p *streamParam) of(s *inStream) reflect.Value {
	if p.make != nil {
		return reflect.ValueOf(p.make(s)).Convert(p.typ)
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
	noError := reflect.Zero(errorType)
	more := true
	use := refUseOf(p.item)
	err := s.each(ctx, func(i *inItem) (bool, error) {
		v := reflect.New(p.item)
		if err := i.decode(s.ch, v.Interface(), use); err != nil {
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
