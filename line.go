package kkrpc

import (
	"fmt"
	"time"
)

// lineStep is for how many bytes that have arrived a line gets Limits.Line once more.
const lineStep = 64 << 10

// lineWatch bounds how long a line of the classic generation may stay incomplete. The leader owns it. Whole lines and
// compact messages never start it.
type lineWatch struct {
	timer *time.Timer // nil unless a line is incomplete
	began time.Time
}

// awaitLine is called before the next frame is read, while held bytes of a line wait for their end.
func (ch *Channel) awaitLine(held int) {
	w, limit := &ch.line, ch.limits.Line
	allowed := limit + limit*time.Duration(held/lineStep)
	if allowed < limit { // too much for a Duration
		allowed = 1<<63 - 1
	}
	if w.timer != nil {
		w.timer.Reset(allowed - time.Since(w.began))
		return
	}
	w.began = time.Now()
	w.timer = time.AfterFunc(allowed, func() {
		ch.fail(errClosed(fmt.Errorf("%w: a line of the peer was not complete in time: %v, and once more for each 64 KiB of it (Limits.Line)", ErrLimit, limit)),
			closePolicy, "incomplete line")
	})
}

// lineArrived is called when nothing more of the line is awaited.
func (ch *Channel) lineArrived() {
	ch.line.timer.Stop()
	ch.line.timer = nil
}
