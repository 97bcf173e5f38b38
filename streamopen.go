package kkrpc

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"runtime"
	"time"

	"github.com/kkrpc-go/kkrpc/internal/bind"
	"github.com/kkrpc-go/kkrpc/internal/outbox"
	"github.com/kkrpc-go/kkrpc/internal/wire"
	"github.com/kkrpc-go/kkrpc/superjson"
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

// collect notes that nobody can iterate over s any more. The janitor ends it: a cleanup has no business in the channel. One
// that the peer has ended only gives back what its items count.
func (t *streamTable) collect(s *inStream) {
	t.mu.Lock()
	open := t.in[s.key] == s
	if open {
		t.collected = append(t.collected, s)
	}
	t.mu.Unlock()
	if !open {
		s.mu.Lock()
		s.clearLocked()
		s.mu.Unlock()
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

// next returns a fresh id.
func (t *streamTable) next(prefix string) string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.nextLocked(prefix)
}

// cancelling is the message that cancels the stream of the peer with the raw JSON id.
func (t *streamTable) cancelling(id []byte) *outbox.Buffer {
	b := outbox.NewBuffer()
	b.Bytes = (*t.ch.codec.Load()).AppendControl(b.Bytes, wire.StreamReturn, t.next("c"), unquote(id))
	return b
}

// refuse cancels the stream that raw, the value or an argument of m, stands for, unless it is open: then it belongs to
// another message. The leader calls it.
func (t *streamTable) refuse(m *wire.Message, raw []byte) {
	id, ok := marker(m, raw)
	if !ok {
		return
	}
	t.mu.Lock()
	open := t.in[string(id)] != nil
	t.mu.Unlock()
	if !open {
		t.ch.out.Queue(t.cancelling(id))
	}
}

// openResult opens the stream that m, an answer, stands for. It returns nil and no error if m is none, or if the call that
// it answers cannot take one; decode tells the caller so.
func (ch *Channel) openResult(id uint64, m *wire.Message) (*inStream, error) {
	raw, ok := marker(m, m.Value)
	if !ok || m.Err != nil {
		return nil, nil
	}
	ch.mu.Lock()
	p := ch.pending.table.find(id)
	wanted := p != nil && !p.answered && acceptsStream(p.result)
	ch.mu.Unlock()
	if !wanted {
		ch.tables().streams.refuse(m, m.Value)
		return nil, nil
	}
	s, err := ch.tables().streams.open(raw)
	if err != nil {
		ch.tables().streams.refuse(m, m.Value)
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
	for i := range m.Args {
		ch.tables().streams.refuse(m, m.Args[i].JSON)
	}
	ch.tables().streams.refuse(m, m.Value)
	dropAll(opened)
}

// request is what the leader decodes. It implements bind.Peer.
type request struct {
	bind.Request
	ch      *Channel
	ref     *Ref        // of this side, that it is on; nil for the API
	streams []*inStream // opened for its arguments or value
}

// reset makes r the request m.
func (r *request) reset(ch *Channel, m *wire.Message) {
	*r = request{ch: ch}
	r.Request = bind.Request{Peer: r, Message: m}
}

func (r *request) Function(id []byte) (bind.Handle, error) { return r.ch.remoteCallback(id) }

func (r *request) References(raw []byte) superjson.ReferenceDecoder {
	return r.ch.references(r.Message.Dialect, raw)
}

func (r *request) Stream(raw []byte) (bind.Source, error) {
	id, ok := marker(r.Message, raw)
	if !ok {
		return nil, nil
	}
	s, err := r.ch.tables().streams.open(id)
	if err != nil {
		if errors.Is(err, ErrLimit) {
			err = &Error{Name: "RPCLimitError", Message: err.Error()}
		}
		return nil, err
	}
	r.streams = append(r.streams, s)
	return s, nil
}
