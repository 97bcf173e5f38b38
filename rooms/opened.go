package rooms

import (
	"context"
	"fmt"
	"sync"

	"github.com/kkrpc-go/kkrpc"
)

// room is a room that has members, or is about to have.
type room[M any] struct {
	feed
	owner *Hub[M]
	name  string
	uses  int // guarded by Hub.mu: members, Joins under way, and open

	opened chan struct{} // closed when open has ended, after which the next three are immutable
	err    error
	epoch  string   // of the log
	stop   []func() // end Follow and Subscribe

	presenceMu sync.Mutex
	present    *presence // guarded by presenceMu; nil until somebody is interested

	head uint64 // guarded by feed.mu: number of the last message that was sent to members
}

// acquire returns the room of a name, for one more use until release.
func (h *Hub[M]) acquire(ctx context.Context, name string) (*room[M], error) {
	if err := h.core.check(name); err != nil {
		return nil, err
	}
	h.mu.Lock()
	r := h.rooms[name]
	if r == nil {
		r = &room[M]{owner: h, name: name, uses: 1, opened: make(chan struct{})}
		r.feed.hub = h.core
		if !h.core.do(func() { r.open(); h.release(r) }) {
			h.mu.Unlock()
			return nil, ErrHubClosed
		}
		h.rooms[name] = r
	}
	r.uses++
	h.mu.Unlock()
	err := context.Cause(ctx)
	select {
	case <-r.opened:
		err = r.err
	case <-ctx.Done():
	}
	if err != nil {
		h.release(r)
		return nil, err
	}
	return r, nil
}

// release ends one use of r.
func (h *Hub[M]) release(r *room[M]) {
	h.mu.Lock()
	r.uses--
	last := r.uses == 0
	if last {
		h.forgetLocked(r)
	}
	h.mu.Unlock()
	if !last {
		return
	}
	for _, stop := range r.stop {
		stop()
	}
	if p := r.presentNow(); p != nil {
		p.close()
	}
}

// forgetLocked has the next Join make the room anew.
func (h *Hub[M]) forgetLocked(r *room[M]) {
	if h.rooms[r.name] == r {
		delete(h.rooms, r.name)
	}
}

// existing returns the room of a name if it has members.
func (h *Hub[M]) existing(name string) *room[M] {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.rooms[name]
}

func (r *room[M]) log() string { return r.hub.topic("room", r.name) }

// open begins to follow the messages of the room. If that fails, the room is forgotten.
func (r *room[M]) open() {
	defer close(r.opened)
	ctx, cancel := context.WithTimeout(r.hub.ctx, beginTime)
	defer cancel()
	if r.err = r.follow(ctx); r.err != nil {
		r.owner.mu.Lock()
		r.owner.forgetLocked(r)
		r.owner.mu.Unlock()
	}
}

func (r *room[M]) follow(ctx context.Context) error {
	bounds, err := r.hub.backplane.Bounds(ctx, r.log())
	if err != nil {
		return err
	}
	r.epoch, r.head = bounds.Epoch, bounds.Last
	unfollow, err := r.hub.backplane.Follow(ctx, r.log(), r.head, Follower{Entry: r.entry, Lost: r.lost})
	if err != nil {
		return err
	}
	unsubscribe, err := r.hub.backplane.Subscribe(r.log(), func(data []byte) { r.entry(Entry{Data: data}) })
	if err != nil {
		unfollow()
		return err
	}
	r.stop = []func(){unfollow, unsubscribe}
	return nil
}

// entry sends a message to the members. One without a number is a signal.
func (r *room[M]) entry(e Entry) {
	message, err := r.owner.decode(e)
	if err != nil { // of a program of another version
		r.hub.report(fmt.Errorf("rooms: room %q: a message is skipped: %w", r.name, err))
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if e.Seq != 0 {
		r.head = e.Seq
	}
	if err == nil {
		r.sendNumberedLocked(kkrpc.Share(message), len(e.Data), e.Seq)
	}
}

// lost is called when messages may be missing. The members connect and join again, and learn what they have missed.
func (r *room[M]) lost(err error) {
	r.hub.report(fmt.Errorf("rooms: room %q: %w", r.name, err))
	r.owner.mu.Lock()
	r.owner.forgetLocked(r)
	r.owner.mu.Unlock()
	hangUp := func(m *member) { _ = m.ch.CloseWith(closeTryAgain, "the room has lost messages") }
	r.mu.Lock()
	r.closeLocked(hangUp)
	r.mu.Unlock()
	if p := r.presentNow(); p != nil {
		p.users.mu.Lock()
		p.users.closeLocked(hangUp)
		p.users.mu.Unlock()
	}
}

// left implements home.
func (r *room[M]) left(m *member) {
	r.remove(m)
	if p := r.presentNow(); p != nil {
		p.leave(m)
	}
	r.owner.release(r)
}
