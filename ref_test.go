package kkrpc_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/kkrpc-go/kkrpc"
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
	needsMethods(t)
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
		if n, err := kkrpc.Call[int](ctx, ch, "twice", add, 2); err != nil || n != 8 {
			t.Errorf("the server's own function: %d, %v", n, err)
		}
		if _, err := kkrpc.Get[int](ctx, add, "x"); err == nil || !strings.Contains(err.Error(), "is not an object") {
			t.Errorf("get of a function: %v", err)
		}
	})
}

func TestReferencesInsideData(t *testing.T) {
	needsMethods(t)
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
	needsMethods(t)
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
		{"a *Ref as a constant of the API", kkrpc.Object{"kind": kind, "c": kkrpc.Proxy(kind)}, kkrpc.Options{}, "*kkrpc.Ref"},
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

func TestRefMustBeAPointer(t *testing.T) {
	if _, err := kkrpc.Expose(kkrpc.Object{"f": func([]kkrpc.Ref) {}}); err == nil || !strings.Contains(err.Error(), "must be a pointer, *kkrpc.Ref") {
		t.Errorf("got %v", err)
	}
}

// A peer that sends null for a reference or a callback makes a nil pointer. Using it is an error, as it is on a nil Channel.
func TestNilReferenceAndCallback(t *testing.T) {
	var r *kkrpc.Ref
	var cb *kkrpc.Callback
	_, gotten := kkrpc.Get[int](t.Context(), r, "x")
	_, called := kkrpc.Call[int](t.Context(), r, "f", 1)
	for name, err := range map[string]error{
		"get": gotten, "call": called, "set": kkrpc.Set(t.Context(), r, "x", 1), "notify": kkrpc.Notify(r, "f"), "apply": r.Apply(t.Context(), nil),
		"release": r.Release(t.Context()), "callback": cb.Call(1), "notified callback": cb.Notify(1), "released callback": kkrpc.Release(cb), "let go": kkrpc.Release(r),
	} {
		if err == nil || !strings.HasPrefix(err.Error(), "kkrpc: ") {
			t.Errorf("%s: %v", name, err)
		}

	}
	if r.Value() != nil || r.String() != "no reference" {
		t.Errorf("%v, %v", r.Value(), r)
	}
}
