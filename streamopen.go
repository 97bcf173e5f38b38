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

// add notes the stream with the raw JSON id, which the peer has sent.
func (t *inStreams) add(id []byte) (*inStream, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	key := string(id)
	switch {
	case t.closed != nil:
		return nil, t.closed
	case t.open[key] != nil:
		return nil, errors.New("a stream with the same id is open already")
	case len(t.open) >= t.ch.limits.Streams:
		return nil, fmt.Errorf("%w: %d streams of the peer are open on this channel (Limits.Streams)", ErrLimit, len(t.open))
	}
	s := &inStream{ch: t.ch, table: t, key: key, wake: make(chan struct{}, 1)}
	if t.open == nil {
		t.open = map[string]*inStream{}
	}
	t.open[key] = s
	if t.janitor == nil {
		t.janitor = time.AfterFunc(janitorInterval, t.sweep)
	}
	return s, nil
}

// streamHandle is what the iterators over a stream hold, so that one that nobody holds any more is noticed.
type streamHandle struct{ stream *inStream }

func (s *inStream) handle() *streamHandle {
	h := &streamHandle{s}
	runtime.AddCleanup(h, s.table.collect, s)
	return h
}

// collect notes that nobody can iterate over s any more. The janitor ends it: a cleanup has no business in the channel. One
// that the peer has ended only gives back what its items count.
func (t *inStreams) collect(s *inStream) {
	t.mu.Lock()
	open := t.open[s.key] == s
	if open {
		t.collected = append(t.collected, s)
	}
	t.mu.Unlock()
	if !open {
		s.mu.Lock()
		left := s.clearLocked()
		s.mu.Unlock()
		left.discard(s.ch)
	}
}

// sweep is what the janitor does.
func (t *inStreams) sweep() {
	t.mu.Lock()
	collected := t.collected
	t.collected = nil
	if t.janitor = nil; len(t.open) > 0 {
		t.janitor = time.AfterFunc(janitorInterval, t.sweep)
	}
	t.mu.Unlock()
	for _, s := range collected {
		s.end()
	}
}

// cancelling is the message that cancels the stream of the peer with the raw JSON id.
func (t *inStreams) cancelling(id []byte) *outbox.Buffer {
	b := outbox.NewBuffer()
	b.Bytes = (*t.ch.codec.Load()).AppendControl(b.Bytes, wire.StreamReturn, t.nextID("c"), unquote(id))
	return b
}

// discard cancels the stream that v stands for, unless it is open: then it belongs to another message.
func (t *inStreams) discard(v text) {
	id, ok := marker(v)
	if !ok {
		return
	}
	t.mu.Lock()
	open := t.open[string(id)] != nil
	t.mu.Unlock()
	if !open {
		t.ch.out.SendLater(t.cancelling(id))
	}
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
		s, err = ch.tables().streams.in.add(id)
	}
	if s == nil {
		ch.tables().streams.in.discard(v)
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

func (r *request) Function(id []byte) (bind.Handle, error) { return r.ch.remoteCallback(id) }

func (r *request) References(raw []byte) superjson.ReferenceDecoder {
	return r.ch.references(r.Message.Dialect, raw)
}

func (r *request) Stream(raw []byte) (bind.Source, error) {
	id, ok := marker(text{Arg: wire.Arg{JSON: raw}, dialect: r.Message.Dialect})
	if !ok {
		return nil, nil
	}
	s, err := r.ch.tables().streams.in.add(id)
	if err != nil {
		if errors.Is(err, ErrLimit) {
			err = &Error{Name: "RPCLimitError", Message: err.Error()}
		}
		return nil, err
	}
	r.came = append(r.came, s)
	return s, nil
}
