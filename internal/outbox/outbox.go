// Package outbox holds the messages that wait to be sent on one connection, and writes them.
//
// The system call dominates the cost of a small message, so an Outbox writes as many as it can at once. The goroutine
// that reads the connection calls Queue, and Flush when it has read everything that has arrived. Other goroutines call
// Send, which yields once before it writes so that others can add to the same write. Batcher does the same for
// one-way messages to many connections.
//
// # Back-pressure
//
// Config.Limit bounds the bytes that wait. While more than half of it waits, Submit, Post and Admit make their callers
// wait. PostNow never waits and has a bound of its own. Queue, Send and Add never wait; a peer that causes more than
// Limit of such messages and does not read them is reported to Owner.Overrun. Config.Account counts all messages, also
// those whose senders wait.
//
// # Concurrency
//
// All methods may be called from any goroutine, except Queue and Flush, which are for the goroutine that reads the
// connection, and Batcher's workers. At most one goroutine writes at a time.
package outbox

import (
	"sync"
	"sync/atomic"
	"time"

	"github.com/kkrpc-go/kkrpc/internal/budget"
)

// Writer is the sending half of a transport.
type Writer interface {
	// WriteFrames sends all messages in order and keeps none. One call at a time.
	WriteFrames(msgs [][]byte) error
}

// TryWriter is a Writer that the reading goroutine may use. TryWriteFrames sends what it can without blocking and keeps
// a copy of the rest. If done is false, the rest goes with the next WriteFrames, which may be called with no messages.
type TryWriter interface {
	TryWriteFrames(msgs [][]byte) (done bool, err error)
}

// Owner is the connection to which an Outbox belongs. Its methods are called without a lock, and not by senders.
type Owner interface {
	// Overrun is told once that waiting bytes wait, more than Config.Limit, and that the peer does not read.
	Overrun(waiting int)
	// Lost is told the error of the Writer, after which nothing more is written.
	Lost(err error)
}

// Config is what an Outbox is made with.
type Config struct {
	Writer  Writer
	Owner   Owner
	Account *budget.Account // counts what waits; nil: nothing does
	Batcher *Batcher        // writes what was posted; shared by many connections
	Reader  *atomic.Uint64  // odd while the reading goroutine is in a handler, after which it calls Flush
	Closed  <-chan struct{}
	Limit   int           // bytes that may wait
	Drain   time.Duration // how long Finish waits at most
}

// Outbox is what waits to be sent. The zero Outbox needs Init.
type Outbox struct {
	Config

	mu       sync.Mutex // guards what follows
	waiting  []*Buffer
	bytes    int          // waiting, being written, or reserved
	forced   int          // bytes of those that are held against the peer
	backlog  int          // bytes of those that PostNow took
	blocked  int          // bytes of messages that wait for room
	memory   budget.Meter // of bytes and blocked
	phase    phase
	writing  bool          // one goroutine is the writer
	yielding bool          // a sender will write when it is scheduled again, unless somebody has written by then
	overrun  bool          // Owner.Overrun was called
	room     chan struct{} // closed when there is room again; nil while nobody waits
	idle     chan struct{} // closed when the writer ends; nil while nobody waits
	settled  uint64        // see Settle
	waiters  []waiter      // of Above

	crowded atomic.Bool // more than half of Limit is taken
	posted  atomic.Bool // the Batcher will flush

	frames [][]byte  // owned by the writer
	batch  []*Buffer // likewise
}

// phase is how far the life of an Outbox is. It only grows.
type phase uint8

const (
	accepting phase = iota
	finishing       // nothing more is accepted; what waits is still written
	shut            // what waited was dropped
)

// flushBytes is the number of waiting bytes at which Queue writes although there is more to read.
const flushBytes = 64 << 10

// Init sets the Outbox up. It is called once, before all other methods.
func (o *Outbox) Init(c Config) { o.Config = c }

// Queue takes b to be sent with the next Flush of the reading goroutine, which is its caller.
func (o *Outbox) Queue(b *Buffer) {
	if o.Add(b) >= flushBytes {
		o.Flush()
	}
}

// Send takes b and sees to it that it is sent, without blocking.
func (o *Outbox) Send(b *Buffer) {
	o.Add(b)
	o.FlushSoon()
}

// SendLater is Send for a goroutine that is about to send more: another goroutine writes as soon as it is scheduled.
func (o *Outbox) SendLater(b *Buffer) {
	if o.Add(b) >= flushBytes {
		o.FlushSoon()
		return
	}
	if o.begin() {
		go o.drainBlocking() // ends when nothing waits or the connection closes
	}
}

// Add takes b and returns how many bytes wait now. Somebody must call Flush or FlushSoon.
func (o *Outbox) Add(b *Buffer) (waiting int) {
	o.mu.Lock()
	n := len(b.Bytes)
	if o.phase != accepting {
		if b.room == roomReserved {
			o.shrinkLocked(n)
		}
		o.mu.Unlock()
		b.Free()
		return 0
	}
	if b.room != roomReserved {
		o.growLocked(n)
	}
	if b.room == roomForced {
		o.forced += n
	}
	waiting = o.bytes
	over := b.room == roomForced && o.forced > o.Limit && o.forced > n && !o.overrun
	o.overrun = o.overrun || over
	o.waiting = append(o.waiting, b)
	o.mu.Unlock()
	if over {
		go o.Owner.Overrun(waiting) // ends as it does; it may wait for a lock that a sender holds
	}
	return waiting
}

// Submit sends b if there is room for it. Otherwise it returns a channel that is closed when the caller may try again,
// and b stays the caller's.
func (o *Outbox) Submit(b *Buffer) (full <-chan struct{}) {
	o.mu.Lock()
	if !o.hasRoomLocked() {
		o.mu.Unlock()
		return o.sendReserved(b)
	}
	o.claimLocked(b)
	o.waiting = append(o.waiting, b)
	yields := o.yieldsLocked()
	o.mu.Unlock()
	if yields {
		o.yield()
	}
	return nil
}

// sendReserved is Submit where there may be no room.
func (o *Outbox) sendReserved(b *Buffer) (full <-chan struct{}) {
	if full = o.Reserve(b); full == nil {
		o.Send(b)
	}
	return full
}

// Reserve takes room for b, which is to be sent next, or returns a channel that is closed when the caller may try
// again. There is room while at most half of Limit is taken, so that no message waits for ever, however large it is.
func (o *Outbox) Reserve(b *Buffer) (full <-chan struct{}) {
	o.mu.Lock()
	if o.phase != accepting || o.hasRoomLocked() {
		o.claimLocked(b)
		o.mu.Unlock()
		return nil
	}
	if o.room == nil {
		o.room = make(chan struct{})
	}
	full = o.room
	o.mu.Unlock()
	o.FlushSoon() // messages that wait for the reader's Flush take the room
	return full
}

// Admit blocks until there is room for b, or the connection closes.
func (o *Outbox) Admit(b *Buffer) {
	full := o.Reserve(b)
	if full == nil {
		return
	}
	defer o.Block(b)()
	for ; full != nil; full = o.Reserve(b) {
		select {
		case <-full:
		case <-o.Closed:
			return
		}
	}
}

// Block counts b, whose sender waits for room, until unblock is called.
func (o *Outbox) Block(b *Buffer) (unblock func()) {
	n := len(b.Bytes)
	o.block(n)
	return func() { o.block(-n) }
}

func (o *Outbox) block(n int) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.blocked += n
	o.countLocked()
}

// Crowded reports whether more than half of Limit is taken.
func (o *Outbox) Crowded() bool { return o.crowded.Load() }

// Waiting returns how many bytes wait, for room or to be written, or are being written.
func (o *Outbox) Waiting() int {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.bytes + o.blocked
}

func (o *Outbox) countLocked() { o.memory.Set(o.Account, o.bytes+o.blocked) }

func (o *Outbox) hasRoomLocked() bool { return o.phase == accepting && o.bytes <= o.Limit/2 }

func (o *Outbox) claimLocked(b *Buffer) {
	o.growLocked(len(b.Bytes))
	b.room = roomReserved
}

func (o *Outbox) growLocked(n int) {
	if o.bytes += n; o.bytes > o.Limit/2 {
		o.crowded.Store(true)
	}
	o.countLocked()
}

func (o *Outbox) shrinkLocked(n int) {
	o.bytes -= n
	o.countLocked()
	if len(o.waiters) > 0 {
		o.wakeLocked()
	}
	if o.bytes > o.Limit/2 {
		return
	}
	if o.crowded.Load() {
		o.crowded.Store(false)
	}
	o.freeRoomLocked()
}

func (o *Outbox) freeRoomLocked() {
	if o.room != nil {
		close(o.room)
		o.room = nil
	}
}

// Shrink gives back the memory for messages to come, unless there are some.
func (o *Outbox) Shrink() {
	o.mu.Lock()
	defer o.mu.Unlock()
	if !o.writing && len(o.waiting) == 0 {
		o.waiting, o.frames, o.batch = nil, nil, nil
	}
}

// Finish accepts nothing more. It blocks until everything that waits has been written or the connection closes, at most
// for Config.Drain.
func (o *Outbox) Finish() {
	o.mu.Lock()
	if o.phase == accepting {
		o.phase = finishing
	}
	if o.phase == shut || !o.writing && len(o.waiting) == 0 {
		o.mu.Unlock()
		return
	}
	if !o.writing {
		o.writing = true
		go o.drainBlocking() // ends when nothing waits or the connection closes
	}
	if o.idle == nil {
		o.idle = make(chan struct{})
	}
	idle := o.idle
	o.mu.Unlock()
	limit := time.NewTimer(o.Drain)
	defer limit.Stop()
	select {
	case <-idle:
	case <-o.Closed:
	case <-limit.C:
	}
}

// Shut drops everything that waits and accepts nothing more.
func (o *Outbox) Shut() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.phase = shut
	for _, b := range o.waiting {
		o.bytes -= len(b.Bytes)
		b.Free()
	}
	o.waiting = nil
	o.countLocked()
	o.freeRoomLocked()
	o.wakeLocked()
}
