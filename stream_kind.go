package kkrpc

import (
	"context"
	"reflect"

	"github.com/kkrpc-go/kkrpc/internal/wire"
)

// streamKind are the open streams of a channel, in both directions. A stream stands in place of an argument, a result or the
// value of a property.
type streamKind struct {
	in  inStreams
	out outStreams
}

func newStreams(ch *Channel, n *news) *streamKind {
	return &streamKind{inStreams{ch: ch, news: n}, outStreams{ch: ch}}
}

func (k *streamKind) write(out *values, dst []byte, at place, v any) (_ []byte, is bool, err error) {
	p, err := producerOf(v)
	if p == nil && err == nil {
		return dst, false, nil
	}
	codec := *out.ch.codec.Load()
	if at.argument {
		dst = codec.BeginArg(dst, at.index)
	}
	if err == errNilStream {
		dst = append(dst, "null"...)
	} else {
		if err != nil {
			return dst, true, err
		}
		s, err := k.out.produce(codec, p, out.host)
		if err != nil {
			if out.host != nil {
				closeReader(v)
			}
			return dst, true, err
		}
		out.carried = append(out.carried, s)
		dst = appendMarker(dst, codec.Dialect(), s.id)
	}
	if at.argument {
		dst = codec.EndArg(dst)
	}
	return dst, true, nil
}

func (k *streamKind) receive(m *wire.Message) (done bool) {
	if m.Kind == wire.StreamData {
		k.in.data(m, streamKey(m))
	} else {
		k.out.control(m, streamKey(m))
	}
	return true
}

func (k *streamKind) unreadable(m *wire.Message, why error) (told bool) {
	if m.Kind == wire.StreamData {
		return k.in.unreadable(streamKey(m), unreadableError("an item", why))
	}
	m.Value = nil // what cannot be read is undefined
	k.out.control(m, streamKey(m))
	return true
}

func (k *streamKind) discard(t text, _ bool) {
	if id, ok := marker(t); ok {
		k.in.discard(id)
	}
}

func (k *streamKind) tell(all bool) (more bool) { return k.in.sweep(all) }

func (k *streamKind) clear(err error) {
	k.out.clear(err)
	k.in.clear(err)
}

// streamKey is the id of the stream that m belongs to.
func streamKey(m *wire.Message) string {
	if m.Dialect.IsClassic() {
		return string(m.ID)
	}
	return string(m.StreamID)
}

// marker returns the id of the stream that t stands for. It accepts only the exact form of the originals, since data
// could look like a marker.
func marker(t text) (id []byte, ok bool) {
	raw := t.JSON
	if len(raw) == 0 || raw[0] != '{' || len(raw) > maxHandle {
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
		case string(key) == "id" && wire.IsString(value) && len(value) <= maxHandleID:
			id = value
		default:
			return nil, false
		}
	}
}

const (
	streamTag     = "__kkrpc_next_stream__"
	classicMarker = `{"__stream":true}`
)

// appendMarker writes what stands for a stream of this side.
func appendMarker(dst []byte, d wire.Dialect, id []byte) []byte {
	if d.IsClassic() {
		return append(dst, classicMarker...)
	}
	dst = append(dst, `{"`+streamTag+`":"async-iterable","id":`...)
	return append(append(dst, id...), '}')
}

// open implements resulting.
func (k *streamKind) open(t text) (received, error) {
	id, ok := marker(t)
	if !ok {
		return nil, nil
	}
	s, err := k.in.add(id)
	if err != nil {
		return nil, err
	}
	return s, nil
}

// store implements resulting.
func (k *streamKind) store(ctx context.Context, v received, result any) {
	s := v.(*inStream)
	s.ctx = ctx
	switch r := result.(type) {
	case *openedStream:
		r.handle = s.handle()
	case *any:
		*r = iterate[any](s)
	default:
		v := reflect.ValueOf(result).Elem()
		v.Set(newStreamParam(v.Type()).of(s))
	}
}
