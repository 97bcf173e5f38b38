package stdio

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"

	kkrpc "github.com/kkrpc-go/kkrpc"
)

const (
	bufferBytes = 32 << 10
	// outputBytes is what of a line that is no message is passed on.
	outputBytes = 64 << 10
)

// lines is the buffer of read bytes, in[r:w]. in[r:s] has no newline, or it is a message.
type lines struct {
	in       []byte
	r, s, w  int
	found    bool  // in[r:s] is a message
	skipping bool  // until the next newline: a line too long to be passed on
	rerr     error // why nothing more is read; sticky
	final    error // what ReadFrame makes of it; sticky
}

// ReadFrame implements kkrpc.Transport. A frame is a line with its newline, which separates the messages of the classic
// generation.
func (c *conn) ReadFrame(buf []byte) (msg []byte, more bool, err error) {
	c.reading.Lock()
	defer c.reading.Unlock()
	for {
		switch {
		case c.isClosed():
			return nil, false, errOwnClose
		case c.find():
			msg = append(buf[:0], c.take()...)
			return msg, c.find(), nil
		case c.final != nil:
			return nil, false, c.final
		case c.rerr != nil:
			c.final = c.end(c.rerr)
		default:
			if err := c.fill(); err != nil && !c.isClosed() {
				c.rerr = err // when closed it is Close that interrupted, and drain reads on
			}
		}
	}
}

// find looks for the next message among what has been read, and passes on the lines before it that are none.
func (c *conn) find() bool {
	for !c.found {
		i := bytes.IndexByte(c.in[c.s:c.w], '\n')
		if i < 0 {
			c.s = c.w
			return false
		}
		c.s += i + 1
		line := c.in[c.r:c.s]
		switch {
		case c.skipping:
			c.skipping = false
		case c.isMessage(line):
			c.found = true
			return true
		default:
			c.passOn(line)
		}
		c.r = c.s
	}
	return true
}

// isMessage reports whether a line is for the channel. Over pipes of its own every line is, except for blank ones.
func (c *conn) isMessage(line []byte) bool {
	if c.pipes {
		return len(bytes.TrimSpace(line)) > 0
	}
	return c.filter.isMessage(line)
}

// take returns the message that find found, valid until fill.
func (c *conn) take() []byte {
	line := c.in[c.r:c.s]
	c.r, c.found = c.s, false
	return line
}

// fill reads once. There is no whole line in what has been read.
func (c *conn) fill() error {
	if err := c.bound(); err != nil {
		return err
	}
	c.makeRoom()
	n, err := c.source.Read(c.in[c.w:])
	c.w += n
	if n > 0 {
		c.heard.Store(true)
	}
	switch {
	case n > 0 || err == nil:
		return nil // an error will come again
	case errors.Is(err, os.ErrDeadlineExceeded) && c.isCut.Load():
		err = io.EOF
	case errors.Is(err, os.ErrDeadlineExceeded) && c.isClosed():
		return err
	}
	if c.r < c.w { // the last line has no end
		c.in = append(c.in[:c.w], '\n')
		c.w++
	}
	return err
}

// bound handles a line that is too long. A line that cannot be a message is passed on cut off. Any other ends the
// connection.
func (c *conn) bound() error {
	held := c.in[c.r:c.w]
	switch {
	case c.skipping:
		c.r, c.s, c.w = 0, 0, 0
	case len(held) < min(outputBytes, c.limit):
	case !c.pipes && !mayBeMessage(held):
		if len(held) >= outputBytes {
			c.passOn(held)
			c.skipping = true
			c.r, c.s, c.w = 0, 0, 0
		}
	case len(held) >= c.limit:
		return fmt.Errorf("stdio: a line is over the limit of %d bytes (Limits.Frame): %w", c.limit, kkrpc.ErrLimit)
	}
	return nil
}

// makeRoom sees to it that there is room behind w, and gives back what a long line needed.
func (c *conn) makeRoom() {
	held := c.w - c.r
	switch {
	case held == 0 && len(c.in) != bufferBytes:
		c.in = make([]byte, bufferBytes)
	case c.w < len(c.in):
		return
	case held <= len(c.in)/2:
		copy(c.in, c.in[c.r:c.w])
	default:
		c.in = append(make([]byte, 0, 2*len(c.in)), c.in[c.r:c.w]...)
		c.in = c.in[:cap(c.in)]
	}
	c.r, c.s, c.w = 0, held, held
}
