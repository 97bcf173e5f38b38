package stdio

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"sync"
	"sync/atomic"
	"time"

	kkrpc "github.com/kkrpc-go/kkrpc"
)

// lingerTime is how long a closed transport goes on reading, so that the peer's last writes do not fail.
const lingerTime = 2 * time.Second

// errOwnClose is what a closed transport returns.
var errOwnClose = fmt.Errorf("stdio: closed by this side: %w", io.ErrClosedPipe)

// conn is a Transport over a reader and a writer, one message a line.
type conn struct {
	// Immutable.
	source  source
	sink    sink
	output  io.Writer
	limit   int // of a line, in bytes
	timeout time.Duration
	linger  time.Duration         // 0: until the peer closes, or cut
	explain func(err error) error // says more of the error that ends reading or writing; may be nil

	reading sync.Mutex // held by ReadFrame and by drain; guards the fields of read.go
	lines

	out  []byte // lines on their way; owned by who writes
	werr error  // likewise; sticky

	closing sync.Once
	code    int           // that of Close; set before closed is closed
	closed  chan struct{} // closed by Close
	isCut   atomic.Bool   // the reader is not to be waited for
	drained chan struct{} // closed once the reader is closed
}

// New returns a Transport that reads messages from r and writes messages to w, one a line: a channel over anything
// that carries bytes. Of opts it takes Output and RPC.Limits. Close closes w, reads r until it ends, for at most 2 s,
// and closes it; either only if it is an io.Closer. A Read or Write of other than pipes and connections is left
// behind, blocked, if closing does not end it.
func New(r io.Reader, w io.Writer, opts *Options) kkrpc.Transport {
	return newConn(newSource(r), newSink(w), opts.withDefaults())
}

func newConn(r source, w sink, o Options) *conn {
	limits := o.RPC.Limits
	return &conn{
		source:  r,
		sink:    w,
		output:  o.Output,
		limit:   cmp.Or(max(limits.Frame, 0), defaultFrame),
		timeout: cmp.Or(max(limits.Write, 0), defaultWrite),
		linger:  lingerTime,
		closed:  make(chan struct{}),
		drained: make(chan struct{}),
	}
}

// Close implements kkrpc.Transport. The peer sees the end of its input: there is no way to tell it the code.
func (c *conn) Close(code int, _ string) error {
	c.closing.Do(func() {
		c.code = code
		close(c.closed)
		c.sink.close()
		c.source.interrupt()
		go c.drain() // ends with the reader, after linger, or by cut
	})
	return nil
}

func (c *conn) isClosed() bool {
	select {
	case <-c.closed:
		return true
	default:
		return false
	}
}

// cut makes the reader end as if the peer had closed it.
func (c *conn) cut() {
	c.isCut.Store(true)
	c.source.interrupt()
}

// drain takes the reader over from ReadFrame once the transport is closed. Lines that are no messages still go to Output:
// they are often what explains the end.
func (c *conn) drain() {
	c.reading.Lock()
	defer c.reading.Unlock()
	c.source.resume()
	if c.isCut.Load() {
		c.source.interrupt() // it may have been the one that was taken back
	}
	if c.linger > 0 {
		limit := time.AfterFunc(c.linger, c.cut)
		defer limit.Stop()
	}
	for {
		for c.find() {
			c.take()
		}
		if c.rerr == nil {
			c.rerr = c.fill()
		}
		if c.rerr != nil {
			break
		}
	}
	c.source.close()
	close(c.drained)
}

// end is the error that reading or writing ends with, which failed with err.
func (c *conn) end(err error) error {
	switch {
	case c.isClosed():
		return errOwnClose
	case c.explain != nil:
		return c.explain(err)
	case errors.Is(err, io.EOF):
		return io.EOF
	default:
		return err
	}
}
