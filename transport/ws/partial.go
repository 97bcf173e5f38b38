//go:build !js

package ws

import (
	"math"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gobwas/ws"
)

const (
	defaultMessageTime = 30 * time.Second
	// partialStep is for how many bytes that have arrived a message gets its time once more.
	partialStep = 64 << 10
)

// partial is a message, or a frame, that has arrived in part while the reader waits for the rest of it.
type partial struct {
	conn  *conn
	began time.Time
	got   atomic.Int64 // bytes of the message

	mu    sync.Mutex // guards what follows
	timer *time.Timer
	over  bool
}

// await notes that the reader has to wait, in the middle of a message or not. The caller owns the reading side.
func (c *conn) await() {
	if c.w == c.r && c.fragOp == 0 || c.closed.Load() {
		c.memory.Set(c.account, 0)
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
	c.memory.Set(c.account, cap(c.asm)+cap(c.in))
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
}

// countPart counts the buffers of a message that is being read. A peer that sends faster than this side reads never makes
// the reader wait. The caller owns the reading side.
func (c *conn) countPart() {
	if n := cap(c.asm) + cap(c.in); n > largeBuffer {
		c.memory.Set(c.account, n)
	}
}

// countLent counts the buffers of a message that LendFrame returns. Those of small messages are not worth it. The caller
// owns the reading side.
func (c *conn) countLent() {
	n := cap(c.asm) + cap(c.in)
	if n <= smallBuffer {
		n = 0
	}
	c.memory.Set(c.account, n)
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
