package rooms

import (
	"errors"
	"fmt"
	"slices"
	"sync"

	"github.com/kkrpc-go/kkrpc"
)

// A feed sends one sequence of values to its members, to all in one order, and waits for none of them.
//
// Values stay in recent until all members have got them. Each member has the number of its next value. The sender of a value
// only adds it. A goroutine, the flusher, goes from member to member and sends all that the member has not got. In a burst it
// so comes to each connection once for many values. There is one flusher at a time, while there is something to send.
//
// A member whose connection has more than Options.Unsent bytes to send lags. The flusher passes it over, and its pump, another
// goroutine, sends as fast as the peer reads. Members share recent, so that a slow one costs no copy. Beyond Options.Queue
// values or Options.QueueBytes the sender flushes, so that only members that lag lack the oldest value. Then that value goes,
// and Options.SlowConsumer applies to them.
//
// In a feed with a snapshot, a member that lags gets no values until it can take a snapshot in place of all of them.
type feed struct {
	hub *core

	// snapshot returns a value that stands for all values up to now. nil: none does. It is called with mu.
	snapshot func() *kkrpc.Shared

	mu       sync.Mutex // guards what follows, and the members
	members  map[*kkrpc.Channel]*member
	order    []*member // the same, at their places
	lagging  []*member
	next     uint64   // number of the next value, from 0 on
	recent   []recent // the last ones, up to next
	bytes    int      // of recent
	flushing bool     // there is a flusher
	at       int      // place of the member that it comes to next
	again    bool     // a member may have been passed over
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
	next   uint64 // number of the next value for it
	place  int32  // in feed.order
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
	current memberState = iota // the flusher sends to it
	lags                       // its pump does
	joining                    // another goroutine sends it what was before
	gone                       // it is no member any more
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
	f.next++
	if len(f.members) == 0 {
		return
	}
	bytes += perEntry
	f.recent = append(f.recent, recent{value, bytes})
	f.bytes += bytes
	f.again = true
	if len(f.recent) > f.hub.queue || f.bytes > f.hub.queueBytes {
		f.flushAllLocked()
		for len(f.recent) > f.hub.queue || f.bytes > f.hub.queueBytes && len(f.recent) > 1 {
			f.dropOldestLocked()
		}
	}
	f.flushSoonLocked()
}

// flushSoonLocked has a flusher send, unless there is nothing to send or one does already.
func (f *feed) flushSoonLocked() {
	if f.again && !f.flushing {
		f.flushing = true
		go f.flush() // ends when all members have got all, or lag
	}
}

// stint is the number of members that the flusher sends to before others may use the feed.
const stint = 64

// flush is the flusher.
func (f *feed) flush() {
	for f.flushSome() {
	}
}

// flushSome sends to some members. It reports whether there are more to send to.
func (f *feed) flushSome() (more bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for range stint {
		if f.at >= len(f.order) {
			if !f.again {
				break
			}
			f.at, f.again = 0, false
			continue
		}
		m := f.order[f.at]
		f.at++
		f.sendPendingLocked(m)
	}
	f.flushing = f.at < len(f.order) || f.again
	if !f.flushing {
		f.trimLocked()
	}
	return f.flushing
}

// flushAllLocked sends to all members.
func (f *feed) flushAllLocked() {
	for i := 0; i < len(f.order); {
		m := f.order[i]
		f.sendPendingLocked(m)
		if i < len(f.order) && f.order[i] == m { // else it is expelled, and another one in its place
			i++
		}
	}
	f.at, f.again = len(f.order), false
	f.trimLocked()
}

// sendPendingLocked sends to m, if it is current, what it has not got. If there is no room, m lags.
func (f *feed) sendPendingLocked(m *member) {
	if m.state != current || f.sendWhileRoomLocked(m) {
		return
	}
	m.state = lags
	f.lagging = append(f.lagging, m)
	go f.pump(m) // ends when m is current, or no member any more
}

// sendWhileRoomLocked sends to m what it has not got, while there is room. It reports whether that was all.
func (f *feed) sendWhileRoomLocked(m *member) (all bool) {
	for room := 0; m.state != gone && m.next < f.next; {
		value := &f.recent[len(f.recent)-int(f.next-m.next)]
		if room -= value.bytes; room < 0 {
			if m.ch.Unsent(f.hub.unsent) != nil {
				return false
			}
			room = f.hub.unsent
		}
		m.next++
		f.deliverLocked(m, value.value)
	}
	return true
}

// trimLocked drops the values that no member lacks. All members that do not lag have got all.
func (f *feed) trimLocked() {
	least := f.next
	if f.snapshot == nil {
		for _, m := range f.lagging {
			least = min(least, m.next)
		}
	}
	dropped := len(f.recent) - int(f.next-least)
	for _, r := range f.recent[:dropped] {
		f.bytes -= r.bytes
	}
	f.recent = slices.Delete(f.recent, 0, dropped)
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
	f.recent = slices.Delete(f.recent, 0, 1)
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
	if !f.sendWhileRoomLocked(m) {
		return false
	}
	if m.state == lags {
		m.state = current
		f.caughtUpLocked(m)
	}
	return true
}

// caughtUpLocked notes that m does not lag any more.
func (f *feed) caughtUpLocked(m *member) {
	f.lagging = without(f.lagging, m)
	if !f.flushing && !f.again { // else the flusher does it
		f.trimLocked()
	}
}

// add makes m a member, in place of one of the same channel. ready is called with mu after that.
func (f *feed) add(m *member, ready func()) (before *member) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if m.state == gone { // its channel has closed meanwhile
		return nil
	}
	m.next = f.next
	if before = f.members[m.ch]; before != nil {
		if before.state != joining { // what it has not got comes to m
			m.next, f.again = before.next, true
		}
		f.dropLocked(before)
	}
	if f.members == nil {
		f.members = map[*kkrpc.Channel]*member{}
	}
	f.members[m.ch] = m
	m.place = int32(len(f.order))
	f.order = append(f.order, m)
	ready()
	f.flushSoonLocked()
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
	if f.members[m.ch] != m { // it was not added yet
		return
	}
	delete(f.members, m.ch)
	end := len(f.order) - 1
	last := f.order[end]
	f.order[m.place], last.place = last, m.place
	f.order[end] = nil
	f.order = f.order[:end]
	f.again = f.again || m.place < int32(f.at) // the flusher may not come to last
	if was == lags {
		f.caughtUpLocked(m)
	}
}

// leave makes m no member any more, once it has been sent what there is room for.
func (f *feed) leave(m *member) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if m.state == current {
		f.sendWhileRoomLocked(m)
	}
	f.dropLocked(m)
}

// remove makes m no member any more.
func (f *feed) remove(m *member) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.dropLocked(m)
}
