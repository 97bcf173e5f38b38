package rooms

import (
	"cmp"
	"fmt"
	"maps"
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
	state map[K]V       // guarded by feed.mu
	whole *kkrpc.Shared // all of state in one Update; nil since it has changed
}

func (v *view[K, V]) init(hub *core) {
	v.hub, v.state = hub, map[K]V{}
	v.snapshot = func() *kkrpc.Shared {
		if v.whole == nil {
			v.whole = kkrpc.Share(Update[K, V]{Reset: true, Set: v.itemsLocked(), Deleted: []K{}})
		}
		return v.whole
	}
}

func (v *view[K, V]) itemsLocked() []Item[K, V] {
	items := make([]Item[K, V], 0, len(v.state))
	for key, value := range v.state {
		items = append(items, Item[K, V]{key, value})
	}
	slices.SortFunc(items, func(a, b Item[K, V]) int { return cmp.Compare(fmt.Sprint(a.Key), fmt.Sprint(b.Key)) })
	return items
}

// apply changes the state, which is known now, and tells the members.
func (v *view[K, V]) set(key K, value V) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.state[key] = value
	v.changedLocked(Update[K, V]{Set: []Item[K, V]{{key, value}}, Deleted: []K{}})
}

func (v *view[K, V]) delete(key K) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if _, has := v.state[key]; has {
		delete(v.state, key)
		v.changedLocked(Update[K, V]{Set: []Item[K, V]{}, Deleted: []K{key}})
	}
}

// reset replaces the state.
func (v *view[K, V]) reset(state map[K]V) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.state, v.whole = state, nil
	v.sendLocked(v.snapshot(), 0)
}

func (v *view[K, V]) changedLocked(u Update[K, V]) {
	v.whole = nil
	if len(v.members) > 0 {
		v.sendLocked(kkrpc.Share(u), 0)
	}
}

// join makes m a member, who gets the state first.
func (v *view[K, V]) join(m *member) error {
	if err := v.hub.enter(&v.feed, m); err != nil {
		return err
	}
	before := v.add(m, func() {
		m.next = v.next
		v.deliverLocked(m, v.snapshot())
	})
	v.hub.replaced(before, m)
	return nil
}

func (v *view[K, V]) get(key K) (value V, has bool) {
	v.mu.Lock()
	defer v.mu.Unlock()
	value, has = v.state[key]
	return value, has
}

func (v *view[K, V]) all() map[K]V {
	v.mu.Lock()
	defer v.mu.Unlock()
	return maps.Clone(v.state)
}
