package ws

import (
	"github.com/gobwas/ws"
)

// answer makes a pong due. Of several pings only the last is answered if the first answer could not be sent yet
// (RFC 6455, section 5.5.3), so a peer that pings and does not read costs nothing.
func (c *conn) answer(payload []byte) {
	c.mu.Lock()
	c.pong = append(c.pong[:0], payload...)
	if c.pong == nil {
		c.pong = []byte{}
	}
	c.control.Store(true)
	c.mu.Unlock()
	c.kick()
}

// sendPing makes a ping due.
func (c *conn) sendPing() {
	c.mu.Lock()
	c.ping = true
	c.control.Store(true)
	c.mu.Unlock()
	c.kick()
}

// kick has due control frames sent without waiting: now, or by whoever is writing, or by a goroutine that ends with
// the write timeout or with Close.
func (c *conn) kick() {
	if !c.sock.TryLock() {
		return
	}
	if c.raw == nil {
		go c.unlock()
		return
	}
	c.unlock()
}

// unlock sends the control frames that became due and releases sock.
func (c *conn) unlock() {
	for {
		if c.control.Load() && !c.sendControl() {
			c.sock.Unlock()
			return
		}
		c.sock.Unlock()
		// Who sets control tries sock afterwards: either that succeeds, or control is seen here.
		if !c.control.Load() || !c.sock.TryLock() {
			return
		}
	}
}

// sendControl sends what is due; false means that there is no room, and that the next write is to try again. The
// caller holds sock.
func (c *conn) sendControl() bool {
	if c.raw != nil && c.writable() == nil {
		if err := c.tryRest(); err == nil && len(c.rest) > 0 {
			return false
		}
	}
	c.mu.Lock()
	pong, ping := c.pong, c.ping
	c.pong, c.ping = nil, false
	c.control.Store(false)
	c.mu.Unlock()
	if c.writable() != nil {
		return true
	}
	var room [2*ws.MaxHeaderSize + ws.MaxControlFramePayloadSize]byte
	out := room[:0]
	if pong != nil {
		out = c.appendControl(out, ws.OpPong, pong)
	}
	if ping {
		out = c.appendControl(out, ws.OpPing, nil)
	}
	if len(out) > 0 {
		_ = c.send([][]byte{out}, false) // the error stays in werr for the next write; after Close nobody cares
	}
	return true
}

// appendControl appends a control frame.
func (c *conn) appendControl(b []byte, op ws.OpCode, payload []byte) []byte {
	b, mask := c.appendHeader(b, op, false, len(payload))
	at := len(b)
	b = append(b, payload...)
	if c.client {
		ws.Cipher(b[at:], mask, 0)
	}
	return b
}
