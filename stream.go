package kkrpc

import (
	"context"
	"fmt"
	"iter"
	"reflect"
	"runtime"

	"github.com/kkrpc-go/kkrpc/internal/wire"
)

// Stream calls the peer's function at path, which returns a stream (in JavaScript an async iterable), and iterates over
// its items. The call is made when the iteration begins, anew for each; its arguments are those of [Channel.Call]. To leave
// the loop early stops the peer at once.
//
// The error is nil but for the last item, which is then the zero T. It is what the call failed with, or the stream: an
// [*Error] if the peer's code threw, and one that wraps ErrClosed, ErrLimit or the cause of ctx if it was cut off. ctx
// bounds the whole iteration, Options.CallTimeout only the call that opens the stream.
//
// A compact peer runs at most 32 items ahead of the loop. A classic one has no such brake: if it is more than
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

// deliver decodes the items of s and gives them to yield.
func deliver[T any](ctx context.Context, s *inStream, path string, yield func(T, error) bool) {
	item := new(T)
	var zero T
	use := refUseOf(reflect.TypeFor[T]())
	more := true
	err := s.each(ctx, func(i *inItem) (bool, error) {
		*item = zero
		if err := i.decode(s.ch, item, use); err != nil {
			return false, err
		}
		more = yield(*item, nil)
		return more, nil
	})
	if err != nil && more {
		yield(zero, streamError(path, err))
	}
}

func streamError(path string, err error) error {
	if path == "" {
		return fmt.Errorf("kkrpc: stream: %w", err)
	}
	return fmt.Errorf("kkrpc: stream %s: %w", path, err)
}

// streams are the open streams of a channel, in both directions.
type streams struct {
	in  inStreams
	out outStreams
}

// streamKey is the id of the stream that m belongs to.
func streamKey(m *wire.Message) string {
	if m.Dialect.IsClassic() {
		return string(m.ID)
	}
	return string(m.StreamID)
}

// clear ends all streams because the channel has closed for err.
func (t *streams) clear(err error) {
	t.out.clear(err)
	t.in.clear(err)
}

// marker returns the id of the stream that t stands for: exactly what the originals write, since data of the user could
// look like it.
func marker(t text) (id []byte, ok bool) {
	raw := t.JSON
	if len(raw) == 0 || raw[0] != '{' || len(raw) > maxMarker {
		return nil, false
	}
	if t.dialect.IsClassic() {
		return t.id, t.id != nil && string(raw) == classicMarker
	}
	var s wire.Scanner
	if s.Init(raw, 1) != nil || s.Open('{') != nil {
		return nil, false
	}
	var tag bool
	for first := true; ; first = false {
		key, more, err := s.Key(first)
		if err != nil {
			return nil, false
		}
		if !more {
			return id, tag && id != nil
		}
		value, err := s.Value()
		switch {
		case err != nil:
			return nil, false
		case string(key) == streamTag:
			tag = string(value) == `"async-iterable"`
		case string(key) == "id" && wire.IsString(value) && len(value) <= maxFunctionID:
			id = value
		default:
			return nil, false
		}
	}
}

const (
	streamTag     = "__kkrpc_next_stream__"
	classicMarker = `{"__stream":true}`
	maxMarker     = maxFunctionID + 100
)

// appendMarker writes what stands for a stream of this side.
func appendMarker(dst []byte, d wire.Dialect, id []byte) []byte {
	if d.IsClassic() {
		return append(dst, classicMarker...)
	}
	dst = append(dst, `{"`+streamTag+`":"async-iterable","id":`...)
	return append(append(dst, id...), '}')
}

// acceptsStream reports whether a stream may be stored in what result, the pointer of a call, points to.
func acceptsStream(result any) bool {
	switch result.(type) {
	case nil:
		return false
	case *openedStream, *any:
		return true
	}
	kind, _ := streamKindOf(reflect.TypeOf(result).Elem())
	return kind == failingSeq
}
