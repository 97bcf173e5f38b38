package kkrpc

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"runtime"
	"strconv"
	"sync"
	"sync/atomic"

	"github.com/kkrpc-go/kkrpc/internal/bind"
	"github.com/kkrpc-go/kkrpc/internal/outbox"
	"github.com/kkrpc-go/kkrpc/internal/wire"
	"github.com/kkrpc-go/kkrpc/superjson"
)

// Flow control of compact streams is the same in every peer. A consumer asks for streamWindow items, and for
// streamRefill more each time the application has taken as many.
const (
	streamWindow = 32
	streamRefill = 16
	// itemOverhead is what an item that waits costs beside its text.
	itemOverhead = 64
	// A stream keeps room for so many bytes and items while none waits.
	keptItemBytes = 64 << 10
	keptItems     = 1 << 10
	// unmeteredItem is up to what size in bytes the memory of a decoded item is not counted.
	unmeteredItem = 1 << 10
	// streamShares: all streams of a channel together may hold as much as so many of them.
	streamShares = 4
)

// inStreams are the open streams of the peer.
type inStreams struct {
	ch       *Channel
	news     *news
	buffered atomic.Int64 // bytes of items that wait for their consumers

	mu        sync.Mutex           // may be taken while Channel.mu is held
	closed    error                // why nothing is opened any more
	last      uint64               // number of the last id of a control
	open      map[string]*inStream // by the id of the stream, in classic by that of its request; until the end has come
	collected []*inStream          // whose iterators were garbage collected
}

// nextID returns a fresh id for a control.
func (t *inStreams) nextID(prefix string) string {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.last++
	return prefix + strconv.FormatUint(t.last, 10)
}

func (t *inStreams) size() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return len(t.open)
}

func (t *inStreams) clear(err error) {
	t.mu.Lock()
	t.closed = err
	open := t.open
	t.open, t.collected = nil, nil
	t.mu.Unlock()
	for _, s := range open {
		s.finish(err)
	}
}

// inStream is a stream of the peer.
type inStream struct {
	ch      *Channel
	table   *inStreams
	key     string          // raw JSON
	ctx     context.Context // of the call that opened it; nil in an argument
	handler waiter          // waits for items; nil for none

	mu      sync.Mutex
	items   []inItem // received; those before first have been taken
	first   int
	data    []byte // their texts
	start   int    // of items[first] in data
	bytes   int    // of what waits, as counted in inStreams.buffered
	decoded int    // bytes of the item that the loop has
	counted int    // of these and of data, in the account
	ended   bool   // nothing more comes
	err     error  // why, unless the peer said that it is done
	state   inState
	waiting bool
	wake    chan struct{} // has room for one: something changed

	delivered int // items since the last pull; owned by the goroutine that takes items
}

type inState uint8

const (
	unused  inState = iota
	ranged          // an iteration has begun, which ends before its function does
	reading         // an io.Reader has begun, which may be left at any time
	dropped         // nobody may take items any more
)

// inItem is an item that was received.
type inItem struct {
	kept      // raw is set when it is taken
	undefined bool
	text      int // bytes in inStream.data
	size      int // as counted in inStreams.buffered
}

// decode stores item in what v points to, whose type has to do with references as use says. What v then holds counts until
// the next take.
func (s *inStream) decode(i *inItem, v any, use bind.RefUse) error {
	ch := s.ch
	var m *superjson.Meter
	if len(i.raw) > unmeteredItem || i.meta != nil {
		m = &superjson.Meter{Limit: ch.limits.Decoded, Watch: s}
	}
	err := s.decodeInTurn(i, v, use, m)
	if m != nil {
		_ = s.count(m.Spent)
	}
	if err != nil {
		i.discard(ch, true)
	}
	if mismatch, ok := errors.AsType[*superjson.TypeError](err); ok {
		return fmt.Errorf("item%s: expected %s, got %s", at(mismatch.Path), mismatch.Expected, mismatch.Got)
	}
	return err
}

func (s *inStream) decodeInTurn(i *inItem, v any, use bind.RefUse, m *superjson.Meter) error {
	defer s.ch.account.Turn(len(i.raw))() // a type's own unmarshaling may panic
	return i.kept.decodeMetered(s.ch, v, use, m)
}

// Grown counts what the loop has of the item that is being decoded, and lets others run.
func (s *inStream) Grown(spent int) error {
	runtime.Gosched()
	return s.count(spent)
}

func (s *inStream) count(spent int) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.state != dropped { // then nobody takes the item
		s.decoded = spent
	}
	s.countLocked()
	return nil
}

// countLocked tells the account of all memory that s takes: data keeps the texts of items that were taken for a while.
func (s *inStream) countLocked() {
	n := s.decoded + s.bytes + cap(s.data) - (len(s.data) - s.start)
	s.ch.account.Add(n - s.counted)
	s.counted = n
}

// discard gives back the handles in an item that was taken. seen: a part of it may have been read.
func (i *inItem) discard(ch *Channel, seen bool) {
	ch.discardText(text{Arg: wire.Arg{JSON: i.raw}, dialect: i.dialect}, seen)
}

// data takes a message of the stream with this key. Messages of unknown streams are ignored. Some are still under way
// when this side leaves a stream. Answers to its controls have no use.
func (t *inStreams) data(m *wire.Message, key string) {
	t.mu.Lock()
	s := t.open[key]
	if s != nil && (m.Done || m.Err != nil) {
		delete(t.open, key)
	}
	t.mu.Unlock()
	switch {
	case s == nil:
		t.ch.discard(m, false)
	case m.Err != nil:
		s.fail(t.ch.parseError(m, nil))
	case m.Done:
		s.finish(nil)
	default:
		s.push(m)
	}
}

// unreadable ends the stream with this key, an item of which cannot be read. It reports false if there is none.
func (t *inStreams) unreadable(key string, why error) bool {
	t.mu.Lock()
	s := t.open[key]
	t.mu.Unlock()
	if s != nil {
		s.cut(why)
	}
	return s != nil
}

func (s *inStream) push(m *wire.Message) {
	meta := m.ValueMeta()
	var pins any
	if v := valueText(m); v.marked() {
		pins = s.ch.kinds().inside.pin(v)
	}
	n := itemOverhead + len(m.Value)
	if meta != nil {
		n += m.Size - len(m.Value) + m.Annotations().Cost()
	}
	s.mu.Lock()
	if s.ended {
		s.mu.Unlock()
		s.ch.discard(m, false)
		return
	}
	s.data = append(s.data, m.Value...)
	s.items = append(s.items, inItem{kept: kept{dialect: m.Dialect, meta: meta, pins: pins}, undefined: m.Value == nil, text: len(m.Value), size: n})
	s.bytes += n
	s.countLocked()
	bytes, alone := s.bytes, len(s.items)-s.first == 1
	s.signalLocked()
	s.mu.Unlock()
	limit := s.ch.limits.StreamBuffer
	total := int(s.table.buffered.Add(int64(n)))
	switch {
	case bytes > limit && !alone:
		s.cut(fmt.Errorf("%w: the peer is %d bytes of items ahead of the loop (Limits.StreamBuffer)", ErrLimit, bytes))
	case total > streamShares*limit:
		s.table.cutLargest(total)
	}
}

// cutLargest makes room when all streams together hold too much.
func (t *inStreams) cutLargest(total int) {
	t.mu.Lock()
	var largest *inStream
	most := 0
	for _, s := range t.open {
		s.mu.Lock()
		if s.bytes > most {
			largest, most = s, s.bytes
		}
		s.mu.Unlock()
	}
	t.mu.Unlock()
	if largest != nil {
		largest.cut(fmt.Errorf("%w: the streams of this channel are %d bytes of items ahead of their loops (Limits.StreamBuffer)", ErrLimit, total))
	}
}

// cut ends s from this side, with what waits in it.
func (s *inStream) cut(err error) {
	s.mu.Lock()
	left := s.clearLocked()
	s.mu.Unlock()
	left.discard(s.ch)
	s.finish(err)
	s.leave()
}

// leftItems are items that nobody will take, and their texts.
type leftItems struct {
	items []inItem
	data  []byte
}

// clearLocked drops what waits in s. The result is to be discarded without the lock.
func (s *inStream) clearLocked() leftItems {
	s.table.buffered.Add(-int64(s.bytes))
	left := leftItems{s.items[s.first:], s.data[s.start:]}
	s.items, s.first, s.data, s.start, s.bytes = nil, 0, nil, 0, 0
	s.countLocked()
	return left
}

func (l leftItems) discard(ch *Channel) {
	if !bytes.Contains(l.data, []byte(handleMark)) {
		return
	}
	data := l.data
	for i := range l.items {
		n := l.items[i].text
		ch.discardText(text{Arg: wire.Arg{JSON: data[:n]}, dialect: l.items[i].dialect}, false)
		data = data[n:]
	}
}

// finish notes that nothing more comes; err is nil if the peer is done.
func (s *inStream) finish(err error) {
	s.mu.Lock()
	var left leftItems
	if !s.ended {
		s.ended, s.err = true, err
		if s.state == dropped {
			left = s.clearLocked()
		}
		s.signalLocked()
	}
	s.mu.Unlock()
	left.discard(s.ch)
}

// fail notes that the peer has ended s with an error, which takes size bytes until the loop has it.
func (s *inStream) fail(err *Error, size int) {
	s.mu.Lock()
	if !s.ended {
		s.bytes += size
		s.table.buffered.Add(int64(size))
		s.countLocked()
	}
	s.mu.Unlock()
	s.finish(err)
}

func (s *inStream) signalLocked() {
	if !s.waiting {
		return
	}
	s.waiting = false
	s.wake <- struct{}{}
}

// leave tells the peer that no more is wanted, unless the end has come.
func (s *inStream) leave() {
	t := s.table
	t.mu.Lock()
	open := t.open[s.key] == s
	if open {
		delete(t.open, s.key)
	}
	t.mu.Unlock()
	if open {
		s.ch.out.Send(t.cancelling([]byte(s.key)))
	}
}

// belongTo implements received.
func (s *inStream) belongTo(handler waiter) { s.handler = handler }

// end implements received. It has no effect if somebody iterates over s, or has.
func (s *inStream) end() { s.drop(errLeft) }

// errLeft is what a reader gets that goes on when the function is over that it was given to.
var errLeft = fmt.Errorf("%w: the function that was given this stream has returned", ErrReleased)

// drop ends s for good, unless somebody iterates over it, or has. A reader that waits gets err.
func (s *inStream) drop(err error) {
	s.mu.Lock()
	switch s.state {
	case ranged:
		s.mu.Unlock()
		return
	case unused, reading:
		s.state, s.ended, s.err = dropped, true, err
	}
	s.decoded = 0
	left := s.clearLocked()
	s.signalLocked()
	s.mu.Unlock()
	left.discard(s.ch)
	s.leave()
}

// each gives the items to deliver as they come. It returns nil once the peer is done or deliver wants no more. If this
// side ends first, the peer is asked to stop. The item is valid during the call.
func (s *inStream) each(ctx context.Context, deliver func(*inItem) (more bool, err error)) error {
	if err := s.begin(ctx, ranged); err != nil {
		return err
	}
	defer s.quit() // also when the body of the loop panics
	var item inItem
	for {
		if more, err := s.next(ctx, &item); err != nil || !more {
			return err
		}
		if more, err := deliver(&item); err != nil || !more {
			return err
		}
	}
}

var errContextEnded = errors.New("context ended")

// begin brings s into the state ranged or reading, and asks for the first items. It fails if they were taken before.
func (s *inStream) begin(ctx context.Context, state inState) error {
	s.mu.Lock()
	was := s.state
	if was == unused {
		s.state = state
	}
	s.mu.Unlock()
	switch was {
	case ranged, reading:
		return errors.New("this stream can be iterated over only once")
	case dropped:
		return fmt.Errorf("%w: the function that was given this stream has returned without iterating over it", ErrReleased)
	}
	if ctx != nil {
		if scope := scopeOf(ctx); scope != nil {
			s.handler = scope
		}
	}
	s.pull(streamWindow)
	return nil
}

// next is take with the pulls that go with it, until ctx ends.
func (s *inStream) next(ctx context.Context, item *inItem) (more bool, err error) {
	var done <-chan struct{}
	if ctx != nil {
		done = ctx.Done()
	}
	switch more, err := s.take(item, done); {
	case errors.Is(err, errContextEnded):
		return false, context.Cause(ctx)
	case err != nil || !more:
		return false, err
	}
	select {
	case <-done:
		item.discard(s.ch, false)
		return false, context.Cause(ctx)
	default:
	}
	if s.delivered++; s.delivered == streamRefill {
		s.delivered = 0
		s.pull(streamRefill)
	}
	return true, nil
}

// quit ends s when no more items are taken.
func (s *inStream) quit() {
	s.mu.Lock()
	s.decoded = 0
	left := s.clearLocked()
	s.ended = true
	s.mu.Unlock()
	left.discard(s.ch)
	s.leave()
}

func streamError(path string, err error) error {
	if path == "" {
		return fmt.Errorf("kkrpc: stream: %w", err)
	}
	return fmt.Errorf("kkrpc: stream %s: %w", path, err)
}

// pull asks for n more items, unless the end has come already.
func (s *inStream) pull(n int) {
	s.mu.Lock()
	ended := s.ended
	s.mu.Unlock()
	codec := *s.ch.codec.Load()
	if ended || codec.Dialect().IsClassic() {
		return
	}
	b := outbox.NewBuffer()
	b.Bytes = codec.AppendPull(b.Bytes, s.table.nextID("p"), unquote([]byte(s.key)), n)
	s.ch.out.Send(b)
}

// take waits for the next item and stores it in item, whose raw is valid until the next take. It reports false and no
// error at the end. Items that are not taken stay in s, so that s can be cut.
func (s *inStream) take(item *inItem, done <-chan struct{}) (more bool, err error) {
	s.mu.Lock()
	s.decoded = 0
	s.compactLocked()
	s.countLocked()
	for s.first == len(s.items) && !s.ended {
		s.waiting = true
		s.mu.Unlock()
		if err := s.await(done); err != nil {
			return false, err
		}
		s.mu.Lock()
	}
	defer s.mu.Unlock()
	if s.first == len(s.items) {
		return false, s.err
	}
	next := &s.items[s.first]
	*item, *next = *next, inItem{}
	if !item.undefined {
		item.raw = s.data[s.start : s.start+item.text : s.start+item.text]
	}
	s.first++
	s.start += item.text
	s.bytes -= item.size
	s.table.buffered.Add(-int64(item.size))
	return true, nil
}

// compactLocked frees the room of the items taken, once they are half of all. So each byte is moved about once.
func (s *inStream) compactLocked() {
	if 2*s.first < len(s.items) || 2*s.start < len(s.data) {
		return
	}
	n := copy(s.items, s.items[s.first:])
	clear(s.items[n:])
	s.items, s.data = s.items[:n], s.data[:copy(s.data, s.data[s.start:])]
	s.first, s.start = 0, 0
	if n == 0 && cap(s.items) > keptItems {
		s.items = nil
	}
	if n == 0 && cap(s.data) > keptItemBytes {
		s.data = nil
	}
}

// await blocks until something has changed. A handler that waits gives up its place, and reading.
func (s *inStream) await(done <-chan struct{}) error {
	if s.handler != nil {
		s.handler.stepOut()
		defer s.handler.stepIn()
	}
	select {
	case <-s.wake:
		return nil
	case <-done:
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.waiting { // the signal has come, or is to be there for the next await
		<-s.wake
	}
	s.waiting = false
	return errContextEnded
}

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

// collect notes that nobody can iterate over s any more. It is a cleanup and must not write to the channel, so the
// janitor ends s. If the peer has ended s, only the room of its items is given back.
func (t *inStreams) collect(s *inStream) {
	t.mu.Lock()
	open := t.open[s.key] == s
	if open {
		t.collected = append(t.collected, s)
	}
	t.mu.Unlock()
	if !open {
		s.mu.Lock()
		s.decoded = 0
		left := s.clearLocked()
		s.mu.Unlock()
		left.discard(s.ch)
	}
}

// sweep ends the streams whose iterators were collected, if the janitor calls it. more: there may be others later.
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

// discard cancels the stream with the raw JSON id, unless it is open: then it belongs to another message.
func (t *inStreams) discard(id []byte) {
	t.mu.Lock()
	open := t.open[string(id)] != nil
	t.mu.Unlock()
	if !open {
		t.ch.out.SendLater(t.cancelling(id))
	}
}
