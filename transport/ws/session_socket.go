//go:build !js

package ws

import (
	"errors"
	"fmt"
	"time"

	"github.com/gobwas/ws"

	kkrpc "github.com/kkrpc-go/kkrpc"
	"github.com/kkrpc-go/kkrpc/internal/budget"
)

const (
	// closeGivenUp closes a socket that the client has given up, and not its session: a browser has no code of its own for it.
	closeGivenUp = 4408
	// closeReplaced closes a socket whose session has gone on over a newer one.
	closeReplaced = 4409
	// closeSessionGone closes a socket whose session has ended, or never was.
	closeSessionGone = 4410
)

// pauses reports whether a close frame with this code pauses the session.
func pauses(code int) bool {
	return code == closeGoingAway || code == 1012 || code == int(statusTryAgainLater) || code == closeGivenUp
}

// adopt makes c, over which only first frames have gone, a socket of l. It reports false if c is closed.
func (c *conn) adopt(l *link) bool {
	if !c.enter() {
		return false
	}
	c.sock.Lock()
	c.layer, c.account = l, l.account
	c.memory, c.spare = budget.Meter{}, budget.Meter{} // what first frames took has not been counted
	if c.limit = l.limit; c.limit <= 0 {
		c.limit = defaultFrame
	}
	c.sock.Unlock()
	return c.leave()
}

// failed reports whether ReadFrame returns an error. The caller is the reader.
func (c *conn) failed() bool {
	if !c.enter() {
		return true
	}
	failed := c.rerr != nil
	return !c.leave() || failed
}

// final reports whether the end of c is that of its session: the peer has closed it so, or has broken a rule.
func (c *conn) final() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.verdict != nil && (c.verdict.Sent || !pauses(c.verdict.Code))
}

// errReplaced is why a session is paused that goes on at once.
var errReplaced = errors.New("ws: the client has a new socket")

// lost notes that c has ended with err. It does nothing if c is not the socket of the session any more.
func (l *link) lost(c *conn, err error) {
	if c.final() {
		l.endIf(func() bool { return l.conn == c }, err, int(ws.StatusNormalClosure), "")
		return
	}
	l.mu.Lock()
	if l.conn != c {
		l.mu.Unlock()
		return
	}
	l.pauseLocked(err)
	l.mu.Unlock()
	_ = c.Close(closeGoingAway, "")
	l.tell()
	if l.dialer != nil {
		go l.dialer.redial() // ends when the session goes on or ends
	}
}

// pauseLocked takes the socket away.
func (l *link) pauseLocked(err error) {
	l.conn = nil
	l.pauses++
	l.eventLocked(SessionEvent{SessionPaused, err})
	if l.server != nil {
		l.expireLaterLocked(err)
	}
	l.changedLocked()
}

// awaitSocket has a session end that gets no first socket because of err.
func (l *link) awaitSocket(err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.err == nil && l.conn == nil && l.expiry == nil {
		l.expireLaterLocked(err)
	}
}

// expireLaterLocked begins a pause at a server.
func (l *link) expireLaterLocked(err error) {
	l.server.paused.Add(1)
	seq := l.pauses
	l.expiry = time.AfterFunc(l.keep, func() { l.expire(seq, err) })
}

// unpauseLocked ends a pause.
func (l *link) unpauseLocked() {
	if l.expiry != nil {
		l.expiry.Stop()
		l.expiry = nil
		l.server.paused.Add(-1)
	}
}

// expire ends the session if it is still in the pause that cause began.
func (l *link) expire(seq int, cause error) {
	late := fmt.Errorf("%w: the client did not come back within %v; before that: %v", ErrSessionLost, l.keep, cause)
	l.endIf(func() bool {
		over := l.conn == nil && l.pauses == seq
		if over {
			l.server.countEvent(sessionExpired) // before anybody learns of the end
		}
		return over
	}, late, closeSessionGone, "")
}

// Why a session does not go on over a socket.
var (
	errNewer  = errors.New("a newer socket has come")
	errBehind = errors.New("messages that the client misses are not kept any more")
)

// attach makes c the socket of the session. known is how many messages of this side have arrived at the peer. hello, if not
// nil, makes the first frame. An error leaves c to the caller. Messages that the peer misses are sent before attach returns.
func (l *link) attach(c *conn, known uint64, hello func(received uint64) controlFrame) error {
	l.mu.Lock()
	if err := l.attachableLocked(known); err != nil {
		l.mu.Unlock()
		return err
	}
	l.resumes++
	turn, old := l.resumes, l.conn
	if old != nil {
		l.pauseLocked(errReplaced)
	}
	l.mu.Unlock()
	if old != nil {
		_ = old.Close(closeReplaced, "the session goes on over a newer socket") // a writer that is stuck lets go of writing
	}

	l.writing.Lock()
	defer l.writing.Unlock()
	l.mu.Lock()
	if err := l.attachableLocked(known); err != nil {
		l.mu.Unlock()
		return err
	}
	if turn != l.resumes {
		l.mu.Unlock()
		return errNewer
	}
	received := l.ledger.received // stays so while there is no socket
	l.mu.Unlock()
	l.broken = nil
	if hello != nil {
		if err := c.WriteFrames([][]byte{hello(received).append(nil)}); err != nil {
			return err
		}
	}

	if !c.adopt(l) {
		return c.closedErr()
	}
	l.mu.Lock()
	switch {
	case l.err != nil:
		defer l.mu.Unlock()
		return l.err
	case turn != l.resumes: // the newer one has seen no socket to close
		l.mu.Unlock()
		return errNewer
	}
	l.unpauseLocked()
	_ = l.ledger.acknowledge(known) // as it has been checked
	l.ledger.acknowledged()
	missing := l.ledger.lend()
	if l.crowded {
		missing = append(missing, askForAck)
	}
	l.conn, l.peer = c, c.nc.RemoteAddr()
	if l.pauses > 0 {
		l.eventLocked(SessionEvent{Kind: SessionResumed})
	}
	wake, asleep := l.wake, l.asleep
	l.asleep = false
	l.changedLocked()
	l.mu.Unlock()
	l.tell()
	if asleep && !l.settle(0) { // from here on messages are read: the peer may not read this side's before
		go wake() // ends as the goroutine that reads
	}
	if len(missing) > 0 {
		_ = l.unwrittenLocked(c, c.WriteFrames(missing))
	}
	l.mu.Lock()
	l.ledger.giveBack()
	l.memory.Set(l.account, cap(l.ledger.log))
	l.mu.Unlock()
	return nil
}

// attachableLocked is why no socket can go on after the first known messages of this side.
func (l *link) attachableLocked(known uint64) error {
	if l.err != nil {
		return l.err
	}
	if l.ledger.checkKnown(known) != nil {
		return errBehind
	}
	return nil
}

// end ends the session once. The close frame has code and reason, unless the peer has decided on one before.
func (l *link) end(err error, code int, reason string) {
	l.endIf(func() bool { return true }, err, code, reason)
}

// endIf is end, unless the session has come into another state than the one that is to be ended. holds is called with mu.
func (l *link) endIf(holds func() bool, err error, code int, reason string) {
	l.mu.Lock()
	if l.err != nil || !holds() {
		l.mu.Unlock()
		return
	}
	l.err = err
	l.over.Store(true)
	c := l.conn
	l.unpauseLocked()
	l.conn, l.waiting = nil, nil
	l.ledger.forget()
	l.memory.Set(l.account, 0)
	if l.ackTimer != nil {
		l.ackTimer.Stop()
	}
	l.eventLocked(SessionEvent{SessionEnded, err})
	wake, asleep := l.wake, l.asleep
	l.asleep = false
	l.changedLocked()
	l.mu.Unlock()
	if l.dialer != nil {
		l.dialer.cancel()
	}
	if l.server != nil {
		l.server.forget(l)
	}
	if c != nil {
		_ = c.Close(code, reason)
	}
	l.tell()
	if asleep {
		go wake() // to learn of it from LendFrame
	}
}

// Park implements kkrpc.Parker. While the session is paused, no goroutine waits for the next socket.
func (l *link) Park(patience time.Duration, wake func()) (parked bool) {
	l.reading = nil // it may end while nobody reads
	l.mu.Lock()
	l.wake = wake
	l.mu.Unlock()
	return l.settle(patience)
}

// settle parks the channel. It returns false if LendFrame has something to do. The caller is the reader.
func (l *link) settle(patience time.Duration) (parked bool) {
	for {
		l.mu.Lock()
		c := l.conn
		if c == nil {
			l.asleep = l.err == nil
			defer l.mu.Unlock()
			return l.asleep
		}
		l.mu.Unlock()
		if c.parkFor(patience, l.unparked) {
			return true
		}
		if !c.failed() {
			return false
		}
		_, _, err := c.LendFrame()
		l.lost(c, err)
	}
}

// unparked is called when something has happened on the socket with which the channel was parked.
func (l *link) unparked() {
	if l.settle(0) {
		return
	}
	l.mu.Lock()
	wake := l.wake
	l.mu.Unlock()
	wake()
}

// setChannel lets OnEvent be called.
func (l *link) setChannel(ch *kkrpc.Channel) {
	l.mu.Lock()
	l.ch = ch
	l.mu.Unlock()
	l.tell()
}

// eventLocked queues an event for tell.
func (l *link) eventLocked(e SessionEvent) {
	if l.onEvent != nil {
		l.events = append(l.events, e)
	}
}

// tell tells OnEvent of what has happened, in order.
func (l *link) tell() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.telling || l.ch == nil {
		return
	}
	l.telling = true
	for len(l.events) > 0 {
		e := l.events[0]
		l.events = l.events[1:]
		l.mu.Unlock()
		l.onEvent(l.ch, e)
		l.mu.Lock()
	}
	l.events, l.telling = nil, false
}

var _ interface {
	kkrpc.Transport
	kkrpc.TryWriter
	kkrpc.FrameLender
	kkrpc.Parker
	kkrpc.PeerNamer
	kkrpc.TextValidator
	kkrpc.Yielder
} = (*link)(nil)
