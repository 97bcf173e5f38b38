package kkrpc

import (
	"sync"
	"time"

	"github.com/kkrpc-go/kkrpc/internal/wire"
)

// Most connections of a server are idle most of the time, and then cost what their leader keeps: its scratch memory, and
// its stack, which handlers have made grow and which Go does not make as small again as that of a new goroutine. So a
// leader that has waited for long, or for the first time, is replaced by a new goroutine that begins with waiting.

// idler is what a transport may have for that. Like nonblocking it is found by its methods.
type idler interface {
	// AwaitFrame blocks until ReadFrame, in whose place it is called, has something to do. It uses little stack, and
	// reports true if Interrupt ended it.
	AwaitFrame() (interrupted bool)
	// Interrupt ends an AwaitFrame. It may be called from any goroutine and does not block.
	Interrupt()
}

// restInterval is after how long without requests a channel rests, or up to twice as long.
const restInterval = time.Second

var messages = sync.Pool{New: func() any { return new(wire.Message) }}

// mayRest waits for something to read, and reports true if the channel is to rest before there is.
func (ch *Channel) mayRest() bool {
	if !ch.rested && ch.heard.Load() {
		ch.rested = true // thousands may connect at once, say something and be silent
		return true
	}
	return ch.idler.AwaitFrame()
}

// rest is a leader that has nothing to do.
func (ch *Channel) rest() {
	ch.shed()
	ch.resting.Store(true)
	for ch.idler.AwaitFrame() {
	}
	ch.resting.Store(false)
	ch.lead()
}

// shed gives back what the next message can do without.
func (ch *Channel) shed() {
	ch.msg.Forget()
	messages.Put(ch.msg)
	ch.msg, ch.readBuf, ch.inline, ch.request = nil, nil, nil, request{}
	ch.in.Shed()
	ch.out.shed()
	ch.mu.Lock()
	ch.pending.shedLocked()
	ch.mu.Unlock()
}
