package kkrpc

import (
	"context"
	"errors"
	"reflect"

	"github.com/kkrpc-go/kkrpc/internal/bind"
	"github.com/kkrpc-go/kkrpc/internal/wire"
	"github.com/kkrpc-go/kkrpc/superjson"
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

func (ch *Channel) streams() *streamKind { return ch.kinds().list[streamIndex].(*streamKind) }

func (k *streamKind) receive(m *wire.Message) (done bool) {
	if m.Kind == wire.StreamData {
		k.in.data(m)
	} else {
		k.out.control(m)
	}
	return true
}

func (k *streamKind) unreadable(m *wire.Message, why error) {
	if m.Kind == wire.StreamData {
		k.in.unreadable(m, why)
	}
}

func (k *streamKind) discard(t text, _ bool) { k.in.discard(t) }

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
	kind, _ := bind.StreamKindOf(reflect.TypeOf(result).Elem())
	return kind == bind.FailingSeq
}

// openResult opens the stream that v, the answer to a call, stands for. It returns nil and no error if v is none. If the
// call cannot take a stream with its result, the peer is told to stop it.
func (ch *Channel) openResult(v text, result any) (*inStream, error) {
	id, ok := marker(v)
	if !ok {
		return nil, nil
	}
	var s *inStream
	var err error
	if acceptsStream(result) {
		s, err = ch.streams().in.add(id)
	}
	if s == nil {
		ch.streams().in.discard(v)
	}
	return s, err
}

// storeStream makes the stream that answers p its result.
func (p *pendingCall) storeStream(ctx context.Context, result any) {
	s := p.stream
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

// end ends what came with a request that is not served.
func (in *request) end() {
	came := in.came
	in.came = nil
	endAll(came)
}

// request is what the leader decodes. It implements bind.Peer.
type request struct {
	bind.Request
	ch   *Channel
	ref  *Ref       // of this side, that it is on; nil for the API
	came []received // with its arguments or value
}

// reset makes r the request m.
func (r *request) reset(ch *Channel, m *wire.Message) {
	*r = request{ch: ch}
	r.Request = bind.Request{Peer: r, Message: m}
}

func (r *request) Function(id []byte) (bind.Handle, error) { return r.ch.callbacks().accept(id) }

func (r *request) References(raw []byte) superjson.ReferenceDecoder {
	return r.ch.references(r.Message.Dialect, raw)
}

func (r *request) Stream(raw []byte) (bind.Source, error) {
	id, ok := marker(text{Arg: wire.Arg{JSON: raw}, dialect: r.Message.Dialect})
	if !ok {
		return nil, nil
	}
	s, err := r.ch.streams().in.add(id)
	if err != nil {
		if errors.Is(err, ErrLimit) {
			err = &Error{Name: "RPCLimitError", Message: err.Error()}
		}
		return nil, err
	}
	r.came = append(r.came, s)
	return s, nil
}
