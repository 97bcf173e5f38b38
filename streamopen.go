package kkrpc

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"runtime"
	"slices"
	"time"

	"github.com/kkrpc-go/kkrpc/internal/wire"
)

// open notes the stream with the raw JSON id, which the peer has sent.
func (t *streamTable) open(id []byte) (*inStream, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	key := string(id)
	switch {
	case t.closed != nil:
		return nil, t.closed
	case t.in[key] != nil:
		return nil, errors.New("a stream with the same id is open already")
	case len(t.in) >= t.ch.limits.Streams:
		return nil, fmt.Errorf("%w: %d streams of the peer are open on this channel (Limits.Streams)", ErrLimit, len(t.in))
	}
	s := &inStream{ch: t.ch, key: key, wake: make(chan struct{}, 1)}
	if t.in == nil {
		t.in = map[string]*inStream{}
	}
	t.in[key] = s
	if t.janitor == nil {
		t.janitor = time.AfterFunc(janitorInterval, t.sweep)
	}
	return s, nil
}

// streamHandle is what the iterators over a stream hold, so that one that nobody holds any more is noticed.
type streamHandle struct{ stream *inStream }

func (s *inStream) handle() *streamHandle {
	h := &streamHandle{s}
	runtime.AddCleanup(h, s.ch.tables().streams.collect, s)
	return h
}

// collect notes that nobody can iterate over s any more. The janitor ends it: a cleanup has no business in the channel.
func (t *streamTable) collect(s *inStream) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.in[s.key] == s {
		t.collected = append(t.collected, s)
	}
}

// sweep is what the janitor does.
func (t *streamTable) sweep() {
	t.mu.Lock()
	collected := t.collected
	t.collected = nil
	if t.janitor = nil; len(t.in) > 0 {
		t.janitor = time.AfterFunc(janitorInterval, t.sweep)
	}
	t.mu.Unlock()
	dropAll(collected)
}

// sendControl cancels the stream of the peer with the raw JSON id key. id is that of the control.
func (ch *Channel) sendControl(id, key string) {
	b := newBuffer()
	b.bytes = (*ch.codec.Load()).AppendControl(b.bytes, wire.StreamReturn, id, unquote([]byte(key)))
	ch.out.send(b)
}

// refuseStream cancels a stream that is the answer to a call that nobody waits for, or that wants none.
func (ch *Channel) refuseStream(m *wire.Message) {
	id, ok := marker(m, m.Value)
	if !ok {
		return
	}
	t := &ch.tables().streams
	t.mu.Lock()
	control := t.nextLocked("c")
	t.mu.Unlock()
	ch.sendControl(control, string(id))
}

// openResult opens the stream that m, an answer, stands for. It returns nil and no error if m is none, or if the call that
// it answers cannot take one; decode tells the caller so.
func (ch *Channel) openResult(id uint64, m *wire.Message) (*inStream, error) {
	raw, ok := marker(m, m.Value)
	if !ok || m.Err != nil {
		return nil, nil
	}
	ch.mu.Lock()
	p := ch.pending.byID[id]
	wanted := p != nil && !p.answered && acceptsStream(p.result)
	ch.mu.Unlock()
	if !wanted {
		ch.refuseStream(m)
		return nil, nil
	}
	s, err := ch.tables().streams.open(raw)
	if err != nil {
		ch.refuseStream(m)
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

// refuseStreams cancels the streams among the arguments of m, which is not going to be served.
func (ch *Channel) refuseStreams(m *wire.Message) {
	opened := ch.request.streams
	ch.request.streams = nil
	dropAll(opened)
	refuse := func(raw []byte) {
		id, ok := marker(m, raw)
		if !ok || slices.ContainsFunc(opened, func(s *inStream) bool { return s.key == string(id) }) {
			return
		}
		t := &ch.tables().streams
		t.mu.Lock()
		control := t.nextLocked("c")
		t.mu.Unlock()
		ch.sendControl(control, string(id))
	}
	for i := range m.Args {
		refuse(m.Args[i].JSON)
	}
	refuse(m.Value)
}

// stream opens the stream that an argument or value stands for; nil if it stands for none.
func (in *request) stream(raw []byte) (*inStream, error) {
	id, ok := marker(in.msg, raw)
	if !ok {
		return nil, nil
	}
	s, err := in.ch.tables().streams.open(id)
	if err != nil {
		if errors.Is(err, ErrLimit) {
			err = &Error{Name: "RPCLimitError", Message: err.Error()}
		}
		return nil, err
	}
	in.streams = append(in.streams, s)
	return s, nil
}
