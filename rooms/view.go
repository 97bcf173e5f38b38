package rooms

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/kkrpc-go/kkrpc"
)

// Update tells a client how keyed state has changed. A client applies it to a Map: it clears the Map if Reset is true, then
// sets what is in Set, then deletes what is in Deleted.
type Update[K comparable, V any] struct {
	Reset   bool         `json:"reset"`
	Set     []Item[K, V] `json:"set"`
	Deleted []K          `json:"deleted"`
}

// Item is a key with its value.
type Item[K comparable, V any] struct {
	Key   K `json:"key"`
	Value V `json:"value"`
}

// A view is keyed state that members follow. A new member, and one that lagged, gets all of it in one Update.
type view[K comparable, V any] struct {
	feed

	// Guarded by feed.mu.
	state map[K]sized[V]
	size  int           // of state in bytes, roughly
	whole *kkrpc.Shared // all of state in one Update; nil since it has changed
}

// sized is a value that has about so many bytes when it is sent.
type sized[V any] struct {
	value V
	bytes int
}

func (v *view[K, V]) init(hub *core) {
	v.hub, v.state = hub, map[K]sized[V]{}
	v.snapshot = func() (*kkrpc.Shared, int) {
		if v.whole == nil {
			v.whole = kkrpc.Share(Update[K, V]{Reset: true, Set: v.itemsLocked(), Deleted: []K{}})
		}
		return v.whole, v.size
	}
}

func (v *view[K, V]) itemsLocked() []Item[K, V] {
	items := make([]Item[K, V], 0, len(v.state))
	for key, s := range v.state {
		items = append(items, Item[K, V]{key, s.value})
	}
	slices.SortFunc(items, func(a, b Item[K, V]) int { return cmp.Compare(fmt.Sprint(a.Key), fmt.Sprint(b.Key)) })
	return items
}

// set gives key a value of about so many bytes, and tells the members.
func (v *view[K, V]) set(key K, value V, bytes int) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.closed {
		return
	}
	v.size += bytes - v.state[key].bytes
	v.state[key] = sized[V]{value, bytes}
	v.changedLocked(Update[K, V]{Set: []Item[K, V]{{key, value}}, Deleted: []K{}}, bytes)
}

// delete deletes key, and tells the members.
func (v *view[K, V]) delete(key K) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if s, has := v.state[key]; has {
		v.size -= s.bytes
		delete(v.state, key)
		v.changedLocked(Update[K, V]{Set: []Item[K, V]{}, Deleted: []K{key}}, 0)
	}
}

// reset replaces the state.
func (v *view[K, V]) reset(state map[K]sized[V]) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.state, v.size, v.whole = state, 0, nil
	for _, s := range state {
		v.size += s.bytes
	}
	if len(v.members) > 0 {
		v.sendLocked(v.snapshot())
	}
}

func (v *view[K, V]) changedLocked(u Update[K, V], bytes int) {
	v.whole = nil
	if len(v.members) > 0 {
		v.sendLocked(kkrpc.Share(u), bytes)
	}
}

// join makes m a member, who gets the state first. From when it has entered, left of its home is called for it, also after an
// error.
func (v *view[K, V]) join(m *member) (entered bool, err error) {
	if err := v.hub.enter(&v.feed, m); err != nil {
		return false, err
	}
	before, err := v.add(m, func() {
		m.next = v.next
		value, bytes := v.snapshot()
		if m.ch.Unsent(v.roomFor(bytes)) != nil {
			v.lagLocked(m)
			return
		}
		v.deliverLocked(m, value)
	})
	if err != nil {
		v.hub.exit(m)
		return true, err
	}
	if before != nil {
		v.hub.letGo(before)
	}
	return true, nil
}

// close makes everybody no member any more.
func (v *view[K, V]) close() {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.closeLocked(v.hub.letGo)
	v.state, v.whole = nil, nil
}

func (v *view[K, V]) get(key K) (value V, has bool) {
	v.mu.Lock()
	defer v.mu.Unlock()
	s, has := v.state[key]
	return s.value, has
}

// all returns a copy of the state.
func (v *view[K, V]) all() map[K]V {
	v.mu.Lock()
	defer v.mu.Unlock()
	state := make(map[K]V, len(v.state))
	for key, s := range v.state {
		state[key] = s.value
	}
	return state
}
