package kkrpc

import (
	"errors"
	"fmt"
	"runtime"

	"github.com/kkrpc-go/kkrpc/internal/outbox"
	"github.com/kkrpc-go/kkrpc/internal/wire"
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
	t.news.expect()
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

// sweep ends the streams that nobody can iterate over any more, if the janitor calls it. more: there may be others later.
func (t *inStreams) sweep(janitor bool) (more bool) {
	t.mu.Lock()
	var collected []*inStream
	if janitor {
		collected, t.collected = t.collected, nil
	}
	more = len(t.open) > 0
	t.mu.Unlock()
	for _, s := range collected {
		s.end()
	}
	return more
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
