package kkrpc_test

import (
	"context"
	"iter"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/kkrpc-go/kkrpc"
)

// TestStats looks at both sides of one channel, in each dialect: while things are under way, after that, and after the end.
func TestStats(t *testing.T) {
	for _, d := range dialects {
		t.Run(d.String(), func(t *testing.T) { bubble(t, func(t *testing.T) { checkStats(t, d) }) })
	}
}

// watch is how often a channel looks whether a handler is slow.
const watch = time.Millisecond

func checkStats(t *testing.T, d kkrpc.Dialect) {
	release := make(chan struct{})
	s, c := pair(t, kkrpc.Options{Limits: kkrpc.Limits{Running: 2}, Expose: kkrpc.Object{
		"add":  func(a, b int) int { return a + b },
		"wait": func() { <-release },
		"keep": func(tick func(int)) { <-release },
		"count": func() iter.Seq[int] {
			return func(yield func(int) bool) {
				if yield(1) && yield(2) {
					<-release
				}
			}
		},
	}}, kkrpc.Options{Dialect: d})

	for range 3 {
		if _, err := kkrpc.Call[int](t.Context(), c, "add", 1, 2); err != nil {
			t.Fatal(err)
		}
	}
	if err := c.Call(t.Context(), nil, "nothing"); err == nil {
		t.Fatal("there is no such function")
	}
	if err := c.Call(t.Context(), nil, "add", "one"); err == nil {
		t.Fatal("the arguments are wrong")
	}
	stats(t, "the server is idle", s, kkrpc.Stats{Served: 3, Refused: 2})
	stats(t, "the client is idle", c, kkrpc.Stats{Made: 5})

	next, stop := iter.Pull2(kkrpc.Stream[int](t.Context(), c, "count"))
	if _, err, _ := next(); err != nil {
		t.Fatal(err)
	}
	go c.Call(context.Background(), nil, "wait")
	go c.Call(context.Background(), nil, "keep", func(int) {})
	time.Sleep(10 * watch) // of the bubble: until reading has gone on behind the handlers
	go c.Call(context.Background(), nil, "wait")
	time.Sleep(10 * watch)
	busy := s.Stats()
	if busy.BytesIn == 0 {
		t.Error("the request that waits has no bytes")
	}
	wantHeld := 1 // the handler's parameter
	if isClassic(d) {
		wantHeld = 0 // nothing tells when it goes
	}
	want := kkrpc.Stats{Served: 6, Refused: 2, Running: 2, Queued: 1, BytesIn: busy.BytesIn, StreamsOut: 1, CallbacksIn: wantHeld, BytesOut: busy.BytesOut}
	if diff := cmp.Diff(want, busy); diff != "" {
		t.Errorf("the server is busy: (-want +got)\n%s", diff)
	}
	calling := c.Stats()
	if calling.BytesIn == 0 {
		t.Error("the item that waits has no bytes")
	}
	want = kkrpc.Stats{Made: 9, Pending: 3, BytesIn: calling.BytesIn, StreamsIn: 1, CallbacksOut: 1, BytesOut: calling.BytesOut}
	if diff := cmp.Diff(want, calling); diff != "" {
		t.Errorf("the client is busy: (-want +got)\n%s", diff)
	}
	stop()
	close(release)
	synctest.Wait()
	s.Close()
	c.Close()
	stats(t, "the server has closed", s, kkrpc.Stats{Served: 7, Refused: 2})
	stats(t, "the client has closed", c, kkrpc.Stats{Made: 9})

	var sum kkrpc.Stats
	sum.Add(s.Stats())
	sum.Add(c.Stats())
	if want := (kkrpc.Stats{Served: 7, Refused: 2, Made: 9}); sum != want {
		t.Errorf("together %+v, want %+v", sum, want)
	}
	if s.ID() == 0 || s.ID() == c.ID() || s.Peer() != "" {
		t.Errorf("ids %d and %d, peer %q", s.ID(), c.ID(), s.Peer())
	}
	var none *kkrpc.Channel
	if none.Stats() != (kkrpc.Stats{}) || none.ID() != 0 || none.Peer() != "" {
		t.Error("a nil Channel has done something")
	}
}

func stats(t *testing.T, when string, ch *kkrpc.Channel, want kkrpc.Stats) {
	t.Helper()
	synctest.Wait()
	if diff := cmp.Diff(want, ch.Stats()); diff != "" {
		t.Errorf("%s: (-want +got)\n%s", when, diff)
	}
}

func isClassic(d kkrpc.Dialect) bool { return d == kkrpc.Classic || d == kkrpc.ClassicSuperJSON }
