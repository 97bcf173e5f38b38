package kknats

import (
	"errors"
	"slices"
	"testing"
)

// TestFollowerGoesLive has a follower read and be offered the same messages, in all ways in which the two may overlap.
func TestFollowerGoesLive(t *testing.T) {
	const all = 3 * mostWaiting
	for _, c := range []struct {
		name           string
		read, from, to int // it has read up to read when from to to were offered
		live           bool
	}{
		{"nothing new", 10, 0, 0, true},
		{"some that it has read", 10, 5, 8, true},
		{"some that overlap", 10, 5, 15, true},
		{"some that follow", 10, 11, 15, true},
		{"more than can wait", 10, 11, 11 + mostWaiting, false},
		{"more than can wait, all read", 11 + mostWaiting, 11, 11 + mostWaiting, true},
		{"more than can wait, and then some", 11 + mostWaiting, 11, 20 + mostWaiting, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			var got []uint64
			ready := 0
			f := &follower{entry: func(m message) { got = append(got, m.seq) }, lost: func(err error) { t.Error(err) }}
			read := func(to int) {
				for seq := int(f.cursor) + 1; seq <= to; seq++ {
					f.get([]message{{seq: uint64(seq)}})
				}
			}
			offer := func(from, to int) {
				for seq := from; seq <= to && seq > 0; seq++ {
					f.offer(message{seq: uint64(seq)})
				}
			}
			read(5)
			offer(c.from, c.to)
			read(c.read)
			if live := f.goLive(func() { ready++ }); live != c.live {
				t.Fatalf("it is live: %v", live)
			}
			if !c.live {
				read(c.to)
				if !f.goLive(func() { ready++ }) {
					t.Fatal("it is not live though it has read all")
				}
			}
			offer(max(c.to, c.read)+1, all)
			var want []uint64
			for seq := range all {
				want = append(want, uint64(seq+1))
			}
			if !slices.Equal(got, want) || ready != 1 {
				t.Errorf("it got %v, and was ready %d times", got, ready)
			}
		})
	}
}

// TestFollowerEnds shows that nothing is passed after the end, and that a loss is told once.
func TestFollowerEnds(t *testing.T) {
	lost := 0
	f := &follower{entry: func(m message) { t.Errorf("%d was passed", m.seq) }, lost: func(error) { lost++ }}
	f.lose(errors.New("lost"))
	f.lose(errors.New("again"))
	f.offer(message{seq: 1})
	f.get([]message{{seq: 1}})
	if !f.goLive(func() { t.Error("it is ready") }) || lost != 1 || !f.hasEnded() {
		t.Errorf("lost %d times", lost)
	}
}
