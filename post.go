package kkrpc

import (
	"runtime"
	"slices"
	"sync"
	"time"
)

// One-way messages come in bursts: a handler reports its progress, or tells something to everybody in a room. What one
// costs is the system call. So who sends a lone message writes it, but in a burst messages are only queued, and a
// goroutine goes from channel to channel and writes what has come together there: one write for all of it.

// postman writes what was posted to the channels of one API. It is not the process's for the reason that the watchdog
// is not.
type postman struct {
	mu      sync.Mutex
	round   []*outbox // that have been posted to, in order; each at most once
	next    int       // where the round goes on
	workers int
	last    time.Time // when a sender wrote a message itself
}

const (
	// burstGap is how soon after another a message belongs to a burst.
	burstGap = 100 * time.Microsecond
	// stint is how many channels a worker writes to before it lets others go first, who may add to the round.
	stint = 8
	// perWorker is how many channels wait for each worker before there is another one.
	perWorker = 64
)

// add has o written soon, or reports true if its caller is to do that, as its message is no part of a burst.
func (p *postman) add(o *outbox) (alone bool) {
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

// work writes to the channels of the round until there are none.
func (p *postman) work() {
	for n := 1; ; n++ {
		if n%stint == 1 {
			runtime.Gosched()
		}
		o := p.take()
		if o == nil {
			return
		}
		o.posted.Store(false)
		o.flush()
	}
}

// take returns the next channel's outbox, or nil, and then its caller is a worker no longer.
func (p *postman) take() *outbox {
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

// post takes b, a one-way message, and sees to it that it is sent, or returns what to wait for before the next attempt, as
// reserve does. While the leader is in a handler messages wait for its next flush, at the latest that of the watchdog.
func (o *outbox) post(b *buffer) (full <-chan struct{}) {
	o.mu.Lock()
	if o.bytes > o.ch.limits.Outbound/2 || o.sealed {
		o.mu.Unlock()
		if full = o.reserve(b); full == nil {
			o.send(b)
		}
		return full
	}
	o.claimLocked(b)
	total := o.bytes
	joined := o.joinLocked(b)
	o.mu.Unlock()
	if joined {
		b.free()
	}
	switch {
	case total >= flushBytes:
		o.flushSoon()
	case o.ch.role.Load()&1 == 1, o.posted.Load(), !o.posted.CompareAndSwap(false, true):
	case o.ch.api.postman.add(o):
		o.posted.Store(false)
		o.flushSoon()
	}
	return nil
}

// maxJoined is up to what size posted messages share a buffer: by thousands, each in its own, they would leave the
// processor's cache before they are written.
const maxJoined = 8 << 10

// joinLocked queues a copy of b together with what was posted just before, and reports true, or it queues b.
func (o *outbox) joinLocked(b *buffer) bool {
	if n := len(o.waiting); n > 0 {
		if last := o.waiting[n-1]; len(last.ends) > 0 && len(last.bytes)+len(b.bytes) <= maxJoined {
			last.bytes = append(last.bytes, b.bytes...)
			last.ends = append(last.ends, len(last.bytes))
			return true
		}
	}
	b.ends = append(b.ends, len(b.bytes))
	o.waiting = append(o.waiting, b)
	return false
}
