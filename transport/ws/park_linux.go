package ws

import (
	"io"
	"time"

	"github.com/gobwas/ws"
)

// Park is called in place of ReadFrame. It returns false when ReadFrame has something to do: an error to return, or a
// message that has begun to arrive. It returns true once nothing has arrived for patience, or for up to twice as long.
// The connection is then parked and holds neither a buffer nor a goroutine. When ReadFrame has something to do, wake is
// called once, on another goroutine, perhaps before Park returns.
//
// Only servers park, because they have thousands of connections, and nobody else owns those. If a program closes the
// net.Conn of a parked connection, no event follows. The next write fails, such as that of a ping.
func (c *conn) Park(patience time.Duration, wake func()) (parked bool) {
	if c.client || c.raw == nil && !isTLS(c.nc) || !c.enter() {
		return false
	}
	c.wake = wake
	c.reclaim()
	for patience > 0 && !c.ready() {
		if c.idleTimer == idleTimerOff {
			c.idleTimer = idleTimerSet
			c.setReadDeadline(time.Now().Add(patience))
		}
		c.r, c.w = 0, 0
		err := c.fill()
		if !isTimeout(err) {
			c.arrived(err)
			continue
		}
		extended := c.idleTimer == idleTimerExtended
		c.stopIdleTimer()
		if !extended {
			break
		}
	}
	if !c.ready() {
		return c.park()
	}
	if c.idleTimer == idleTimerSet {
		c.idleTimer = idleTimerExtended
	}
	c.leave()
	return false
}

// parkFor is Park of a session.
func (c *conn) parkFor(patience time.Duration, wake func()) (parked bool) {
	return c.Park(patience, wake)
}

// park parks the connection unless something has arrived. The caller owns the reading side, which park gives back.
func (c *conn) park() bool {
	if !c.drained() {
		c.leave()
		return false
	}
	c.stopIdleTimer()
	putBuffer(c.in)
	putBuffer(c.asm)
	c.in, c.asm, c.idle, c.r, c.w = nil, nil, nil, 0, 0

	c.lingers.Lock() // Close comes before all this, or after
	defer c.lingers.Unlock()
	if !c.reader.CompareAndSwap(readerBusy, readerParked) {
		c.leave()
		return false
	}
	// A late event of the place may unpark the connection that add has refused; then it counts as parked.
	return parked.add(c) || !c.reader.CompareAndSwap(readerParked, readerIdle)
}

// unpark goes on with a parked connection on whose socket something has happened. It is called on a goroutine of its own.
func (c *conn) unpark() {
	if !c.reader.CompareAndSwap(readerParked, readerBusy) {
		return // closed, and wake was called then
	}
	wake := c.wake
	c.arrived(c.fill())
	if c.ready() {
		c.leave()
		wake()
	} else if !c.park() {
		wake()
	}
}

// ready reports whether ReadFrame has something to do. The caller owns the reading side.
func (c *conn) ready() bool {
	return c.r < c.w || c.fragOp != 0 || c.rerr != nil || c.closed.Load()
}

// arrived deals with what a read has brought. Pings, pongs and control frames of a session that have arrived whole are
// taken, so that they wake no channel. The caller owns the reading side.
func (c *conn) arrived(err error) {
	if err == io.EOF {
		err = io.ErrUnexpectedEOF
	}
	if err != nil {
		_ = c.stop(err) // ReadFrame returns it
		return
	}
	c.life.Store(lifeHeard)
	for c.rerr == nil && c.fragOp == 0 {
		h, size, err := parseHeader(c.in[c.r:c.w])
		if err != nil || size == 0 || h.Length > int64(c.w-c.r-size) {
			break
		}
		ofSession := c.layer != nil && isControl(h, c.in[c.r+size:])
		if h.OpCode != ws.OpPing && h.OpCode != ws.OpPong && !ofSession {
			break
		}
		h, payload, err := c.frame()
		if err == nil && ofSession {
			err = c.layer.control(c, payload)
		}
		if err != nil {
			_ = c.stop(err)
			break
		}
		if h.OpCode == ws.OpPing {
			c.answer(payload)
		}
	}
	c.sendPong()
}

// drained makes sure that the socket announces all that is still to come. The caller owns the reading side.
func (c *conn) drained() bool {
	if c.raw != nil {
		return true
	}
	// Besides what it has decrypted, crypto/tls may keep a part of a record, the rest of which the socket announces.
	if len(c.in) == 0 {
		c.in = getBuffer(smallBuffer)
	}
	c.r, c.w = 0, 0
	if err := c.probe(); err != nil {
		_ = c.stop(err) // ReadFrame returns it
	}
	return c.w == 0 && c.rerr == nil
}
