package kkrpc

import "time"

// Most connections of a server are idle most of the time. An idle connection costs what its leader holds: buffers, and a
// stack that handlers have made grow and that Go does not shrink to the size of a new one. So the leader of an idle channel
// ends if the transport can wait without a goroutine. The next message starts another leader.

// parker is what a transport may have so that an idle connection needs no goroutine. Like nonblocking it is found by its
// method.
type parker interface {
	// Park is called in place of ReadFrame and waits until ReadFrame has something to do; it then returns false. It
	// returns true once nothing has arrived for patience, or for up to twice as long. From then on the transport waits,
	// and calls wake once, on another goroutine, when ReadFrame has something to do. wake may run before Park returns.
	// A transport that cannot park returns false at once.
	Park(patience time.Duration, wake func()) (parked bool)
}

// parkPatience is how long a leader waits for the next message before the channel is parked.
const parkPatience = time.Second

// park reports whether the transport has parked the channel, so that its leader ends.
func (ch *Channel) park() bool {
	if !ch.heard.Load() {
		return false // the dialect may be unknown
	}
	patience := parkPatience
	if !ch.parked {
		ch.parked = true
		patience = 0 // thousands of connections may be made at once, each to make one call
	}
	l := ch.leading
	ch.leading = nil // before wake runs
	if !ch.parker.Park(patience, ch.wake) {
		ch.leading = l
		return false
	}
	l.free()
	ch.out.shed()
	ch.mu.Lock()
	ch.pending.shedLocked()
	ch.mu.Unlock()
	return true
}

// unpark runs the next leader of a parked channel.
func (ch *Channel) unpark() {
	ch.leading = newLeading((*ch.codec.Load()).Dialect(), ch.limits, ch.transport)
	ch.lead()
}
