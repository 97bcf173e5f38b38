package kkrpc

import (
	"context"
	"fmt"
	"testing"
	"testing/synctest"
	"time"
)

// many has n requests wait in handlers of s, and returns what to write for another message of their peer. A request to
// return waits for release.
func many(t testing.TB, n int, release <-chan struct{}) (s *Channel, write func(format string, args ...any)) {
	a, b := Pipe()
	s, err := New(context.Background(), a, &Options{Dialect: Compact, Expose: Object{
		"wait":   func(ctx context.Context, _ int) { <-ctx.Done() },
		"return": func(context.Context) { <-release },
	}, Limits: Limits{Running: n + 3}})
	if err != nil {
		t.Fatal(err)
	}
	go func() { // ends with the channel
		for {
			if _, _, err := b.ReadFrame(nil); err != nil {
				return
			}
		}
	}()
	write = func(format string, args ...any) {
		if err := b.WriteFrames([][]byte{fmt.Appendf(nil, format, args...)}); err != nil {
			t.Fatal(err)
		}
	}
	for i := range n {
		write(`{"t":"q","id":"%d","op":"call","p":["wait"],"a":[%d]}`, i, i)
	}
	return s, write
}

// A cancel finds its request among thousands without looking at each, so that cancels of unknown ids are cheap.
func TestCancelAmongMany(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const n = 200
		s, write := many(t, n, nil)
		defer s.Close()
		open := func(want int32) {
			t.Helper()
			time.Sleep(time.Second)
			if got := s.open.Load(); got != want {
				t.Fatalf("%d requests are open, want %d", got, want)
			}
		}
		open(n)
		write(`{"t":"qc","id":"unknown"}`)
		open(n)
		s.mu.Lock()
		indexed := len(s.active.byID)
		s.mu.Unlock()
		if indexed != n {
			t.Errorf("%d of %d requests are in the index", indexed, n)
		}
		write(`{"t":"qc","id":"17"}`)
		open(n - 1)
		write(`{"t":"qc","id":"17"}`)
		open(n - 1)
		write(`{"t":"q","id":"17","op":"call","p":["wait"],"a":[1]}`) // an id may come again
		open(n)
		write(`{"t":"qc","id":"17"}`)
		open(n - 1)
		for i := range n {
			write(`{"t":"qc","id":"%d"}`, i)
		}
		open(0)
		s.mu.Lock()
		defer s.mu.Unlock()
		if s.active.byID != nil || s.active.count != 0 || s.active.first != nil {
			t.Errorf("%d scopes are left, %v", s.active.count, s.active.byID)
		}
	})
}

// kkrpc does not look whether an id comes twice. A cancel ends all requests with its id that run, in a short list of
// requests and in an indexed one.
func TestCancelOfRequestsWithOneID(t *testing.T) {
	for name, others := range map[string]int{"few": 2, "many": 2 * longList} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				release := make(chan struct{})
				s, write := many(t, others, release)
				defer s.Close()
				open := func(what string, want int32) {
					t.Helper()
					time.Sleep(time.Second)
					if got := s.open.Load(); got != want {
						t.Fatalf("%s: %d requests are open, want %d", what, got, want)
					}
				}
				same := func(path, args string) {
					write(`{"t":"q","id":"same","op":"call","p":["%s"],"a":[%s]}`, path, args)
				}
				n := int32(others)
				open("others", n)
				write(`{"t":"qc","id":"unknown"}`) // from here on there is an index
				same("wait", "1")
				same("wait", "2")
				same("wait", "3")
				open("three", n+3)
				write(`{"t":"qc","id":"same"}`)
				open("all are cancelled", n)

				same("wait", "1")
				same("return", "")
				open("two", n+2)
				release <- struct{}{}
				open("the second has returned", n+1)
				write(`{"t":"qc","id":"same"}`)
				open("the first is cancelled", n)

				same("return", "")
				same("wait", "1")
				same("return", "")
				open("three", n+3)
				close(release)
				open("those around it have returned", n+1)
				write(`{"t":"qc","id":"same"}`)
				open("the one between is cancelled", n)

				s.mu.Lock()
				left := len(s.active.more)
				s.mu.Unlock()
				if left > 0 {
					t.Errorf("%d ids are kept", left)
				}
			})
		})
	}
}

// As many requests as may be open by default, and cancels that name none of them.
func BenchmarkCancelUnknown(b *testing.B) {
	s, _ := many(b, 4090, nil)
	defer s.Close()
	for s.open.Load() < 4090 {
		time.Sleep(time.Millisecond)
	}
	id := []byte(`"unknown"`)
	for b.Loop() {
		s.cancelled(id)
	}
}

// A janitor goes on while there is something to tell, also if the last handle is collected while it works.
func TestJanitorGoesOn(t *testing.T) {
	for name, late := range map[string]func(k *imports[int]){
		"a handle that is collected": func(k *imports[int]) { k.goneLocked("f1", 1) },
		"a handle that nobody read":  func(k *imports[int]) { k.unread("f1", false) },
		"a handle that the peer holds": func(k *imports[int]) {
			k.accept("f1", func(*int) bool { return true }, func() *int { return &keptHandle })
		},
	} {
		t.Run(name, func(t *testing.T) {
			n := &news{stopped: true}
			k := &imports[int]{limit: 10, news: n, patient: true}
			if k.takeGone(true); k.more() {
				t.Error("it goes on with nothing to tell")
			}
			late(k) // between takeGone and more, as tell calls them
			if !k.more() {
				t.Error("it stops one step early")
			}
		})
	}
}

var keptHandle int
