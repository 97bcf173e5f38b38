package ws

import "io"

// AwaitFrame blocks until ReadFrame has something to do: return an error, or read what has begun to arrive. It reports
// true if Interrupt ended it before. It is called as ReadFrame is, in its place.
//
// A channel on which nothing happens waits here, so it is written for a small stack: where a connection waits decides
// what its goroutine costs.
func (c *conn) AwaitFrame() (interrupted bool) {
	if !c.reader.CompareAndSwap(readerIdle, readerWaiting) {
		return false
	}
	c.reclaim()
	if c.r < c.w || c.fragOp != 0 || c.rerr != nil {
		return c.awaited(nil)
	}
	c.r, c.w = 0, 0
	return c.awaited(c.fill())
}

// awaited ends AwaitFrame with the error of its read.
func (c *conn) awaited(err error) (interrupted bool) {
	if err == nil {
		c.heard.Store(true)
	} else if !isTimeout(err) {
		if err == io.EOF {
			err = io.ErrUnexpectedEOF
		}
		_ = c.stop(err) // ReadFrame returns it
	}
	if c.reader.CompareAndSwap(readerWaiting, readerIdle) {
		return false
	}
	c.lingers.Lock()
	if c.reader.Load() == readerRoused {
		_ = c.nc.SetReadDeadline(noDeadline)
		c.reader.Store(readerIdle)
		c.lingers.Unlock()
		return err != nil && c.rerr == nil
	}
	c.lingers.Unlock()
	c.reader.Store(readerClosed)
	go c.linger()
	return false
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
