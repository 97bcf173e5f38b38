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
	m.home = presenceHome[M]{own}
	if err := p.users.join(m); err != nil {
		r.hub.release(own)
		return r.failed("join presence", err)
	}
	return nil
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
	defer r.presenceMu.Unlock()
	if r.present == nil {
		p := &presence{hub: r.hub, table: r.hub.topic("present", r.name), entries: map[string]string{}, own: map[string]string{}}
		p.users.init(r.hub)
		if err := p.open(ctx); err != nil {
			return nil, err
		}
		r.present = p
	}
	return r.present, nil
}

// presenceHome is the home of those who follow the presence in a room.
type presenceHome[M any] struct{ *room[M] }

func (h presenceHome[M]) left(m *member) {
	h.present.users.remove(m)
	h.owner.release(h.room)
}

// presence is who is in one room. Each connection of a user has an entry in a table of the Backplane, which the node of the
// connection writes. Its key begins with the name of the node. The other nodes delete the entries of a node that has died. A
// node whose entry was deleted though it lives writes it again.
type presence struct {
	hub   *core
	table string
	users view[string, int]

	mu      sync.Mutex // guards what follows
	stop    func()     // ends the Watch
	closed  bool
	entries map[string]string // of the table: users by key
	own     map[string]string // those that this node wants in the table
}

func entryKey(node string, ch *kkrpc.Channel) string {
	return node + "/" + strconv.FormatUint(ch.ID(), 10)
}

func nodeOf(key string) string {
	node, _, _ := strings.Cut(key, "/")
	return node
}

// open begins to watch the table, and returns when it is known.
func (p *presence) open(ctx context.Context) error {
	if err := p.hub.nodes.start(); err != nil {
		return err
	}
	ready := make(chan struct{})
	found := map[string]string{} // until it is known
	known := false
	stop, err := p.hub.backplane.Watch(ctx, p.table, Watcher{
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
			close(ready)
		},
		Lost: func(err error) { p.hub.again(fmt.Sprintf("presence %q", p.table), err, p.open) },
	})
	if err != nil {
		return err
	}
	select {
	case <-ready:
	case <-ctx.Done():
		stop()
		return context.Cause(ctx)
	}
	p.mu.Lock()
	closed := p.closed
	p.stop = stop
	p.mu.Unlock()
	if closed {
		stop()
	} else {
		p.hub.nodes.watch(p)
	}
	return nil
}

// reset makes found the entries of the table.
func (p *presence) reset(found map[string]string) {
	p.mu.Lock()
	p.entries = found
	users := map[string]int{}
	for key, user := range found {
		p.hub.nodes.see(nodeOf(key))
		users[user]++
	}
	for key, user := range p.own {
		if _, has := found[key]; !has {
			p.hub.writer.put(p.table, key, []byte(user))
		}
	}
	p.mu.Unlock()
	p.users.reset(users)
}

// change notes a change of the table.
func (p *presence) change(key, user string, set bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	before, had := p.entries[key]
	if set {
		p.hub.nodes.see(nodeOf(key))
		p.entries[key] = user
	} else if own, lives := p.own[key]; lives { // another node took this one for dead
		p.hub.writer.put(p.table, key, []byte(own))
		return
	} else {
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
		p.users.set(user, n)
	} else {
		p.users.delete(user)
	}
}

// enter has a connection of this node present. leave ends that.
func (p *presence) enter(ch *kkrpc.Channel, user string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	key := entryKey(p.hub.node, ch)
	p.own[key] = user
	p.hub.writer.put(p.table, key, []byte(user))
}

func (p *presence) leave(ch *kkrpc.Channel) {
	p.mu.Lock()
	defer p.mu.Unlock()
	key := entryKey(p.hub.node, ch)
	if _, is := p.own[key]; is {
		delete(p.own, key)
		p.hub.writer.put(p.table, key, nil)
	}
}

// sweep deletes the entries of a node that has died.
func (p *presence) sweep(node string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for key := range p.entries {
		if nodeOf(key) == node {
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
