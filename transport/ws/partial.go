//go:build !js

package ws

import (
	"container/list"
	"math"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gobwas/ws"
)

const (
	defaultMessageTime = 30 * time.Second
	defaultMaxPartial  = 256 << 20
	// partialStep is for how many bytes that have arrived a message gets its time once more.
	partialStep = 64 << 10
)

// partial is a message, or a frame, that has arrived in part while the reader waits for the rest of it.
type partial struct {
	conn  *conn
	began time.Time
	got   atomic.Int64 // bytes of the message

	mu    sync.Mutex // guards what follows; never held together with budget.mu
	timer *time.Timer
	over  bool

	held    int64         // guarded by budget.mu: what the budget counts for it
	place   *list.Element // guarded by budget.mu: in budget.order
	evicted bool          // guarded by budget.mu
}

// await notes that the reader has to wait, in the middle of a message or not. The caller owns the reading side.
func (c *conn) await() {
	if c.w == c.r && c.fragOp == 0 || c.closed.Load() {
		return
	}
	p := c.partial
	if p == nil {
		p = &partial{conn: c, began: time.Now()}
		c.partial = p
		if c.messageTime > 0 {
			p.mu.Lock()
			p.timer = time.AfterFunc(c.messageTime, p.late)
			p.mu.Unlock()
		}
	}
	p.got.Store(int64(len(c.asm) + c.w - c.r))
	if c.budget != nil {
		c.budget.hold(p, int64(cap(c.asm)+cap(c.in)))
	}
}

// whole notes that what had arrived in part is complete. The caller owns the reading side.
func (c *conn) whole() {
	p := c.partial
	if p == nil {
		return
	}
	c.partial = nil
	p.mu.Lock()
	p.over = true
	if p.timer != nil {
		p.timer.Stop()
	}
	p.mu.Unlock()
	if c.budget != nil {
		c.budget.release(p)
	}
}

// late ends the connection if the message has had its time.
func (p *partial) late() {
	got := p.got.Load()
	allowed := p.conn.messageTime
	if more := float64(allowed) * float64(got/partialStep); more < math.MaxInt64/2 {
		allowed += time.Duration(more)
	} else {
		allowed = math.MaxInt64
	}
	p.mu.Lock()
	if p.over {
		p.mu.Unlock()
		return
	}
	if left := allowed - time.Since(p.began); left > 0 {
		p.timer.Reset(left)
		p.mu.Unlock()
		return
	}
	p.mu.Unlock()
	p.conn.reject(refuse(ws.StatusPolicyViolation,
		"message is not complete after %v: %d bytes of it have arrived", allowed, got))
}

// budget bounds the buffers of messages that have arrived in part, over all connections of a server.
type budget struct {
	limit int64

	mu    sync.Mutex
	used  int64
	order list.List // of *partial, the oldest first
}

// hold makes size what p is counted for. Beyond the limit the oldest message costs its connection: those that trickle
// are the old ones. One alone may be of any size, which is bounded by Limits.Frame.
func (b *budget) hold(p *partial, size int64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if p.evicted {
		return
	}
	if p.place == nil {
		p.place = b.order.PushBack(p)
	}
	b.used += size - p.held
	p.held = size
	for b.used > b.limit && b.order.Len() > 1 {
		oldest := b.order.Front().Value.(*partial)
		b.removeLocked(oldest)
		oldest.evicted = true
		v := refuse(statusTryAgainLater, "too many messages are incomplete, and this for the longest time")
		go oldest.conn.reject(v) // ends as Close does
	}
}

func (b *budget) release(p *partial) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.removeLocked(p)
}

func (b *budget) removeLocked(p *partial) {
	if p.place != nil {
		b.order.Remove(p.place)
		b.used -= p.held
		p.place, p.held = nil, 0
	}
}

// messageTime is the time that an option stands for; 0 means any.
func messageTime(option time.Duration) time.Duration {
	switch {
	case option < 0:
		return 0
	case option == 0:
		return defaultMessageTime
	default:
		return option
	}
}
