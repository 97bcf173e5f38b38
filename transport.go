package kkrpc

import (
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/kkrpc-go/kkrpc/internal/budget"
)

// Transport carries whole messages of one connection: text in UTF-8, whose length the transport bounds. A Channel owns the
// Transport that it was made with, and closes it.
//
// Packages transport/ws and transport/stdio have transports, and [Pipe] makes one. An [Inbox] is the reading half of one
// over something that delivers by calling. Package transport/transporttest has the tests that each must pass.
//
// A Transport may have further abilities. A Channel finds them by their methods: [TryWriter], [FrameLender],
// [TextValidator], [Parker], [Yielder], [ByteCarrier] and [PeerNamer].
type Transport interface {
	// ReadFrame blocks for the next whole message, appended to buf[:0]. msg is valid until buf is passed again. more
	// reports that another message is already buffered. The reply can then wait and be sent together with the next
	// reply. It is called by one goroutine at a time, not always the same one. io.EOF means a clean close.
	ReadFrame(buf []byte) (msg []byte, more bool, err error)
	// WriteFrames sends all messages in order, within the transport's write timeout. It keeps none of them and uses as
	// few system calls as it can. It is called by one goroutine at a time, concurrently with ReadFrame.
	WriteFrames(msgs [][]byte) error
	// Close tells the peer the WebSocket close code and the reason where it can, and unblocks both other methods.
	// It may be called more than once and from any goroutine.
	Close(code int, reason string) error
}

// TryWriter is a Transport that can write without blocking. The goroutine that reads then also writes, which saves a
// switch to another goroutine for each batch of messages.
type TryWriter interface {
	// TryWriteFrames sends as much as it can without blocking, and keeps a copy of the rest. If done is false, the rest
	// goes with the next WriteFrames, which may be called with no messages. Calls do not overlap with WriteFrames.
	TryWriteFrames(msgs [][]byte) (done bool, err error)
}

// FrameLender is a Transport whose messages need not be copied.
type FrameLender interface {
	// LendFrame is called in place of ReadFrame. msg is memory of the transport. It is valid until the next call of
	// LendFrame or Park.
	LendFrame() (msg []byte, more bool, err error)
}

// PeerNamer is a Transport that knows its other end.
type PeerNamer interface {
	// Peer names the other end for logs, such as its network address. Any goroutine may call it, also after Close.
	Peer() string
}

// TextValidator is a Transport that has checked its messages: they are valid UTF-8. A Channel then does not check them again.
type TextValidator interface {
	// ValidText does nothing.
	ValidText()
}

// Parker is a Transport that can wait for a message without a goroutine. An idle connection then costs no stack.
type Parker interface {
	// Park is called in place of ReadFrame. It waits until ReadFrame has something to do, and then returns false. It
	// returns true once nothing has arrived for patience, or for up to twice as long. From then on the transport waits,
	// and calls wake once, on another goroutine, when ReadFrame has something to do. wake may run before Park returns.
	// A transport that cannot park this connection returns false at once.
	Park(patience time.Duration, wake func()) (parked bool)
}

// Yielder is a Transport that knows how its other connections get a turn. runtime.Gosched lets only goroutines run that are
// ready, and not those that wait for data of a socket, of which the scheduler does not know yet.
type Yielder interface {
	// Yield lets others run. It is called after a connection was busy for a while, by any goroutine and without locks.
	Yield()
}

// ByteCarrier is a Transport that may have agreed with its peer on binary frames, which carry bytes beside the text of a message.
// They begin with the byte 0xB1, and no other message does. See docs/protocol.md, "Bytes".
type ByteCarrier interface {
	// ByteMark returns the mark of a new binary frame: 16 letters, digits, - and _ that nobody can guess. It returns the
	// empty string, always, if the peer takes no binary frames.
	ByteMark() string
}

// accounted is a Transport of this module that holds memory for its peer, which counts for Group.Memory.
type accounted interface {
	SetAccount(*budget.Account)
}

// Inbox turns pushed messages into reads. It is the reading half of a Transport over a source that calls, such as an
// event handler. Make one with NewInbox.
type Inbox struct {
	limit int
	wake  chan struct{} // has room for one: something changed

	mu     sync.Mutex
	queue  [][]byte
	queued int
	room   chan struct{} // closed when queued falls; nil while nobody waits
	err    error         // what ReadFrame returns once the queue is empty
}

// NewInbox returns an Inbox that holds at most limit bytes, or one larger message; 0 means 16 MiB.
func NewInbox(limit int) *Inbox {
	return &Inbox{limit: or(limit, 16<<20), wake: make(chan struct{}, 1)}
}

// inboxOverhead is what a queued message costs beside its bytes.
const inboxOverhead = 32

// Push queues a copy of msg. It never blocks. If the Inbox is full, the error wraps ErrLimit. If it is closed, the
// error is io.ErrClosedPipe.
func (b *Inbox) Push(msg []byte) error {
	_, err := b.push(msg)
	return err
}

// push returns what to wait for when the Inbox is full, instead of an error.
func (b *Inbox) push(msg []byte) (full <-chan struct{}, err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.err != nil {
		return nil, io.ErrClosedPipe
	}
	if b.queued > 0 && b.queued+len(msg) > b.limit {
		if b.room == nil {
			b.room = make(chan struct{})
		}
		return b.room, fmt.Errorf("kkrpc: inbox of %d bytes: %w", b.limit, ErrLimit)
	}
	b.queue = append(b.queue, append([]byte(nil), msg...))
	b.queued += len(msg) + inboxOverhead
	b.signalLocked()
	return nil, nil
}

// Close makes ReadFrame return err, or io.EOF if it is nil, after what is still queued. Later calls do nothing.
func (b *Inbox) Close(err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.err != nil {
		return
	}
	if err == nil {
		err = io.EOF
	}
	b.err = err
	b.releaseLocked()
	b.signalLocked()
}

// ReadFrame is that of Transport.
func (b *Inbox) ReadFrame(buf []byte) (msg []byte, more bool, err error) {
	for {
		b.mu.Lock()
		if len(b.queue) > 0 {
			msg = append(buf[:0], b.queue[0]...)
			b.queued -= len(msg) + inboxOverhead
			b.queue[0] = nil
			b.queue = b.queue[1:]
			more = len(b.queue) > 0
			b.releaseLocked()
			b.mu.Unlock()
			return msg, more, nil
		}
		b.queue = nil
		err = b.err
		b.mu.Unlock()
		if err != nil {
			return nil, false, err
		}
		<-b.wake
	}
}

func (b *Inbox) signalLocked() {
	select {
	case b.wake <- struct{}{}:
	default:
	}
}

func (b *Inbox) releaseLocked() {
	if b.room != nil {
		close(b.room)
		b.room = nil
	}
}

// Pipe returns two connected in-memory transports. Messages that are written to one are read from the other. They are
// for tests, and for programs with both ends in one process. Either end's Close ends both.
func Pipe() (a, b Transport) {
	x, y := NewInbox(1<<20), NewInbox(1<<20)
	return &pipeEnd{in: x, out: y}, &pipeEnd{in: y, out: x}
}

type pipeEnd struct{ in, out *Inbox }

func (p *pipeEnd) ReadFrame(buf []byte) ([]byte, bool, error) { return p.in.ReadFrame(buf) }

func (p *pipeEnd) WriteFrames(msgs [][]byte) error {
	for _, m := range msgs {
		for {
			full, err := p.out.push(m)
			if err == nil {
				break
			}
			if !errors.Is(err, ErrLimit) {
				return err
			}
			<-full
		}
	}
	return nil
}

func (p *pipeEnd) Close(int, string) error {
	p.out.Close(nil)
	p.in.Close(io.ErrClosedPipe)
	return nil
}
