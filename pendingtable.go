package kkrpc

import "iter"

// pendingTable finds calls by their ids, which count up. The low bits of an id are its place in a slice, twice as long as
// the most calls that were under way at a time: an id whose place is taken by an older call is left out.
type pendingTable struct {
	last  uint64
	slots []*pendingCall // a power of two long; nil while there are no calls
	n     int            // calls in it
}

// smallestTable is how many places there are at first.
const smallestTable = 8

// add gives p an id and a place.
func (t *pendingTable) add(p *pendingCall) {
	if 2*t.n >= len(t.slots) {
		t.grow()
	}
	for {
		t.last++
		if place := t.place(t.last); *place == nil {
			p.id, *place = t.last, p
			t.n++
			return
		}
	}
}

func (t *pendingTable) place(id uint64) **pendingCall { return &t.slots[id&uint64(len(t.slots)-1)] }

// grow makes the table twice as long. Ids with places of their own keep them.
func (t *pendingTable) grow() {
	old := t.slots
	t.slots = make([]*pendingCall, max(smallestTable, 2*len(old)))
	for _, p := range old {
		if p != nil {
			*t.place(p.id) = p
		}
	}
}

// find returns the call with an id, or nil.
func (t *pendingTable) find(id uint64) *pendingCall {
	if len(t.slots) == 0 {
		return nil
	}
	if p := *t.place(id); p != nil && p.id == id {
		return p
	}
	return nil
}

// remove is for a call that is in the table.
func (t *pendingTable) remove(p *pendingCall) {
	*t.place(p.id) = nil
	t.n--
}

// all yields the calls, which may be removed meanwhile.
func (t *pendingTable) all() iter.Seq[*pendingCall] {
	return func(yield func(*pendingCall) bool) {
		for _, p := range t.slots {
			if p != nil && !yield(p) {
				return
			}
		}
	}
}

// shed gives back the memory of an empty table. Ids go on counting.
func (t *pendingTable) shed() {
	if t.n == 0 {
		t.slots = nil
	}
}
