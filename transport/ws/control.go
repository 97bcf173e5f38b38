//go:build !js

package ws

import (
	"github.com/gobwas/ws"
)

// answer notes a ping. sendPong answers it before the reader waits or returns a message. If several pings have come by
// then, only the last is answered, which RFC 6455 allows in section 5.5.3. A flood of pings thus causes one write for each
// read. payload must stay valid until sendPong. The caller owns the reading side.
func (c *conn) answer(payload []byte) {
	c.owed = payload
}

// sendPong sends the answer that is owed, if any. The caller owns the reading side.
func (c *conn) sendPong() {
	if c.owed == nil {
		return
	}
	c.mu.Lock()
	c.pong = append(c.pong[:0], c.owed...)
	if c.pong == nil {
		c.pong = []byte{}
	}
	c.control.Store(true)
	c.mu.Unlock()
	c.owed = nil
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

// sendAck makes an acknowledgement of the session due.
func (c *conn) sendAck() {
	c.mu.Lock()
	c.ack = true
	c.control.Store(true)
	c.mu.Unlock()
	c.kick()
}

// maxAck is how long an acknowledgement is at most.
const maxAck = len("#ack ") + 16

// kick has due control frames sent and does not wait. It sends them now if it can. Otherwise the current writer sends
// them, or a goroutine that ends with the write timeout or with Close.
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
		sent := !c.control.Load() || c.sendControl()
		if len(c.rest) > 0 && c.restFor == restForNext && c.writable() == nil {
			c.restFor = restForDrain
			go c.drain() // ends within the write timeout, or with Close
		}
		c.sock.Unlock()
		// A goroutine that sets control tries sock afterwards. Either that succeeds, or control is seen here.
		if !sent || !c.control.Load() || !c.sock.TryLock() {
			return
		}
	}
}

// drain sends what a control frame found no room for, as no WriteFrames needs to follow. A peer that takes nothing of
// it loses its connection, with or without a heartbeat.
func (c *conn) drain() {
	c.sock.Lock()
	c.restFor = restForNext
	c.pace.begin()
	err := c.writable()
	if err == nil {
		err = c.sendRest(true)
	}
	c.unlock()
	if err != nil {
		c.abort(err)
	}
}

// sendControl sends due control frames. It returns false if there is no room. The next writer of rest then tries again.
// The caller holds sock.
func (c *conn) sendControl() bool {
	if c.raw != nil && c.writable() == nil {
		if err := c.tryRest(); err == nil && len(c.rest) > 0 {
			return false
		}
	}
	c.mu.Lock()
	pong, ping, ack := c.pong, c.ping, c.ack
	c.pong, c.ping, c.ack = nil, false, false
	c.control.Store(false)
	c.mu.Unlock()
	if c.writable() != nil {
		return true
	}
	var room [3*ws.MaxHeaderSize + ws.MaxControlFramePayloadSize + maxAck]byte
	out := room[:0]
	if pong != nil {
		out = c.appendControl(out, ws.OpPong, pong)
	}
	if ping {
		out = c.appendControl(out, ws.OpPing, nil)
	}
	if ack {
		var text [maxAck]byte
		if p := c.layer.appendAck(c, text[:0]); len(p) > 0 {
			out = c.appendControl(out, ws.OpText, p)
		}
	}
	if len(out) > 0 {
		if err := c.send([][]byte{out}, false); err != nil {
			go c.abort(err) // ends as Close does; perhaps nobody writes any more who could tell the channel
		}
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
