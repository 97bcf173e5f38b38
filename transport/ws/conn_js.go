package ws

import (
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"sync"
	"syscall/js"
	"time"

	kkrpc "github.com/kkrpc-go/kkrpc"
)

const (
	// maxBuffered is how many bytes the host may hold that are not sent yet, before a write waits.
	maxBuffered = 1 << 20
	// lookAgain is how long a write waits between two looks: the host has no event for it.
	lookAgain = 5 * time.Millisecond
	// inboxBytes is what messages may take that arrived faster than they are read. The host offers no way to make the peer wait.
	inboxBytes = 16 << 20
)

var events = []string{"onopen", "onmessage", "onerror", "onclose"}

// conn is one WebSocket of the JavaScript host. It implements kkrpc.Transport.
type conn struct {
	// Immutable.
	socket  js.Value
	event   js.Func // handles all events; released by the last one
	limit   int     // of an inbound message, in bytes
	timeout time.Duration
	inbox   *kkrpc.Inbox
	opened  chan struct{} // closed by the event open
	ended   chan struct{} // closed by Close and by the event close

	mu      sync.Mutex
	closed  bool
	failure string // what the event error told
}

// newConn takes a WebSocket that is connecting.
func newConn(socket js.Value, limits kkrpc.Limits) *conn {
	c := &conn{socket: socket, limit: limits.Frame, timeout: limits.Write, opened: make(chan struct{}), ended: make(chan struct{})}
	if c.limit <= 0 {
		c.limit = 4 << 20
	}
	if c.timeout <= 0 {
		c.timeout = 30 * time.Second
	}
	c.inbox = kkrpc.NewInbox(max(inboxBytes, c.limit))
	c.event = js.FuncOf(c.handle)
	socket.Set("binaryType", "arraybuffer")
	for _, name := range events {
		socket.Set(name, c.event)
	}
	return c
}

// handle is called by the host with each event, which waits until it returns.
func (c *conn) handle(_ js.Value, args []js.Value) any {
	event := args[0]
	switch event.Get("type").String() {
	case "open":
		close(c.opened)
	case "message":
		if v := c.receive(event.Get("data")); v != nil {
			c.inbox.Close(v)
			_ = c.Close(v.Code, v.Reason)
		}
	case "error":
		if message := event.Get("message"); message.Type() == js.TypeString {
			c.mu.Lock()
			c.failure = message.String()
			c.mu.Unlock()
		}
		select {
		case <-c.opened: // the event close follows
		default: // and here too, but not in Node 20
			c.finish(io.ErrUnexpectedEOF)
		}
	case "close":
		c.finish(closeCause(event.Get("code").Int(), event.Get("reason").String()))
	}
	return nil
}

// finish ends c after the last event, and frees what listens to them.
func (c *conn) finish(cause error) {
	c.inbox.Close(cause)
	c.end()
	for _, name := range events {
		c.socket.Set(name, nil)
	}
	c.event.Release()
}

// receive queues a message. It returns why the connection has to close.
func (c *conn) receive(data js.Value) *CloseError {
	tooLarge := &CloseError{Code: 1009, Reason: fmt.Sprintf("message over %d bytes", c.limit), Sent: true}
	var msg []byte
	switch {
	case data.Type() == js.TypeString:
		if js.Global().Get("Object").Invoke(data).Get("length").Int() > c.limit { // a unit of UTF-16 is a byte of UTF-8 at least
			return tooLarge
		}
		msg = []byte(data.String())
	default:
		if !data.InstanceOf(js.Global().Get("Uint8Array")) {
			data = js.Global().Get("Uint8Array").New(data)
		}
		n := data.Length()
		if n > c.limit {
			return tooLarge
		}
		msg = make([]byte, n)
		js.CopyBytesToGo(msg, data)
	}
	if len(msg) > c.limit {
		return tooLarge
	}
	if err := c.inbox.Push(msg); errors.Is(err, kkrpc.ErrLimit) {
		return &CloseError{Code: 1009, Reason: "messages arrive faster than they are handled", Sent: true}
	}
	return nil // or closed: what comes late is dropped
}

// closeCause is what ReadFrame returns after a close event; nil for a clean close.
func closeCause(code int, reason string) error {
	switch code {
	case 1000, 1001, 1005:
		return nil
	case 1006: // no close frame
		return io.ErrUnexpectedEOF
	}
	return &CloseError{Code: code, Reason: reason}
}

// refused is why a WebSocket did not open.
func (c *conn) refused() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.failure != "" {
		return fmt.Errorf("the host could not connect: %s", c.failure)
	}
	return errors.New("the host could not connect and does not say why: it may be the address, the certificate or an answer such as 401 or 403")
}

// ReadFrame implements kkrpc.Transport. A clean close is io.EOF, any other close frame a *CloseError, an end without one
// io.ErrUnexpectedEOF.
func (c *conn) ReadFrame(buf []byte) (msg []byte, more bool, err error) {
	return c.inbox.ReadFrame(buf)
}

// WriteFrames implements kkrpc.Transport. A host that sends nothing for the write timeout fails it with an error that wraps
// os.ErrDeadlineExceeded.
func (c *conn) WriteFrames(msgs [][]byte) error {
	for _, m := range msgs {
		if err := c.send(m); err != nil {
			return err
		}
		if err := c.wait(); err != nil {
			return err
		}
	}
	return c.wait()
}

// TryWriteFrames is WriteFrames without waiting: with done false a WriteFrames has to follow.
func (c *conn) TryWriteFrames(msgs [][]byte) (done bool, err error) {
	for _, m := range msgs {
		if err := c.send(m); err != nil {
			return false, err
		}
	}
	return c.buffered() <= maxBuffered, nil
}

// send gives a message to the host, which keeps it until it is sent.
func (c *conn) send(msg []byte) error {
	select {
	case <-c.ended:
		return net.ErrClosed
	default:
	}
	if err := try(func() { c.socket.Call("send", string(msg)) }); err != nil {
		return fmt.Errorf("ws: send: %w", err)
	}
	return nil
}

func (c *conn) buffered() int { return c.socket.Get("bufferedAmount").Int() }

// wait blocks while the host holds too much that is not sent.
func (c *conn) wait() error {
	before := c.buffered()
	if before <= maxBuffered {
		return nil
	}
	timer := time.NewTimer(lookAgain)
	defer timer.Stop()
	for moved := time.Now(); ; timer.Reset(lookAgain) {
		select {
		case <-timer.C:
		case <-c.ended:
			return net.ErrClosed
		}
		switch now := c.buffered(); {
		case now <= maxBuffered:
			return nil
		case now < before:
			before, moved = now, time.Now()
		case time.Since(moved) > c.timeout:
			return fmt.Errorf("ws: the peer took no data for %v: %w", c.timeout, os.ErrDeadlineExceeded)
		}
	}
}

// Close begins the closing handshake and returns. A host sends no code but 1000 and those from 3000 on: 1001 becomes 1000, and
// another one 4000 and its last three digits, such as 4009 for 1009.
func (c *conn) Close(code int, reason string) error {
	if !c.end() {
		return nil
	}
	c.inbox.Close(net.ErrClosed)
	switch {
	case code == 1001 || code == 1005:
		code = 1000
	case code != 1000 && (code < 3000 || code > 4999):
		code = 4000 + code%1000
	}
	_ = try(func() { c.socket.Call("close", code, clip(reason)) }) // valid by the above, and without effect when it is closed
	return nil
}

// end reports whether it is the first end of c.
func (c *conn) end() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return false
	}
	c.closed = true
	close(c.ended)
	return true
}
