package kkrpc

import (
	"iter"
	"strconv"
	"time"
	"unsafe"

	"github.com/kkrpc-go/kkrpc/internal/wire"
)

// pendingCalls are this side's requests that have not been answered. Guarded by Channel.mu.
type pendingCalls struct {
	table pendingTable
	timer *time.Timer // set while a call may time out
	free  []*pendingCall

	watched int    // one-way calls among them
	made    uint64 // calls so far, for Stats
}

// pendingCall is one of them. The goroutine that removes it from the table calls finish, unless that is the caller, who
// gives up.
type pendingCall struct {
	id       uint64
	deadline time.Duration // since epoch
	done     chan struct{}
	then     func(err error) // called instead of signalling done
	result   any             // of outgoing, to know whether it takes a stream
	carried  []carried       // with its arguments

	// Guarded by Channel.mu.
	state    callState
	since    uint64    // Channel.events when it was made
	delayers []delayer // among carried
	delays   int       // events that the answer waits for

	answer

	digits [20]byte  // of id, see name
	path   []string  // of the request; kept for the next one
	tail   wire.Tail // likewise
}

// callState is how far a call in the table is.
type callState uint8

const (
	awaited   callState = iota // there is no answer yet
	answering                  // the leader prepares the answer, which has to wait for callbacks
	delayed                    // the answer is there and waits for callbacks
)

// answer is what the peer answered.
type answer struct {
	kept          // raw is a copy
	came received // in place of a value; nil for most
	refs bool     // decode takes the references in raw; all other handles in it have been given back
	err  error
}

// name returns the digits of p's id, which stay as they are until p is freed.
func (p *pendingCall) name() string {
	// The string changes when p serves another call, so nobody may keep it. Codecs copy it into the message. This saves
	// an allocation for each call.
	digits := strconv.AppendUint(p.digits[:0], p.id, 10)
	return unsafe.String(&digits[0], len(digits)) // of at least one digit and at most 20, so within p.digits
}

// unawaited is the id of requests that need no answer. Ids of notifications begin with it.
const unawaited = "-"

// unnamed is the id of a notification whose path an id cannot have.
const unnamed = unawaited + "?"

// maxFreeCalls is how many ended calls a channel keeps for the next ones. They are not in a sync.Pool, since a Go channel
// must not wander between the bubbles of testing/synctest.
const maxFreeCalls = 64

func (c *pendingCalls) freeLocked(p *pendingCall) {
	if len(c.free) == maxFreeCalls || cap(p.raw) > idleBuffer {
		return
	}
	clear(p.carried)
	clear(p.delayers)
	clear(p.path)
	*p = pendingCall{done: p.done, answer: answer{kept: kept{raw: p.raw[:0]}}, carried: p.carried[:0], delayers: p.delayers[:0],
		path: p.path[:0], tail: wire.Tail{Metadata: p.tail.Metadata}}
	c.free = append(c.free, p)
}

// watchedLocked frees a one-way call that has left the table.
func (c *pendingCalls) watchedLocked(p *pendingCall) {
	c.watched--
	c.freeLocked(p)
}

func (c *pendingCalls) shedLocked() {
	c.free = nil
	c.table.shed()
}

func (c *pendingCalls) newLocked() *pendingCall {
	n := len(c.free)
	if n == 0 {
		return &pendingCall{done: make(chan struct{}, 1)}
	}
	p := c.free[n-1]
	c.free[n-1] = nil
	c.free = c.free[:n-1]
	return p
}

func (p *pendingCall) finish(err error) {
	p.err = err
	if p.then != nil {
		p.then(err)
		return
	}
	p.done <- struct{}{}
}

func (c *pendingCalls) takeLocked(id uint64) *pendingCall {
	p := c.table.find(id)
	if p == nil {
		return nil
	}
	c.table.remove(p)
	for _, d := range p.delayers {
		d.settledLocked()
	}
	return p
}

// undelayLocked notes that one event has ended that the answer to a call waited for. It removes and returns the call if it
// was the last one; the caller finishes it without the lock.
func (c *pendingCalls) undelayLocked(id uint64) *pendingCall {
	p := c.table.find(id)
	if p == nil {
		return nil
	}
	if p.delays--; p.delays > 0 {
		return nil
	}
	return c.takeLocked(id)
}

func (c *pendingCalls) takeAllLocked() (all []*pendingCall) {
	for p := range c.table.all() {
		all = append(all, p)
	}
	c.table = pendingTable{}
	if c.timer != nil {
		c.timer.Stop()
		c.timer = nil
	}
	return all
}

// pendingTable finds calls by their ids, which count up. The low bits of an id are its place in a slice. An id whose
// place is taken by an older call is left out. The slice is about twice as long as the most calls under way at a time.
type pendingTable struct {
	last  uint64
	slots []*pendingCall // a power of two long; nil while there are no calls
	n     int            // calls in it
}

// smallestTable is how many places there are at first.
const smallestTable = 8

// add gives p an id and a place.
func (t *pendingTable) add(p *pendingCall) {
	if 2*t.n >= len(t.slots) {
		t.grow()
	}
	for {
		t.last++
		if place := t.place(t.last); *place == nil {
			p.id, *place = t.last, p
			t.n++
			return
		}
	}
}

func (t *pendingTable) place(id uint64) **pendingCall { return &t.slots[id&uint64(len(t.slots)-1)] }

// grow makes the table twice as long. Ids with places of their own keep them.
func (t *pendingTable) grow() {
	old := t.slots
	t.slots = make([]*pendingCall, max(smallestTable, 2*len(old)))
	for _, p := range old {
		if p != nil {
			*t.place(p.id) = p
		}
	}
}

// find returns the call with an id, or nil.
func (t *pendingTable) find(id uint64) *pendingCall {
	if len(t.slots) == 0 {
		return nil
	}
	if p := *t.place(id); p != nil && p.id == id {
		return p
	}
	return nil
}

// remove is for a call that is in the table.
func (t *pendingTable) remove(p *pendingCall) {
	*t.place(p.id) = nil
	t.n--
}

// all yields the calls, which may be removed meanwhile.
func (t *pendingTable) all() iter.Seq[*pendingCall] {
	return func(yield func(*pendingCall) bool) {
		for _, p := range t.slots {
			if p != nil && !yield(p) {
				return
			}
		}
	}
}

// shed gives back the memory of an empty table. Ids go on counting.
func (t *pendingTable) shed() {
	if t.n == 0 {
		t.slots = nil
	}
}
