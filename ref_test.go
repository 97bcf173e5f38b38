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
	"github.com/kkrpc-go/kkrpc/superjson"
)

var compactDialects = []kkrpc.Dialect{kkrpc.Compact, kkrpc.CompactSuperJSON}

// counter is what the tests pass by reference.
type counter struct {
	Value kkrpc.Property[int]
	limit int
}

func (c *counter) Increment(by *int) (int, error) {
	n := 1
	if by != nil {
		n = *by
	}
	if c.limit > 0 && c.Value.Get()+n > c.limit {
		return 0, &kkrpc.Error{Name: "RangeError", Message: "too much"}
	}
	c.Value.Set(c.Value.Get() + n)
	return c.Value.Get(), nil
}

type holder struct {
	Name string                `json:"name"`
	Ref  *kkrpc.Ref            `json:"ref"`
	List []*kkrpc.Ref          `json:"list"`
	Map  map[string]any        `json:"map"`
	Refs map[string]*kkrpc.Ref `json:"refs"`
}

func TestReferenceToAnObject(t *testing.T) {
	for _, d := range compactDialects {
		t.Run(d.String(), func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				api := kkrpc.Object{"open": func(start int) *kkrpc.Ref {
					c := &counter{limit: 100}
					c.Value.Set(start)
					return kkrpc.Proxy(c)
				}}
				_, ch := pair(t, kkrpc.Options{Expose: api}, kkrpc.Options{Dialect: d})
				ctx := t.Context()
				ref, err := kkrpc.Call[*kkrpc.Ref](ctx, ch, "open", 5)
				if err != nil {
					t.Fatal(err)
				}
				if n, err := kkrpc.Call[int](ctx, ref, "increment", 2); err != nil || n != 7 {
					t.Errorf("increment(2) = %d, %v", n, err)
				}
				if n, err := kkrpc.Call[int](ctx, ref, "increment"); err != nil || n != 8 {
					t.Errorf("increment() = %d, %v", n, err)
				}
				if n, err := kkrpc.Get[int](ctx, ref, "value"); err != nil || n != 8 {
					t.Errorf("value = %d, %v", n, err)
				}
				if err := kkrpc.Set(ctx, ref, "value", 50); err != nil {
					t.Errorf("set: %v", err)
				}
				remote := kkrpc.Remote[struct {
					Increment func(ctx context.Context, by int) (int, error)
				}](ref)
				if n, err := remote.Increment(ctx, 1); err != nil || n != 51 {
					t.Errorf("Remote: %d, %v", n, err)
				}
				var failure *kkrpc.Error
				if _, err := kkrpc.Call[int](ctx, ref, "increment", 1000); !errors.As(err, &failure) || failure.Name != "RangeError" {
					t.Errorf("a failing method: %v", err)
				}
				for _, test := range []struct {
					name string
					do   func() error
					want string
				}{
					{"a missing method", func() error { return ref.Apply(ctx, nil) }, "is not a function"},
					{"a missing function", func() error { _, err := kkrpc.Call[int](ctx, ref, "nothing"); return err }, "call reference.nothing: nothing is not a function"},
					{"a wrong argument", func() error { _, err := kkrpc.Call[int](ctx, ref, "increment", "x"); return err }, "increment: argument 1: expected integer, got string"},
					{"a path to nowhere", func() error { _, err := kkrpc.Get[int](ctx, ref, "a.b"); return err }, "Cannot access b on undefined"},
					{"what is not registered", func() error { _, err := kkrpc.Get[int](ctx, ref, "limit"); return err }, "got undefined"},
					{"a write to a method", func() error { return kkrpc.Set(ctx, ref, "increment", 1) }, "read only"},
					{"new", func() error { _, err := kkrpc.Construct[int](ctx, ref, "X"); return err }, "no such operation"},
				} {
					if err := test.do(); err == nil || !strings.Contains(err.Error(), test.want) {
						t.Errorf("%s: %v, want %q", test.name, err, test.want)
					}
				}
			})
		})
	}
}

func TestReferenceToAFunctionInBothDirections(t *testing.T) {
	bubble(t, func(t *testing.T) {
		server := kkrpc.Object{
			"adder": func(n int) *kkrpc.Ref { return kkrpc.Proxy(func(m int) int { return n + m }) },
			"twice": func(ctx context.Context, f *kkrpc.Ref, x int) (int, error) {
				err := f.Apply(ctx, &x, x)
				if err == nil {
					err = f.Apply(ctx, &x, x)
				}
				return x, err
			},
		}
		_, ch := pair(t, kkrpc.Options{Expose: server}, kkrpc.Options{})
		ctx := t.Context()
		add, err := kkrpc.Call[*kkrpc.Ref](ctx, ch, "adder", 3)
		if err != nil {
			t.Fatal(err)
		}
		if n, err := kkrpc.Call[int](ctx, add, "", 4); err != nil || n != 7 {
			t.Errorf("add(4) = %d, %v", n, err)
		}
		if n, err := kkrpc.Call[int](ctx, ch, "twice", kkrpc.Proxy(func(x int) int { return x * 5 }), 2); err != nil || n != 50 {
			t.Errorf("twice = %d, %v", n, err)
		}
		if _, err := kkrpc.Call[int](ctx, ch, "twice", add, 2); err == nil || !strings.Contains(err.Error(), "Ref.Value") {
			t.Errorf("the server's own function: %v", err)
		}
		if _, err := kkrpc.Get[int](ctx, add, "x"); err == nil || !strings.Contains(err.Error(), "is not an object") {
			t.Errorf("get of a function: %v", err)
		}
	})
}

func TestReferencesInsideData(t *testing.T) {
	for _, d := range compactDialects {
		t.Run(d.String(), func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				f := func() string { return "called" }
				api := kkrpc.Object{
					"make": func() holder {
						ref := kkrpc.Proxy(f)
						return holder{Name: "h", Ref: ref, List: []*kkrpc.Ref{ref, nil}, Map: map[string]any{"x": []any{ref, 1}}, Refs: map[string]*kkrpc.Ref{"a": ref}}
					},
					"fail": func() error {
						return &kkrpc.Error{Message: "with ref", Fields: map[string]any{"handler": kkrpc.Proxy(f)}}
					},
					"echo": func(v any) any { return v },
					"same": func(h holder) bool { return h.Ref == h.List[0] && h.Ref.Value() != nil },
					"prop": kkrpc.ReadOnly[*kkrpc.Ref](func(context.Context) (*kkrpc.Ref, error) { return kkrpc.Proxy(f), nil }),
				}
				_, ch := pair(t, kkrpc.Options{Expose: api}, kkrpc.Options{Dialect: d})
				ctx := t.Context()
				h, err := kkrpc.Call[holder](ctx, ch, "make")
				if err != nil {
					t.Fatal(err)
				}
				inner := h.Map["x"].([]any)[0]
				if h.Ref == nil || h.List[0] != h.Ref || h.List[1] != nil || inner != any(h.Ref) || h.Refs["a"] != h.Ref {
					t.Errorf("one function became several: %+v", h)
				}
				var s string
				if err := h.Ref.Apply(ctx, &s); err != nil || s != "called" {
					t.Errorf("got %q, %v", s, err)
				}
				if same, err := kkrpc.Call[bool](ctx, ch, "same", h); err != nil || !same {
					t.Errorf("back at the owner: %v, %v", same, err)
				}
				var failure *kkrpc.Error
				if err := ch.Call(ctx, nil, "fail"); !errors.As(err, &failure) || failure.Fields["handler"] != any(h.Ref) {
					t.Errorf("the field of an error: %v %v", err, failure)
				}
				if ref, err := kkrpc.Get[*kkrpc.Ref](ctx, ch, "prop"); err != nil || ref != h.Ref {
					t.Errorf("a property: %v, %v", ref, err)
				}
				own := kkrpc.Proxy(&counter{})
				back, err := kkrpc.Call[any](ctx, ch, "echo", map[string]any{"deep": []any{own}})
				if err != nil || back.(map[string]any)["deep"].([]any)[0] != any(own) {
					t.Errorf("there and back: %v, %v", back, err)
				}
				if _, err := kkrpc.Call[int](ctx, ch, "same", map[string]any{"ref": "text"}); err == nil || !strings.Contains(err.Error(), "argument 1.ref: expected reference, got string") {
					t.Errorf("what is no reference: %v", err)
				}
			})
		})
	}
}

func TestReferencesHaveIdentity(t *testing.T) {
	bubble(t, func(t *testing.T) {
		f := func() {}
		c := &counter{}
		o := kkrpc.Object{"f": f}
		api := kkrpc.Object{
			"f":      func() *kkrpc.Ref { return kkrpc.Proxy(f) },
			"c":      func() *kkrpc.Ref { return kkrpc.Proxy(c) },
			"o":      func() *kkrpc.Ref { return kkrpc.Proxy(o) },
			"itself": func(r *kkrpc.Ref) bool { return r.Value() == any(c) },
		}
		_, ch := pair(t, kkrpc.Options{Expose: api}, kkrpc.Options{})
		ctx := t.Context()
		met := map[*kkrpc.Ref]string{}
		for _, name := range []string{"f", "c", "o"} {
			a, err1 := kkrpc.Call[*kkrpc.Ref](ctx, ch, name)
			b, err2 := kkrpc.Call[*kkrpc.Ref](ctx, ch, name)
			if err1 != nil || err2 != nil || a != b {
				t.Errorf("%s twice: %v, %v", name, err1, err2)
			}
			if other := met[a]; other != "" {
				t.Errorf("%s is %s", name, other)
			}
			met[a] = name
		}
		for ref, name := range met {
			if yes, err := kkrpc.Call[bool](ctx, ch, "itself", ref); err != nil || yes != (name == "c") {
				t.Errorf("%s came back as itself: %v, %v", name, yes, err)
			}
		}
	})
}

func TestReleaseEndsAllReferencesToAValue(t *testing.T) {
	bubble(t, func(t *testing.T) {
		f := func() int { return 1 }
		api := kkrpc.Object{
			"f":   func() *kkrpc.Ref { return kkrpc.Proxy(f) },
			"use": func(*kkrpc.Ref) {},
		}
		s, ch := pair(t, kkrpc.Options{Expose: api}, kkrpc.Options{})
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
			{"a number", ch, kkrpc.Proxy(7), "int cannot be sent as a reference"},
			{"a nil func", ch, kkrpc.Proxy((func())(nil)), "is nil"},
			{"a func that cannot be exposed", ch, kkrpc.Proxy(func(time.Duration) {}), "time.Duration"},
			{"a struct with nothing in it", ch, kkrpc.Proxy(&struct{}{}), "nothing to expose"},
			{"a reference of another channel", ch, foreign, "another channel"},
			{"inside of a type that marshals itself", ch, marshaler{kkrpc.Proxy(func() {})}, "marshals itself"},
			{"a classic channel", classic, kkrpc.Proxy(func() {}), "not supported"},
		} {
			if err := test.ch.Call(t.Context(), nil, "use", test.arg); err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("%s: %v, want %q", test.name, err, test.want)
			}
		}
		if err := ch.Call(t.Context(), nil, "make"); err == nil || !strings.Contains(err.Error(), "result cannot be sent") || reported.Load() != 1 {
			t.Errorf("as a result: %v", err)
		}
	})
}

// marshaler writes itself with the encoder of encoding/json.
type marshaler struct{ ref *kkrpc.Ref }

func (m marshaler) MarshalJSON() ([]byte, error) { return m.ref.MarshalJSON() }

func TestFunctionReferenceIsACallback(t *testing.T) {
	bubble(t, func(t *testing.T) {
		var reports []string
		api := kkrpc.Object{
			"progress": func(n int, progress func(i, n int)) {
				for i := range n {
					progress(i, n)
				}
			},
			"handle": func(cb *kkrpc.Callback) error {
				return cb.Call("text", map[string]any{"__kkrpc_next_arg__": "callback", "id": "f1"})
			},
			"twice":  func(a, b *kkrpc.Callback) bool { return a == b },
			"nested": func(call func(*kkrpc.Ref)) { call(kkrpc.Proxy(func() int { return 9 })) },
			"own":    func() *kkrpc.Ref { return kkrpc.Proxy(func(int) {}) },
			"release": func(f func(int)) error {
				if err := kkrpc.Release(f); err != nil {
					return err
				}
				f(1)
				return nil
			},
		}
		_, ch := pair(t, kkrpc.Options{Expose: api, References: true, OnError: func(err error) { reports = append(reports, err.Error()) }}, kkrpc.Options{})
		ctx := t.Context()
		var got []string
		note := kkrpc.Proxy(func(args ...any) error {
			got = append(got, fmt.Sprint(args...))
			if len(args) == 1 {
				return errors.New("refused")
			}
			return nil
		})
		if err := ch.Call(ctx, nil, "progress", 2, note); err != nil {
			t.Error(err)
		}
		if err := ch.Call(ctx, nil, "handle", note); err != nil {
			t.Error(err)
		}
		synctest.Wait()
		if want := "0 2|1 2|textmap[__kkrpc_next_arg__:callback id:f1]"; strings.Join(got, "|") != want {
			t.Errorf("calls %q, want %q", got, want)
		}
		if same, err := kkrpc.Call[bool](ctx, ch, "twice", note, note); err != nil || !same {
			t.Errorf("one function twice: %v, %v", same, err)
		}
		var inner *kkrpc.Ref
		if err := ch.Call(ctx, nil, "nested", kkrpc.Proxy(func(r *kkrpc.Ref) error { inner = r; return errors.New("reported") })); err != nil {
			t.Error(err)
		}
		synctest.Wait()
		n := 0
		if err := inner.Apply(ctx, &n); err != nil || n != 9 {
			t.Errorf("a reference as an argument of a callback: %d, %v", n, err)
		}
		if len(reports) != 1 || reports[0] != "kkrpc: callback: reported" {
			t.Errorf("reported %q", reports)
		}
		if err := ch.Call(ctx, nil, "release", kkrpc.Proxy(func(int) { t.Error("called after its release") })); err != nil {
			t.Error(err)
		}
		own, err := kkrpc.Call[*kkrpc.Ref](ctx, ch, "own")
		if err != nil {
			t.Fatal(err)
		}
		if err := ch.Call(ctx, nil, "release", own); err == nil || !strings.Contains(err.Error(), "no callback that came from a peer") {
			t.Errorf("a function that came back to its owner: %v", err)
		}
		if err := ch.Call(ctx, nil, "progress", 1, kkrpc.Proxy(&counter{})); err == nil || !strings.Contains(err.Error(), "expected function, got object") {
			t.Errorf("an object as a callback: %v", err)
		}
	})
}

func TestReferencesBeginWithThisSide(t *testing.T) {
	envelope := map[string]any{"__kkrpc_ref__": true, "id": "x", "kind": "function"}
	kind := func(v any) string { return fmt.Sprintf("%T", v) }
	for _, test := range []struct {
		name string
		api  kkrpc.Object
		opts kkrpc.Options
		want string
	}{
		{"a channel without references", kkrpc.Object{"kind": kind}, kkrpc.Options{}, "map[string]interface {}"},
		{"the option", kkrpc.Object{"kind": kind}, kkrpc.Options{References: true}, "*kkrpc.Ref"},
		{"a *Ref in the API", kkrpc.Object{"kind": kind, "f": func([]*kkrpc.Ref) {}}, kkrpc.Options{}, "*kkrpc.Ref"},
		{"a *Ref in a property of the API", kkrpc.Object{"kind": kind, "p": kkrpc.NewProperty[*kkrpc.Ref](nil)}, kkrpc.Options{}, "*kkrpc.Ref"},
	} {
		t.Run(test.name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				test.opts.Expose = test.api
				_, ch := pair(t, test.opts, kkrpc.Options{})
				if got, err := kkrpc.Call[string](t.Context(), ch, "kind", envelope); err != nil || got != test.want {
					t.Errorf("got %s, %v, want %s", got, err, test.want)
				}
				envelope := map[string]any{"__kkrpc_ref__": true, "id": "x", "kind": "function", "p": nil}
				if got, err := kkrpc.Call[string](t.Context(), ch, "kind", envelope); err != nil || got != "map[string]interface {}" {
					t.Errorf("of what looks like one: %s, %v", got, err)
				}
			})
		})
	}
}

func TestUndefinedAndCallbacksAsArgumentsOfAReference(t *testing.T) {
	for _, d := range compactDialects {
		t.Run(d.String(), func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				api := kkrpc.Object{"f": func() *kkrpc.Ref {
					return kkrpc.Proxy(func(a any, call func(string), when any) string {
						call("called")
						return fmt.Sprintf("%v %T", a, when)
					})
				}}
				_, ch := pair(t, kkrpc.Options{Expose: api}, kkrpc.Options{Dialect: d})
				ref, err := kkrpc.Call[*kkrpc.Ref](t.Context(), ch, "f")
				if err != nil {
					t.Fatal(err)
				}
				heard := ""
				var s string
				want := "undefined string"
				if d == kkrpc.CompactSuperJSON {
					want = "undefined time.Time"
				}
				err = ref.Apply(t.Context(), &s, superjson.Undefined, func(s string) { heard = s }, time.UnixMilli(0))
				if err != nil || s != want || heard != "called" {
					t.Errorf("got %q, %q, %v", s, heard, err)
				}
			})
		})
	}
}

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

func TestRefMustBeAPointer(t *testing.T) {
	if _, err := kkrpc.Expose(kkrpc.Object{"f": func([]kkrpc.Ref) {}}); err == nil || !strings.Contains(err.Error(), "must be a pointer, *kkrpc.Ref") {
		t.Errorf("got %v", err)
	}
}
