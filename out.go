package kkrpc

import (
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"
	"time"
)

// outbox is what waits to be sent. Messages that are queued while others are being written go out together: the cost of
// a message is the system call, so that the leader flushes only when it has read all that has arrived, and others
// yield once before they do.
type outbox struct {
	ch *Channel

	mu       sync.Mutex
	waiting  []*buffer
	bytes    int           // waiting, being written, or reserved
	forced   int           // of them, bytes of messages that were not excused
	flushing bool          // somebody is the only one to write
	sealed   bool          // nothing is accepted any more
	closed   bool          // nothing is written any more
	room     chan struct{} // closed when bytes has fallen; nil while nobody waits
	idle     chan struct{} // closed when flushing ends; nil while nobody waits

	crowded atomic.Bool // bytes is over half of the limit: those who can wait do
	posted  atomic.Bool // the postman is on its way

	frames [][]byte  // owned by who flushes
	batch  []*buffer // likewise
}

// flushBytes is how much the leader queues before it writes although there is more to read.
const flushBytes = 64 << 10

// nonblocking is what a transport may have so that the reading goroutine can write: TryWriteFrames sends what it can
// without blocking and keeps a copy of the rest. If done is false, the rest goes with the next WriteFrames, which may
// be called with no messages.
type nonblocking interface {
	TryWriteFrames(msgs [][]byte) (done bool, err error)
}

// queue takes b to be sent with the next flush of the leader, which is its caller.
func (o *outbox) queue(b *buffer) {
	if o.add(b) >= flushBytes {
		o.flush()
	}
}

// send takes b and sees to it that it is sent, without blocking.
func (o *outbox) send(b *buffer) {
	o.add(b)
	o.flushSoon()
}

// flushSoon is flush for others than the leader.
func (o *outbox) flushSoon() {
	if o.begin() {
		runtime.Gosched() // lets others add to the same write
		o.drain()
	}
}

// begin reports whether there is something to write and nobody writes, and makes its caller the one that does.
func (o *outbox) begin() bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.flushing || o.closed || len(o.waiting) == 0 {
		return false
	}
	o.flushing = true
	return true
}

// later is send for a goroutine that is about to send more: another one writes, as soon as it comes to run.
func (o *outbox) later(b *buffer) {
	if o.add(b) >= flushBytes {
		o.flushSoon()
		return
	}
	if o.begin() {
		go o.drainBlocking() // ends when nothing waits or the channel closes
	}
}

// add returns how many bytes wait now. A peer that causes more than the limit of messages that are not excused does not
// read, and loses its channel.
func (o *outbox) add(b *buffer) int {
	o.mu.Lock()
	if o.sealed {
		o.mu.Unlock()
		if u := o.ch.unary; u != nil {
			u.Undelivered(b.bytes)
		}
		b.free()
		return 0
	}
	n := len(b.bytes)
	if !b.reserved {
		o.growLocked(n)
	}
	if !b.excused {
		o.forced += n
	}
	total, forced := o.bytes, o.forced
	o.waiting = append(o.waiting, b)
	over := !b.excused && forced > o.ch.limits.Outbound && forced > n
	o.mu.Unlock()
	if over {
		o.ch.fail(errClosed(fmt.Errorf("%w: %d bytes wait to be sent and the peer does not read (Limits.Outbound)", ErrLimit, total)),
			closePolicy, "outbound limit")
	}
	return total
}

func (o *outbox) growLocked(n int) {
	if o.bytes += n; o.bytes > o.ch.limits.Outbound/2 {
		o.crowded.Store(true)
	}
}

// reserve makes room for b, which is then to be added, or returns what to wait for before the next attempt. There is room
// as long as no more than half of the limit waits: then no message, however large, waits for ever.
func (o *outbox) reserve(b *buffer) (full <-chan struct{}) {
	o.mu.Lock()
	if o.bytes <= o.ch.limits.Outbound/2 || o.sealed {
		o.claimLocked(b)
		o.mu.Unlock()
		return nil
	}
	if o.room == nil {
		o.room = make(chan struct{})
	}
	full = o.room
	o.mu.Unlock()
	o.flushSoon() // what waits for the leader's flush takes the room
	return full
}

// claimLocked takes room for b, which is there.
func (o *outbox) claimLocked(b *buffer) {
	o.growLocked(len(b.bytes))
	b.reserved, b.excused = true, true
}

// submit is reserve and, if there is room, send.
func (o *outbox) submit(b *buffer) (full <-chan struct{}) {
	o.mu.Lock()
	if o.bytes > o.ch.limits.Outbound/2 || o.sealed {
		o.mu.Unlock()
		if full = o.reserve(b); full == nil {
			o.send(b)
		}
		return full
	}
	o.claimLocked(b)
	o.waiting = append(o.waiting, b)
	writes := !o.flushing
	o.flushing = true
	o.mu.Unlock()
	if writes {
		runtime.Gosched() // lets others add to the same write
		o.drain()
	}
	return nil
}

// admit is reserve for those who wait for nothing else. It returns early when the channel closes.
func (o *outbox) admit(b *buffer) {
	for full := o.reserve(b); full != nil; full = o.reserve(b) {
		select {
		case <-full:
		case <-o.ch.done:
			return
		}
	}
}

// flush sends what waits, without blocking.
func (o *outbox) flush() {
	if o.begin() {
		o.drain()
	}
}

// maxDrained is how many times drain writes before others have their turn.
const maxDrained = 16

// drain writes what waits. Its caller has set flushing. It does not block: where the transport would, or while others add
// more and more, another goroutine goes on, so that the leader reads and the postman comes to the next channel.
func (o *outbox) drain() {
	t, ok := o.ch.transport.(nonblocking)
	if !ok {
		go o.drainBlocking() // ends when nothing waits or the channel closes
		return
	}
	for range maxDrained {
		if !o.take() {
			return
		}
		done, err := t.TryWriteFrames(o.frames)
		n, forced := o.release()
		if err != nil {
			go o.ch.lost(err) // Options.OnClose may wait for a lock that a sender holds
			return
		}
		if !done {
			go o.drainRest(n, forced) // ends when nothing waits or the channel closes
			return
		}
		o.written(n, forced)
	}
	go o.drainBlocking() // ends when nothing waits or the channel closes
}

// drainRest sends what the transport kept of a batch of n bytes, then the rest of the queue.
func (o *outbox) drainRest(n, forced int) {
	if err := o.ch.transport.WriteFrames(nil); err != nil {
		o.ch.lost(err)
		return
	}
	o.written(n, forced)
	o.drainBlocking()
}

// drainBlocking is drain for a goroutine that may block.
func (o *outbox) drainBlocking() {
	for o.take() {
		err := o.ch.transport.WriteFrames(o.frames)
		n, forced := o.release()
		if err != nil {
			o.ch.lost(err)
			return
		}
		o.written(n, forced)
	}
}

// take moves what waits to frames. If nothing does, flushing ends and it reports false.
func (o *outbox) take() bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	if len(o.waiting) == 0 {
		o.flushing = false
		if o.idle != nil {
			close(o.idle)
			o.idle = nil
		}
		return false
	}
	o.batch, o.waiting = o.waiting, o.batch[:0]
	o.frames = o.frames[:0]
	for _, b := range o.batch {
		from := 0
		for _, end := range b.ends {
			o.frames = append(o.frames, b.bytes[from:end])
			from = end
		}
		if from == 0 {
			o.frames = append(o.frames, b.bytes)
		}
	}
	return true
}

// release gives back the buffers that take took and returns how many bytes they held, and how many not excused.
func (o *outbox) release() (n, forced int) {
	for i, b := range o.batch {
		n += len(b.bytes)
		if !b.excused {
			forced += len(b.bytes)
		}
		b.free()
		o.batch[i] = nil
	}
	o.batch = o.batch[:0]
	clear(o.frames)
	return n, forced
}

// shed gives back the memory for messages to come, unless there are some.
func (o *outbox) shed() {
	o.mu.Lock()
	defer o.mu.Unlock()
	if !o.flushing && len(o.waiting) == 0 {
		o.waiting, o.frames, o.batch = nil, nil, nil
	}
}

// written accounts for bytes that have left.
func (o *outbox) written(n, forced int) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.forced -= forced
	o.shrinkLocked(n)
}

func (o *outbox) shrinkLocked(n int) {
	if o.bytes -= n; o.bytes > o.ch.limits.Outbound/2 {
		return
	}
	if o.crowded.Load() {
		o.crowded.Store(false)
	}
	if o.room != nil {
		close(o.room)
		o.room = nil
	}
}

// finish accepts nothing more and blocks until what waits has been written, until the channel closes, or for Limits.Write.
func (o *outbox) finish() {
	o.mu.Lock()
	o.sealed = true
	if !o.flushing && len(o.waiting) > 0 {
		o.flushing = true
		go o.drainBlocking() // ends when nothing waits or the channel closes
	}
	if !o.flushing || o.closed {
		o.mu.Unlock()
		return
	}
	if o.idle == nil {
		o.idle = make(chan struct{})
	}
	idle := o.idle
	o.mu.Unlock()
	limit := time.NewTimer(o.ch.limits.Write)
	defer limit.Stop()
	select {
	case <-idle:
	case <-o.ch.done:
	case <-limit.C:
	}
}

// shut drops what waits and accepts nothing more.
func (o *outbox) shut() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.sealed, o.closed = true, true
	for _, b := range o.waiting {
		b.free()
	}
	o.waiting = nil
	if o.room != nil {
		close(o.room)
		o.room = nil
	}
}

// buffer is the bytes of one message, or of some that were posted, from a pool.
type buffer struct {
	bytes    []byte
	ends     []int // of messages that were posted, in bytes; empty for others
	reserved bool  // counted in outbox.bytes before it was added
	excused  bool  // not to be held against a peer that does not read: its sender waits for room
}

var buffers = sync.Pool{New: func() any { return &buffer{bytes: make([]byte, 0, 512)} }}

// maxPooledBuffer keeps one large message from being held for ever.
const maxPooledBuffer = 128 << 10

func newBuffer() *buffer { return buffers.Get().(*buffer) }

func (b *buffer) free() {
	if cap(b.bytes) > maxPooledBuffer {
		return
	}
	*b = buffer{bytes: b.bytes[:0], ends: b.ends[:0]}
	buffers.Put(b)
}
