package kkrpc

import (
	"fmt"
	"time"
)

// awaitLine bounds how long a line of the classic generation may stay incomplete. The leader calls it before it waits for
// more of one; whole lines and compact messages never get here.
func (ch *Channel) awaitLine() {
	if ch.line != nil {
		return
	}
	limit := ch.limits.Line
	ch.line = time.AfterFunc(limit, func() {
		ch.fail(errClosed(fmt.Errorf("%w: a line of the peer was not complete after %v (Limits.Line)", ErrLimit, limit)),
			closePolicy, "incomplete line")
	})
}

// lineArrived is called when no more of a line is awaited.
func (ch *Channel) lineArrived() {
	ch.line.Stop()
	ch.line = nil
}
