package outbox

import (
	"runtime"
	"slices"
	"sync"
	"time"
)

// Batcher writes one-way messages that come in bursts, such as the progress of a handler or news for everybody in a
// room. The sender of a lone message writes it. In a burst messages are only queued: a worker goes from connection to
// connection and writes, in one call, all that has gathered there. The zero Batcher is ready for use.
//
// A Batcher is not one for the whole process, so that its goroutines stay within a bubble of testing/synctest.
type Batcher struct {
	mu      sync.Mutex
	round   []*Outbox // that were posted to, in order; each at most once
	next    int       // index in round of the next one to flush
	workers int
	last    time.Time // when a sender wrote a message itself
}

const (
	// burstGap is how soon after another a message belongs to a burst.
	burstGap = 100 * time.Microsecond
	// stint is the number of connections that a worker flushes before it yields to senders, who may add to the round.
	stint = 8
	// perWorker is the number of connections that wait for each worker before there is another one.
	perWorker = 64
)

// add has o flushed soon. It reports alone if its caller is to do that, as the message belongs to no burst.
func (p *Batcher) add(o *Outbox) (alone bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.workers == 0 {
		now := time.Now()
		if now.Sub(p.last) >= burstGap {
			p.last = now
			return true
		}
	}
	if p.next > len(p.round)/2 && len(p.round) == cap(p.round) {
		p.round, p.next = slices.Delete(p.round, 0, p.next), 0
	}
	p.round = append(p.round, o)
	if waiting := len(p.round) - p.next; p.workers == 0 || waiting > perWorker*p.workers && p.workers < runtime.GOMAXPROCS(0) {
		p.workers++
		go p.work() // ends with the round
	}
	return false
}

// work flushes the connections of the round until there are none.
func (p *Batcher) work() {
	for n := 1; ; n++ {
		if n%stint == 1 {
			runtime.Gosched()
		}
		o := p.take()
		if o == nil {
			return
		}
		o.posted.Store(false)
		o.Flush()
	}
}

// take returns the next connection, or nil, after which its caller is no longer a worker.
func (p *Batcher) take() *Outbox {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.next == len(p.round) {
		if p.workers--; p.workers == 0 {
			p.last = time.Now()
		}
		p.round, p.next = p.round[:0], 0
		return nil
	}
	o := p.round[p.next]
	p.round[p.next] = nil
	p.next++
	return o
}

// Post is Submit for a one-way message, which the Batcher may write together with others. While the reading goroutine
// is in a handler, messages wait for its next Flush.
func (o *Outbox) Post(b *Buffer) (full <-chan struct{}) {
	o.mu.Lock()
	if !o.hasRoomLocked() {
		o.mu.Unlock()
		return o.sendReserved(b)
	}
	o.claimLocked(b)
	o.postLocked(b)
	return nil
}

// Verdict is what PostNow did with a message.
type Verdict uint8

const (
	Posted  Verdict = iota
	Full            // too much waits already; the message stays the caller's
	Closing         // nothing is accepted any more; the message stays the caller's
)

// PostNow is Post for a message that does not wait for room. Instead, at most backlog bytes of such messages wait to be
// sent. One that is larger goes alone.
func (o *Outbox) PostNow(b *Buffer, backlog int) Verdict {
	n := len(b.Bytes)
	o.mu.Lock()
	switch {
	case o.phase != accepting:
		o.mu.Unlock()
		return Closing
	case o.backlog > 0 && o.backlog+n > backlog:
		o.mu.Unlock()
		return Full
	}
	o.growLocked(n)
	o.backlog += n
	b.room = roomBacklog
	o.postLocked(b)
	return Posted
}

// postLocked queues b, which has been counted, and has it sent soon. It unlocks mu.
func (o *Outbox) postLocked(b *Buffer) {
	total := o.bytes
	joined := o.joinLocked(b)
	o.mu.Unlock()
	if joined {
		b.Free()
	}
	switch {
	case total >= flushBytes:
		o.FlushSoon()
	case o.Reader.Load()&1 == 1, o.posted.Load(), !o.posted.CompareAndSwap(false, true):
	case o.Batcher.add(o):
		o.posted.Store(false)
		o.FlushSoon()
	}
}

// maxJoined is up to what size in bytes posted messages share a buffer. Thousands of buffers with a small message each
// would leave the processor's cache before they are written.
const maxJoined = 8 << 10

// joinLocked appends b to the buffer of the message that was posted before and reports true, or it queues b.
func (o *Outbox) joinLocked(b *Buffer) bool {
	if n := len(o.waiting); n > 0 {
		if last := o.waiting[n-1]; len(last.ends) > 0 && last.room == b.room && len(last.Bytes)+len(b.Bytes) <= maxJoined {
			last.Bytes = append(last.Bytes, b.Bytes...)
			last.ends = append(last.ends, len(last.Bytes))
			return true
		}
	}
	b.ends = append(b.ends, len(b.Bytes))
	o.waiting = append(o.waiting, b)
	return false
}
