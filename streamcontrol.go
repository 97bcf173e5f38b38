package kkrpc

import (
	"time"

	"github.com/kkrpc-go/kkrpc/internal/bind"
	"github.com/kkrpc-go/kkrpc/internal/outbox"
	"github.com/kkrpc-go/kkrpc/internal/wire"
	"github.com/kkrpc-go/kkrpc/superjson"
)

// control is a return or throw of the peer.
type control struct {
	id    []byte
	kind  wire.Kind
	value superjson.Value
}

// unsent implements carried. A stream that no message has brought to the peer is forgotten.
func (s *outStream) unsent() { s.table.stop(s) }

// stop ends s from this side, without a word.
func (t *outStreams) stop(s *outStream) {
	t.mu.Lock()
	stopped := s.stopped
	t.stopLocked(s)
	started := s.started
	t.mu.Unlock()
	if !stopped {
		s.abandon(started)
	}
}

// abandon goes on where stopLocked ends. Code that has started finishes the stream when it returns.
func (s *outStream) abandon(started bool) {
	switch {
	case !started:
		s.finish(nil)
	case s.stay.context != nil:
		s.stay.context.cancel()
	}
}

func (t *outStreams) stopLocked(s *outStream) {
	if s.stopped {
		return
	}
	s.stopped = true
	delete(t.open, s.key)
	close(s.done)
}

// expire drops the streams that have waited too long for a pull. A pull that comes later is answered as one of an unknown
// stream, which is what ends it at the peer.
func (t *outStreams) expire() {
	var expired []*outStream
	var started []bool
	t.mu.Lock()
	if t.closed != nil {
		t.mu.Unlock()
		return
	}
	now := time.Now()
	next := t.ch.limits.StreamIdle
	for _, s := range t.open {
		if s.since.IsZero() {
			continue
		}
		left := t.ch.limits.StreamIdle - now.Sub(s.since)
		if left > 0 {
			next = min(next, left)
			continue
		}
		expired, started = append(expired, s), append(started, s.started)
		t.stopLocked(s) // at once: a pull that comes now must be answered
	}
	t.idle = nil
	if len(t.open) > 0 {
		t.idle = time.AfterFunc(next, t.expire)
	}
	t.mu.Unlock()
	for i, s := range expired {
		s.abandon(started[i])
	}
}

// control acts on a message of the consumer of a stream of this side.
func (t *outStreams) control(m *wire.Message) {
	t.mu.Lock()
	s := t.open[streamKey(m)]
	switch {
	case s == nil:
		t.mu.Unlock()
		t.unknown(m)
	case m.Kind == wire.StreamPull:
		s.credit = min(s.credit+m.Credit, t.ch.limits.StreamCredit)
		s.since = time.Time{}
		started := s.started
		s.started = true
		t.mu.Unlock()
		if !started {
			go s.run()
			return
		}
		select {
		case s.wake <- struct{}{}:
		default:
		}
	default:
		if !m.Dialect.IsClassic() {
			s.control = newControl(m)
		}
		t.stopLocked(s)
		started := s.started
		t.mu.Unlock()
		s.abandon(started)
	}
}

// maxReturned bounds the value that comes with a control, in bytes, since it is kept until the code of the stream has
// returned. A larger one is taken for undefined.
const maxReturned = 4 << 10

func newControl(m *wire.Message) *control {
	c := &control{id: append([]byte(nil), m.ID...), kind: m.Kind}
	if m.Value != nil && len(m.Value) <= maxReturned && m.Size <= len(m.Value)+maxReturned {
		_ = superjson.Decode(m.Dialect.Mode(), m.Value, m.ValueMeta(), &c.value) // what cannot be read is undefined
	}
	return c
}

// unknown answers a control of a stream that has ended or never was.
func (t *outStreams) unknown(m *wire.Message) {
	switch {
	case m.Dialect.IsClassic():
	case m.Kind == wire.StreamReturn:
		t.ch.answerControl(newControl(m), append([]byte(nil), m.StreamID...))
	default:
		codec := *t.ch.codec.Load()
		b := outbox.NewBuffer()
		b.Bytes, _ = codec.AppendStreamError(b.Bytes, m.ID, m.StreamID, &wire.Error{Name: "Error", Message: "Unknown RPC stream " + unquote(m.StreamID)}, nil)
		t.ch.out.Queue(b)
	}
}

// answerControl tells the peer that its return or throw has ended the stream.
func (ch *Channel) answerControl(c *control, streamID []byte) {
	codec := *ch.codec.Load()
	out := newValues(ch, codec)
	defer out.free()
	b := outbox.NewBuffer()
	if c.kind == wire.StreamThrow {
		b.Bytes, _ = codec.AppendStreamError(b.Bytes, c.id, streamID, &wire.Error{Name: "Error", Message: thrownText(c.value)}, nil)
		ch.out.Send(b)
		return
	}
	absent := c.value.JSON == nil
	if !absent {
		var err error
		b.Bytes = codec.BeginItem(b.Bytes, c.id, streamID, true)
		b.Bytes, err = out.Append(b.Bytes, codec.ItemPath(), c.value)
		b.Bytes = codec.EndItem(b.Bytes, &wire.Tail{Values: out.annotations()})
		absent = err != nil
	}
	if absent {
		b.Bytes = codec.AppendItem(b.Bytes[:0], c.id, streamID, true)
	}
	ch.out.Send(b)
}

// thrownText is what JavaScript's String makes of the Error that a consumer has thrown, or of one about another value.
func thrownText(v superjson.Value) string {
	var thrown any
	if v.Decode(&thrown) == nil {
		if e, ok := thrown.(*superjson.Error); ok {
			return e.Name + ": " + e.Message
		}
	}
	var text string
	if v.Decode(&text) != nil {
		switch text = bind.JSONKind(v.JSON); text {
		case "object", "array":
			text = "[object Object]"
		case "undefined":
		default:
			text = string(v.JSON)
		}
	}
	return "Error: " + text
}
