//go:build !js

package ws

import (
	"bytes"
	"fmt"
	"net"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gobwas/ws"

	kkrpc "github.com/kkrpc-go/kkrpc"
	"github.com/kkrpc-go/kkrpc/internal/budget"
)

// link is the Transport of a session: the channel above it sees one connection, whose sockets come and go. A socket is a
// conn. It belongs to the session while link.conn is it; what the reader of an older one still brings is dropped, since the
// peer sends it again.
//
// Locks are taken in the order writing, those of a conn, mu.
type link struct {
	// Immutable.
	id      string
	keep    time.Duration // how long the session lives without a socket
	timeout time.Duration // how long the peer may acknowledge nothing while a write waits for room
	limit   int           // of an inbound message, in bytes; 0 means 4 MiB
	account *budget.Account
	server  *Server        // nil at a client
	owner   sessionOwner   // at a server, whose requests may resume
	dialer  *sessionDialer // nil at a server
	onEvent func(ch *kkrpc.Channel, e SessionEvent)
	bytes   bool // binary frames were agreed on

	over    atomic.Bool
	writing sync.Mutex // held by whoever gives messages to a socket, so that they leave in order
	broken  *conn      // takes no messages any more; guarded by writing
	reading *conn      // the socket of the last message, if it still is that of the session; owned by the reader

	mu       sync.Mutex
	changed  *sync.Cond // conn, err, or the room in ledger; nil until somebody waits
	conn     *conn      // nil while the session is paused, and once it has ended
	peer     net.Addr
	err      error // why the session has ended
	ledger   ledger
	memory   budget.Meter // of ledger
	waiting  [][]byte     // what TryWriteFrames was given and has no number yet
	ackTimer *time.Timer  // since the first message that was received after the last one; nil for none
	pauses   int          // counts them
	resumes  int          // counts attempts, at a server
	expiry   *time.Timer  // of a pause, at a server
	wake     func()       // of Park
	ch       *kkrpc.Channel
	events   []SessionEvent // that OnEvent has not been told of
	crowded  bool           // a message waits for room
	asleep   bool           // the channel is parked and the session paused, so nobody else will call wake
	telling  bool
}

// newLink returns a paused session, whose first socket attach brings.
func newLink(id string, opts *SessionOptions, timeout time.Duration, limit int) *link {
	if timeout <= 0 {
		timeout = 30 * time.Second
	}
	l := &link{id: id, timeout: timeout, limit: limit, onEvent: opts.OnEvent}
	l.ledger.bound = opts.buffer()
	return l
}

// waitLocked waits until changedLocked is called.
func (l *link) waitLocked() {
	if l.changed == nil {
		l.changed = sync.NewCond(&l.mu)
	}
	l.changed.Wait()
}

func (l *link) changedLocked() {
	if l.changed != nil {
		l.changed.Broadcast()
	}
}

// SetAccount has the session and its sockets count their buffers. It is called before the first socket comes.
func (l *link) SetAccount(a *budget.Account) { l.account = a }

// Peer implements kkrpc.PeerNamer.
func (l *link) Peer() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.peer == nil {
		return ""
	}
	return l.peer.String()
}

// ValidText implements kkrpc.TextValidator.
func (l *link) ValidText() {}

// Yield implements kkrpc.Yielder.
func (l *link) Yield() { yield() }

// ReadFrame implements kkrpc.Transport.
func (l *link) ReadFrame(buf []byte) (msg []byte, more bool, err error) {
	lent, more, err := l.LendFrame()
	if err != nil {
		return nil, more, err
	}
	return append(buf[:0], lent...), more, nil
}

// LendFrame implements kkrpc.FrameLender. It waits while the session is paused.
func (l *link) LendFrame() (msg []byte, more bool, err error) {
	c := l.reading
	l.reading = nil
	for {
		if c == nil {
			if c, err = l.socket(); err != nil {
				return nil, false, err
			}
		}
		msg, more, err = c.LendFrame()
		switch {
		case err != nil:
			l.lost(c, err)
		case l.count(c, len(msg)):
			l.reading = c
			return msg, more, nil
		}
		c = nil
	}
}

// socket returns the socket to read from, and waits for it.
func (l *link) socket() (*conn, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for l.conn == nil && l.err == nil {
		l.waitLocked()
	}
	return l.conn, l.err
}

// count counts a message of n bytes. It reports false if c is not the socket of the session any more.
func (l *link) count(c *conn, n int) bool {
	l.mu.Lock()
	if l.conn != c {
		l.mu.Unlock()
		return false
	}
	due := l.ledger.receive(n)
	if l.ackTimer == nil {
		l.ackTimer = time.AfterFunc(ackTime, l.ackLate)
	}
	l.mu.Unlock()
	if due {
		c.sendAck()
	}
	return true
}

// ackTime is how long a message may stay without acknowledgement.
const ackTime = time.Second

// ackLate acknowledges what no message of this side has acknowledged by the way.
func (l *link) ackLate() {
	l.mu.Lock()
	l.ackTimer = nil // an idle session has none
	c, due := l.conn, l.ledger.received > l.ledger.acked
	l.mu.Unlock()
	if c != nil && due {
		c.sendAck()
	}
}

// appendAck appends the acknowledgement that is due on c, if any.
func (l *link) appendAck(c *conn, dst []byte) []byte {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.conn != c {
		return dst
	}
	return l.ledger.appendAck(dst)
}

// control heeds a control frame of c. The reader of c calls it.
func (l *link) control(c *conn, p []byte) error {
	f, err := parseControl(p)
	if err == nil && f.kind != controlAck && f.kind != controlPing {
		err = fmt.Errorf("%s comes first on a socket or never", f.kind)
	}
	if err != nil {
		return refuse(ws.StatusProtocolError, "session: %s", err)
	}
	l.mu.Lock()
	if l.conn != c {
		l.mu.Unlock()
		return nil
	}
	if f.kind == controlPing {
		l.ledger.owed = true
		l.mu.Unlock()
		c.sendAck()
		return nil
	}
	defer l.mu.Unlock()
	if err := l.ledger.acknowledge(f.n); err != nil {
		return refuse(ws.StatusProtocolError, "session: %s", err)
	}
	l.memory.Set(l.account, cap(l.ledger.log))
	if l.crowded {
		l.changedLocked()
	}
	return nil
}

// WriteFrames implements kkrpc.Transport. It waits until there is room for all of msgs, also while the session is paused.
// Messages that have a number are sent, at the latest by the next socket.
func (l *link) WriteFrames(msgs [][]byte) error {
	l.mu.Lock()
	if len(l.waiting) > 0 {
		msgs = append(l.waiting, msgs...)
		l.waiting = nil
	}
	l.mu.Unlock()
	for {
		l.writing.Lock()
		n, c, err := l.accept(msgs)
		if err == nil && c != nil {
			now := msgs[:n:n]
			if n < len(msgs) {
				now = append(now, askForAck)
			}
			err = l.unwrittenLocked(c, c.WriteFrames(now))
		}
		l.writing.Unlock()
		if msgs = msgs[n:]; err != nil || len(msgs) == 0 {
			return err
		}
		if err := l.awaitRoom(len(msgs[0])); err != nil {
			return err
		}
	}
}

// askForAck is sent when a message waits for room: the peer may have a second left until it acknowledges.
var askForAck = controlFrame{kind: controlPing}.append(nil)

// TryWriteFrames implements kkrpc.TryWriter.
func (l *link) TryWriteFrames(msgs [][]byte) (done bool, err error) {
	if !l.writing.TryLock() { // messages are being sent again
		return false, l.delay(msgs)
	}
	defer l.writing.Unlock()
	n, c, err := l.accept(msgs)
	if err != nil {
		return false, err
	}
	done = true
	if c != nil {
		if done, err = c.TryWriteFrames(msgs[:n]); err != nil {
			if err = l.unwrittenLocked(c, err); err != nil {
				return false, err
			}
			done = true
		}
	}
	if n == len(msgs) {
		return done, nil
	}
	return false, l.delay(msgs[n:])
}

// delay keeps msgs for the WriteFrames that follows.
func (l *link) delay(msgs [][]byte) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, m := range msgs {
		l.waiting = append(l.waiting, bytes.Clone(m))
	}
	return l.err
}

// accept numbers as many of msgs as there is room for. It returns the socket to send them on, or nil for the next one. The
// caller holds writing.
func (l *link) accept(msgs [][]byte) (n int, c *conn, err error) {
	l.mu.Lock()
	if l.err != nil {
		defer l.mu.Unlock()
		return 0, nil, l.err
	}
	if len(l.waiting) > 0 { // these go first
		defer l.mu.Unlock()
		return 0, l.conn, nil
	}
	for n < len(msgs) && l.ledger.fits(len(msgs[n])) {
		l.ledger.keep(msgs[n])
		n++
	}
	l.memory.Set(l.account, cap(l.ledger.log))
	l.crowded = n < len(msgs)
	if l.conn != l.broken {
		c = l.conn
	}
	l.mu.Unlock()
	return n, c, nil
}

// awaitRoom waits until there is room for a message of n bytes. A peer that acknowledges nothing for the time of a write
// loses its socket.
func (l *link) awaitRoom(n int) error {
	var timer *time.Timer
	l.mu.Lock()
	defer func() {
		l.mu.Unlock()
		if timer != nil {
			timer.Stop()
		}
	}()
	for l.err == nil && !l.ledger.fits(n) {
		if timer == nil && l.conn != nil {
			c, known := l.conn, l.ledger.known
			timer = time.AfterFunc(l.timeout, func() { l.stalled(c, known) })
		}
		seen, known := l.conn, l.ledger.known
		l.waitLocked()
		if timer != nil && (l.conn != seen || l.ledger.known != known) {
			timer.Stop()
			timer = nil
		}
	}
	return l.err
}

// stalled ends c if the peer still has acknowledged no more than the first known messages.
func (l *link) stalled(c *conn, known uint64) {
	l.mu.Lock()
	same := l.conn == c && l.ledger.known == known
	l.mu.Unlock()
	if same {
		l.lost(c, fmt.Errorf("ws: the peer acknowledged nothing for %v: %w", l.timeout, os.ErrDeadlineExceeded))
	}
}

// unwrittenLocked deals with the error of a write to c. It returns why the session has ended, or nil if messages are kept for
// the next socket. The reader of c learns of the error as well, and perhaps of the close frame that explains it. The caller
// holds writing.
func (l *link) unwrittenLocked(c *conn, err error) error {
	if err == nil {
		return nil
	}
	l.broken = c
	if isTimeout(err) {
		l.lost(c, err)
	} else {
		time.AfterFunc(unreadTime, func() { l.lost(c, err) })
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.err
}

// unreadTime is how long the reader of a socket has to learn why nothing can be written to it.
const unreadTime = time.Second

// Close ends the session for both sides.
func (l *link) Close(code int, reason string) error {
	l.end(net.ErrClosed, code, reason)
	return nil
}
