package kkrpc

import (
	"fmt"
	"io"
	"sync"
)

// Inbox turns messages that are pushed into reads: it is the reading half of a Transport over something that delivers
// by calling, such as an event handler. Make one with NewInbox.
type Inbox struct {
	limit int
	wake  chan struct{} // has room for one: something changed

	mu     sync.Mutex
	queue  [][]byte
	queued int
	room   chan struct{} // closed when queued falls; nil while nobody waits
	err    error         // what ReadFrame returns once the queue is empty
}

// NewInbox returns an Inbox that holds at most limit bytes, or one message if that is larger; 0 means 16 MiB.
func NewInbox(limit int) *Inbox {
	return &Inbox{limit: or(limit, 16<<20), wake: make(chan struct{}, 1)}
}

// inboxOverhead is what a queued message costs beside its bytes.
const inboxOverhead = 32

// Push queues a copy of msg. It never blocks: a full Inbox returns an error that wraps ErrLimit, a closed one io.ErrClosedPipe.
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
