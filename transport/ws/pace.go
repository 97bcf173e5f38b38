//go:build !js

package ws

import (
	"fmt"
	"os"
	"time"

	"github.com/gobwas/ws"
)

const (
	defaultSendTime = time.Minute
	// sendStep is for how many bytes that the peer has taken it gets its time once more.
	sendStep = 1 << 20
)

// pace bounds how slowly a peer may take what is written to it. conn.sock guards it.
type pace struct {
	time time.Duration // that the peer has, see Options.SendTime; 0: any
	due  time.Time     // when more must have been taken; zero while no write waits
	took int           // bytes that due does not know of
}

// begin is for a writer that has not had to wait yet.
func (p *pace) begin() { p.due, p.took = time.Time{}, 0 }

// taken notes that the peer has taken n bytes of a write that waits.
func (p *pace) taken(n int) { p.took += n }

// deadline is when the next wait has to end. What the peer takes at once moves due no further than its time from now on,
// or the system's buffers would pass for a peer that reads.
func (p *pace) deadline(timeout time.Duration) (deadline time.Time) {
	now := time.Now()
	deadline = now.Add(timeout)
	if p.time == 0 {
		return deadline
	}
	latest := now.Add(p.time)
	if p.due.IsZero() {
		p.due = latest
	} else {
		p.due = p.due.Add(time.Duration(float64(p.time) * float64(p.took) / sendStep))
	}
	p.took = 0
	if p.due.After(latest) {
		p.due = latest
	}
	if p.due.Before(deadline) {
		return p.due
	}
	return deadline
}

// late is the error of a write whose deadline has passed.
func (c *conn) late() error {
	if p := &c.pace; p.due.IsZero() || time.Now().Before(p.due) {
		return fmt.Errorf("ws: the peer took no data for %v: %w", c.timeout, os.ErrDeadlineExceeded)
	}
	v := refuse(ws.StatusPolicyViolation, "messages are read too slowly: %v for each MiB is too long (SendTime)", c.pace.time)
	c.decide(v)
	return fmt.Errorf("%w: %w", v, os.ErrDeadlineExceeded)
}

// sendTime is the time that an option stands for; 0 means any.
func sendTime(option time.Duration) time.Duration {
	switch {
	case option < 0:
		return 0
	case option == 0:
		return defaultSendTime
	default:
		return option
	}
}
