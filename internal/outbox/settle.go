package outbox

import "slices"

// Settle is Flush for the reading goroutine, where it has queued the answers to all requests that it has run. Settled then
// returns what Config.Reader was.
func (o *Outbox) Settle() {
	o.mu.Lock()
	o.settled = o.Reader.Load()
	begins := o.beginLocked()
	o.mu.Unlock()
	if begins {
		o.drain()
	}
}

// Settled returns the value of Config.Reader at the last Settle.
func (o *Outbox) Settled() uint64 {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.settled
}

// Above returns nil if at most n bytes wait or are being written. Otherwise the channel that it returns is closed when that
// is so.
func (o *Outbox) Above(n int) <-chan struct{} {
	o.mu.Lock()
	if o.phase == shut || o.bytes <= n {
		o.mu.Unlock()
		return nil
	}
	// Those who wait for the same share a channel, so that they cost nothing when they give up.
	i := slices.IndexFunc(o.waiters, func(w waiter) bool { return w.n == n })
	if i < 0 {
		i = len(o.waiters)
		o.waiters = append(o.waiters, waiter{n, make(chan struct{})})
	}
	below := o.waiters[i].below
	o.mu.Unlock()
	o.FlushSoon()
	return below
}

// waiter is a channel that is closed when at most n bytes wait.
type waiter struct {
	n     int
	below chan struct{}
}

// wakeLocked ends the wait of those for whom few enough bytes wait.
func (o *Outbox) wakeLocked() {
	o.waiters = slices.DeleteFunc(o.waiters, func(w waiter) bool {
		if o.bytes > w.n {
			return false
		}
		close(w.below)
		return true
	})
}

// Empty returns nil if nothing waits, is being written, or has room reserved. Otherwise the channel that it returns is closed
// when the writer has written everything that waits now. It may have to be asked again.
func (o *Outbox) Empty() <-chan struct{} {
	o.mu.Lock()
	if o.phase == shut || o.bytes == 0 {
		o.mu.Unlock()
		return nil
	}
	if o.idle == nil {
		o.idle = make(chan struct{})
	}
	idle := o.idle
	o.mu.Unlock()
	o.FlushSoon()
	return idle
}
