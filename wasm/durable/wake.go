package durable

import (
	"bytes"
	"cmp"
	"fmt"
	"os"
	"slices"
	"time"
)

// The error of calls and streams that the sleep of the object has ended.
const (
	hibernatedError = "RPCHibernatedError"
	hibernatedText  = "the object has slept before the end of this; it may have been done"
)

const (
	// patience is for how long the repeated calls of a connection may run, and for how long connections may take to be opened
	// again.
	patience = 10 * time.Second

	closeRestart = 1012 // a close code: the peer may connect again
)

// signal has those look again who await. Object.mu is held.
func (o *object) signal() {
	close(o.changed)
	o.changed = make(chan struct{})
}

// begin notes that so many connections are about to be opened that the program before has served.
func (o *object) begin(connections int) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.waking = connections
	o.awake = make(chan struct{})
}

// wake brings the connections into the state that they had. Requests wait until then.
func (o *object) wake() {
	o.await(patience, func() bool { return o.waking <= 0 })
	type step struct {
		c *connection
		k *keptCall
	}
	var steps []step
	var restored []*connection
	o.mu.Lock()
	for _, c := range o.conns {
		if !c.restored || c.ch == nil {
			continue
		}
		restored = append(restored, c)
		for _, k := range c.before.Kept {
			steps = append(steps, step{c, k})
		}
	}
	o.mu.Unlock()
	slices.SortFunc(steps, func(a, b step) int { return cmp.Compare(a.k.Serial, b.k.Serial) })
	slices.SortFunc(restored, func(a, b *connection) int { return cmp.Compare(a.id, b.id) })
	began := time.Now()
	for _, s := range steps {
		done, before := make(chan struct{}), s.c.repeating
		s.c.repeating = done
		go func() { // ends with the call, which has patience
			if before != nil {
				<-before
			}
			o.repeat(s.c, s.k)
			close(done)
		}()
		if before == nil && isOver(done, turn(time.Since(began))) {
			s.c.repeating = nil
		}
	}
	for _, c := range restored {
		if c.repeating != nil {
			<-c.repeating
		}
	}
	for _, c := range restored {
		if c.before.Overflow {
			_ = c.ch.CloseWith(closeRestart, hibernatedError+": too much was open to be kept")
			continue
		}
		lost := c.before.Work
		lost.First = c.start.First
		c.ch.Lost(lost, hibernatedError, hibernatedText)
	}
	o.mu.Lock()
	close(o.awake)
	held := make([]*connection, 0, len(o.conns))
	for _, c := range o.conns {
		c.settled = true
		if c.start.Held && c.ch != nil {
			held = append(held, c)
		}
	}
	o.mu.Unlock()
	for _, c := range held {
		c.ch.Release()
	}
}

// turn is for how long the next repeated call waits for one, when all have taken so long. A peer that does not answer what
// its call asks would else hold up everybody.
func turn(taken time.Duration) time.Duration {
	if taken < patience {
		return time.Second
	}
	return 10 * time.Millisecond
}

// isOver waits until done is closed, but not for longer than this.
func isOver(done <-chan struct{}, wait time.Duration) bool {
	limit := time.NewTimer(wait)
	defer limit.Stop()
	select {
	case <-done:
		return true
	case <-limit.C:
		return false
	}
}

// repeat runs a kept call again.
func (o *object) repeat(c *connection, k *keptCall) {
	frame := k.frame()
	o.mu.Lock()
	if c.gone {
		o.mu.Unlock()
		return
	}
	c.repeats, c.again, c.failure = k, frame, ""
	o.mu.Unlock()
	c.push(bytes.Clone(frame))
	began := time.Now()
	in := o.await(patience-c.taken, func() bool { return c.gone || c.repeats == nil })
	c.taken += time.Since(began)
	o.mu.Lock()
	failure := c.failure
	gone := c.gone
	c.repeats, c.again = nil, nil
	o.mu.Unlock()
	switch {
	case gone:
		return
	case !in:
		failure = fmt.Sprintf("the calls of the connection take more than %v", patience)
	case failure == "":
		return
	}
	fmt.Fprintf(os.Stderr, "durable: repeat %q: %s\n", k.Name, failure)
	_ = c.ch.CloseWith(closeRestart, fmt.Sprintf("%s: %q cannot be repeated", hibernatedError, k.Name))
}

// await waits until done, which is called with object.mu. It reports false after the limit.
func (o *object) await(wait time.Duration, done func() bool) bool {
	limit := time.NewTimer(wait)
	defer limit.Stop()
	for {
		o.mu.Lock()
		is, changed := done(), o.changed
		o.mu.Unlock()
		if is {
			return true
		}
		select {
		case <-changed:
		case <-limit.C:
			return false
		}
	}
}

// rest is called when all goroutines wait. It saves what has changed, and tells the host whether the object may sleep.
func (o *object) rest() {
	o.mu.Lock()
	defer o.mu.Unlock()
	look := o.touched.take()
	for c := range o.busy { // it may have become idle without a message
		if !c.dirty.Load() {
			look = append(look, c)
		}
	}
	for _, c := range look {
		c.dirty.Store(false)
		if c.gone || c.ch == nil {
			continue
		}
		if c.paused {
			c.paused = false
			c.ch.Resume()
		}
		if c.ch.Busy() {
			o.busy[c] = struct{}{}
			continue
		}
		delete(o.busy, c)
		c.ch.Rest()
		c.save(false)
	}
	awake := time.Duration(0)
	if len(o.busy) > 0 {
		awake = max(time.Millisecond, o.opts.awake())
	}
	o.host.rested(awake)
}

// sleep is called when the object has been kept awake for long enough.
func (o *object) sleep() {
	o.mu.Lock()
	defer o.mu.Unlock()
	for c := range o.busy {
		c.save(true)
		c.ch.Pause()
		c.paused = true
	}
}
