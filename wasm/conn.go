package wasm

import (
	"fmt"
	"io"
	"math"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/kkrpc-go/kkrpc"
	"github.com/kkrpc-go/kkrpc/internal/announce"
	"github.com/kkrpc-go/kkrpc/internal/hibernate"
)

const (
	// crowded is from how many unsent bytes of a socket on nothing more is handed to it.
	crowded = 1 << 20
	// pollInterval is the time between checks of a crowded socket, after a few quick ones. JavaScript's WebSockets do
	// not report when they have sent.
	pollInterval = 20 * time.Millisecond
)

// conn is a socket of the host as a transport.
type conn struct {
	id      int32
	host    host
	in      *kkrpc.Inbox // without a bound of its own: server.makeRoom counts what waits in all of them
	timeout time.Duration
	took    func(n int)          // is told of each message that was read, of n bytes; nil for nobody
	keeper  hibernate.Connection // of a connection that outlives the program; nil for most
	refuse  func()               // ends the connection for bytes that are no text; nil leaves them to the channel
	bytes   bool                 // binary frames were agreed on; set before the first read

	over chan struct{} // closed when the connection has ended
	once sync.Once     // guards the closing of over

	waiting int  // what its messages cost that have not been read; guarded by server.mu
	ended   bool // its channel has ended, or it will have none; likewise

	unsent int      // bytes that the host had not sent when it was last asked; used by who writes
	kept   [][]byte // messages that TryWriteFrames could not hand over; likewise
}

func newConn(h host, id int32, limits kkrpc.Limits) *conn {
	timeout := limits.Write
	if timeout <= 0 {
		timeout = 30 * time.Second
	}
	return &conn{id: id, host: h, in: kkrpc.NewInbox(math.MaxInt), timeout: timeout, over: make(chan struct{})}
}

// ReadFrame implements kkrpc.Transport.
func (c *conn) ReadFrame(buf []byte) (msg []byte, more bool, err error) {
	msg, more, err = c.in.ReadFrame(buf)
	if err != nil {
		return msg, more, err
	}
	if c.took != nil {
		c.took(len(msg))
	}
	if !c.bytes && c.refuse != nil && isFrame(msg) {
		c.refuse()
		return nil, false, errNotText
	}
	if c.keeper != nil {
		c.keeper.Read(msg)
	}
	return msg, more, nil
}

// isFrame reports whether a message is a binary frame of the protocol, which no text is.
func isFrame(msg []byte) bool { return len(msg) > 0 && msg[0] == announce.BinaryFrame }

// ByteMark implements kkrpc.ByteCarrier.
func (c *conn) ByteMark() string {
	if !c.bytes {
		return ""
	}
	return announce.Mark()
}

// Keeper implements hibernate.Transport.
func (c *conn) Keeper() hibernate.Keeper {
	if c.keeper == nil {
		return nil
	}
	return c.keeper
}

// TryWriteFrames passes msgs to the host, unless the host has too much to send. Then it keeps copies, and WriteFrames
// must follow.
func (c *conn) TryWriteFrames(msgs [][]byte) (done bool, err error) {
	if c.unsent >= crowded { // when it was last asked
		c.unsent = c.host.buffered(c.id)
	}
	for i, m := range msgs {
		if c.unsent >= crowded {
			for _, m := range msgs[i:] {
				c.kept = append(c.kept, append([]byte(nil), m...))
			}
			return false, nil
		}
		if err := c.send(m); err != nil {
			return false, err
		}
	}
	return true, nil
}

// WriteFrames implements kkrpc.Transport. It waits while the host has too much to send.
func (c *conn) WriteFrames(msgs [][]byte) error {
	kept := c.kept
	c.kept = nil
	for _, list := range [][][]byte{kept, msgs} {
		for _, m := range list {
			if err := c.drained(); err != nil {
				return err
			}
			if err := c.send(m); err != nil {
				return err
			}
		}
	}
	return nil
}

func (c *conn) send(m []byte) error {
	select {
	case <-c.over:
		return io.ErrClosedPipe
	default:
		c.unsent = c.host.send(c.id, m)
		if c.keeper != nil {
			c.keeper.Wrote()
		}
		return nil
	}
}

// drained waits until the host may be given more. It fails when the host sends nothing for the write timeout.
func (c *conn) drained() error {
	if c.unsent < crowded {
		return nil
	}
	least, since := c.unsent, time.Now()
	pause := time.Millisecond
	tick := time.NewTimer(pause)
	defer tick.Stop()
	for ; ; tick.Reset(pause) {
		select {
		case <-c.over:
			return io.ErrClosedPipe
		case <-tick.C:
		}
		pause = min(2*pause, pollInterval)
		c.unsent = c.host.buffered(c.id)
		switch {
		case c.unsent < crowded:
			return nil
		case c.unsent < least:
			least, since = c.unsent, time.Now()
		case time.Since(since) > c.timeout:
			return fmt.Errorf("wasm: the peer took no data for %v: %w", c.timeout, os.ErrDeadlineExceeded)
		}
	}
}

// Close implements kkrpc.Transport.
func (c *conn) Close(code int, reason string) error {
	c.once.Do(func() {
		close(c.over)
		c.host.close(c.id, sendable(code), clip(reason))
	})
	c.in.Close(io.ErrClosedPipe)
	return nil
}

// sendable replaces close codes that must not cross the network: JavaScript's WebSockets would stay open.
func sendable(code int) int {
	switch {
	case 1000 <= code && code <= 1003, 1007 <= code && code <= 1014, 3000 <= code && code <= 4999:
		return code
	}
	return closeInternal
}

// clip makes reason valid UTF-8 of at most 123 bytes: JavaScript's WebSockets do not close with a longer one.
func clip(reason string) string {
	const most = 123
	reason = strings.ToValidUTF8(reason, "\ufffd")
	if len(reason) <= most {
		return reason
	}
	return strings.ToValidUTF8(reason[:most], "")
}

// gone is Close for a socket that the host has seen close. err is nil for a clean end.
func (c *conn) gone(err error) {
	c.in.Close(err)
	c.once.Do(func() { close(c.over) })
}
