//go:build !js

package ws

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"time"
	"unicode/utf8"

	"github.com/gobwas/ws"
)

// ReadFrame implements kkrpc.Transport. The message is valid UTF-8. A clean close is io.EOF, any other close frame a
// *CloseError, an end without one io.ErrUnexpectedEOF.
func (c *conn) ReadFrame(buf []byte) (msg []byte, more bool, err error) {
	lent, more, err := c.LendFrame()
	if err != nil {
		return nil, more, err
	}
	return append(buf[:0], lent...), more, nil
}

// LendFrame is ReadFrame without the copy: msg is memory of the connection, valid until the next call of LendFrame,
// ReadFrame or Park, whatever Close does in between.
func (c *conn) LendFrame() (msg []byte, more bool, err error) {
	if !c.enter() {
		return nil, false, c.closedErr()
	}
	c.reclaim()
	msg, err = c.next()
	c.sendPong()
	if err == nil {
		more, c.lent = c.buffered(), true
		c.countLent()
	}
	if open := c.leave(); !open && err == nil || isTimeout(err) && c.closed.Load() {
		return nil, false, c.closedErr()
	}
	return msg, more, err
}

// ValidText tells a channel that what ReadFrame returns is UTF-8.
func (c *conn) ValidText() {}

// reclaim ends what LendFrame lent.
func (c *conn) reclaim() {
	c.lent = false
	c.memory.Set(c.account, 0)
	if c.asm != nil && c.fragOp == 0 {
		putBuffer(c.asm)
		c.asm = nil
	}
}

// abandon leaves what was lent to whoever has it, and moves what is unread elsewhere.
func (c *conn) abandon() {
	if !c.lent {
		return
	}
	c.lent = false
	unread := c.in[c.r:c.w]
	c.in = getBuffer(len(unread))
	c.r, c.w = 0, copy(c.in, unread)
	c.idle = nil // it may be what was lent
	if c.fragOp == 0 {
		c.asm = nil
	}
}

// next returns the next message, which aliases in or asm, and heeds control frames on the way.
func (c *conn) next() ([]byte, error) {
	if c.rerr != nil {
		return nil, c.rerr
	}
	for {
		h, payload, err := c.frame()
		if err != nil {
			return nil, c.stop(err)
		}
		if h.Fin && (c.fragOp == 0 || !h.OpCode.IsControl()) {
			c.whole()
		}
		switch {
		case h.OpCode == ws.OpPing:
			c.answer(payload)
			continue
		case h.OpCode == ws.OpPong:
			continue
		case h.OpCode == ws.OpClose:
			return nil, c.stop(c.peerClosed(payload))
		}
		op, zip := h.OpCode, h.Rsv1()
		if op == ws.OpContinuation || !h.Fin {
			if op != ws.OpContinuation {
				c.fragOp, c.fragZip = op, zip
			}
			c.appendFragment(payload)
			if !h.Fin {
				continue
			}
			op, c.fragOp = c.fragOp, 0
			zip, payload = c.fragZip, c.asm
		}
		msg, err := c.message(op, zip, payload)
		if err != nil || c.layer == nil || len(msg) == 0 || msg[0] != controlMark {
			return msg, err
		}
		if err := c.layer.control(c, msg); err != nil {
			return nil, c.stop(err)
		}
		putBuffer(c.asm)
		c.asm = nil
	}
}

// message inflates and checks one whole message.
func (c *conn) message(op ws.OpCode, zip bool, p []byte) ([]byte, error) {
	if zip {
		out, err := inflate(p, c.limit, c.account.Turn)
		putBuffer(c.asm)
		c.asm = out
		if errors.Is(err, errTooLarge) {
			return nil, c.stop(refuse(ws.StatusMessageTooBig, "inflated message is over the limit of %d bytes", c.limit))
		} else if err != nil {
			return nil, c.stop(refuse(ws.StatusInvalidFramePayloadData, "compressed message is corrupt"))
		}
		p = out
	}
	if op == ws.OpBinary && c.carries(p) {
		return p, nil
	}
	if !utf8.Valid(p) {
		if op == ws.OpBinary {
			return nil, c.stop(refuse(ws.StatusUnsupportedData, "binary message is not JSON in UTF-8"))
		}
		return nil, c.stop(refuse(ws.StatusInvalidFramePayloadData, "text message is not UTF-8"))
	}
	return p, nil
}

// refuse is the error for a violation by the peer.
func refuse(code ws.StatusCode, format string, args ...any) *CloseError {
	return &CloseError{Code: int(code), Reason: fmt.Sprintf(format, args...), Sent: true}
}

// stop makes err the end of the reading side.
func (c *conn) stop(err error) error {
	closing, ok := err.(*CloseError)
	switch {
	case ok && closing.Sent:
		c.inbound = inboundBroken
	case ok || err == io.EOF:
		c.inbound = inboundClosed
	}
	if ok {
		c.decide(closing)
	}
	if !(isTimeout(err) && c.closed.Load() && c.reader.Load() != readerClosed) {
		c.rerr = err // before linger, a deadline that passes after Close only hands the reading side to linger
	}
	return err
}

// peerClosed reads the payload of a close frame.
func (c *conn) peerClosed(p []byte) error {
	if len(p) == 1 {
		return refuse(ws.StatusProtocolError, "close frame with half a code")
	}
	if len(p) == 0 {
		c.decide(&CloseError{Code: int(ws.StatusNoStatusRcvd)})
		return io.EOF
	}
	code, reason := ws.ParseCloseFrameData(p)
	if err := checkClose(code, reason); err != nil {
		return refuse(ws.StatusProtocolError, "%s", err)
	}
	v := &CloseError{Code: int(code), Reason: reason}
	if code == ws.StatusNormalClosure || code == ws.StatusGoingAway {
		c.decide(v)
		return io.EOF
	}
	return v
}

// frame returns the next frame, checked and unmasked; the payload aliases in.
func (c *conn) frame() (ws.Header, []byte, error) {
	var (
		h    ws.Header
		size int
		err  error
	)
	for {
		if h, size, err = parseHeader(c.in[c.r:c.w]); err != nil {
			return h, nil, refuse(ws.StatusProtocolError, "%s", err)
		}
		if size > 0 {
			break
		}
		if err := c.need(c.w - c.r + 1); err != nil {
			return h, nil, err
		}
	}
	if err := c.check(h); err != nil {
		return h, nil, err
	}
	total := size + int(h.Length)
	if err := c.need(total); err != nil {
		return h, nil, err
	}
	c.turn.frame(total)
	payload := c.in[c.r+size : c.r+total : c.r+total]
	c.r += total
	c.burst = max(total, min(c.burst, largeBuffer))
	if h.Masked {
		ws.Cipher(payload, h.Mask, 0)
	}
	return h, payload, nil
}

// parseHeader reads a frame header; size is 0 while it is incomplete.
func parseHeader(b []byte) (h ws.Header, size int, err error) {
	if len(b) < 2 {
		return h, 0, nil
	}
	h.Fin = b[0]&0x80 != 0
	h.Rsv = b[0] >> 4 & 7
	h.OpCode = ws.OpCode(b[0] & 15)
	h.Masked = b[1]&0x80 != 0
	length, size := b[1]&0x7f, 2
	switch length {
	case 126:
		size += 2
	case 127:
		size += 8
	}
	mask := size
	if h.Masked {
		size += 4
	}
	if len(b) < size {
		return h, 0, nil
	}
	switch length {
	case 126:
		h.Length = int64(binary.BigEndian.Uint16(b[2:]))
		if h.Length < 126 {
			return h, 0, errors.New("length is not in its shortest form")
		}
	case 127:
		n := binary.BigEndian.Uint64(b[2:])
		if n > 1<<63-1 {
			return h, 0, errors.New("length has its highest bit set")
		}
		if n < 1<<16 {
			return h, 0, errors.New("length is not in its shortest form")
		}
		h.Length = int64(n)
	default:
		h.Length = int64(length)
	}
	if h.Masked {
		copy(h.Mask[:], b[mask:])
	}
	return h, size, nil
}

// check refuses what RFC 6455 forbids and what is over the limit, before any payload is awaited.
func (c *conn) check(h ws.Header) error {
	state := ws.StateServerSide
	if c.client {
		state = ws.StateClientSide
	}
	if c.fragOp != 0 {
		state |= ws.StateFragmented
	}
	zip := c.deflate && (h.OpCode == ws.OpText || h.OpCode == ws.OpBinary)
	if zip {
		state |= ws.StateExtended
	}
	if err := ws.CheckHeader(h, state); err != nil {
		return refuse(ws.StatusProtocolError, "%s", err)
	}
	if zip && h.Rsv&3 != 0 {
		return refuse(ws.StatusProtocolError, "%s", ws.ErrProtocolNonZeroRsv)
	}
	held := 0
	if h.OpCode == ws.OpContinuation {
		held = len(c.asm)
	}
	if !h.OpCode.IsControl() && h.Length > int64(c.limit-held) {
		return refuse(ws.StatusMessageTooBig, "message is over the limit of %d bytes", c.limit)
	}
	return nil
}

// buffered reports whether a whole message, or a close frame that ends the waiting, needs no further read.
func (c *conn) buffered() bool {
	for p := c.in[c.r:c.w]; ; {
		h, size, err := parseHeader(p)
		if err != nil || size == 0 || h.Length > int64(len(p)-size) {
			return false
		}
		if h.Fin && !h.OpCode.IsControl() && (c.layer == nil || c.isMessage(h, p[size:])) {
			return true
		}
		if h.OpCode == ws.OpClose {
			return false
		}
		p = p[size+int(h.Length):]
	}
}

// isMessage reports whether a frame of a session surely is, or ends, a message of the channel: control frames of the session
// are short, and may be compressed.
func (c *conn) isMessage(h ws.Header, payload []byte) bool {
	return h.Length > maxShortControl || h.OpCode != ws.OpContinuation && !h.Rsv1() && !isControl(h, payload)
}

// maxShortControl is how long the payload of a control frame is at most behind the first one, even if it is compressed.
const maxShortControl = 64

// isControl reports whether a frame that is one whole message is a control frame of a session. payload is as it has arrived.
func isControl(h ws.Header, payload []byte) bool {
	return h.Fin && h.OpCode == ws.OpText && h.Rsv == 0 && h.Length > 0 && payload[0]^h.Mask[0] == controlMark
}

// need reads until n bytes are unread in in.
func (c *conn) need(n int) error {
	for c.w-c.r < n {
		c.sendPong() // before its payload moves
		switch {
		case c.in == nil:
		case c.r == c.w:
			c.r, c.w = 0, 0
		case c.r+n > len(c.in) && c.r > 0:
			c.w = copy(c.in, c.in[c.r:c.w])
			c.r = 0
		}
		if c.in != nil && (c.w == len(c.in) || c.burst > smallBuffer && len(c.in) == smallBuffer) {
			c.widen(max(n, min(c.burst, largeBuffer)))
		}
		if c.raw == nil { // otherwise it is known only later whether there is a wait
			c.await()
		}
		c.stopIdleTimer()
		c.turn.next()
		if err := c.fill(); err != nil {
			if err == io.EOF {
				err = io.ErrUnexpectedEOF
			}
			return err
		}
		c.life.Store(lifeHeard)
	}
	return nil
}

// stopIdleTimer makes waits end with data alone.
func (c *conn) stopIdleTimer() {
	if c.idleTimer != idleTimerOff {
		c.idleTimer = idleTimerOff
		c.setReadDeadline(noDeadline)
	}
}

// widen moves what is in in, which begins at 0, to a larger buffer.
func (c *conn) widen(n int) {
	if n > largeBuffer {
		defer c.account.Turn(n)()
	}
	b := grown(c.in[:c.w], n)
	c.in = b[:cap(b)]
	c.countPart()
}

// appendFragment adds a fragment to the message in fragments.
func (c *conn) appendFragment(p []byte) {
	if n := len(c.asm) + len(p); n > cap(c.asm) && n > largeBuffer {
		defer c.account.Turn(n)()
	}
	c.asm = appendGrown(c.asm, p, c.limit)
	c.countPart()
}

// fill reads once into the free part of in, borrowing a buffer if there is none.
func (c *conn) fill() error {
	if c.raw != nil {
		if err := c.raw.Read(c.readFn); err != nil {
			return err
		}
		if c.readErr != nil {
			return &net.OpError{Op: "read", Net: "tcp", Source: c.nc.LocalAddr(), Addr: c.nc.RemoteAddr(), Err: c.readErr}
		}
		if c.readN == 0 {
			return io.EOF
		}
		c.w += c.readN
		return nil
	}
	if c.w == 0 && len(c.in) != idleBuffer {
		putBuffer(c.in)
		if c.idle == nil {
			c.idle = make([]byte, idleBuffer)
		}
		c.in = c.idle
	}
	began := time.Since(epoch)
	n, err := c.nc.Read(c.in[c.w:])
	c.turn.timed(began)
	c.w += n
	if n > 0 {
		err = nil // it will come again
	}
	if c.w == idleBuffer && len(c.in) == idleBuffer {
		c.widen(smallBuffer)
		return errors.Join(err, c.probe())
	}
	return err
}

// probe reads what crypto/tls has already decrypted, without waiting for more, so that a burst is seen as one.
func (c *conn) probe() error {
	if !isTLS(c.nc) {
		return nil
	}
	if c.closed.Load() {
		return nil
	}
	c.setReadDeadline(longAgo)
	n, err := c.nc.Read(c.in[c.w:])
	c.w += n
	c.setReadDeadline(noDeadline)
	c.idleTimer = idleTimerOff
	if n > 0 || isTimeout(err) {
		return nil
	}
	return err
}
