//go:build !js

package ws

import (
	"io"

	"github.com/gobwas/ws"
)

// AwaitFrame blocks until ReadFrame has something to do: return an error, or read a message that has begun to arrive.
// It reports true if Interrupt ended it before. It is called as ReadFrame is, in its place.
//
// A channel on which nothing happens waits here where it cannot be parked, so it is written for a small stack: where a
// connection waits decides what its goroutine costs.
func (c *conn) AwaitFrame() (interrupted bool) {
	for {
		interrupted, idle := c.listen()
		if interrupted || !idle {
			return interrupted
		}
	}
}

// listen waits for something to arrive and heeds the control frames that it begins with. idle means that there was
// nothing else: ReadFrame has nothing to do yet.
func (c *conn) listen() (interrupted, idle bool) {
	if !c.reader.CompareAndSwap(readerIdle, readerWaiting) {
		return false, false
	}
	c.reclaim()
	if c.r < c.w || c.fragOp != 0 || c.rerr != nil {
		return c.listened(nil)
	}
	c.r, c.w = 0, 0
	return c.listened(c.fill())
}

// listened ends listen with the error of its read.
func (c *conn) listened(err error) (interrupted, idle bool) {
	if err == nil {
		c.heard.Store(true)
		c.heedControls()
	} else if !isTimeout(err) {
		if err == io.EOF {
			err = io.ErrUnexpectedEOF
		}
		_ = c.stop(err) // ReadFrame returns it
	}
	failed := c.rerr != nil
	idle = err == nil && !failed && c.r == c.w && c.fragOp == 0
	if c.reader.CompareAndSwap(readerWaiting, readerIdle) {
		return false, idle
	}
	c.lingers.Lock()
	if c.reader.Load() == readerRoused {
		_ = c.nc.SetReadDeadline(noDeadline)
		c.reader.Store(readerIdle)
		c.lingers.Unlock()
		return err != nil && !failed, idle
	}
	c.lingers.Unlock()
	c.reader.Store(readerClosed)
	go c.linger()
	return false, false
}

// heedControls takes pings and pongs that have arrived whole, so that heartbeats wake nobody but the transport.
func (c *conn) heedControls() {
	for c.rerr == nil && c.fragOp == 0 {
		h, size, err := parseHeader(c.in[c.r:c.w])
		if err != nil || size == 0 || h.OpCode != ws.OpPing && h.OpCode != ws.OpPong || h.Length > int64(c.w-c.r-size) {
			break
		}
		h, payload, err := c.frame()
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

// Interrupt makes an AwaitFrame return that has nothing to read. It does nothing to a ReadFrame, nor where a read cannot
// be repeated after a deadline.
func (c *conn) Interrupt() {
	if c.raw == nil && !isTLS(c.nc) {
		return
	}
	c.lingers.Lock()
	defer c.lingers.Unlock()
	if c.reader.CompareAndSwap(readerWaiting, readerRoused) {
		_ = c.nc.SetReadDeadline(longAgo)
	}
}

// Park is AwaitFrame without a goroutine that waits: wake is called once, on another goroutine, when ReadFrame has
// something to do. False means that this is not possible here or now, and nothing was done. It is called as ReadFrame is.
//
// Only servers have thousands of connections, and own them: should somebody else close the net.Conn, which a client's
// NetDial may keep, then no event tells, and it is noticed when something is written, such as the next ping.
func (c *conn) Park(wake func()) bool {
	if c.client || !c.enter() {
		return false
	}
	c.reclaim()
	if c.r < c.w || c.fragOp != 0 || c.rerr != nil || !c.drained() {
		c.leave()
		return false
	}
	putBuffer(c.in)
	putBuffer(c.asm)
	c.in, c.asm, c.idle, c.r, c.w = nil, nil, nil, 0, 0
	c.wake = wake

	c.lingers.Lock() // Close comes before all this, or after
	defer c.lingers.Unlock()
	if !c.reader.CompareAndSwap(readerBusy, readerParked) {
		c.leave()
		return false
	}
	if parked.add(c) || !c.reader.CompareAndSwap(readerParked, readerIdle) {
		return true // in the other case a late event of its place has already unparked it
	}
	c.wake = nil
	return false
}

// drained makes sure that all that is still to come will be announced by the socket. The caller owns the reading side.
func (c *conn) drained() bool {
	if c.raw != nil {
		return true
	}
	if !isTLS(c.nc) {
		return false
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

// unpark goes on with a parked connection on whose socket something has happened. It is called on a goroutine of its own.
func (c *conn) unpark() {
	if !c.reader.CompareAndSwap(readerParked, readerIdle) {
		return // closed, and wake was called then
	}
	wake := c.wake
	interrupted, idle := c.listen()
	for interrupted {
		interrupted, idle = c.listen()
	}
	if !idle || !c.Park(wake) {
		wake()
	}
}
