package kkrpc

import (
	"maps"
	"math/rand/v2"
	"slices"
	"testing"
)

// A few calls that stay for long must not make the table lose others, nor give an id twice.
func TestPendingTable(t *testing.T) {
	for _, r := range []struct {
		name          string
		most, patient int
	}{
		{"one at a time", 1, 0},
		{"one stays", 2, 1},
		{"as many as there are places", smallestTable, 0},
		{"many, half of them stay", 300, 150},
	} {
		t.Run(r.name, func(t *testing.T) {
			random := rand.New(rand.NewPCG(1, uint64(r.most)))
			var table pendingTable
			want := map[uint64]*pendingCall{}
			last := uint64(0)
			for range 20_000 {
				if len(want) < r.most {
					p := new(pendingCall)
					if table.add(p); p.id <= last {
						t.Fatalf("id %d after %d", p.id, last)
					}
					last, want[p.id] = p.id, p
				}
				if ids := slices.Sorted(maps.Keys(want)); len(ids) == r.most {
					id := ids[r.patient+random.IntN(len(ids)-r.patient)] // the first ones stay
					if table.find(id) != want[id] {
						t.Fatalf("call %d was not found", id)
					}
					if table.find(id+uint64(len(table.slots))) != nil {
						t.Fatalf("call %d was found by the id of another", id)
					}
					table.remove(want[id])
					delete(want, id)
					if table.find(id) != nil {
						t.Fatalf("call %d was found after it had ended", id)
					}
				}
			}
			got := map[uint64]*pendingCall{}
			for p := range table.all() {
				got[p.id] = p
			}
			if !maps.Equal(got, want) || table.n != len(want) {
				t.Errorf("%d calls are left, n is %d; want %d", len(got), table.n, len(want))
			}
			if limit := max(smallestTable, 4*r.most); len(table.slots) > limit {
				t.Errorf("%d places for %d calls", len(table.slots), r.most)
			}
			for p := range table.all() {
				table.remove(p)
			}
			if table.shed(); table.slots != nil || table.find(last) != nil {
				t.Error("the memory of an empty table is kept")
			}
			p := new(pendingCall)
			if table.add(p); p.id <= last {
				t.Errorf("id %d after %d", p.id, last)
			}
		})
	}
}
