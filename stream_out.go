package kkrpc

import (
	"errors"
	"fmt"
	"runtime/debug"
	"strconv"
	"sync"
	"time"

	"github.com/kkrpc-go/kkrpc/internal/bind"
	"github.com/kkrpc-go/kkrpc/internal/outbox"
	"github.com/kkrpc-go/kkrpc/internal/wire"
	"github.com/kkrpc-go/kkrpc/superjson"
)

// outStreams are the streams of this side.
type outStreams struct {
	ch *Channel

	mu        sync.Mutex            // may be taken while Channel.mu is held
	closed    error                 // why nothing is opened any more
	last      uint64                // number of the last id
	open      map[string]*outStream // by the id of the stream, in classic by that of its request
	producing int                   // in open, or stopped while its code has not returned
	idle      *time.Timer           // set while streams are open
}

// size is how many streams live, those included whose code has not returned yet.
func (t *outStreams) size() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.producing
}

func (t *outStreams) clear(err error) {
	var unused []*outStream
	t.mu.Lock()
	t.closed = err
	for _, s := range t.open {
		if t.stopLocked(s) == unrun {
			unused = append(unused, s)
		}
	}
	if t.idle != nil {
		t.idle.Stop()
		t.idle = nil
	}
	t.mu.Unlock()
	for _, s := range unused {
		s.release()
	}
}

// producer is a stream of this side before it runs.
type producer interface {
	// run gives the items to s until there are no more or s wants no more.
	run(s *outStream)
}

// releaser is a producer that holds something beside its code. run releases it too.
type releaser interface {
	release(s *outStream) // for an s that will not run. It does not block.
}

// outState is how far a stream of this side is. Behind running, done is closed and the stream is not in the table.
type outState uint8

const (
	announced outState = iota // its code has not begun
	running                   // its code runs, or waits for credit
	leaving                   // nothing more is wanted, and its code still runs
	unrun                     // nothing more is wanted, and its code will never run
)

// outStream is a stream of this side. Its code runs on a goroutine of its own. The leader starts it at the first pull.
// In classic the goroutine that sends the response starts it. It ends with the user's code.
type outStream struct {
	ch       *Channel
	table    *outStreams
	producer producer
	id       []byte // raw JSON, as its messages carry it; in classic that of the request
	key      string
	path     string        // for messages to people
	credited bool          // each item needs a credit: compact
	stay     stay          // of the call whose result it is; zero for an argument
	done     chan struct{} // closed when no more is wanted
	wake     chan struct{} // has room for one: there is credit again

	// Owned by the goroutine that runs the producer.
	values *values
	tail   wire.Tail
	count  uint64
	itemID []byte
	err    error // what ends the stream
	ended  bool  // yield has said so
	turn   int   // bytes of items since other goroutines had a turn

	// Guarded by outStreams.mu.
	credit  int
	since   time.Time // it has waited for credit since then; zero while its code runs, and in classic
	state   outState
	kept    bool     // an argument whose request has not been sent: its producer still belongs to the caller
	control *control // what stopped it, to be answered when its code has returned
	cut     error    // in place of how it ends; nil unless this side has stopped it
}

// produce notes a stream. h is the request whose result it is, nil for an argument.
func (t *outStreams) produce(codec wire.Codec, p producer, h host) (*outStream, error) {
	classic := codec.Dialect().IsClassic()
	if classic && h == nil {
		return nil, fmt.Errorf("a stream as an argument: %w", ErrUnsupported)
	}
	s := &outStream{ch: t.ch, table: t, producer: p, path: "a stream", credited: !classic, kept: h == nil, done: make(chan struct{}), wake: make(chan struct{}, 1)}
	if h != nil {
		s.path, s.stay = h.name(), h.takeOver()
	}
	if err := t.add(s, h); err != nil {
		if h != nil {
			s.stay.undo()
		}
		return nil, err
	}
	s.stay.undo = nil // it holds the request
	return s, nil
}

func (t *outStreams) add(s *outStream, h host) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	switch {
	case t.closed != nil:
		return t.closed
	case t.producing >= t.ch.limits.Streams:
		return fmt.Errorf("%w: %d streams of this side are open on this channel (Limits.Streams)", ErrLimit, t.producing)
	case !s.credited:
		s.id = append(s.id, h.rawID()...)
	default:
		t.last++
		s.id = append(strconv.AppendUint(append(s.id, '"', 's'), t.last, 10), '"')
	}
	s.key = string(s.id)
	if t.open[s.key] != nil {
		return errors.New("another stream answers a request with the same id")
	}
	if t.open == nil {
		t.open = map[string]*outStream{}
	}
	t.open[s.key] = s
	t.producing++
	if !s.credited {
		return nil // it waits for nothing but its response
	}
	s.since = time.Now()
	if t.idle == nil {
		t.idle = time.AfterFunc(t.ch.limits.StreamIdle, t.expire)
	}
	return nil
}

// sent implements carried. In classic nobody asks for items, so that the code of the stream begins here.
func (s *outStream) sent() {
	t := s.table
	t.mu.Lock()
	s.kept = false
	over := s.state == unrun
	run := !s.credited && s.state == announced
	if run {
		s.state = running
	}
	t.mu.Unlock()
	switch {
	case over:
		s.release()
	case run:
		go s.run()
	}
}

// release is called when the code of s will not run.
func (s *outStream) release() {
	r, ok := s.producer.(releaser)
	if !ok {
		return
	}
	s.table.mu.Lock()
	kept := s.kept
	s.table.mu.Unlock()
	if !kept {
		r.release(s)
	}
}

// stopped reports whether no more is wanted.
func (s *outStream) stopped() bool {
	select {
	case <-s.done:
		return true
	default:
		return false
	}
}

func (s *outStream) run() {
	s.values = newValues(s.ch, *s.ch.codec.Load())
	s.values.carryBytes()
	s.finish(s.produce())
}

// produce runs the user's code. A panic in it becomes an error that says nothing of its inside.
func (s *outStream) produce() (err error) {
	returned := false
	defer func() {
		if returned {
			return
		}
		value := recover()
		if value == nil { // runtime.Goexit: this goroutine ends
			s.ch.report(fmt.Errorf("kkrpc: %s called runtime.Goexit", s.path))
			s.finish(errInternal)
			return
		}
		s.ch.report(fmt.Errorf("kkrpc: panic in %s: %v\n%s", s.path, value, debug.Stack()))
		err = errInternal
	}()
	if s.await() {
		s.producer.run(s)
	} else {
		s.release()
	}
	returned = true
	return s.err
}

var errInternal = &Error{Name: "InternalError", Message: "internal error"}

// failed ends the stream with err.
func (s *outStream) failed(err error) bool {
	if !s.ended {
		s.ended, s.err = true, err
	}
	return false
}

// emit sends the item that p points to, and waits until the next one is wanted. It reports false if none is.
func (s *outStream) emit(p any) bool {
	switch p := p.(type) {
	case *string, *int, *float64, *bool:
		return s.send(p, true)
	case *any:
		return s.emitValue(*p)
	case *[]byte:
		return s.emitValue(*p)
	case *map[string]any:
		return s.emitValue(*p)
	case *int64:
		return s.emitValue(*p)
	}
	return s.emitValue(p)
}

func (s *outStream) emitValue(v any) bool { return s.send(v, false) }

func (s *outStream) send(v any, scalar bool) bool {
	if s.ended {
		return false
	}
	if s.stopped() { // while the user's code worked on this item
		s.ended = true
		return false
	}
	codec := *s.ch.codec.Load()
	out := s.values
	out.enc.Reset(out.enc.Mode())
	s.count++
	s.itemID = append(strconv.AppendUint(append(s.itemID[:0], '"'), s.count, 10), '"')
	b := outbox.NewBuffer()
	var err error
	var absent bool
	b.Bytes = codec.BeginItem(b.Bytes, s.itemID, s.id, false)
	if scalar {
		b.Bytes, err = out.appendScalar(b.Bytes, codec.ItemPath(), v)
	} else {
		b.Bytes, absent, err = out.appendData(b.Bytes, codec.ItemPath(), v)
	}
	switch {
	case err != nil:
		b.Free()
		err = typeErrorf("item %d of %s cannot be sent: %v", s.count, s.path, err)
		s.ch.report(fmt.Errorf("kkrpc: %w", err))
		return s.failed(err)
	case absent:
		b.Bytes = codec.AppendItem(b.Bytes[:0], s.itemID, s.id, false)
	default:
		s.tail.Values = out.annotations()
		b.Bytes = out.seal(codec.EndItem(b.Bytes, &s.tail))
	}
	if !s.reserve(b) {
		b.Free()
		s.ended = true
		return false
	}
	out.sent()
	s.turn += len(b.Bytes)
	s.ch.out.SendLater(b)
	if s.turn >= turnBytes {
		s.turn = 0
		s.ch.yield()
	}
	if s.await() {
		return true
	}
	s.ended = true
	return false
}

// reserve waits for room in the outbox. It reports false if the stream ends meanwhile.
func (s *outStream) reserve(b *outbox.Buffer) bool {
	full := s.ch.out.Reserve(b)
	if full == nil {
		return true
	}
	defer s.ch.out.Block(b)()
	for ; full != nil; full = s.ch.out.Reserve(b) {
		select {
		case <-full:
		case <-s.done:
			return false
		case <-s.ch.done:
			return false
		}
	}
	return true
}

// await waits until another item is wanted, which a compact peer says by a credit. It reports false if none is any more.
func (s *outStream) await() bool {
	t := s.table
	for {
		t.mu.Lock()
		switch {
		case s.state > running:
			t.mu.Unlock()
			return false
		case !s.credited:
			t.mu.Unlock()
			return true
		case s.credit > 0:
			s.credit--
			t.mu.Unlock()
			return true
		}
		s.since = time.Now()
		t.mu.Unlock()
		select {
		case <-s.wake:
		case <-s.done:
			return false
		}
	}
}

// finish is called once, after the user's code has returned or when it will never run.
func (s *outStream) finish(err error) {
	t := s.table
	t.mu.Lock()
	wanted := s.state <= running || s.cut != nil
	cut := s.cut != nil
	if cut {
		err = s.cut
	}
	t.mu.Unlock()
	if wanted {
		switch b := s.last(err); {
		case cut: // there is no time to wait
			b.Excuse()
			s.ch.out.SendLater(b)
		case s.reserve(b):
			s.ch.out.SendLater(b)
		default:
			b.Free()
		}
	}
	t.mu.Lock()
	t.stopLocked(s) // after the end was queued: before it, a late pull must not be answered as one of an unknown stream
	t.producing--
	control := s.control
	t.mu.Unlock()
	if control != nil {
		s.ch.answerControl(control, s.id)
	}
	if s.values != nil {
		s.values.takeBack() // of an item that the user's code has panicked in
		s.values.free()
	}
	endAll(s.stay.came)
	if s.stay.context != nil {
		s.stay.context.release()
	}
	if s.ch.draining.Load() {
		s.ch.mu.Lock()
		s.ch.serving.tellMovedLocked() // Shutdown waits
		s.ch.mu.Unlock()
	}
}

// cut ends all streams with err as soon as their code has returned.
func (t *outStreams) cut(err error) {
	t.mu.Lock()
	streams := make(map[*outStream]outState, len(t.open))
	for _, s := range t.open {
		s.cut = err
		streams[s] = announced
	}
	for s := range streams {
		streams[s] = t.stopLocked(s)
	}
	t.mu.Unlock()
	for s, left := range streams {
		s.abandon(left)
	}
}

// last is the message that ends the stream. A panic in the error's own methods or fields becomes an InternalError.
func (s *outStream) last(err error) (b *outbox.Buffer) {
	defer func() {
		if value := recover(); value != nil {
			b = s.last(s.ch.recovered(s.path, value))
		}
	}()
	codec := *s.ch.codec.Load()
	b = outbox.NewBuffer()
	s.itemID = append(strconv.AppendUint(append(s.itemID[:0], '"'), s.count+1, 10), '"')
	if err == nil {
		b.Bytes = codec.AppendItem(b.Bytes, s.itemID, s.id, true)
		return b
	}
	e := toWire(err)
	if s.credited { // the originals send no more than the text of an error
		text := e.Name
		if e.Message != e.Name {
			text += ": " + e.Message
		}
		e = &wire.Error{Name: "Error", Message: text}
	}
	out := newValues(s.ch, codec)
	defer out.free()
	var encodeErr error
	b.Bytes, encodeErr = codec.AppendStreamError(b.Bytes, s.itemID, s.id, e, out.annotations())
	if encodeErr != nil {
		s.ch.report(fmt.Errorf("kkrpc: error %s: its fields cannot be sent: %w", e.Name, encodeErr))
		b.Bytes, _ = codec.AppendStreamError(b.Bytes[:0], s.itemID, s.id, &wire.Error{Name: e.Name, Message: e.Message}, out.annotations())
	}
	return b
}

// unsent implements carried. A stream that no message has brought to the peer is forgotten.
func (s *outStream) unsent() { s.table.stop(s) }

// stop ends s from this side, without a word.
func (t *outStreams) stop(s *outStream) {
	t.mu.Lock()
	left := t.stopLocked(s)
	t.mu.Unlock()
	s.abandon(left)
}

// abandon goes on where stopLocked has ended. Code that runs finishes the stream when it returns.
func (s *outStream) abandon(left outState) {
	switch {
	case left == unrun:
		s.finish(nil)
		s.release()
	case left == leaving && s.stay.context != nil:
		s.stay.context.cancel()
	}
}

// stopLocked notes that nothing more of s is wanted. It returns the state that it has brought s into, or announced if that
// had happened before.
func (t *outStreams) stopLocked(s *outStream) outState {
	switch s.state {
	case announced:
		s.state = unrun
	case running:
		s.state = leaving
	default:
		return announced
	}
	delete(t.open, s.key)
	close(s.done)
	return s.state
}

// expire drops the streams that have waited too long for a pull. A later pull is answered like a pull of an unknown
// stream, which ends the stream at the peer.
func (t *outStreams) expire() {
	var expired []*outStream
	var left []outState
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
		if wait := t.ch.limits.StreamIdle - now.Sub(s.since); wait > 0 {
			next = min(next, wait)
			continue
		}
		expired, left = append(expired, s), append(left, t.stopLocked(s)) // at once: a pull that comes now must be answered
	}
	t.idle = nil
	if len(t.open) > 0 {
		t.idle = time.AfterFunc(next, t.expire)
	}
	t.mu.Unlock()
	for i, s := range expired {
		s.abandon(left[i])
	}
}

// control acts on a message of the consumer of the stream of this side with this key.
func (t *outStreams) control(m *wire.Message, key string) {
	t.mu.Lock()
	s := t.open[key]
	switch {
	case s == nil:
		t.mu.Unlock()
		t.unknown(m)
	case m.Kind == wire.StreamPull:
		s.credit = min(s.credit+m.Credit, t.ch.limits.StreamCredit)
		s.since = time.Time{}
		begins := s.state == announced
		s.state = running
		t.mu.Unlock()
		if begins {
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
		left := t.stopLocked(s)
		t.mu.Unlock()
		s.abandon(left)
	}
}

// control is a return or throw of the peer.
type control struct {
	id    []byte
	kind  wire.Kind
	value superjson.Value
}

// maxReturned bounds the value of a control in bytes. The value is kept until the code of the stream has returned. A
// larger one is read as undefined.
const maxReturned = 4 << 10

func newControl(m *wire.Message) *control {
	c := &control{id: append([]byte(nil), m.ID...), kind: m.Kind}
	if m.Value != nil && len(m.Value) <= maxReturned && m.Size-len(m.Value)+m.Annotations().Cost() <= maxReturned {
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
		case "string": // a placeholder
			text = "bytes"
		default:
			text = string(v.JSON)
		}
	}
	return "Error: " + text
}
