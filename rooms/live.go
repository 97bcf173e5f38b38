package rooms

import (
	"context"
	"fmt"
	"iter"
	"maps"
	"sync"

	"github.com/kkrpc-go/kkrpc"
	"github.com/kkrpc-go/kkrpc/superjson"
)

// Live is keyed state that all nodes have and that clients follow: a snapshot first, then every change, without a gap. It
// suits state that fits into one message, such as the prices of a market or the cells of a board. A client that is too slow
// gets a new snapshot in place of the changes that it has missed. Its methods may be called from any goroutine.
//
// A key is a value whose JSON has at most MaxName bytes.
type Live[K comparable, V any] struct {
	view  view[K, V]
	table string

	mu     sync.Mutex // guards what follows
	stop   func()     // ends the Watch; nil while there is none
	closed bool
}

// NewLive returns the Live of a name, which has the same state on all nodes of h. It waits until the state is known. Close
// ends it on this node, as does Close of h.
func NewLive[K comparable, V, M any](ctx context.Context, h *Hub[M], name string) (*Live[K, V], error) {
	c := h.core
	if err := c.check(name); err != nil {
		return nil, fmt.Errorf("rooms: live %q: %w", name, err)
	}
	l := &Live[K, V]{table: c.topic("live", name)}
	l.view.init(c)
	if err := l.watch(ctx); err != nil {
		return nil, fmt.Errorf("rooms: live %q: %w", name, err)
	}
	c.mu.Lock()
	closed := c.closed
	c.lives[l] = struct{}{}
	c.mu.Unlock()
	if closed {
		l.Close()
		return nil, fmt.Errorf("rooms: live %q: %w", name, ErrHubClosed)
	}
	return l, nil
}

// watch begins to follow the table, and returns when its state is known.
func (l *Live[K, V]) watch(ctx context.Context) error {
	hub := l.view.hub
	state, known := map[K]sized[V]{}, false // state is nobody else's until it is known
	stop, err := watchTable(ctx, hub, l.table, Watcher{
		Change: func(c Change) {
			key, value, err := decodeItem[K, V](c)
			switch {
			case err != nil: // of a program of another version
				hub.report(fmt.Errorf("rooms: live %q: a change is skipped: %w", l.table, err))
			case known && c.Value != nil:
				l.view.set(key, value, len(c.Value))
			case known:
				l.view.delete(key)
			case c.Value != nil:
				state[key] = sized[V]{value, len(c.Value)}
			default:
				delete(state, key)
			}
		},
		Ready: func() {
			known = true
			l.view.reset(state)
		},
		Lost: func(err error) { hub.again(fmt.Sprintf("live %q", l.table), err, l.watch) }, // members get the whole state then
	})
	if err != nil {
		return err
	}
	l.mu.Lock()
	closed := l.closed
	l.stop = stop
	l.mu.Unlock()
	if closed {
		stop()
		return errEnded
	}
	return nil
}

func decodeItem[K comparable, V any](c Change) (key K, value V, err error) {
	if err = fromJSON([]byte(c.Key), &key); err == nil && c.Value != nil {
		err = superjson.Unmarshal(c.Value, &value)
	}
	return key, value, err
}

// Set gives key a value on all nodes. It returns when the value is safe, which may be before the clients of this node know
// it.
func (l *Live[K, V]) Set(ctx context.Context, key K, value V) error {
	data, err := superjson.Marshal(value)
	if err != nil {
		return fmt.Errorf("rooms: live: set %v: %w", key, err)
	}
	return l.put(ctx, "set", key, data)
}

// Delete deletes key on all nodes.
func (l *Live[K, V]) Delete(ctx context.Context, key K) error {
	return l.put(ctx, "delete", key, nil)
}

func (l *Live[K, V]) put(ctx context.Context, operation string, key K, data []byte) error {
	text, err := toJSON(key)
	if err == nil && l.view.hub.isClosed() {
		err = ErrHubClosed
	}
	if err == nil {
		err = l.view.hub.backplane.Put(ctx, l.table, string(text), data)
	}
	if err != nil {
		return fmt.Errorf("rooms: live: %s %v: %w", operation, key, err)
	}
	return nil
}

// Get returns the value of key on this node.
func (l *Live[K, V]) Get(key K) (value V, has bool) { return l.view.get(key) }

// All iterates over the state of this node as it is when the iteration begins.
func (l *Live[K, V]) All() iter.Seq2[K, V] {
	return func(yield func(K, V) bool) {
		for key, value := range maps.All(l.view.all()) {
			if !yield(key, value) {
				return
			}
		}
	}
}

// Join has listen, a function of the client of ctx, called with all of the state, and then with each change. It is like
// Room.Join; JoinOptions.After has no effect.
func (l *Live[K, V]) Join(ctx context.Context, listen func(update Update[K, V]), opts *JoinOptions) error {
	m, err := newMember(ctx, listen, opts)
	if err == nil {
		m.home = liveHome[K, V]{&l.view}
		_, err = l.view.join(m)
	}
	if err != nil {
		return fmt.Errorf("rooms: join live: %w", err)
	}
	return nil
}

// Leave ends what Join has begun. ErrNotMember means that the connection of ctx had not joined.
func (l *Live[K, V]) Leave(ctx context.Context) error {
	if !l.view.hub.leave(&l.view.feed, kkrpc.FromContext(ctx)) {
		return fmt.Errorf("rooms: leave live: %w", ErrNotMember)
	}
	return nil
}

// Close ends the Live on this node. All members leave, Join fails, and Get finds nothing. Set and Delete go on to work, as do
// other nodes, until the hub is closed.
func (l *Live[K, V]) Close() {
	c := l.view.hub
	c.mu.Lock()
	delete(c.lives, l)
	c.mu.Unlock()
	l.mu.Lock()
	closed, stop := l.closed, l.stop
	l.closed = true
	l.mu.Unlock()
	if closed {
		return
	}
	if stop != nil {
		stop()
	}
	l.view.close()
}

// liveHome is the home of a Live's members.
type liveHome[K comparable, V any] struct{ *view[K, V] }

func (h liveHome[K, V]) left(m *member) { h.remove(m) }
