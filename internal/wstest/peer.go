package wstest

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"sync"
	"time"
	"unicode/utf8"
)

// patience is how long a case may take.
const patience = 10 * time.Second

// peer is a connection after the handshake.
type peer struct {
	nc     net.Conn
	br     *bufio.Reader
	client bool
	out    *compression // nil without compression
	in     *compression

	mu       sync.Mutex
	arrived  sync.Cond
	seen     record
	finished bool // nothing more arrives
	sent     bool // a close frame was sent, by the case or in answer
}

func newPeer(nc net.Conn, br *bufio.Reader, client bool) *peer {
	p := &peer{nc: nc, br: br, client: client}
	p.arrived.L = &p.mu
	return p
}

// play sends what the case says and returns what was seen.
func (p *peer) play(c *Case) record {
	defer p.nc.Close()
	_ = p.nc.SetDeadline(time.Now().Add(patience))
	p.seen.plain = c.Compress != nil && p.out == nil
	done := make(chan struct{})
	go func() {
		defer close(done)
		p.receive()
	}()
	for _, s := range c.steps {
		p.send(s, c.octet)
		p.await(c.Outcome, min(s.wait, len(c.Outcome.events)))
	}
	if c.Outcome.ends {
		p.await(c.Outcome, len(c.Outcome.events))
		p.mu.Lock()
		first := !p.sent
		p.sent = true
		p.mu.Unlock()
		if first {
			p.send(step{frames: []Frame{closing(1000, "")}}, c.octet)
		}
	}
	<-done
	return p.seen
}

// send writes frames. An endpoint that has closed need not take them.
func (p *peer) send(s step, octet bool) {
	frames := s.frames
	if s.message != nil {
		frames = p.messageFrames(s)
	}
	how := s.cut
	if octet {
		how = octets
	}
	var b []byte
	for _, f := range frames {
		if f.op == opClose {
			p.mu.Lock()
			p.sent = true
			p.mu.Unlock()
		}
		b = f.append(b, p.client, rand.Uint32())
		if how == byFrame {
			_, _ = p.nc.Write(b)
			b = b[:0]
		}
	}
	n := len(b)
	if how > 0 {
		n = int(how)
	}
	for len(b) > 0 {
		if _, err := p.nc.Write(b[:min(n, len(b))]); err != nil {
			return
		}
		b = b[min(n, len(b)):]
	}
}

// messageFrames is a message as frames, compressed if that was agreed.
func (p *peer) messageFrames(s step) []Frame {
	payload, bits := s.message, byte(0)
	if p.out != nil {
		payload, bits = p.out.deflate(payload), 4
	}
	size := s.fragment
	if size == 0 {
		size = len(payload)
	}
	frames := fragments(s.op, string(payload), max(size, 1))
	frames[0].rsv = bits
	return frames
}

// await waits until the first n events have arrived, or nothing more arrives.
func (p *peer) await(o Outcome, n int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for !p.finished && !o.arrived(p.seen.events, n) && len(p.seen.events) < n {
		p.arrived.Wait()
	}
}

// receive notes all that arrives, up to the end of the connection.
func (p *peer) receive() {
	err := p.events()
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.seen.problem = err; err != nil && len(p.seen.events) > 0 {
		p.seen.problem = fmt.Errorf("%w, after %v", err, p.seen.events)
	}
	p.finished = true
	p.arrived.Broadcast()
}

func (p *peer) events() error {
	var message []byte
	var op byte // of the message that has begun
	var zip bool
	for {
		f, err := readFrame(p.br, !p.client)
		if err != nil {
			return p.ended(err)
		}
		switch {
		case f.rsv&3 != 0 || f.rsv != 0 && (p.in == nil || f.op == opContinuation):
			return fmt.Errorf("reserved bits %d in a frame with opcode %d", f.rsv, f.op)
		case f.op == opClose:
			return p.closed(f.payload)
		case f.op == opPing || f.op == opPong:
			p.note(event{f.op, f.payload})
			continue
		case f.op == opContinuation && op == 0 || f.op != opContinuation && op != 0 || f.op > opBinary:
			return fmt.Errorf("opcode %d out of turn", f.op)
		case f.op != opContinuation:
			op, zip, message = f.op, f.rsv != 0, nil
		}
		message = append(message, f.payload...)
		if f.more {
			continue
		}
		if zip {
			if message, err = p.in.inflate(message); err != nil {
				return err
			}
		}
		if op == opText && !utf8.Valid(message) {
			return errors.New("a text message that is not UTF-8")
		}
		p.note(event{op, message})
		op = 0
	}
}

func (p *peer) note(e event) {
	p.mu.Lock()
	p.seen.events = append(p.seen.events, e)
	p.mu.Unlock()
	p.arrived.Broadcast()
}

// closed handles the close frame of the endpoint, after which only the end of the connection may come.
func (p *peer) closed(payload []byte) error {
	code := codeNone
	switch {
	case len(payload) == 1:
		return errors.New("a close frame with half a code")
	case len(payload) > 1:
		code = int(payload[0])<<8 | int(payload[1])
		if !utf8.Valid(payload[2:]) {
			return errors.New("a close frame whose reason is not UTF-8")
		}
		if !sendable(code) {
			return fmt.Errorf("a close frame with code %d", code)
		}
	}
	p.mu.Lock()
	p.seen.closed, p.seen.code = true, code
	answer := !p.sent
	p.sent = true
	p.mu.Unlock()
	if answer {
		_, _ = p.nc.Write(closing(code, "").append(nil, p.client, rand.Uint32()))
	}
	if !p.client { // servers close the connection first
		return p.nc.Close()
	}
	n, err := io.Copy(io.Discard, p.br)
	if n > 0 {
		return fmt.Errorf("%d octets after the close frame", n)
	}
	var timeout net.Error
	if !answer && !(errors.As(err, &timeout) && timeout.Timeout()) {
		return nil // a case may send more after its close frame, on which the connection is reset
	}
	return p.ended(err)
}

// ended says what is wrong with the end of a connection.
func (p *peer) ended(err error) error {
	var timeout net.Error
	if errors.As(err, &timeout) && timeout.Timeout() {
		return fmt.Errorf("nothing more arrives, and the connection is still open after %v", patience)
	}
	if err == io.ErrUnexpectedEOF {
		return errors.New("half a frame at the end")
	}
	if p.client && err != nil && err != io.EOF {
		return fmt.Errorf("the connection ends with %w", err)
	}
	return nil // a server may have closed it itself
}

// sendable reports whether a close frame may have code.
func sendable(code int) bool {
	return 1000 <= code && code <= 1014 && code != 1004 && code != 1005 && code != 1006 || 3000 <= code && code <= 4999
}
