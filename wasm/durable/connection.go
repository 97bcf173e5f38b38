package durable

import (
	"bytes"
	"cmp"
	"fmt"
	"slices"
	"sync/atomic"
	"time"

	"github.com/kkrpc-go/kkrpc/internal/hibernate"
	"github.com/kkrpc-go/kkrpc/superjson"
)

// connection is one that outlives this program. It implements hibernate.Connection. Its fields are guarded by object.mu,
// unless a comment says otherwise.
type connection struct {
	object   *object // immutable
	id       int32   // immutable
	push     func(frame []byte)
	start    hibernate.Start // immutable
	before   saved           // by the program before
	restored bool            // immutable: there was one
	ch       hibernate.Channel

	last    []byte // the frame that was read last; owned by the goroutine that reads
	repeats *keptCall
	again   []byte // its frame

	repeating chan struct{} // closed when the last call is over that wake does not wait for; nil for none; owned by wake
	taken     time.Duration // by repeated calls; owned by the last one
	calls     map[any]*running
	kept      []*keptCall
	settled   bool // what was kept is there again
	gone      bool
	failure   string      // why repeats has failed
	dirty     atomic.Bool // something may have changed since rest has looked
	paused    bool        // its timers stand still
	text      string      // the state that was saved last
}

// saved is the state of a connection, as the host keeps it.
type saved struct {
	Work     hibernate.Work `json:"w"`
	Kept     []*keptCall    `json:"k,omitempty"`
	Overflow bool           `json:"f,omitempty"` // there was more work than could be saved
}

// firsts is how many ids each program has of its own.
const firsts = 1 << 32

// open implements hibernate.Open.
func (o *object) open(id int32, wakes int, state string, push func([]byte)) hibernate.Connection {
	c := &connection{object: o, id: id, push: push, calls: map[any]*running{}, text: state, restored: wakes > 0, settled: wakes == 0}
	if c.restored {
		if err := superjson.Decode(superjson.ModeJSON, []byte(state), nil, &c.before); err != nil {
			o.host.broken(id)
			c.before = saved{}
		}
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, k := range c.before.Kept {
		o.serial = max(o.serial, k.Serial)
	}
	c.kept = slices.Clone(c.before.Kept)
	c.start = hibernate.Start{First: uint64(wakes) * firsts, Prefix: c.before.Work.Prefix, Held: c.restored || o.awake != nil && !isClosed(o.awake)}
	o.conns[id] = c
	return c
}

func isClosed(c <-chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}

// Dialect implements hibernate.Connection.
func (c *connection) Dialect() string { return c.before.Work.Dialect }

// Attach implements hibernate.Keeper.
func (c *connection) Attach(ch hibernate.Channel) {
	ch.Start(c.start)
	o := c.object
	o.mu.Lock()
	defer o.mu.Unlock()
	c.ch = ch
	c.touch()
	late := o.awake != nil && isClosed(o.awake)
	if c.restored {
		o.waking--
		o.signal()
	}
	switch {
	case c.restored && late:
		go func() {
			_ = ch.CloseWith(closeRestart, hibernatedError+": it took too long to open the connection again")
		}()
	case c.start.Held && late:
		go ch.Release() // ends at once
	}
}

// Kinds implements hibernate.Keeper.
func (c *connection) Kinds(made any) { c.ch.StartKinds(made, c.start) }

// Gone implements hibernate.Connection.
func (c *connection) Gone() {
	o := c.object
	o.mu.Lock()
	defer o.mu.Unlock()
	if c.gone {
		return
	}
	c.gone = true
	if c.restored && c.ch == nil {
		o.waking--
	}
	delete(o.conns, c.id)
	delete(o.busy, c)
	o.signal()
}

// Read implements hibernate.Connection.
func (c *connection) Read(frame []byte) {
	c.last = frame
	c.touch()
}

// touch has rest look at the connection. It is called with any lock.
func (c *connection) touch() {
	if !c.dirty.Swap(true) {
		t := &c.object.touched
		t.mu.Lock()
		t.list = append(t.list, c)
		t.mu.Unlock()
	}
}

// Wrote implements hibernate.Connection. It is called with any lock.
func (c *connection) Wrote() { c.touch() }

// Repeats implements hibernate.Keeper.
func (c *connection) Repeats() bool {
	c.object.mu.Lock()
	defer c.object.mu.Unlock()
	return c.repeats != nil && bytes.Equal(c.last, c.again)
}

// Refused implements hibernate.Keeper.
func (c *connection) Refused(why string) (silent bool) {
	if !c.Repeats() {
		return false
	}
	c.object.mu.Lock()
	defer c.object.mu.Unlock()
	c.repeatedLocked(why)
	return true
}

// Begin implements hibernate.Keeper.
func (c *connection) Begin(call any) {
	r := newRunning(c.last)
	repeats := c.Repeats()
	c.object.mu.Lock()
	defer c.object.mu.Unlock()
	if repeats {
		r.repeats = c.repeats
	}
	c.calls[call] = r
}

// Drop implements hibernate.Keeper.
func (c *connection) Drop(call any) {
	c.object.mu.Lock()
	defer c.object.mu.Unlock()
	delete(c.calls, call)
}

// End implements hibernate.Keeper.
func (c *connection) End(call, answer any, err error) (silent bool) {
	c.object.mu.Lock()
	defer c.object.mu.Unlock()
	r := c.calls[call]
	if r == nil {
		return false
	}
	delete(c.calls, call)
	r.over = true
	c.touch()
	k := r.kept
	if err != nil || k == nil || k.dropped {
		c.kept = slices.DeleteFunc(slices.Clone(c.kept), func(other *keptCall) bool { return other == r.repeats })
	} else {
		c.kept = append(slices.DeleteFunc(slices.Clone(c.kept), func(other *keptCall) bool { return other == r.repeats || other.Name == k.Name }), k)
	}
	if k != nil && r.repeats == nil {
		k.Issued = c.ch.Issued(answer)
	}
	if r.repeats == nil {
		return false
	}
	c.ch.Withhold(answer, r.repeats.Issued)
	why := ""
	if err != nil {
		why = err.Error()
	}
	if c.repeats == r.repeats { // else it was given up
		c.repeatedLocked(why)
	}
	return true
}

// repeatedLocked notes the end of a repeated call; why is "" for success.
func (c *connection) repeatedLocked(why string) {
	c.repeats, c.again, c.failure = nil, nil, why
	c.object.signal()
}

// Call implements hibernate.Keeper.
func (c *connection) Call(call any) any {
	c.object.mu.Lock()
	defer c.object.mu.Unlock()
	if r := c.calls[call]; r != nil {
		return r
	}
	return nil
}

// state returns what is to be saved.
func state(w hibernate.Work, kept []*keptCall) string {
	return encode(saved{Work: w, Kept: kept})
}

func encode(s saved) string {
	text, err := superjson.NewEncoder(superjson.ModeJSON).Append(nil, "", s)
	if err != nil { // it has nothing but strings and numbers
		panic(fmt.Sprintf("durable: %v", err))
	}
	return string(text)
}

// save has the host keep the state. open: with the requests and streams that have no end yet. Object.mu is held.
func (c *connection) save(open bool) {
	w := c.ch.Work()
	if !open {
		w.Requests, w.Calls, w.StreamsIn, w.StreamsOut = nil, nil, nil, nil
	}
	w.Prefix = cmp.Or(w.Prefix, c.before.Work.Prefix)
	c.before.Work.Dialect, c.before.Work.Prefix = w.Dialect, w.Prefix
	text := state(w, c.kept)
	if text == c.text {
		return
	}
	c.text = text
	if c.object.host.save(c.id, text, 0) == 0 {
		return
	}
	w.Callbacks, w.References = nil, nil // the peer keeps them until it closes
	if c.object.host.save(c.id, state(w, c.kept), 0) == 0 {
		return
	}
	c.object.host.save(c.id, encode(saved{Work: hibernate.Work{Dialect: w.Dialect, Prefix: w.Prefix}, Overflow: true}), 0)
}
