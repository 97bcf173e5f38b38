//go:build !js

package ws

import (
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/gobwas/ws"

	"github.com/kkrpc-go/kkrpc/internal/budget"
)

const (
	// lingerTime is how long a closed connection waits for the peer's half of the closing handshake.
	lingerTime = 2 * time.Second
	// farewellTime is how long Close may take to send a close frame where a write cannot be tried without blocking.
	farewellTime = time.Second
	// graceTime is how long Close lets a write go on that is under way.
	graceTime = 100 * time.Millisecond
	// defaultFrame is what a zero Limits.Frame means.
	defaultFrame = 4 << 20
	// idleBuffer is what a connection reads into while idle where readiness cannot be awaited without a buffer.
	idleBuffer = 256
)

var (
	noDeadline = time.Time{}
	longAgo    = time.Unix(1, 0) // a deadline that makes whoever waits return
)

// conn is one WebSocket connection after the handshake. It implements kkrpc.Transport.
type conn struct {
	// Immutable.
	nc          net.Conn
	raw         syscall.RawConn // nil where readiness of the socket says nothing, as under TLS
	client      bool
	deflate     bool // permessage-deflate was negotiated
	bytes       bool // binary frames were agreed on
	limit       int  // of an inbound message, in bytes
	timeout     time.Duration
	pulse       *pulse          // nil without heartbeat
	account     *budget.Account // nil: nothing is counted
	messageTime time.Duration   // that a message may take, see Options; 0: any
	layer       *link           // the session that the socket belongs to; nil for none, and before its first frames

	// Owned by the goroutine in ReadFrame, Park or linger; see reader.
	in        []byte // borrowed, idle or nil; in[r:w] is unread
	r, w      int
	burst     int    // a hint for the next buffer: bytes of the last frame, or largeBuffer after a read that filled a small one
	idle      []byte // what in is while a read waits; nil with raw, and while parked
	asm       []byte // a message that is not one piece of in: fragments, inflated text; borrowed
	fragOp    ws.OpCode
	fragZip   bool  // the message in fragments is compressed
	lent      bool  // in or asm holds a message that LendFrame returned
	rerr      error // sticky
	readFn    func(fd uintptr) bool
	readN     int
	readErr   error
	turn      turn
	inbound   inboundState
	memory    budget.Meter // in and asm
	partial   *partial     // what the reader has waited for since it began to arrive; nil for nothing
	owed      []byte       // payload of the ping that is to be answered, in in; nil for none
	idleTimer idleTimer

	reader  atomic.Int32
	lingers sync.Mutex // orders parking and the deadlines set by the reader, Close and linger
	wake    func()     // of Park; owned by who moves reader from readerParked
	place   int32      // in the parking lot; 0: none yet. Guarded by lingers

	// Guarded by sock, which is held while anything is written.
	sock     sync.Mutex
	rest     []byte // what the kernel did not take yet; ends at a frame boundary
	restFor  restOwner
	outbound outboundState
	pace     pace
	werr     error        // sticky
	spare    budget.Meter // the room in rest

	closed atomic.Bool
	life   atomic.Int32
	slot   int // owned by pulse: where the connection is listed
	index  int

	// Guarded by mu, which is never held while anything blocks.
	mu      sync.Mutex
	queued  []byte      // what TryWriteFrames was given while a write could not be tried
	pong    []byte      // payload to answer with; nil for none
	ping    bool        // a ping is due
	ack     bool        // an acknowledgement of layer is due
	verdict *CloseError // decided by the reader: overrides what Close is given
	cause   error       // why Close was called from within
	control atomic.Bool // pong, ping or ack is set
}

// config is what both ends of a handshake decide about a connection.
type config struct {
	client, deflate bool
	bytes           bool
	limit           int           // 0 means 4 MiB
	timeout         time.Duration // of a write; 0 means 30 s
	ping            time.Duration // 0 means no heartbeat
	messageTime     time.Duration // 0 means no bound
	sendTime        time.Duration // 0 means no bound
}

// newConn starts a connection on nc, from which early has been read already; early is copied.
func newConn(nc net.Conn, early []byte, cfg config) *conn {
	c := &conn{nc: nc, client: cfg.client, deflate: cfg.deflate, bytes: cfg.bytes, limit: cfg.limit, timeout: cfg.timeout, messageTime: cfg.messageTime}
	if c.limit <= 0 {
		c.limit = defaultFrame
	}
	if c.timeout <= 0 {
		c.timeout = 30 * time.Second
	}
	c.pace.time = cfg.sendTime
	c.initRaw()
	if len(early) > 0 {
		c.in = getBuffer(len(early))
		c.w = copy(c.in, early)
	}
	if cfg.ping > 0 {
		c.pulse = pulseOf(cfg.ping)
		c.pulse.add(c)
	}
	return c
}

// Close sends a close frame, and makes ReadFrame and WriteFrames fail with net.ErrClosed. A goroutine completes the
// closing handshake and ends within lingerTime. Close blocks for at most graceTime if a write is stuck, and under TLS for
// at most farewellTime more. A close code on which the reader has decided replaces code. That is the code of the peer or
// of a violation.
func (c *conn) Close(code int, reason string) error {
	if !c.closed.CompareAndSwap(false, true) {
		return nil
	}
	if code == int(ws.StatusPolicyViolation) || code == int(statusTryAgainLater) { // what more it sends is not kept
		c.decide(&CloseError{Code: code, Reason: reason, Sent: true})
	}
	if c.pulse != nil {
		c.pulse.remove(c)
	}
	if !c.sock.TryLock() {
		// A writer that is stuck gives up. Any other one ends well: a TLS write cut short ruins the connection.
		_ = c.nc.SetWriteDeadline(time.Now().Add(graceTime))
		c.sock.Lock()
	}
	c.farewell(code, reason)
	c.sock.Unlock()

	c.lingers.Lock()
	parked.remove(c)
	for {
		if c.reader.CompareAndSwap(readerIdle, readerClosed) {
			go c.linger()
			break
		}
		if c.reader.CompareAndSwap(readerParked, readerClosed) {
			go c.linger()
			go c.wake() // to learn of it from ReadFrame
			break
		}
		if c.reader.CompareAndSwap(readerBusy, readerLeaving) {
			_ = c.nc.SetReadDeadline(longAgo)
			break
		}
	}
	c.lingers.Unlock()
	return nil
}

// Peer implements kkrpc.PeerNamer.
func (c *conn) Peer() string { return c.nc.RemoteAddr().String() }

// abort closes a connection for a reason that ReadFrame then returns.
func (c *conn) abort(cause error) {
	if c.closed.Load() {
		return
	}
	c.mu.Lock()
	c.cause = cause
	c.mu.Unlock()
	_ = c.Close(int(ws.StatusGoingAway), cause.Error())
}

// reject closes a connection for a fault of the peer, which ReadFrame then returns.
func (c *conn) reject(v *CloseError) {
	if c.closed.Load() {
		return
	}
	c.decide(v)
	c.abort(v)
}

// setReadDeadline sets the deadline of whoever owns the reading side. After Close the deadline is that of Close or linger.
func (c *conn) setReadDeadline(t time.Time) {
	c.lingers.Lock()
	defer c.lingers.Unlock()
	if !c.closed.Load() {
		_ = c.nc.SetReadDeadline(t)
	}
}

// enter takes the reading side for a caller of ReadFrame or Park; leave gives it back.
func (c *conn) enter() bool { return c.reader.CompareAndSwap(readerIdle, readerBusy) }

func (c *conn) leave() (open bool) {
	if c.reader.CompareAndSwap(readerBusy, readerIdle) {
		return true
	}
	c.reader.Store(readerClosed)
	go c.linger()
	return false
}

// closedErr is what a method returns after Close.
func (c *conn) closedErr() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.cause != nil {
		return c.cause
	}
	return net.ErrClosed
}

// decide notes with what code and reason the connection is to be closed. Only the first decision counts.
func (c *conn) decide(v *CloseError) {
	c.mu.Lock()
	if c.verdict == nil {
		c.verdict = v
	}
	c.mu.Unlock()
}

// farewell writes the close frame. The caller holds sock.
func (c *conn) farewell(code int, reason string) {
	c.mu.Lock()
	if c.verdict != nil {
		code, reason = c.verdict.Code, c.verdict.Reason
	}
	c.rest = append(c.rest, c.queued...)
	c.queued = nil
	c.mu.Unlock()
	if c.werr != nil {
		return
	}
	var payload []byte
	if code != int(ws.StatusNoStatusRcvd) {
		told := sendable(code)
		if c.layer != nil && c.layer.over.Load() && pauses(code) { // the peer would try in vain to go on
			told = closeSessionGone
		}
		payload = ws.NewCloseFrameBody(ws.StatusCode(told), clip(reason))
	}
	c.rest = c.appendControl(c.rest, ws.OpClose, payload)
	c.outbound = outboundClosed
	_ = c.nc.SetWriteDeadline(time.Now().Add(farewellTime))
	if c.raw != nil {
		_ = c.tryRest() // linger sends what is left
		c.countSpare()
	}
	if code == int(statusTryAgainLater) && len(c.rest) > smallBuffer { // memory is short, and the peer does not read
		c.werr = net.ErrClosed
		c.dropRest()
	}
	if c.raw != nil || c.werr != nil {
		return
	}
	if _, err := c.nc.Write(c.rest); err != nil {
		c.werr = err
	}
	c.dropRest()
}

// dropRest gives the memory of rest back. The caller holds sock.
func (c *conn) dropRest() {
	putBuffer(c.rest)
	c.rest = nil
	c.countSpare()
}

// sendable replaces close codes that must not cross the network.
func sendable(code int) int {
	if checkClose(ws.StatusCode(code), "") != nil {
		return int(ws.StatusInternalServerError)
	}
	return code
}

// statusTryAgainLater and its neighbours 1012 and 1014 were registered after RFC 6455.
const statusTryAgainLater = ws.StatusCode(1013)

// checkClose refuses what must not stand in a close frame.
func checkClose(code ws.StatusCode, reason string) error {
	if 1012 <= code && code <= 1014 {
		code = ws.StatusNormalClosure
	}
	if code > 4999 {
		return fmt.Errorf("close code %d", code)
	}
	return ws.CheckCloseFrameData(code, reason)
}

// linger ends a closed connection. It sends the rest of the data, waits for the peer's close frame, and closes the socket.
// It waits because closing a socket with unread data would discard the close frame just sent. It owns the reading side.
func (c *conn) linger() {
	c.lingers.Lock()
	_ = c.nc.SetDeadline(time.Now().Add(lingerTime))
	c.lingers.Unlock()

	c.sock.Lock()
	for c.raw != nil && c.werr == nil && len(c.rest) > 0 {
		n, err := c.rawWrite([][]byte{c.rest}, true)
		c.rest, c.werr = c.rest[n:], err
	}
	healthy := c.outbound == outboundClosed && c.werr == nil
	c.dropRest()
	c.sock.Unlock()
	c.mu.Lock()
	if c.verdict != nil && c.verdict.Sent { // a verdict may come from elsewhere than stop
		c.inbound = inboundBroken
	}
	c.mu.Unlock()

	c.abandon()
	for healthy && c.inbound == inboundOpen && c.rerr == nil {
		_, _ = c.next()
		c.reclaim()
	}
	c.release()
	if healthy && (c.inbound == inboundBroken || c.inbound == inboundClosed && c.client) {
		if half, ok := c.nc.(interface{ CloseWrite() error }); ok && !c.client {
			_ = half.CloseWrite()
		}
		_, _ = io.Copy(io.Discard, c.nc)
	}
	_ = c.nc.Close()
}

// release gives the buffers of the reading side back.
func (c *conn) release() {
	c.whole()
	putBuffer(c.in)
	putBuffer(c.asm)
	c.in, c.asm, c.idle, c.r, c.w = nil, nil, nil, 0, 0
	c.memory.Set(c.account, 0)
}

// SetAccount has the connection count its buffers. It is called before all other methods.
func (c *conn) SetAccount(a *budget.Account) { c.account = a }

// isTimeout reports whether err is a deadline that passed.
func isTimeout(err error) bool {
	var ne net.Error
	return errors.As(err, &ne) && ne.Timeout()
}
