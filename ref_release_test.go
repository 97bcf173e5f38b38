package kkrpc_test

import (
	"context"
	"errors"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/kkrpc-go/kkrpc"
)

func TestReleaseEndsAllReferencesToAValue(t *testing.T) {
	bubble(t, func(t *testing.T) {
		f := func() int { return 1 }
		api := kkrpc.Object{
			"f":   func() *kkrpc.Ref { return kkrpc.Proxy(f) },
			"use": func(*kkrpc.Ref) {},
		}
		s, ch := pair(t, kkrpc.Options{Expose: api, Limits: kkrpc.Limits{References: 1}}, kkrpc.Options{})
		ctx := t.Context()
		ref, err := kkrpc.Call[*kkrpc.Ref](ctx, ch, "f")
		if err != nil {
			t.Fatal(err)
		}
		if err := ref.Release(ctx); err != nil {
			t.Errorf("release: %v", err)
		}
		if err := ref.Release(ctx); err != nil {
			t.Errorf("release again: %v", err)
		}
		if err := ref.Apply(ctx, nil); !errors.Is(err, kkrpc.ErrReleased) {
			t.Errorf("apply after the release: %v", err)
		}
		if err := ch.Call(ctx, nil, "use", ref); !errors.Is(err, kkrpc.ErrReleased) {
			t.Errorf("sent after the release: %v", err)
		}
		again, err := kkrpc.Call[*kkrpc.Ref](ctx, ch, "f")
		if err != nil || again == ref {
			t.Fatalf("a released function sent again: %v, %v", again, err)
		}
		if err := kkrpc.Release(again); err != nil {
			t.Error(err)
		}
		if err := again.Apply(ctx, nil); !errors.Is(err, kkrpc.ErrReleased) {
			t.Errorf("apply after Release: %v", err)
		}
		f = func() int { return 2 }
		if _, err := kkrpc.Call[*kkrpc.Ref](ctx, ch, "f"); err != nil {
			t.Errorf("the peer was not told: %v", err)
		}
		own := kkrpc.Proxy(f)
		if err := own.Release(ctx); err == nil {
			t.Error("this side's own was released")
		}
		if err := kkrpc.Release(own); err == nil {
			t.Error("this side's own was released")
		}
		synctest.Wait()
		if n := ch.Dropped() + s.Dropped(); n != 0 {
			t.Errorf("%d messages were dropped", n)
		}
	})
}

func TestAReferenceReleasedByThePeerSaysSo(t *testing.T) {
	bubble(t, func(t *testing.T) {
		var kept *kkrpc.Ref
		api := kkrpc.Object{
			"keep": func(r *kkrpc.Ref) { kept = r },
			"use":  func(ctx context.Context) error { return kept.Apply(ctx, nil) },
			"end":  func(ctx context.Context) error { return kept.Release(ctx) },
		}
		_, ch := pair(t, kkrpc.Options{Expose: api}, kkrpc.Options{})
		ctx := t.Context()
		f := func() {}
		var failure *kkrpc.Error
		for _, step := range []struct {
			path string
			fail bool
		}{{"keep", false}, {"use", false}, {"end", false}, {"use", true}, {"keep", false}, {"use", false}} {
			var args []any
			if step.path == "keep" {
				args = append(args, kkrpc.Proxy(f))
			}
			if err := ch.Call(ctx, nil, step.path, args...); (err != nil) != step.fail {
				t.Errorf("%s: %v", step.path, err)
			} else if step.fail && !errors.As(err, &failure) {
				t.Errorf("%s: %v", step.path, err)
			}
		}
	})
}

// Not under synctest: it waits for the garbage collector.
func TestGarbageCollectedReferencesAreReleased(t *testing.T) {
	sent := 0
	api := kkrpc.Object{"ping": func() {}, "f": func() *kkrpc.Ref {
		sent++
		n := sent
		return kkrpc.Proxy(func() int { return n })
	}}
	limits := kkrpc.Limits{References: 4}
	_, ch := pair(t, kkrpc.Options{Expose: api, Limits: limits}, kkrpc.Options{Limits: limits})
	deadline := time.Now().Add(20 * time.Second)
	for passed := 0; passed < 20; {
		ref, err := kkrpc.Call[*kkrpc.Ref](t.Context(), ch, "f")
		n := 0
		switch {
		case err == nil:
			if err := ref.Apply(t.Context(), &n); err != nil || n == 0 {
				t.Fatalf("got %d, %v", n, err)
			}
			passed++
		case time.Now().After(deadline):
			t.Fatalf("after %d references: %v", passed, err)
		default:
			runtime.GC()
			if err := ch.Call(t.Context(), nil, "ping"); err != nil {
				t.Fatal(err)
			}
		}
	}
	if n := ch.Dropped(); n != 0 {
		t.Errorf("%d messages were dropped", n)
	}
}

func TestReferenceLimits(t *testing.T) {
	few := kkrpc.Limits{References: 3}
	for _, test := range []struct {
		name           string
		server, client kkrpc.Limits
		want           string
	}{
		{"what the peer may hold", few, kkrpc.Limits{}, "the peer holds 3 references"},
		{"what this side holds", kkrpc.Limits{}, few, "already holds 3 references"},
	} {
		t.Run(test.name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				api := kkrpc.Object{"list": func(n int) []*kkrpc.Ref {
					var refs []*kkrpc.Ref
					for i := range n {
						refs = append(refs, kkrpc.Proxy(func() int { return i }))
					}
					return refs
				}}
				_, ch := pair(t, kkrpc.Options{Expose: api, Limits: test.server}, kkrpc.Options{Limits: test.client})
				if _, err := kkrpc.Call[[]*kkrpc.Ref](t.Context(), ch, "list", 4); err == nil || !strings.Contains(err.Error(), test.want) {
					t.Errorf("four: %v, want %q", err, test.want)
				}
				if test.server == few { // what was not sent is not held
					if refs, err := kkrpc.Call[[]*kkrpc.Ref](t.Context(), ch, "list", 3); err != nil || len(refs) != 3 {
						t.Errorf("three: %v", err)
					}
				}
			})
		})
	}
}

func TestWhatCannotBeAReference(t *testing.T) {
	bubble(t, func(t *testing.T) {
		var reported atomic.Int32
		api := kkrpc.Object{"use": func(any) {}, "make": func() any { return kkrpc.Proxy(3) }}
		_, ch := pair(t, kkrpc.Options{Expose: api, OnError: func(error) { reported.Add(1) }}, kkrpc.Options{})
		_, other := pair(t, kkrpc.Options{Expose: kkrpc.Object{"make": func() *kkrpc.Ref { return kkrpc.Proxy(func() {}) }}}, kkrpc.Options{})
		foreign, err := kkrpc.Call[*kkrpc.Ref](t.Context(), other, "make")
		if err != nil {
			t.Fatal(err)
		}
		_, classic := pair(t, kkrpc.Options{Expose: api}, kkrpc.Options{Dialect: kkrpc.Classic})
		for _, test := range []struct {
			name string
			ch   *kkrpc.Channel
			arg  any
			want string
		}{
			{"nil", ch, kkrpc.Proxy(nil), "cannot be sent as a reference: nil"},
			{"an API of nothing", ch, kkrpc.Proxy((*kkrpc.API)(nil)), "there is nothing in it"},
			{"a nil pointer", ch, kkrpc.Proxy((*counter)(nil)), "is nil"},
			{"a number", ch, kkrpc.Proxy(7), "int cannot be sent as a reference"},
			{"a nil func", ch, kkrpc.Proxy((func())(nil)), "is nil"},
			{"a func that cannot be exposed", ch, kkrpc.Proxy(func(time.Duration) {}), "time.Duration"},
			{"a struct with nothing in it", ch, kkrpc.Proxy(&struct{}{}), "nothing to expose"},
			{"a reference of another channel", ch, foreign, "another channel"},
			{"inside of a type that marshals itself", ch, marshaler{kkrpc.Proxy(func() {})}, "marshals itself"},
			{"shared", ch, kkrpc.Share([]any{kkrpc.Proxy(func() {})}), "belongs to one channel and cannot be shared"},
			{"a classic channel", classic, kkrpc.Proxy(func() {}), "not supported"},
		} {
			if err := test.ch.Call(t.Context(), nil, "use", test.arg); err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("%s: %v, want %q", test.name, err, test.want)
			}
		}
		inMetadata := kkrpc.WithMetadata(t.Context(), map[string]any{"ref": kkrpc.Proxy(func() {})})
		if err := ch.Call(inMetadata, nil, "use", 1); err == nil || !strings.Contains(err.Error(), "metadata: a *kkrpc.Ref can only be sent as an argument") {
			t.Errorf("in metadata: %v", err)
		}
		if err := ch.Call(inMetadata, nil, "use", kkrpc.Proxy(func() {})); err == nil {
			t.Error("in metadata, beside one among the arguments: no error")
		}
		if err := ch.Call(t.Context(), nil, "use", kkrpc.Proxy(func() {})); err != nil {
			t.Errorf("among the arguments, later: %v", err)
		}
		if err := ch.Call(t.Context(), nil, "make"); err == nil || !strings.Contains(err.Error(), "result cannot be sent") || reported.Load() != 1 {
			t.Errorf("as a result: %v", err)
		}
	})
}

// marshaler writes itself with the encoder of encoding/json.
type marshaler struct{ ref *kkrpc.Ref }

func (m marshaler) MarshalJSON() ([]byte, error) { return m.ref.MarshalJSON() }

func TestReferencesEndWithTheChannel(t *testing.T) {
	bubble(t, func(t *testing.T) {
		api := kkrpc.Object{"f": func() *kkrpc.Ref { return kkrpc.Proxy(func() {}) }}
		s, ch := pair(t, kkrpc.Options{Expose: api}, kkrpc.Options{})
		ref, err := kkrpc.Call[*kkrpc.Ref](t.Context(), ch, "f")
		if err != nil {
			t.Fatal(err)
		}
		_ = s.Close()
		synctest.Wait()
		if err := ref.Apply(t.Context(), nil); !errors.Is(err, kkrpc.ErrClosed) {
			t.Errorf("apply: %v", err)
		}
		if err := ref.Release(t.Context()); !errors.Is(err, kkrpc.ErrClosed) {
			t.Errorf("release: %v", err)
		}
	})
}

// Not under synctest: the garbage collector takes part.
func TestReferencesFromManyGoroutines(t *testing.T) {
	needsMethods(t)
	values := make([]*counter, 5)
	for i := range values {
		values[i] = &counter{}
	}
	var mu sync.Mutex
	kept := map[*kkrpc.Ref]bool{}
	api := kkrpc.Object{
		"open": func(i int) *kkrpc.Ref { return kkrpc.Proxy(values[i]) },
		"keep": func(r *kkrpc.Ref) {
			mu.Lock()
			defer mu.Unlock()
			kept[r] = true
		},
		"back": func(h holder) holder { return h },
	}
	_, ch := pair(t, kkrpc.Options{Expose: api}, kkrpc.Options{})
	own := kkrpc.Proxy(&counter{})
	var wg sync.WaitGroup
	for g := range 8 {
		wg.Go(func() {
			for i := range 30 {
				ref, err := kkrpc.Call[*kkrpc.Ref](t.Context(), ch, "open", (g+i)%len(values))
				if err != nil && !errors.Is(err, kkrpc.ErrReleased) {
					t.Errorf("open: %v", err)
				}
				if err != nil {
					continue
				}
				if _, err := kkrpc.Get[int](t.Context(), ref, "value"); err != nil && !errors.Is(err, kkrpc.ErrReleased) {
					t.Errorf("get: %v", err)
				}
				h, err := kkrpc.Call[holder](t.Context(), ch, "back", holder{Ref: own, Map: map[string]any{"own": own}})
				if err != nil || h.Ref != own || h.Map["own"] != any(own) {
					t.Errorf("there and back: %+v, %v", h, err)
				}
				if err := ch.Call(t.Context(), nil, "keep", kkrpc.Proxy(func() {})); err != nil {
					t.Errorf("keep: %v", err)
				}
				switch i % 7 {
				case 0:
					if err := ref.Release(t.Context()); err != nil {
						t.Errorf("release: %v", err)
					}
				case 1:
					runtime.GC()
				}
			}
		})
	}
	wg.Wait()
}
