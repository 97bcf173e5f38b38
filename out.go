package kkrpc

import (
	"fmt"
	"runtime"
	"sync"
)

// outbox is what waits to be sent. Messages that are queued while others are being written go out together: the cost of
// a message is the system call, so that the leader flushes only when it has read all that has arrived, and others
// yield once before they do.
type outbox struct {
	ch *Channel

	mu       sync.Mutex
	waiting  []*buffer
	bytes    int           // waiting or being written
	flushing bool          // somebody is the only one to write
	closed   bool          // nothing is accepted any more
	room     chan struct{} // closed when bytes has fallen; nil while nobody waits
	idle     chan struct{} // closed when flushing ends; nil while nobody waits

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
	o.mu.Lock()
	if o.flushing || o.closed || len(o.waiting) == 0 {
		o.mu.Unlock()
		return
	}
	o.flushing = true
	o.mu.Unlock()
	runtime.Gosched() // lets others add to the same write
	o.drain()
}

// post is send for one-way messages, which handlers tend to send many of: while the leader is in a handler they wait for
// its next flush, at the latest that of the watchdog.
func (o *outbox) post(b *buffer) {
	if o.add(b) < flushBytes && o.ch.role.Load()&1 == 1 {
		return
	}
	o.flushSoon()
}

// add returns how many bytes wait now. Over the limit the peer does not read, and loses its channel.
func (o *outbox) add(b *buffer) int {
	o.mu.Lock()
	if o.closed {
		o.mu.Unlock()
		b.free()
		return 0
	}
	o.bytes += len(b.bytes)
	total := o.bytes
	o.waiting = append(o.waiting, b)
	over := total > o.ch.limits.Outbound && total > len(b.bytes)
	o.mu.Unlock()
	if over {
		o.ch.fail(errClosed(fmt.Errorf("%w: %d bytes wait to be sent and the peer does not read (Limits.Outbound)", ErrLimit, total)),
			closePolicy, "outbound limit")
	}
	return total
}

// flush sends what waits, without blocking.
func (o *outbox) flush() {
	o.mu.Lock()
	if o.flushing || o.closed || len(o.waiting) == 0 {
		o.mu.Unlock()
		return
	}
	o.flushing = true
	o.mu.Unlock()
	o.drain()
}

// drain writes until nothing waits. Its caller has set flushing. It does not block: where the transport would, another
// goroutine goes on.
func (o *outbox) drain() {
	t, ok := o.ch.transport.(nonblocking)
	if !ok {
		go o.drainBlocking() // ends when nothing waits or the channel closes
		return
	}
	for o.take() {
		done, err := t.TryWriteFrames(o.frames)
		n := o.release()
		if err != nil {
			o.ch.lost(err)
			return
		}
		if !done {
			go o.drainRest(n) // ends when nothing waits or the channel closes
			return
		}
		o.written(n)
	}
}

// drainRest sends what the transport kept of a batch of n bytes, then the rest of the queue.
func (o *outbox) drainRest(n int) {
	if err := o.ch.transport.WriteFrames(nil); err != nil {
		o.ch.lost(err)
		return
	}
	o.written(n)
	o.drainBlocking()
}

// drainBlocking is drain for a goroutine that may block.
func (o *outbox) drainBlocking() {
	for o.take() {
		err := o.ch.transport.WriteFrames(o.frames)
		n := o.release()
		if err != nil {
			o.ch.lost(err)
			return
		}
		o.written(n)
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
		o.frames = append(o.frames, b.bytes)
	}
	return true
}

// release gives back the buffers that take took and returns how many bytes they held.
func (o *outbox) release() (n int) {
	for i, b := range o.batch {
		n += len(b.bytes)
		b.free()
		o.batch[i] = nil
	}
	o.batch = o.batch[:0]
	clear(o.frames)
	return n
}

// written accounts for n bytes that have left.
func (o *outbox) written(n int) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.bytes -= n
	if o.room != nil && o.bytes <= o.ch.limits.Outbound/2 {
		close(o.room)
		o.room = nil
	}
}

// full returns what to wait for before more is sent, or nil if there is room.
func (o *outbox) full() <-chan struct{} {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.bytes <= o.ch.limits.Outbound/2 || o.closed {
		return nil
	}
	if o.room == nil {
		o.room = make(chan struct{})
	}
	return o.room
}

// finish blocks until everything has been written that waits now, or until the channel closes.
func (o *outbox) finish() {
	o.mu.Lock()
	if !o.flushing && len(o.waiting) > 0 && !o.closed {
		o.flushing = true
		o.mu.Unlock()
		o.drainBlocking()
		return
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
	select {
	case <-idle:
	case <-o.ch.done:
	}
}

// shut drops what waits and accepts nothing more.
func (o *outbox) shut() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.closed = true
	for _, b := range o.waiting {
		b.free()
	}
	o.waiting = nil
	if o.room != nil {
		close(o.room)
		o.room = nil
	}
}

// buffer is the bytes of one message, from a pool.
type buffer struct{ bytes []byte }

var buffers = sync.Pool{New: func() any { return &buffer{bytes: make([]byte, 0, 512)} }}

// maxPooledBuffer keeps one large message from being held for ever.
const maxPooledBuffer = 128 << 10

func newBuffer() *buffer { return buffers.Get().(*buffer) }

func (b *buffer) free() {
	if cap(b.bytes) > maxPooledBuffer {
		return
	}
	b.bytes = b.bytes[:0]
	buffers.Put(b)
}
