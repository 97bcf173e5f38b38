package rooms

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/kkrpc-go/kkrpc"
)

// JoinPresence has listen, a function of the client of ctx, called with who is in the room, and then with each change. The
// keys are the users that Bind has named, on all nodes. The values are the numbers of their connections in the room. It is
// like Join; JoinOptions.After has no effect. Leave ends it.
func (r *Room[M]) JoinPresence(ctx context.Context, listen func(update Update[string, int]), opts *JoinOptions) error {
	m, err := newMember(ctx, listen, opts)
	if err != nil {
		return r.failed("join presence", err)
	}
	own, p, err := r.presence(ctx)
	if err != nil {
		return r.failed("join presence", err)
	}
	m.home = presenceHome[M]{own, p}
	entered, err := p.users.join(m)
	if !entered { // else left releases the room
		r.hub.release(own)
	}
	if err != nil {
		return r.failed("join presence", err)
	}
	return nil
}

// LeavePresence ends what JoinPresence has begun, and lets the client forget its function. ErrNotMember means that there was
// nothing to end.
func (r *Room[M]) LeavePresence(ctx context.Context) error {
	if own := r.hub.existing(r.name); own != nil {
		if p := own.presentNow(); p != nil && r.hub.core.leave(&p.users.feed, kkrpc.FromContext(ctx)) {
			return nil
		}
	}
	return r.failed("leave presence", ErrNotMember)
}

// Users returns the users in the room on all nodes, sorted. They are those that Bind has named.
func (r *Room[M]) Users(ctx context.Context) ([]string, error) {
	own, p, err := r.presence(ctx)
	if err != nil {
		return nil, r.failed("users", err)
	}
	defer r.hub.release(own)
	users := slices.Sorted(maps.Keys(p.users.all()))
	if users == nil {
		users = []string{} // not null in TypeScript
	}
	return users, nil
}

// presence acquires the room, and returns its presence.
func (r *Room[M]) presence(ctx context.Context) (*room[M], *presence, error) {
	own, err := r.hub.acquire(ctx, r.name)
	if err != nil {
		return nil, nil, err
	}
	p, err := own.presence(ctx)
	if err != nil {
		r.hub.release(own)
		return nil, nil, err
	}
	return own, p, nil
}

// presence returns the presence of the room, once it is known.
func (r *room[M]) presence(ctx context.Context) (*presence, error) {
	r.presenceMu.Lock()
	p := r.present
	if p == nil {
		p = newPresence(r.hub, r.hub.topic("present", r.name))
		if !r.hub.do(p.begin) {
			r.presenceMu.Unlock()
			return nil, ErrHubClosed
		}
		r.present = p
	}
	r.presenceMu.Unlock()
	select {
	case <-p.opened:
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
	if p.err != nil {
		r.presenceMu.Lock()
		if r.present == p {
			r.present = nil // the next one tries again
		}
		r.presenceMu.Unlock()
	}
	return p, p.err
}

// presentNow returns the presence of the room, or nil while nobody is interested. It does not wait.
func (r *room[M]) presentNow() *presence {
	r.presenceMu.Lock()
	defer r.presenceMu.Unlock()
	return r.present
}

// presenceHome is the home of those who follow the presence in a room.
type presenceHome[M any] struct {
	*room[M]
	p *presence
}

func (h presenceHome[M]) left(m *member) {
	h.p.users.remove(m)
	h.owner.release(h.room)
}

// presence is who is in one room. Each connection of a user has an entry in a table of the Backplane, which the node of the
// connection writes. Its key begins with the name of the node. The other nodes delete the entries of a node that has died. A
// node whose entry was deleted though it lives writes it again.
type presence struct {
	hub   *core
	table string
	users view[string, int]

	opened chan struct{} // closed when begin has ended
	err    error         // of begin

	mu      sync.Mutex // guards what follows
	stop    func()     // ends the Watch
	closed  bool
	entries map[string]string   // of the table: users by key
	own     map[string]ownEntry // those that this node wants in the table
}

// ownEntry is an entry that this node wants for a member.
type ownEntry struct {
	of   *member
	user string
}

func newPresence(hub *core, table string) *presence {
	p := &presence{hub: hub, table: table, opened: make(chan struct{}), entries: map[string]string{}, own: map[string]ownEntry{}}
	p.users.init(hub)
	return p
}

func entryKey(node string, ch *kkrpc.Channel) string {
	return node + "/" + strconv.FormatUint(ch.ID(), 10)
}

func nodeOf(key string) string {
	node, _, _ := strings.Cut(key, "/")
	return node
}

// begin opens the presence, for those who wait.
func (p *presence) begin() {
	defer close(p.opened)
	ctx, cancel := context.WithTimeout(p.hub.ctx, beginTime)
	defer cancel()
	p.err = p.open(ctx)
}

// open begins to watch the table, and returns when it is known.
func (p *presence) open(ctx context.Context) error {
	if err := p.hub.nodes.start(); err != nil {
		return err
	}
	p.hub.nodes.watch(p)
	found := map[string]string{} // until it is known
	known := false
	stop, err := watchTable(ctx, p.hub, p.table, Watcher{
		Change: func(c Change) {
			switch {
			case known:
				p.change(c.Key, string(c.Value), c.Value != nil)
			case c.Value != nil:
				found[c.Key] = string(c.Value)
			default:
				delete(found, c.Key)
			}
		},
		Ready: func() {
			known = true
			p.reset(found)
		},
		Lost: func(err error) { p.hub.again(fmt.Sprintf("presence %q", p.table), err, p.open) },
	})
	if err != nil {
		return err
	}
	p.mu.Lock()
	closed := p.closed
	p.stop = stop
	p.mu.Unlock()
	if closed {
		p.hub.nodes.unwatch(p)
		stop()
		return errEnded
	}
	return nil
}

// watchTable watches a table, and returns once it is known. w.Lost is not called before that.
func watchTable(ctx context.Context, hub *core, table string, w Watcher) (stop func(), err error) {
	known, lost := make(chan struct{}), make(chan error, 1)
	stop, err = hub.backplane.Watch(ctx, table, Watcher{
		Change: w.Change,
		Ready: func() {
			w.Ready()
			close(known)
		},
		Lost: func(err error) {
			select {
			case <-known:
				w.Lost(err)
			default:
				lost <- err
			}
		},
	})
	if err != nil {
		return nil, err
	}
	select {
	case <-known:
		return stop, nil
	case err = <-lost:
	case <-ctx.Done():
		err = context.Cause(ctx)
	}
	stop()
	return nil, err
}

// reset makes found the entries of the table.
func (p *presence) reset(found map[string]string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.entries = found
	users := map[string]sized[int]{}
	for key, user := range found {
		if !p.hub.nodes.see(nodeOf(key)) {
			delete(found, key)
			p.hub.writer.put(p.table, key, nil)
			continue
		}
		users[user] = sized[int]{users[user].value + 1, len(user)}
	}
	for key, own := range p.own {
		if _, has := found[key]; !has {
			p.hub.writer.put(p.table, key, []byte(own.user))
		}
	}
	p.users.reset(users)
}

// change notes a change of the table.
func (p *presence) change(key, user string, set bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	before, had := p.entries[key]
	own, lives := p.own[key]
	switch {
	case set: // by a node that lives
		p.hub.nodes.hear(nodeOf(key))
		p.entries[key] = user
	case lives: // another node took this one for dead
		p.hub.writer.put(p.table, key, []byte(own.user))
		return
	default:
		delete(p.entries, key)
	}
	if set && had && before == user {
		return
	}
	if had {
		p.countLocked(before, -1)
	}
	if set {
		p.countLocked(user, 1)
	}
}

func (p *presence) countLocked(user string, by int) {
	n, _ := p.users.get(user)
	if n += by; n > 0 {
		p.users.set(user, n, len(user))
	} else {
		p.users.delete(user)
	}
}

// enter has a member of this node present. leave ends that, unless another member of its connection has come in its place.
func (p *presence) enter(m *member, user string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	key := entryKey(p.hub.node, m.ch)
	p.own[key] = ownEntry{m, user}
	p.hub.writer.put(p.table, key, []byte(user))
}

func (p *presence) leave(m *member) {
	p.mu.Lock()
	defer p.mu.Unlock()
	key := entryKey(p.hub.node, m.ch)
	if p.own[key].of == m {
		delete(p.own, key)
		p.hub.writer.put(p.table, key, nil)
	}
}

// sweep deletes the entries of a node that has died. Here its users are gone at once, while the Backplane may have lost its
// leader with that node.
func (p *presence) sweep(node string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for key, user := range p.entries {
		if nodeOf(key) == node {
			delete(p.entries, key)
			p.countLocked(user, -1)
			p.hub.writer.put(p.table, key, nil)
		}
	}
}

// close ends the presence on this node.
func (p *presence) close() {
	p.hub.nodes.unwatch(p)
	p.mu.Lock()
	p.closed = true
	stop := p.stop
	p.mu.Unlock()
	if stop != nil {
		stop()
	}
}
