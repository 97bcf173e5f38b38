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
		if cb := kkrpc.CallbackOf(f); cb.Notify("told") != nil || <-got != "told" || kkrpc.CallbackOf(cb) != cb {
			t.Error("the Callback behind the func is another")
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
		for _, other := range []any{nil, 5, func() {}, (func())(nil), c} {
			if cb := kkrpc.CallbackOf(other); cb != nil {
				t.Errorf("%T is a Callback", other)
			}
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

func TestReleaseInsideTheHandlerThatGotTheCallback(t *testing.T) {
	bubble(t, func(t *testing.T) {
		server := kkrpc.Object{"use": func(f func(int) error) error {
			if err := f(1); err != nil {
				return err
			}
			return kkrpc.Release(f)
		}}
		_, c := pair(t, kkrpc.Options{Expose: server}, kkrpc.Options{Limits: kkrpc.Limits{Callbacks: 3}})
		for i := range 10 {
			if err := c.Call(t.Context(), nil, "use", func(int) { _ = i }); err != nil {
				t.Fatalf("function %d: %v", i+1, err)
			}
		}
	})
}

func TestFunctionsOfAMessageThatIsNotSentAreForgotten(t *testing.T) {
	bubble(t, func(t *testing.T) {
		_, c := pair(t, kkrpc.Options{Expose: kkrpc.Object{"use": func(f func(), _ any) {}}},
			kkrpc.Options{Limits: kkrpc.Limits{Callbacks: 2}})
		for i := range 10 {
			err := c.Call(t.Context(), nil, "use", func() { _ = i }, make(chan int))
			if err == nil || errors.Is(err, kkrpc.ErrLimit) {
				t.Fatalf("call %d: %v", i+1, err)
			}
		}
		if err := c.Call(t.Context(), nil, "use", func() {}); err != nil {
			t.Error(err)
		}
	})
}

func TestDuplicateAnswersAreDropped(t *testing.T) {
	bubble(t, func(t *testing.T) {
		ch, peer := raw(t, kkrpc.Options{Dialect: kkrpc.Compact})
		release := make(chan struct{})
		got := make(chan string)
		go func() {
			s, err := kkrpc.Call[string](context.Background(), ch, "x", func() { <-release })
			got <- fmt.Sprint(s, err)
		}()
		read(t, peer)
		write(t, peer, `{"t":"cb","id":"f1","a":[]}`)
		for i := range 5 {
			write(t, peer, fmt.Sprintf(`{"t":"r","id":"1","v":"answer %d"}`, i))
		}
		synctest.Wait()
		if ch.Dropped() != 4 {
			t.Errorf("dropped %d", ch.Dropped())
		}
		close(release)
		if g := <-got; g != "answer 0<nil>" {
			t.Errorf("got %q", g)
		}
	})
}

func TestHeldAnswerIsNotWaitedForLongerThanTheCall(t *testing.T) {
	bubble(t, func(t *testing.T) {
		ch, peer := raw(t, kkrpc.Options{Dialect: kkrpc.Compact})
		release := make(chan struct{})
		defer close(release)
		got := make(chan error)
		ctx, cancel := context.WithCancel(t.Context())
		go func() { got <- ch.Call(ctx, nil, "x", func() { <-release }) }()
		read(t, peer)
		write(t, peer, `{"t":"cb","id":"f1","a":[]}`, `{"t":"r","id":"1"}`)
		synctest.Wait()
		cancel()
		if err := <-got; !errors.Is(err, context.Canceled) {
			t.Errorf("got %v", err)
		}
	})
}

func TestCallbackWaitsForRoomWithItsContext(t *testing.T) {
	bubble(t, func(t *testing.T) {
		got := make(chan error, 1)
		server := kkrpc.Object{"flood": func(ctx context.Context, f func(context.Context, string) error) {
			for {
				if err := f(ctx, strings.Repeat("x", 100_000)); err != nil {
					got <- err
					return
				}
			}
		}}
		_, peer := raw(t, kkrpc.Options{Expose: server, Limits: kkrpc.Limits{Outbound: 1000}})
		go peer.WriteFrames([][]byte{[]byte(`{"t":"q","id":"1","op":"call","p":["flood"],"a":[{"__kkrpc_next_arg__":"callback","id":"f1"}]}`)})
		time.Sleep(time.Second)
		select {
		case err := <-got:
			t.Fatalf("ended with %v", err)
		default:
		}
		write(t, peer, `{"t":"qc","id":"1"}`)
		if err := <-got; !errors.Is(err, context.Canceled) {
			t.Errorf("got %v", err)
		}
	})
}

func TestCallbacksGoOnAfterOneThatPanicsOrExits(t *testing.T) {
	bubble(t, func(t *testing.T) {
		var reported, ran atomic.Int32
		server := kkrpc.Object{"each": func(f func(int)) { f(0); f(1); f(2); f(3) }}
		_, c := pair(t, kkrpc.Options{Expose: server}, kkrpc.Options{OnError: func(error) { reported.Add(1) }})
		err := c.Call(t.Context(), nil, "each", func(i int) error {
			ran.Add(1)
			switch i {
			case 0:
				panic("of the test")
			case 1:
				runtime.Goexit()
			case 2:
				return errors.New("of the test")
			}
			return nil
		})
		synctest.Wait()
		if err != nil || ran.Load() != 4 || reported.Load() < 3 {
			t.Errorf("%d ran, %d reported, %v", ran.Load(), reported.Load(), err)
		}
	})
}

func TestFunctionsAsArgumentsOfCallbacks(t *testing.T) {
	bubble(t, func(t *testing.T) {
		got := make(chan string, 1)
		errs := make(chan error, 1)
		server := kkrpc.Object{"ask": func(f func(reply func(string)) error, g func(any, any) error) {
			errs <- g(func() {}, make(chan int))
			f(func(s string) { got <- s })
		}}
		_, c := pair(t, kkrpc.Options{Expose: server, Limits: kkrpc.Limits{Callbacks: 2}}, kkrpc.Options{})
		err := c.Call(t.Context(), nil, "ask", func(reply *kkrpc.Callback) error { return reply.Call("hello") }, func(any) {})
		if err != nil {
			t.Fatal(err)
		}
		if err := <-errs; err == nil {
			t.Error("a chan was encoded")
		}
		if g := <-got; g != "hello" {
			t.Errorf("got %q", g)
		}
	})
}

// Options.CallTimeout is about the answer, not about the callbacks that it waits for.
func TestAnAnsweredCallDoesNotTimeOut(t *testing.T) {
	bubble(t, func(t *testing.T) {
		_, ch := pair(t, kkrpc.Options{Expose: kkrpc.Object{
			"job": func(progress func() error) (int, error) { return 7, progress() },
		}}, kkrpc.Options{CallTimeout: time.Second})
		begin := time.Now()
		n, err := kkrpc.Call[int](t.Context(), ch, "job", func() { time.Sleep(time.Minute) })
		if took := time.Since(begin); n != 7 || err != nil || took != time.Minute {
			t.Errorf("got %d, %v after %v", n, err, took)
		}
	})
}
