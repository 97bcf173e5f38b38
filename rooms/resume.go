package rooms

import (
	"context"
	"fmt"

	"github.com/kkrpc-go/kkrpc"
)

// A member that comes back is joining until it has got the messages that it has missed. A goroutine reads them from the log,
// page by page, and sends them as fast as the peer reads. The log is ahead of what the room has sent to its members, so the
// goroutine stops at the last message of the room, and the flusher goes on from there.

// reaches returns ErrHistoryLost unless all messages after a position are kept.
func (r *room[M]) reaches(ctx context.Context, p Position) error {
	bounds, err := r.hub.backplane.Bounds(ctx, r.log())
	if err != nil {
		return err
	}
	if p.Epoch != bounds.Epoch || p.Seq < bounds.Gone || p.Seq > bounds.Last {
		return ErrHistoryLost
	}
	return nil
}

// catchUpPage is how many messages a member that comes back is sent at a time.
const catchUpPage = 100

// catchUp sends to m, which is joining, the messages after m.next, until it has got all.
func (r *room[M]) catchUp(m *member) {
	for r.awaitRoom(m, r.hub.unsent) {
		after, head, done := r.missing(m)
		if done {
			return
		}
		entries, err := r.page(after)
		if err != nil {
			r.hub.report(fmt.Errorf("rooms: room %q: a member cannot be sent what it has missed: %w", r.name, err))
			r.mu.Lock()
			r.expelLocked(m)
			r.mu.Unlock()
			_ = m.ch.CloseWith(closeTryAgain, "the history cannot be read now")
			return
		}
		for _, e := range entries {
			if !r.sendMissed(m, e) {
				return
			}
		}
		if len(entries) < catchUpPage { // that was all up to head, of which no message may have the number
			r.mu.Lock()
			m.next = max(m.next, head)
			r.mu.Unlock()
		}
	}
}

// missing returns the number of the last message that m has got, and that of the room. It makes m current, and reports done,
// if that is all. done also says that m is not joining any more.
func (r *room[M]) missing(m *member) (after, head uint64, done bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if m.state == joining && m.next >= r.head {
		// It may be ahead of this node, which then still gets what another node has sent to it.
		m.state, m.after, m.next = current, m.next, r.next
	}
	return m.next, r.head, m.state != joining
}

// page returns some of the messages after a number.
func (r *room[M]) page(after uint64) ([]Entry, error) {
	ctx, cancel := context.WithTimeout(r.hub.ctx, beginTime)
	defer cancel()
	entries, err := r.hub.backplane.After(ctx, r.log(), after, catchUpPage)
	if err == nil {
		err = r.reaches(ctx, Position{r.epoch, after}) // now, as messages may have been discarded until they were read
	}
	return entries, err
}

// sendMissed sends a message to m, which is joining, once there is room. It reports false if m is not joining any more.
func (r *room[M]) sendMissed(m *member, e Entry) bool {
	message, err := r.owner.decode(e)
	if err != nil {
		r.hub.report(fmt.Errorf("rooms: room %q: a message is skipped: %w", r.name, err))
	}
	if !r.awaitRoom(m, r.roomFor(len(e.Data))) {
		return false
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	switch {
	case m.state != joining:
		return false
	case e.Seq > r.head: // it is stored and comes to all members next
		m.state, m.next = current, r.next
		return false
	}
	m.next = e.Seq
	if err == nil {
		r.deliverLocked(m, kkrpc.Share(message))
	}
	return m.state == joining
}
