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

	// snapshot returns a value that stands for all values up to now, and about how many bytes it has. nil: none does. It is
	// called with mu.
	snapshot func() (*kkrpc.Shared, int)

	mu       sync.Mutex // guards what follows, and the members
	closed   bool       // nobody can become a member any more
	members  map[*kkrpc.Channel]*member
	order    []*member // the same, at their places
	lagging  []*member
	next     uint64   // number of the next value, from 0 on
	recent   []recent // the last ones, up to next
	bytes    int      // of recent
	flushing bool     // there is a flusher
	at       int      // place of the member that it comes to next
	again    bool     // a member may have been passed over: there is a flusher, or will be before mu is given up
	reported *kkrpc.Shared
}

// recent is a value that a member has not got.
type recent struct {
	value *kkrpc.Shared
	bytes int
	seq   uint64 // number of the message in its room; 0: it has none
}

// member is a connection that gets the values of a feed.
type member struct {
	ch     *kkrpc.Channel
	home   home            // whose feed it is
	listen *kkrpc.Callback // a function of the peer; nil: method
	method *method
	next   uint64        // number of the next value for it; while it is joining, that of the last message that it has got
	after  uint64        // number of a message up to which it has got all, though they may still come; see room.missing
	done   chan struct{} // closed when it is gone; nil while no goroutine waits for its connection
	place  int32         // in feed.order
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
	joining                    // catchUp sends it what was before
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

// awaitRoom waits until at most n bytes wait on the connection of m. It reports false if m is no member any more.
func (f *feed) awaitRoom(m *member, n int) bool {
	for {
		wait := m.ch.Unsent(n)
		if wait == nil {
			return true
		}
		select {
		case <-wait:
		case <-m.done:
			return false
		case <-f.hub.ctx.Done():
			return false
		}
	}
}

// large is a size in bytes from which on a value is sent only if nothing else waits, since Limits.Backlog of the channel
// counts it together with the others.
const large = 512 << 10

// roomFor is how many bytes may wait on a connection before a value of so many bytes.
func (f *feed) roomFor(bytes int) int {
	if bytes > large {
		return 0
	}
	return f.hub.unsent
}

// sendLocked sends value, of about so many bytes, to all members.
func (f *feed) sendLocked(value *kkrpc.Shared, bytes int) { f.sendNumberedLocked(value, bytes, 0) }

// sendNumberedLocked is sendLocked for a message with a number.
func (f *feed) sendNumberedLocked(value *kkrpc.Shared, bytes int, seq uint64) {
	f.next++
	if len(f.members) == 0 {
		return
	}
	bytes += perEntry
	f.recent = append(f.recent, recent{value, bytes, seq})
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
	f.trimLocked()
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
	f.trimAllLocked()
}

// sendPendingLocked sends to m, if it is current, what it has not got. If there is no room, m lags.
func (f *feed) sendPendingLocked(m *member) {
	if m.state == current && !f.sendWhileRoomLocked(m) {
		f.lagLocked(m)
	}
}

// lagLocked has a pump send to m.
func (f *feed) lagLocked(m *member) {
	m.state, m.done = lags, make(chan struct{})
	f.lagging = append(f.lagging, m)
	go f.pump(m) // ends when m is current, or no member any more, or with the hub
}

// sendWhileRoomLocked sends to m what it has not got, while there is room. It reports whether that was all.
func (f *feed) sendWhileRoomLocked(m *member) (all bool) {
	for room := 0; m.state != gone && m.next < f.next; {
		value := &f.recent[len(f.recent)-int(f.next-m.next)]
		if room -= value.bytes; room < 0 || value.bytes > large {
			if m.ch.Unsent(f.roomFor(value.bytes)) != nil {
				return false
			}
			room = f.hub.unsent
		}
		m.next++
		if value.seq == 0 || value.seq > m.after {
			f.deliverLocked(m, value.value)
		}
	}
	return true
}

// trimLocked drops the values that no member lacks, unless there is a flusher, which does it at its end.
func (f *feed) trimLocked() {
	if !f.flushing && !f.again {
		f.trimAllLocked()
	}
}

// trimAllLocked is trimLocked while all members that do not lag have got all.
func (f *feed) trimAllLocked() {
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

// deliverLocked sends value to m. A value that cannot be sent to m is skipped.
func (f *feed) deliverLocked(m *member, value *kkrpc.Shared) {
	err := m.send(value)
	switch {
	case err == nil:
		f.hub.delivered.Add(1)
	case errors.Is(err, kkrpc.ErrClosed), errors.Is(err, kkrpc.ErrReleased):
		f.expelLocked(m)
	case errors.Is(err, kkrpc.ErrDropped): // as Options.SlowConsumer of the channel says
		f.hub.dropped.Add(1)
	case f.reported != value: // once for all members
		f.reported = value
		f.hub.report(fmt.Errorf("rooms: a message is not sent to members in a dialect that has no form for it: %w", err))
	}
}

// dropOldestLocked drops the oldest value of recent, and applies Options.SlowConsumer to members that have not got it.
func (f *feed) dropOldestLocked() {
	oldest := f.next - uint64(len(f.recent))
	for _, m := range slices.Clone(f.lagging) {
		switch {
		case m.next > oldest || f.snapshot != nil:
		case f.hub.slow == DropOldest:
			m.next = oldest + 1
			f.hub.dropped.Add(1)
		default:
			f.hub.disconnected.Add(1)
			f.expelLocked(m)
			go m.ch.CloseWith(closePolicy, "slow consumer") // not here: it waits for what is queued
		}
	}
	f.bytes -= f.recent[0].bytes
	f.recent = slices.Delete(f.recent, 0, 1)
}

// closePolicy is the WebSocket code for a peer that a limit applies to, and closeTryAgain that for one that may come back.
const (
	closePolicy   = 1008
	closeTryAgain = 1013
)

// pump sends to m, which lags, until it is current.
func (f *feed) pump(m *member) {
	for room := f.hub.unsent; f.awaitRoom(m, room); {
		var all bool
		if all, room = f.refill(m); all {
			return
		}
	}
}

// refill sends to m what it has not got, while there is room. It reports whether m does not lag any more, or how many bytes
// may wait before it goes on.
func (f *feed) refill(m *member) (all bool, room int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	defer f.trimLocked()
	if m.state != lags {
		return true, 0
	}
	if f.snapshot != nil {
		value, bytes := f.snapshot()
		if room = f.roomFor(bytes); m.ch.Unsent(room) != nil {
			return false, room
		}
		m.next = f.next
		f.deliverLocked(m, value)
	}
	if !f.sendWhileRoomLocked(m) {
		return false, f.roomFor(f.recent[len(f.recent)-int(f.next-m.next)].bytes)
	}
	if m.state == lags {
		m.state = current
		f.lagging = without(f.lagging, m)
	}
	return true, 0
}

// errMembersClosed means that a feed takes no members any more.
var errMembersClosed = errors.New("it is closed")

// add makes m a member, in place of one of the same channel. ready is called with mu after that. A member that is joining has
// to be sent what was before by its caller.
func (f *feed) add(m *member, ready func()) (before *member, err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	switch {
	case f.closed:
		return nil, errMembersClosed
	case m.state == gone: // its channel, or the hub, has closed meanwhile
		return nil, errGone
	case m.state == current:
		m.next = f.next
	}
	if before = f.members[m.ch]; before != nil {
		if m.state == current { // what before has not got comes to m
			m.next, m.after = before.next, before.after
			f.again = f.again || before.state != joining
			if before.state == joining {
				m.state = joining
			}
		}
		f.dropLocked(before)
	}
	if m.state == joining {
		m.done = make(chan struct{})
	}
	if f.members == nil {
		f.members = map[*kkrpc.Channel]*member{}
	}
	f.members[m.ch] = m
	m.place = int32(len(f.order))
	f.order = append(f.order, m)
	ready()
	f.flushSoonLocked()
	return before, nil
}

// errGone means that a connection has closed, or the hub.
var errGone = errors.New("the connection is closed")

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

// closeLocked makes everybody no member any more, and has nobody become one. act is called for each, on a goroutine of its
// own.
func (f *feed) closeLocked(act func(m *member)) {
	f.closed = true
	for _, m := range slices.Clone(f.order) {
		f.expelLocked(m)
		if act != nil {
			go act(m)
		}
	}
}

// dropLocked makes m no member any more.
func (f *feed) dropLocked(m *member) {
	if m.state == gone {
		return
	}
	if m.state == lags {
		f.lagging = without(f.lagging, m)
	}
	m.state = gone
	if m.done != nil {
		close(m.done)
	}
	if f.members[m.ch] != m { // it was not added yet
		return
	}
	delete(f.members, m.ch)
	end := len(f.order) - 1
	last := f.order[end]
	f.order[m.place], last.place = last, m.place
	f.order[end] = nil
	f.order = f.order[:end]
	f.again = f.again || f.flushing && m.place < int32(f.at) // the flusher may not come to last
}

// leave makes m no member any more, once it has been sent what there is room for.
func (f *feed) leave(m *member) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if m.state == current {
		f.sendWhileRoomLocked(m)
	}
	f.dropLocked(m)
	f.trimLocked()
}

// remove makes m no member any more.
func (f *feed) remove(m *member) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.dropLocked(m)
	f.trimLocked()
}
