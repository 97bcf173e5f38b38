package ws

import (
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"sync"
	"syscall/js"
	"time"

	kkrpc "github.com/kkrpc-go/kkrpc"
	"github.com/kkrpc-go/kkrpc/internal/announce"
)

const (
	// maxBuffered is how many bytes the host may hold that are not sent yet, before a write waits.
	maxBuffered = 1 << 20
	// lookAgain is how long a write waits between two looks: the host has no event for it.
	lookAgain = 5 * time.Millisecond
	// inboxBytes is what messages may take that arrived faster than they are read. The host offers no way to make the peer wait.
	inboxBytes = 16 << 20
)

var (
	events     = []string{"open", "message", "error", "close"}
	object     = js.Global().Get("Object")
	uint8Array = js.Global().Get("Uint8Array")
)

// conn is one WebSocket of the JavaScript host. It implements kkrpc.Transport.
type conn struct {
	// Immutable.
	socket  js.Value
	event   js.Func // handles all events; released with the end
	limit   int     // of an inbound message, in bytes
	timeout time.Duration
	bytes   bool // binary frames were agreed on; set before the first message is read
	inbox   *kkrpc.Inbox
	opened  chan struct{} // closed by the event open
	ended   chan struct{} // closed by Close and by the last event
	ending  sync.Once

	failure string // what the host says of a failed connection, if anything; written before ended is closed
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
		socket.Call("addEventListener", name, c.event)
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
	case "error": // the event close follows, but for Node 20 while connecting, and package ws after 30 s
		if message := event.Get("message"); message.Type() == js.TypeString {
			c.failure = withoutQuery(message.String())
		}
		cause := io.ErrUnexpectedEOF
		if c.failure != "" {
			cause = fmt.Errorf("%w: %s", cause, c.failure)
		}
		c.inbox.Close(cause)
		_ = c.Close(1000, "")
	case "close":
		c.inbox.Close(closeCause(event.Get("code").Int(), event.Get("reason").String()))
		c.end()
	}
	return nil
}

// withoutQuery takes the parameters of a URL out of what a host says, since they often hold tokens.
func withoutQuery(text string) string {
	before, after, found := strings.Cut(text, "?")
	if !found {
		return text
	}
	if i := strings.LastIndexAny(after, `'"`); i >= 0 {
		return before + after[i:]
	}
	return before
}

// receive queues a message. It returns why the connection has to close.
func (c *conn) receive(data js.Value) *CloseError {
	tooLarge := &CloseError{Code: 1009, Reason: fmt.Sprintf("message over %d bytes", c.limit), Sent: true}
	var msg []byte
	switch {
	case data.Type() == js.TypeString:
		if object.Invoke(data).Get("length").Int() > c.limit { // a unit of UTF-16 is a byte of UTF-8 at least
			return tooLarge
		}
		msg = []byte(data.String())
	case data.Type() != js.TypeObject || data.Get("byteLength").Type() != js.TypeNumber:
		return &CloseError{Code: 1003, Reason: "the host gives binary messages as no ArrayBuffer", Sent: true}
	case data.Get("byteLength").Int() > c.limit:
		return tooLarge
	default:
		if !data.InstanceOf(uint8Array) {
			data = uint8Array.New(data)
		}
		msg = make([]byte, data.Length())
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
	case 1006, 0: // no close frame; 0 in Deno
		return io.ErrUnexpectedEOF
	}
	return &CloseError{Code: code, Reason: clip(reason)} // Deno passes on longer ones
}

// refused is why a WebSocket did not open.
func (c *conn) refused() error {
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
	if err := try(func() { c.socket.Call("send", c.toHost(msg)) }); err != nil {
		return fmt.Errorf("ws: send: %w", err)
	}
	return nil
}

// toHost is a message as the host takes it.
func (c *conn) toHost(msg []byte) any {
	if !c.bytes || len(msg) == 0 || msg[0] != announce.BinaryFrame {
		return string(msg)
	}
	frame := uint8Array.New(len(msg))
	js.CopyBytesToJS(frame, msg)
	return frame
}

// ByteMark implements kkrpc.ByteCarrier.
func (c *conn) ByteMark() string {
	if !c.bytes {
		return ""
	}
	return announce.Mark()
}

// buffered is how many bytes the host holds; 0 if it does not tell, as on Cloudflare Workers.
func (c *conn) buffered() int {
	if amount := c.socket.Get("bufferedAmount"); amount.Type() == js.TypeNumber {
		return amount.Int()
	}
	return 0
}

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
	c.inbox.Close(net.ErrClosed)
	if !c.end() {
		return nil
	}
	switch {
	case code == 1001 || code == 1005:
		code = 1000
	case code != 1000 && (code < 3000 || code > 4999):
		code = 4000 + code%1000
	}
	_ = try(func() { c.socket.Call("close", code, clip(reason)) }) // valid by the above, and without effect when it is closed
	return nil
}

// end stops listening, since a peer that does not answer the close would have the host keep c with all that is queued. It
// reports whether it was the first.
func (c *conn) end() (first bool) {
	c.ending.Do(func() {
		first = true
		close(c.ended)
		// Object is a function without effect: with package ws an error that nobody listens to ends the program.
		c.socket.Call("addEventListener", "error", object)
		for _, name := range events {
			c.socket.Call("removeEventListener", name, c.event)
		}
		c.event.Release()
	})
	return first
}
