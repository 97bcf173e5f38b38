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
	"github.com/kkrpc-go/kkrpc/internal/wire"
)

// lingerTime is the time for which a closed transport keeps reading. The last writes of the peer then do not fail.
const lingerTime = 2 * time.Second

// errOwnClose is the error of a transport that this side has closed.
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

	pipes bool // nothing but messages arrives: Options.Pipes

	reading sync.Mutex // held by ReadFrame and by drain; guards lines and filter
	lines
	filter filter
	heard  atomic.Bool // something has arrived

	out  []byte // lines on their way; owned by who writes
	werr error  // likewise; sticky

	closing sync.Once
	code    int           // that of Close; set before closed is closed
	closed  chan struct{} // closed by Close
	isCut   atomic.Bool   // the reader is not to be waited for
	drained chan struct{} // closed once the reader is closed
}

// New returns a Transport that reads messages from r and writes messages to w, one a line. It works over anything that
// carries bytes. It uses Output, Pipes, RPC.Dialect and RPC.Limits of opts.
//
// Close closes w, reads r until it ends, for at most 2 s, and closes r. It closes w and r only if they are io.Closers.
// If closing does not end a blocked Read or Write, Close leaves it behind. Pipes and connections always end.
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
		pipes:   o.Pipes,
		filter:  filter{dialect: wire.Dialect(o.RPC.Dialect)},
		closed:  make(chan struct{}),
		drained: make(chan struct{}),
	}
}

// Close implements kkrpc.Transport. The peer sees the end of its input. The code cannot be sent.
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

// drain reads on in place of ReadFrame once the transport is closed. Lines that are not messages still go to Output,
// because they often explain the end.
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
