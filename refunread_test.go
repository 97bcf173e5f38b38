package kkrpc_test

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/kkrpc-go/kkrpc"
)

// Each round sends a new reference that nobody decodes. The owner may hold one at a time, so that the next one cannot be
// sent unless it was given back.
func TestReferencesThatNobodyDecodesAreGivenBack(t *testing.T) {
	needsMethods(t)
	fresh := func() *kkrpc.Ref {
		return kkrpc.Proxy(&counter{}) // a func that captures nothing would be the same one each time
	}
	one := kkrpc.Limits{References: 1}
	for _, test := range []struct {
		name   string
		client bool // it is the client that owns the reference
		do     func(ctx context.Context, ch *kkrpc.Channel) error
	}{
		{"a result that nobody wants", false, func(ctx context.Context, ch *kkrpc.Channel) error { return ch.Call(ctx, nil, "fresh") }},
		{"a result of another type", false, func(ctx context.Context, ch *kkrpc.Channel) error {
			if _, err := kkrpc.Call[int](ctx, ch, "fresh"); err == nil {
				return errors.New("no error")
			}
			return nil
		}},
		{"an answer that comes too late", false, func(ctx context.Context, ch *kkrpc.Channel) error {
			ctx, cancel := context.WithTimeout(ctx, time.Millisecond)
			defer cancel()
			if err := ch.Call(ctx, nil, "slow"); !errors.Is(err, context.DeadlineExceeded) {
				return fmt.Errorf("got %v, want that the time is over", err)
			}
			time.Sleep(time.Second)
			return nil
		}},
		{"an item that is not taken", false, func(ctx context.Context, ch *kkrpc.Channel) error {
			for _, err := range kkrpc.Stream[any](ctx, ch, "items") {
				if err == nil {
					time.Sleep(time.Second) // the next items have come
				}
				return err
			}
			return nil
		}},
		{"an argument for no function", true, func(ctx context.Context, ch *kkrpc.Channel) error {
			return mustFail(ch.Call(ctx, nil, "nothing", fresh()))
		}},
		{"an argument behind a wrong one", true, func(ctx context.Context, ch *kkrpc.Channel) error {
			return mustFail(ch.Call(ctx, nil, "take", "no number", fresh()))
		}},
		{"the value of what is no property", true, func(ctx context.Context, ch *kkrpc.Channel) error {
			return mustFail(kkrpc.Set(ctx, ch, "nothing", fresh()))
		}},
		{"an argument of a callback, which does not fit", false, func(ctx context.Context, ch *kkrpc.Channel) error {
			return ch.Call(ctx, nil, "invoke", func(int) {})
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				api := kkrpc.Object{
					"fresh": fresh,
					"slow":  func() *kkrpc.Ref { time.Sleep(time.Second); return fresh() },
					"items": func() iter.Seq[any] {
						return func(yield func(any) bool) { _ = yield("first") && yield(fresh()) && yield("last") }
					},
					"take":   func(int, *kkrpc.Ref) {},
					"invoke": func(f *kkrpc.Callback) error { return f.Call(fresh()) },
				}
				failed := func(err error) { t.Errorf("reported: %v", err) }
				server, client := kkrpc.Options{Expose: api, OnError: failed}, kkrpc.Options{References: true}
				if test.client {
					client.Limits = one
				} else {
					server.Limits = one
				}
				_, ch := pair(t, server, client)
				for round := range 3 {
					if err := test.do(t.Context(), ch); err != nil {
						t.Errorf("round %d: %v", round, err)
					}
					time.Sleep(10 * time.Second) // a quiet channel takes a few to tell
				}
				if _, err := kkrpc.Call[*kkrpc.Ref](t.Context(), ch, "fresh"); err != nil {
					t.Errorf("the server still holds one: %v", err)
				}
				if err := ch.Call(t.Context(), nil, "take", 1, fresh()); err != nil {
					t.Errorf("the client still holds one: %v", err)
				}
			})
		})
	}
}

// mustFail is nil if err is, as wanted, that of the peer, and not one of a limit here.
func mustFail(err error) error {
	if e := (*kkrpc.Error)(nil); errors.As(err, &e) {
		return nil
	}
	return fmt.Errorf("got %v, want an error of the peer", err)
}

// What is not decoded must not give back what somebody holds.
func TestAnUnreadReferenceThatIsHeld(t *testing.T) {
	needsMethods(t)
	bubble(t, func(t *testing.T) {
		kept := kkrpc.Proxy(&counter{})
		_, ch := pair(t, kkrpc.Options{Expose: kkrpc.Object{"kept": func() *kkrpc.Ref { return kept }}}, kkrpc.Options{})
		ref, err := kkrpc.Call[*kkrpc.Ref](t.Context(), ch, "kept")
		if err != nil {
			t.Fatal(err)
		}
		for range 3 {
			if err := ch.Call(t.Context(), nil, "kept"); err != nil {
				t.Error(err)
			}
		}
		if n, err := kkrpc.Call[int](t.Context(), ref, "increment"); n != 1 || err != nil {
			t.Errorf("got %d, %v", n, err)
		}
	})
}

// Each round passes a new function that nobody will call. The client may have one at a time, so that the next one cannot be
// sent unless it was given back.
func TestFunctionsThatNobodyTakesAreGivenBack(t *testing.T) {
	for _, path := range []string{"nothing", "take", "invoke"} {
		t.Run(path, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				api := kkrpc.Object{
					"take":   func(int, func()) {},
					"invoke": func(callback *kkrpc.Callback) error { return kkrpc.Release(callback) },
				}
				_, ch := pair(t, kkrpc.Options{Expose: api}, kkrpc.Options{Limits: kkrpc.Limits{Callbacks: 1}})
				for round := range 3 {
					fresh := func() { t.Error(round) }
					var err error
					if path == "invoke" {
						err = ch.Call(t.Context(), nil, path, fresh)
					} else {
						err = mustFail(ch.Call(t.Context(), nil, path, "no number", fresh))
					}
					if err != nil {
						t.Errorf("round %d: %v", round, err)
					}
					time.Sleep(10 * time.Second) // a quiet channel takes a few to tell
				}
			})
		})
	}
}

// A function that is passed again in a call that nobody serves is not given back while this side holds it.
func TestAFunctionThatIsHeldIsNotGivenBack(t *testing.T) {
	bubble(t, func(t *testing.T) {
		var held func() error
		var called atomic.Int32
		again := kkrpc.NewCallback(func() { called.Add(1) })
		_, ch := pair(t, kkrpc.Options{Expose: kkrpc.Object{"keep": func(f func() error) { held = f }}}, kkrpc.Options{})
		if err := ch.Call(t.Context(), nil, "keep", again); err != nil {
			t.Fatal(err)
		}
		if err := mustFail(ch.Call(t.Context(), nil, "nothing", again)); err != nil {
			t.Fatal(err)
		}
		time.Sleep(10 * time.Second)
		if err := held(); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Second)
		if n := called.Load(); n != 1 {
			t.Errorf("called %d times", n)
		}
	})
}

// A client in JavaScript that is refused tries again with the same function, which has the same id.
func TestAFunctionThatIsPassedAgainIsNotGivenBack(t *testing.T) {
	bubble(t, func(t *testing.T) {
		a, b := kkrpc.Pipe()
		ch, err := kkrpc.New(t.Context(), a, &kkrpc.Options{Expose: kkrpc.Object{"keep": func(f func() error) {
			go func() { time.Sleep(time.Minute); runtime.KeepAlive(&f); _ = f() }()
		}}})
		if err != nil {
			t.Fatal(err)
		}
		defer ch.Close()
		const call = `{"t":"q","id":"1","op":"call","p":["%s"],"a":[{"__kkrpc_next_arg__":"callback","id":"f1"}]}`
		for _, path := range []string{"nothing", "keep"} {
			if err := b.WriteFrames([][]byte{fmt.Appendf(nil, call, path)}); err != nil {
				t.Fatal(err)
			}
			if _, _, err := b.ReadFrame(nil); err != nil {
				t.Fatal(err)
			}
		}
		if msg, _, err := b.ReadFrame(nil); err != nil || !strings.Contains(string(msg), `"t":"cb","id":"f1"`) {
			t.Errorf("got %s, %v, want the call of the function", msg, err)
		}
	})
}

// Peers are told at once of references that nobody reads: they may hold no more than Limits.References.
func TestUnreadReferencesAreGivenBackWithTheNextMessage(t *testing.T) {
	needsMethods(t)
	bubble(t, func(t *testing.T) {
		const limit = 100
		open := func() *kkrpc.Ref { return kkrpc.Proxy(&counter{}) }
		_, ch := pair(t, kkrpc.Options{Expose: kkrpc.Object{"open": open}, Limits: kkrpc.Limits{References: limit}},
			kkrpc.Options{References: true})
		for round := range 3 * limit {
			if err := ch.Call(t.Context(), nil, "open"); err != nil {
				t.Fatalf("round %d: %v", round, err)
			}
		}
	})
}

// Functions that are to be given back later take no room from others.
func TestRefusedFunctionsTakeNoRoom(t *testing.T) {
	bubble(t, func(t *testing.T) {
		const limit = 100
		take := func(f func()) { f() }
		_, ch := pair(t, kkrpc.Options{Expose: kkrpc.Object{"take": take}, Limits: kkrpc.Limits{Callbacks: limit}}, kkrpc.Options{})
		for i := range 2 * limit {
			if err := mustFail(ch.Call(t.Context(), nil, "nothing", func() { t.Error(i) })); err != nil {
				t.Fatal(err)
			}
		}
		called := 0
		if err := ch.Call(t.Context(), nil, "take", func() { called++ }); err != nil || called != 1 {
			t.Errorf("called %d times, %v", called, err)
		}
	})
}

// What could not be decoded, or was taken when nobody wanted it any more, is given back too.
func TestReferencesInWhatIsNotDecodedAreGivenBack(t *testing.T) {
	type item struct {
		A int
		B *kkrpc.Ref
	}
	values := func(a any) map[string]any { return map[string]any{"A": a, "B": kkrpc.Proxy(&counter{})} }
	api := kkrpc.Object{
		"text": func() map[string]any { return values("no number") },
		"texts": func() iter.Seq[map[string]any] {
			return func(yield func(map[string]any) bool) { yield(values("no number")) }
		},
		"numbers": func() iter.Seq[map[string]any] {
			return func(yield func(map[string]any) bool) { _ = yield(values(1)) && yield(values(2)) }
		},
	}
	for name, do := range map[string]func(ctx context.Context, ch *kkrpc.Channel) (held *kkrpc.Ref, err error){
		"a result": func(ctx context.Context, ch *kkrpc.Channel) (*kkrpc.Ref, error) {
			got, err := kkrpc.Call[item](ctx, ch, "text")
			return got.B, err
		},
		"an item": func(ctx context.Context, ch *kkrpc.Channel) (held *kkrpc.Ref, err error) {
			for _, err = range kkrpc.Stream[item](ctx, ch, "texts") {
			}
			return nil, err
		},
		"an item behind the end of the context": func(ctx context.Context, ch *kkrpc.Channel) (held *kkrpc.Ref, err error) {
			ctx, cancel := context.WithCancel(ctx)
			defer cancel()
			for got, failed := range kkrpc.Stream[item](ctx, ch, "numbers") {
				if err = failed; failed == nil {
					held = got.B
				}
				synctest.Wait() // the second item is there
				cancel()
			}
			return held, err
		},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				s, ch := pair(t, kkrpc.Options{Expose: api, Limits: kkrpc.Limits{References: 2}}, kkrpc.Options{References: true})
				for round := range 3 {
					held, err := do(t.Context(), ch)
					if err == nil || strings.Contains(err.Error(), "Limits.References") {
						t.Fatalf("round %d: %v", round, err)
					}
					if held != nil {
						if err := held.Release(t.Context()); err != nil {
							t.Fatal(err)
						}
					}
					time.Sleep(10 * time.Second)
				}
				runtime.KeepAlive(s)
			})
		})
	}
}
