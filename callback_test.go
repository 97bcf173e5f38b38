package kkrpc_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/kkrpc-go/kkrpc"
)

func TestCallbacksPrecedeTheResponse(t *testing.T) {
	for _, d := range dialects {
		t.Run(d.String(), func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				server := kkrpc.Object{"count": func(n int, progress func(i, n int)) string {
					for i := range n {
						progress(i+1, n)
					}
					return "done"
				}}
				_, c := pair(t, kkrpc.Options{Expose: server}, kkrpc.Options{Dialect: d})
				var seen []int
				got, err := kkrpc.Call[string](t.Context(), c, "count", 100, func(i, n int) {
					time.Sleep(time.Millisecond) // of the bubble: the response overtakes unless it waits
					seen = append(seen, i)
				})
				if got != "done" || err != nil {
					t.Fatalf("count = %q, %v", got, err)
				}
				if len(seen) != 100 {
					t.Fatalf("%d callbacks before the response", len(seen))
				}
				for i, s := range seen {
					if s != i+1 {
						t.Fatalf("callback %d was number %d", s, i+1)
					}
				}
			})
		})
	}
}

func TestCallbackMayCallThePeer(t *testing.T) {
	bubble(t, func(t *testing.T) {
		server := kkrpc.Object{
			"each": func(f func(i int)) { f(1); f(2); f(3) },
			"add":  func(a, b int) int { return a + b },
		}
		_, c := pair(t, kkrpc.Options{Expose: server}, kkrpc.Options{})
		var sum atomic.Int64
		err := c.Call(t.Context(), nil, "each", func(ctx context.Context, i int) error {
			n, err := kkrpc.Call[int](ctx, kkrpc.FromContext(ctx), "add", i, 10)
			sum.Add(int64(n))
			return err
		})
		if err != nil || sum.Load() != 36 {
			t.Errorf("sum = %d, %v", sum.Load(), err)
		}
	})
}

func TestCallbackIdentity(t *testing.T) {
	bubble(t, func(t *testing.T) {
		var held []*kkrpc.Callback
		server := kkrpc.Object{
			"same": func(a, b *kkrpc.Callback) bool { return a == b },
			"keep": func(cb *kkrpc.Callback) { held = append(held, cb) },
		}
		_, c := pair(t, kkrpc.Options{Expose: server}, kkrpc.Options{})
		f, g := func() {}, func() {}
		closure := func(i int) func() { return func() { _ = i } }
		for _, test := range []struct {
			name string
			a, b any
			want bool
		}{
			{"the same function", f, f, true},
			{"two functions", f, g, false},
			{"two closures of one literal", closure(1), closure(2), false},
		} {
			got, err := kkrpc.Call[bool](t.Context(), c, "same", test.a, test.b)
			if got != test.want || err != nil {
				t.Errorf("%s: %v, %v", test.name, got, err)
			}
		}
		handle := kkrpc.NewCallback(f)
		for range 2 {
			if err := c.Call(t.Context(), nil, "keep", handle); err != nil {
				t.Fatal(err)
			}
		}
		if held[0] != held[1] {
			t.Error("a NewCallback passed in two calls arrived as two functions")
		}
	})
}

func TestRelease(t *testing.T) {
	bubble(t, func(t *testing.T) {
		var f func(string) error
		server := kkrpc.Object{"keep": func(cb func(string) error) { f = cb }}
		_, c := pair(t, kkrpc.Options{Expose: server}, kkrpc.Options{})
		got := make(chan string, 1)
		if err := c.Call(t.Context(), nil, "keep", func(s string) { got <- s }); err != nil {
			t.Fatal(err)
		}
		if err := f("hello"); err != nil || <-got != "hello" {
			t.Fatal(err)
		}
		if err := kkrpc.Release(f); err != nil {
			t.Fatal(err)
		}
		if err := f("again"); !errors.Is(err, kkrpc.ErrReleased) {
			t.Errorf("after Release: %v", err)
		}
		if err := kkrpc.Release(func() {}); err == nil {
			t.Error("released a function that no peer sent")
		}
	})
}

func TestReleaseOnClassicIsUnsupported(t *testing.T) {
	bubble(t, func(t *testing.T) {
		errs := make(chan error, 1)
		server := kkrpc.Object{"keep": func(cb func()) { errs <- kkrpc.Release(cb) }}
		_, c := pair(t, kkrpc.Options{Expose: server}, kkrpc.Options{Dialect: kkrpc.Classic})
		if err := c.Call(t.Context(), nil, "keep", func() {}); err != nil {
			t.Fatal(err)
		}
		if err := <-errs; !errors.Is(err, kkrpc.ErrUnsupported) {
			t.Errorf("got %v", err)
		}
	})
}

// Not under synctest: it waits for the garbage collector.
func TestCollectedCallbacksAreReleased(t *testing.T) {
	server := kkrpc.Object{"use": func(cb func()) { cb() }, "ping": func() {}}
	_, c := pair(t, kkrpc.Options{Expose: server, Limits: kkrpc.Limits{Callbacks: 4}},
		kkrpc.Options{Limits: kkrpc.Limits{Callbacks: 4}})
	deadline := time.Now().Add(20 * time.Second)
	for passed := 0; passed < 20; {
		err := c.Call(t.Context(), nil, "use", func() {})
		switch {
		case err == nil:
			passed++
		case time.Now().After(deadline):
			t.Fatalf("after %d functions: %v", passed, err)
		default:
			runtime.GC()
			if err := c.Call(t.Context(), nil, "ping"); err != nil {
				t.Fatal(err)
			}
		}
	}
}

func TestCallbackLimitOnClassicNamesNewCallback(t *testing.T) {
	bubble(t, func(t *testing.T) {
		server := kkrpc.Object{"use": func(cb func()) {}}
		_, c := pair(t, kkrpc.Options{Expose: server}, kkrpc.Options{Dialect: kkrpc.Classic, Limits: kkrpc.Limits{Callbacks: 2}})
		pass := func(i int) error { return c.Call(t.Context(), nil, "use", func() { _ = i }) }
		for i := range 2 {
			if err := pass(i); err != nil {
				t.Fatal(err)
			}
		}
		err := pass(2)
		if !errors.Is(err, kkrpc.ErrLimit) || !strings.Contains(err.Error(), "NewCallback") {
			t.Errorf("got %v", err)
		}
	})
}

func TestSlowCallbacksHoldUpTheReader(t *testing.T) {
	bubble(t, func(t *testing.T) {
		const n = 2000
		server := kkrpc.Object{"flood": func(f func(string)) {
			for range n {
				f(strings.Repeat("x", 1000))
			}
		}}
		_, c := pair(t, kkrpc.Options{Expose: server}, kkrpc.Options{Limits: kkrpc.Limits{CallbackQueue: 20_000}})
		got := 0
		err := c.Call(t.Context(), nil, "flood", func(string) {
			got++
			time.Sleep(time.Millisecond)
		})
		if got != n || err != nil {
			t.Errorf("%d callbacks, %v", got, err)
		}
	})
}

func TestStuckCallbacksCloseTheChannel(t *testing.T) {
	bubble(t, func(t *testing.T) {
		server := kkrpc.Object{"flood": func(f func(string)) {
			for range 100 {
				f(strings.Repeat("x", 1000))
			}
		}}
		_, c := pair(t, kkrpc.Options{Expose: server}, kkrpc.Options{Limits: kkrpc.Limits{CallbackQueue: 20_000}, CallTimeout: -1})
		stuck := make(chan struct{})
		defer close(stuck)
		err := c.Call(t.Context(), nil, "flood", func(string) { <-stuck })
		if !errors.Is(err, kkrpc.ErrClosed) || !errors.Is(err, kkrpc.ErrLimit) || !strings.Contains(fmt.Sprint(err), "CallbackQueue") {
			t.Errorf("got %v", err)
		}
		synctest.Wait()
	})
}
