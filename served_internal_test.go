package kkrpc

import (
	"context"
	"runtime"
	"strings"
	"testing"
)

// A counter that somebody has read never falls. Here it is read after a request has been taken up, and before the leader
// sees that the channel drains.
func TestServedNeverFalls(t *testing.T) {
	for name, read := range map[string]bool{"read": true, "not read": false} {
		t.Run(name, func(t *testing.T) {
			a, b := Pipe()
			ch, err := New(context.Background(), a, &Options{Group: new(Group), Expose: Object{"f": func() string { return "served" }}})
			if err != nil {
				t.Fatal(err)
			}
			defer ch.Close()
			ch.group.watch.mu.Lock() // which the leader wants when it has taken the request up
			if err := b.WriteFrames([][]byte{[]byte(`{"t":"q","id":"1","op":"call","p":["f"],"a":[]}`)}); err != nil {
				t.Fatal(err)
			}
			for ch.role.Load() == 0 {
				runtime.Gosched()
			}
			before := uint64(0)
			if read {
				if before = ch.Stats().Served; before != 1 {
					t.Errorf("%d served while the request is under way", before)
				}
			}
			ch.mu.Lock()
			ch.draining.Store(true)
			ch.mu.Unlock()
			if !read {
				before = ch.Stats().Served
			}
			ch.group.watch.mu.Unlock()
			answer, _, err := b.ReadFrame(nil)
			if err != nil {
				t.Fatal(err)
			}
			s := ch.Stats()
			if s.Served < before {
				t.Errorf("%d served, %d before", s.Served, before)
			}
			if ran := strings.Contains(string(answer), `"served"`); ran != read || s.Served+s.Refused != 1 || ran != (s.Served == 1) {
				t.Errorf("%d served, %d refused: %s", s.Served, s.Refused, answer)
			}
		})
	}
}
