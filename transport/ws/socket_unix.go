//go:build unix

package ws

import (
	"io"
	"net"
	"syscall"
)

// initRaw prepares reading and writing by readiness, which needs no buffer while idle and lets a write be tried
// without waiting. Only a TCP connection itself qualifies: anything around one may hold data that no readiness of the
// socket announces.
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
	c.writeFn = c.writeReady
}

// readReady reads once; false waits for readiness. The buffer is borrowed and given back here, so that only a
// connection with data to read has one.
func (c *conn) readReady(fd uintptr) bool {
	if c.in == nil {
		c.in = getBuffer(min(c.last, hugeBuffer))
		c.r, c.w = 0, 0
	}
	for {
		n, err := syscall.Read(int(fd), c.in[c.w:])
		switch err {
		case nil:
			c.readN, c.readErr = n, nil
			return true
		case syscall.EINTR:
			continue
		case syscall.EAGAIN:
			if c.r == c.w {
				putBuffer(c.in)
				c.in, c.r, c.w = nil, 0, 0
			}
			c.await()
			return false
		default:
			c.readN, c.readErr = 0, err
			return true
		}
	}
}

// writeReady writes segs once; false waits for room.
func (c *conn) writeReady(fd uintptr) bool {
	for {
		n, err := writeSegments(int(fd), c.segs)
		switch err {
		case nil:
			c.wroteN, c.wroteErr = n, nil
			if n == 0 {
				c.wroteErr = io.ErrUnexpectedEOF
			}
			return true
		case syscall.EINTR:
			continue
		case syscall.EAGAIN:
			c.wroteN, c.wroteErr = 0, nil
			return !c.mayWait
		default:
			c.wroteN, c.wroteErr = 0, err
			return true
		}
	}
}

// rawWrite writes once and returns how much the kernel took. With wait it waits until that is not nothing, within the
// write deadline; without, n is 0 when there is no room. The caller holds sock.
func (c *conn) rawWrite(segs [][]byte, wait bool) (n int, err error) {
	c.segs, c.mayWait = segs, wait
	err = c.raw.Write(c.writeFn)
	c.segs = nil
	if err != nil {
		return 0, err
	}
	if c.wroteErr != nil {
		return 0, &net.OpError{Op: "write", Net: "tcp", Source: c.nc.LocalAddr(), Addr: c.nc.RemoteAddr(), Err: c.wroteErr}
	}
	return c.wroteN, nil
}
