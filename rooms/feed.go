package rooms

import (
	"errors"
	"fmt"
	"sync"

	"github.com/kkrpc-go/kkrpc"
)

// A feed sends one sequence of values to its members, to all in one order, and waits for none of them.
//
// A member is current while it has got all values. If more than Options.Unsent bytes wait for its connection, it lags: the
// values that it has not got stay in recent. Its pump, a goroutine, sends them as fast as the peer reads. Members that lag
// share recent, so that a slow member costs no copy. Beyond Options.Queue values or Options.QueueBytes, the oldest value goes
// and Options.SlowConsumer applies to those who have not got it.
//
// In a feed with a snapshot, a member that lags gets no values until it can take a snapshot in place of all of them.
type feed struct {
	hub *core

	// snapshot returns a value that stands for all values up to now. nil: none does. It is called with mu.
	snapshot func() *kkrpc.Shared

	mu      sync.Mutex // guards what follows, and the members
	members map[*kkrpc.Channel]*member
	next    uint64   // number of the next value, from 0 on
	recent  []recent // up to the last one, while members lag; else none
	bytes   int      // of recent
	lagging []*member
}

// recent is a value that a member has not got.
type recent struct {
	value *kkrpc.Shared
	bytes int
}

// member is a connection that gets the values of a feed.
type member struct {
	ch     *kkrpc.Channel
	home   home            // whose feed it is
	listen *kkrpc.Callback // a function of the peer; nil: method
	method *method
	next   uint64 // number of the next value for it, while it lags
	state  memberState
}

// home is what has a feed.
type home interface {
	// left is called once for each member that the hub knew, when it is none any more. No lock is held.
	left(m *member)
}

// method is a function that the peer exposes.
type method struct {
	path string
	args []any // before the value
}

type memberState uint8

const (
	current memberState = iota
	lags                // it has a pump
	joining             // another goroutine sends it what was before
	gone                // it is no member any more
)

// send queues value for m. It does not wait.
func (m *member) send(value *kkrpc.Shared) error {
	if m.listen != nil {
		return m.listen.Notify(value)
	}
	args := m.method.args
	return m.ch.Notify(m.method.path, append(args[:len(args):len(args)], value)...)
}

// release lets the peer forget the function that m called.
func (m *member) release() {
	if m.listen != nil {
		_ = kkrpc.Release(m.listen) // a classic peer has no message for it, and a closed channel needs none
	}
}

// send sends value, of about so many bytes, to all members.
func (f *feed) send(value *kkrpc.Shared, bytes int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.sendLocked(value, bytes)
}

func (f *feed) sendLocked(value *kkrpc.Shared, bytes int) {
	kept := false
	keep := func() {
		if !kept && f.snapshot == nil {
			f.recent = append(f.recent, recent{value, bytes})
			f.bytes += bytes
		}
		kept = true
	}
	if len(f.lagging) > 0 {
		keep()
	}
	for _, m := range f.members {
		if m.state != current {
			continue
		}
		if m.ch.Unsent(f.hub.unsent) != nil {
			m.state, m.next = lags, f.next
			f.lagging = append(f.lagging, m)
			keep()
			go f.pump(m) // ends when m is current, or no member any more
			continue
		}
		f.deliverLocked(m, value)
	}
	f.next++
	for len(f.recent) > f.hub.queue || f.bytes > f.hub.queueBytes && len(f.recent) > 1 {
		f.dropOldestLocked()
	}
}

// deliverLocked sends value to m, which is no member any more if that fails.
func (f *feed) deliverLocked(m *member, value *kkrpc.Shared) {
	if err := m.send(value); err != nil {
		f.expelLocked(m)
		if !errors.Is(err, kkrpc.ErrClosed) && !errors.Is(err, kkrpc.ErrReleased) {
			f.hub.report(fmt.Errorf("rooms: a member is dropped: %w", err))
		}
		return
	}
	f.hub.delivered.Add(1)
}

// dropOldestLocked drops the oldest value of recent, and applies Options.SlowConsumer to members that have not got it.
func (f *feed) dropOldestLocked() {
	oldest := f.next - uint64(len(f.recent))
	f.bytes -= f.recent[0].bytes
	f.recent[0] = recent{}
	f.recent = f.recent[1:]
	for i := 0; i < len(f.lagging); i++ {
		m := f.lagging[i]
		switch {
		case m.next > oldest:
		case f.hub.slow == DropOldest:
			m.next = oldest + 1
			f.hub.dropped.Add(1)
		default:
			f.hub.disconnected.Add(1)
			f.expelLocked(m)
			i--
			go m.ch.CloseWith(closePolicy, "slow consumer") // not here: it waits for what is queued
		}
	}
}

// closePolicy is the WebSocket code for a peer that a limit applies to, and closeTryAgain that for one that may come back.
const (
	closePolicy   = 1008
	closeTryAgain = 1013
)

// pump sends to m, which lags, until it is current.
func (f *feed) pump(m *member) {
	for {
		for wait := m.ch.Unsent(f.hub.unsent); wait != nil; wait = m.ch.Unsent(f.hub.unsent) {
			select {
			case <-wait:
			case <-m.ch.Done():
				return // it leaves by Channel.AfterClose
			}
		}
		if f.refill(m) {
			return
		}
	}
}

// refill sends to m what it has not got, while there is room. It reports whether m does not lag any more.
func (f *feed) refill(m *member) (done bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if m.state != lags {
		return true
	}
	if f.snapshot != nil {
		m.next = f.next
		f.deliverLocked(m, f.snapshot())
	}
	for m.state == lags && m.next < f.next && m.ch.Unsent(f.hub.unsent) == nil {
		value := f.recent[len(f.recent)-int(f.next-m.next)].value
		m.next++
		f.deliverLocked(m, value)
	}
	switch {
	case m.state != lags:
		return true
	case m.next < f.next:
		return false
	}
	m.state = current
	f.caughtUpLocked(m)
	return true
}

// caughtUpLocked notes that m does not lag any more.
func (f *feed) caughtUpLocked(m *member) {
	f.lagging = without(f.lagging, m)
	if len(f.lagging) == 0 {
		f.recent, f.bytes = nil, 0
	}
}

// add makes m a member, in place of one of the same channel. ready is called with mu before.
func (f *feed) add(m *member, ready func()) (before *member) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if m.state == gone { // its channel has closed meanwhile
		return nil
	}
	if before = f.members[m.ch]; before != nil {
		f.dropLocked(before)
	}
	if f.members == nil {
		f.members = map[*kkrpc.Channel]*member{}
	}
	f.members[m.ch] = m
	ready()
	return before
}

// of returns the member of ch, or nil.
func (f *feed) of(ch *kkrpc.Channel) *member {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.members[ch]
}

// expelLocked makes m no member any more and tells the hub, which cannot be called with mu.
func (f *feed) expelLocked(m *member) {
	f.dropLocked(m)
	go f.hub.exit(m)
}

// dropLocked makes m no member any more.
func (f *feed) dropLocked(m *member) {
	if m.state == gone {
		return
	}
	was := m.state
	m.state = gone
	if f.members[m.ch] == m {
		delete(f.members, m.ch)
	}
	if was == lags {
		f.caughtUpLocked(m)
	}
}

// remove makes m no member any more.
func (f *feed) remove(m *member) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.dropLocked(m)
}
