//go:build !js

package ws

import (
	"encoding/binary"
	"math"
	"math/rand/v2"
	"net"
	"sync"

	"github.com/gobwas/ws"

	"github.com/kkrpc-go/kkrpc/internal/announce"
)

const (
	// straight is the size from which a payload is written from the caller's memory. Smaller ones are copied together.
	straight = 16 << 10
	// maxSegments is how many pieces go into one system call.
	maxSegments = 16
)

// batch collects the frames of one WriteFrames.
type batch struct {
	buf  []byte // headers and small payloads; borrowed
	from int    // where in buf the open segment starts
	segs [][]byte
	wait bool // block until everything is sent; otherwise what the kernel does not take goes to rest

	array [maxSegments][]byte
}

var batches = sync.Pool{New: func() any { return new(batch) }}

// WriteFrames implements kkrpc.Transport. It first sends the bytes that TryWriteFrames kept; msgs may be empty. If the
// peer takes nothing for the write timeout, the error wraps os.ErrDeadlineExceeded. A slow but steady peer causes no error.
func (c *conn) WriteFrames(msgs [][]byte) error {
	c.sock.Lock()
	defer c.unlock()
	c.pace.begin()
	if err := c.writable(); err != nil {
		return err
	}
	if c.restFor == restForWriter {
		c.restFor = restForNext
	}
	if err := c.sendRest(c.raw != nil); err != nil {
		return err
	}
	c.mu.Lock()
	c.rest, c.queued = c.queued, nil
	c.mu.Unlock()
	c.countSpare()
	if err := c.sendRest(false); err != nil {
		return err
	}
	return c.write(msgs, true)
}

// TryWriteFrames is WriteFrames without waiting. If done is false, the transport keeps a copy of the bytes that the peer
// did not take. Nothing bounds that copy, so the caller counts it. A WriteFrames has to follow, with or without messages.
// done is always false under TLS, and on systems that cannot tell whether a write would wait.
//
// One goroutine at a time calls TryWriteFrames and WriteFrames.
func (c *conn) TryWriteFrames(msgs [][]byte) (done bool, err error) {
	if c.raw == nil || !c.sock.TryLock() { // a control frame may be waiting for room
		return c.queue(msgs)
	}
	defer c.unlock()
	if err := c.writable(); err != nil {
		return false, err
	}
	if err := c.tryRest(); err != nil {
		return false, err
	}
	if err := c.write(msgs, false); err != nil {
		return false, err
	}
	if len(c.rest) == 0 {
		return true, nil
	}
	if c.restFor == restForNext {
		c.restFor = restForWriter
	}
	return false, nil
}

// queue keeps msgs for WriteFrames.
func (c *conn) queue(msgs [][]byte) (done bool, err error) {
	if c.closed.Load() {
		return false, c.closedErr()
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, m := range msgs {
		c.queued = c.appendMessage(c.queued, m)
	}
	return len(c.queued) == 0, nil
}

// sendRest waits until rest is sent, which may begin inside a frame if mid is set. The caller holds sock.
func (c *conn) sendRest(mid bool) error {
	rest := c.rest
	if len(rest) == 0 {
		return nil
	}
	c.rest, c.outbound = nil, outboundWhole
	if mid {
		c.outbound = outboundInside
	}
	if err := c.send([][]byte{rest}, true); err != nil {
		if c.werr == nil {
			c.rest = rest // Close sends it
		}
		return err
	}
	c.outbound = outboundWhole
	putBuffer(rest)
	c.countSpare()
	return nil
}

// writable is nil if data may still be written. The caller holds sock.
func (c *conn) writable() error {
	if c.closed.Load() {
		return c.closedErr()
	}
	return c.werr
}

// write frames msgs and sends them. The caller holds sock.
func (c *conn) write(msgs [][]byte, wait bool) error {
	if len(msgs) == 0 {
		return nil
	}
	b := batches.Get().(*batch)
	b.segs, b.wait = b.array[:0], wait
	size := 0
	var room [maxAck]byte
	var ack []byte
	if c.layer != nil {
		ack = c.layer.appendAck(c, room[:0])
		size = len(ack) + ws.MaxHeaderSize
	}
	for _, m := range msgs {
		size += ws.MaxHeaderSize
		if !c.straight(m) {
			size += len(m)
		}
	}
	if size > smallBuffer {
		size = largeBuffer
	}
	b.buf = getBuffer(size)[:0]

	var err error
	if len(ack) > 0 {
		err = c.add(b, ws.OpText, ack, false)
	}
	for i := 0; i < len(msgs) && err == nil; i++ {
		p, zip := msgs[i], false
		if c.deflate && len(p) >= minDeflate && !c.carries(p) {
			z := deflate(p)
			if zip = z.Len() < len(p); zip {
				err = c.add(b, ws.OpText, z.Bytes(), true)
			}
			putDeflated(z)
		}
		if !zip {
			err = c.add(b, c.opcode(p), p, false)
		}
	}
	if err == nil {
		err = c.flush(b)
	}
	putBuffer(b.buf)
	b.array = [maxSegments][]byte{}
	b.buf, b.segs, b.from = nil, nil, 0
	batches.Put(b)
	return err
}

// straight reports whether p is written from where it lies.
func (c *conn) straight(p []byte) bool {
	return len(p) >= straight && c.raw != nil && !c.client && !c.deflate
}

// add appends one message to b, flushing when b is full.
func (c *conn) add(b *batch, op ws.OpCode, p []byte, zip bool) error {
	direct := c.straight(p)
	room := cap(b.buf) - len(b.buf)
	if room < ws.MaxHeaderSize || !direct && room < ws.MaxHeaderSize+min(len(p), smallBuffer) {
		if err := c.flush(b); err != nil {
			return err
		}
	}
	var mask [4]byte
	b.buf, mask = c.appendHeader(b.buf, op, zip, len(p))
	if direct {
		b.segs = append(b.segs, b.buf[b.from:], p)
		b.from = len(b.buf)
		if len(b.segs) > maxSegments-3 {
			return c.flush(b)
		}
		return nil
	}
	for done := 0; done < len(p); {
		n := min(cap(b.buf)-len(b.buf), len(p)-done)
		if n == 0 {
			if err := c.flush(b); err != nil {
				return err
			}
			c.outbound = outboundInside
			continue
		}
		at := len(b.buf)
		b.buf = append(b.buf, p[done:done+n]...)
		if c.client {
			ws.Cipher(b.buf[at:], mask, done)
		}
		done += n
	}
	return nil
}

// flush sends what b holds.
func (c *conn) flush(b *batch) error {
	if b.from < len(b.buf) {
		b.segs = append(b.segs, b.buf[b.from:])
	}
	err := c.send(b.segs, b.wait)
	b.buf, b.segs, b.from = b.buf[:0], b.array[:0], 0
	if err == nil {
		c.outbound = outboundWhole
	}
	return err
}

// send writes segs, which it changes; without wait it keeps in rest what there is no room for. The caller holds sock.
// When Close comes before anything was written, the stream is as it was and werr stays nil.
func (c *conn) send(segs [][]byte, wait bool) error {
	send := c.sendReady
	if c.raw == nil {
		send = c.sendBlocking
	}
	started, err := send(segs, wait)
	if err == nil {
		return nil
	}
	closed := c.closed.Load()
	if closed {
		err = c.closedErr()
	} else if isTimeout(err) {
		err = c.late()
	}
	if !closed || started || c.outbound == outboundInside {
		c.werr = err
	}
	return err
}

// sendReady is send where a write can be tried. started reports whether anything was written.
func (c *conn) sendReady(segs [][]byte, wait bool) (started bool, err error) {
	if !wait && len(c.rest) > 0 {
		c.keep(segs)
		return false, nil
	}
	waiting := false
	for len(segs) > 0 {
		n, err := c.rawWrite(segs, waiting)
		switch {
		case err != nil:
			return started, err
		case n > 0:
			started = true
			if waiting {
				c.pace.taken(n)
				c.life.Store(lifeHeard) // a peer that takes data lives: no ping can get past what is being written
			}
			segs = advance(segs, n)
		case !wait:
			c.keep(segs)
			return started, nil
		default:
			waiting = true
		}
		if waiting {
			_ = c.nc.SetWriteDeadline(c.pace.deadline(c.timeout))
			if c.closed.Load() { // Close sets its deadline after closed: one of the two is seen
				return started, net.ErrClosed
			}
		}
	}
	if waiting {
		_ = c.nc.SetWriteDeadline(noDeadline)
	}
	return started, nil
}

// sendBlocking is send where a write cannot be tried.
func (c *conn) sendBlocking(segs [][]byte, _ bool) (started bool, err error) {
	for _, s := range segs {
		for len(s) > 0 {
			n := min(len(s), 64<<10) // so that the deadline measures progress
			_ = c.nc.SetWriteDeadline(c.pace.deadline(c.timeout))
			if c.closed.Load() {
				return started, net.ErrClosed
			}
			started = true
			if _, err := c.nc.Write(s[:n]); err != nil {
				return started, err
			}
			c.pace.taken(n)
			if len(s) > n {
				c.life.Store(lifeHeard) // a peer that takes data lives: no ping can get past what is being written
			}
			s = s[n:]
		}
	}
	return started, nil
}

// keep copies segs to rest.
func (c *conn) keep(segs [][]byte) {
	for _, s := range segs {
		c.rest = appendGrown(c.rest, s, math.MaxInt)
	}
	c.countSpare()
}

// countSpare counts the room in rest. The caller of TryWriteFrames counts what is in it, until the connection is closed. The
// caller of countSpare holds sock.
func (c *conn) countSpare() {
	n := cap(c.rest)
	if !c.closed.Load() {
		n -= len(c.rest)
	}
	c.spare.Set(c.account, n)
}

// advance drops the first n bytes of segs.
func advance(segs [][]byte, n int) [][]byte {
	for len(segs) > 0 && n >= len(segs[0]) {
		n -= len(segs[0])
		segs = segs[1:]
	}
	if n > 0 {
		segs[0] = segs[0][n:]
	}
	return segs
}

// tryRest sends of rest what there is room for. The caller holds sock and has raw.
func (c *conn) tryRest() error {
	if len(c.rest) == 0 {
		return nil
	}
	rest := c.rest
	c.rest = nil
	err := c.send([][]byte{rest}, false)
	putBuffer(rest) // send made a copy of what is left
	c.countSpare()
	return err
}

// appendHeader appends a frame header and returns the mask of its payload.
func (c *conn) appendHeader(b []byte, op ws.OpCode, zip bool, n int) (_ []byte, mask [4]byte) {
	first := 0x80 | byte(op)
	if zip {
		first |= 0x40
	}
	var masked byte
	if c.client {
		masked = 0x80
	}
	switch {
	case n < 126:
		b = append(b, first, masked|byte(n))
	case n < 1<<16:
		b = append(b, first, masked|126)
		b = binary.BigEndian.AppendUint16(b, uint16(n))
	default:
		b = append(b, first, masked|127)
		b = binary.BigEndian.AppendUint64(b, uint64(n))
	}
	if c.client {
		binary.LittleEndian.PutUint32(mask[:], rand.Uint32())
		b = append(b, mask[:]...)
	}
	return b, mask
}

// carries reports whether p is a binary frame of the protocol.
func (c *conn) carries(p []byte) bool { return c.bytes && len(p) > 0 && p[0] == announce.BinaryFrame }

func (c *conn) opcode(p []byte) ws.OpCode {
	if c.carries(p) {
		return ws.OpBinary
	}
	return ws.OpText
}

// appendMessage appends a whole frame to b, a buffer of getBuffer.
func (c *conn) appendMessage(b, p []byte) []byte {
	op, zip := c.opcode(p), false
	if c.deflate && len(p) >= minDeflate && op == ws.OpText {
		z := deflate(p)
		defer putDeflated(z)
		if zip = z.Len() < len(p); zip {
			p = z.Bytes()
		}
	}
	var head [ws.MaxHeaderSize]byte
	h, mask := c.appendHeader(head[:0], op, zip, len(p))
	b = appendGrown(b, h, math.MaxInt)
	at := len(b)
	b = appendGrown(b, p, math.MaxInt)
	if c.client {
		ws.Cipher(b[at:], mask, 0)
	}
	return b
}
