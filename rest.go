package kkrpc

import "time"

// Most connections of a server are idle most of the time, and then cost what their leader keeps: its scratch memory, and
// its stack, which handlers have made grow and which Go does not make as small again as that of a new goroutine. So a
// leader that has waited for long, or for the first time, ends. The transport starts another one when there is something
// to read, or a new goroutine that begins with waiting takes its place.

// idler is what a transport may have for that. Like nonblocking it is found by its methods.
type idler interface {
	// AwaitFrame blocks until ReadFrame, in whose place it is called, has something to do. It uses little stack, and
	// reports true if Interrupt ended it.
	AwaitFrame() (interrupted bool)
	// Interrupt ends an AwaitFrame. It may be called from any goroutine and does not block.
	Interrupt()
}

// parker is an idler that can wait without a goroutine.
type parker interface {
	// Park is called in place of ReadFrame, and returns at once. True means that wake will be called once, on another
	// goroutine, when ReadFrame has something to do; false that it will not, and another way to wait is needed.
	Park(wake func()) bool
}

// restInterval is after how long without requests a channel rests, or up to twice as long.
const restInterval = time.Second

// mayRest waits for something to read, and reports true if the channel is to rest before there is.
func (ch *Channel) mayRest() bool {
	if !ch.rested && ch.heard.Load() {
		ch.rested = true // thousands may connect at once, say something and be silent
		return true
	}
	return ch.idler.AwaitFrame() && ch.heard.Load()
}

// rest ends the leader, which has nothing to do. Nothing is kept that the next message can do without.
func (ch *Channel) rest() {
	ch.leading.free()
	ch.leading = nil
	ch.out.Shrink()
	ch.mu.Lock()
	ch.pending.shedLocked()
	ch.mu.Unlock()
	ch.resting.Store(true)
	if p, ok := ch.idler.(parker); ok && p.Park(ch.wake) {
		return
	}
	go func() {
		for ch.idler.AwaitFrame() {
		}
		ch.wake()
	}()
}

// wake is the next leader.
func (ch *Channel) wake() {
	ch.resting.Store(false)
	ch.api.watch.add(ch) // so that it rests again, also if there is no request
	ch.leading = newLeading((*ch.codec.Load()).Dialect(), ch.limits, ch.transport)
	ch.lead()
}
