//go:build unix

package ws

import (
	"io"
	"net"
	"sync"
	"syscall"
)

// initRaw prepares reading and writing by readiness of the socket. A connection then needs no buffer while it is idle,
// and a write can be tried without waiting. Only a bare TCP connection qualifies: a wrapper may hold data that the
// socket does not announce.
func (c *conn) initRaw() {
	tc, ok := c.nc.(*net.TCPConn)
	if !ok {
		return
	}
	raw, err := tc.SyscallConn()
	if err != nil {
		return
	}
	c.raw = raw
	c.readFn = c.readReady
}

// readReady reads once; false waits for readiness. The buffer is borrowed and given back here, so that only a
// connection with data to read has one.
func (c *conn) readReady(fd uintptr) bool {
	if c.in == nil {
		c.in = getBuffer(min(c.burst, hugeBuffer))
		c.r, c.w = 0, 0
	}
	for {
		n, err := recv(int(fd), c.in[c.w:])
		switch err {
		case nil:
			if n == len(c.in)-c.w || n > smallBuffer {
				c.burst = max(c.burst, largeBuffer) // there may be more, which is read and answered in one go
			} else {
				c.burst /= 2
			}
			c.readN, c.readErr = n, nil
			return true
		case syscall.EINTR:
			continue
		case syscall.EAGAIN:
			if c.r == c.w {
				putBuffer(c.in)
				c.in, c.r, c.w = nil, 0, 0
			}
			c.turn.waited()
			c.await()
			return false
		default:
			c.readN, c.readErr = 0, err
			return true
		}
	}
}

// attempt is one system call that writes. It is borrowed, with the closure that a RawConn takes, since an idle
// connection writes nothing.
type attempt struct {
	segs [][]byte
	wait bool // for room
	n    int
	err  error
	run  func(fd uintptr) bool
}

var attempts = sync.Pool{New: func() any {
	a := new(attempt)
	a.run = a.write
	return a
}}

// write writes segs once; false waits for room.
func (a *attempt) write(fd uintptr) bool {
	for {
		n, err := writeSegments(int(fd), a.segs)
		switch err {
		case nil:
			a.n, a.err = n, nil
			if n == 0 {
				a.err = io.ErrUnexpectedEOF
			}
			return true
		case syscall.EINTR:
			continue
		case syscall.EAGAIN:
			a.n, a.err = 0, nil
			return !a.wait
		default:
			a.n, a.err = 0, err
			return true
		}
	}
}

// rawWrite writes once and returns how much the kernel took. With wait it waits until that is not nothing, within the
// write deadline; without, n is 0 when there is no room. The caller holds sock.
func (c *conn) rawWrite(segs [][]byte, wait bool) (n int, err error) {
	a := attempts.Get().(*attempt)
	a.segs, a.wait = segs, wait
	err = c.raw.Write(a.run)
	n, failed := a.n, a.err
	a.segs, a.err = nil, nil
	attempts.Put(a)
	if err != nil {
		return 0, err
	}
	if failed != nil {
		return 0, &net.OpError{Op: "write", Net: "tcp", Source: c.nc.LocalAddr(), Addr: c.nc.RemoteAddr(), Err: failed}
	}
	return n, nil
}
