package kkrpc_test

import (
	"context"
	"errors"
	"sync"
	"testing"

	"github.com/kkrpc-go/kkrpc"
	"github.com/kkrpc-go/kkrpc/superjson"
)

func TestPropertyIsSharedWithoutRaces(t *testing.T) {
	theme := kkrpc.NewProperty("light")
	n := kkrpc.NewProperty(0)
	api := kkrpc.Object{"theme": theme, "view": theme.ReadOnly(), "n": n}
	var wg sync.WaitGroup
	for range 4 {
		_, c := pair(t, kkrpc.Options{Expose: api}, kkrpc.Options{})
		wg.Go(func() {
			for i := range 50 {
				if err := kkrpc.Set(t.Context(), c, "n", i); err != nil {
					t.Error(err)
				}
				if _, err := kkrpc.Get[int](t.Context(), c, "n"); err != nil {
					t.Error(err)
				}
				n.Set(n.Get() + 1)
			}
		})
	}
	wg.Wait()
	_, c := pair(t, kkrpc.Options{Expose: api}, kkrpc.Options{})
	if err := kkrpc.Set(t.Context(), c, "theme", "dark"); err != nil {
		t.Fatal(err)
	}
	if view, err := kkrpc.Get[string](t.Context(), c, "view"); view != "dark" || err != nil {
		t.Errorf("view is %q, %v", view, err)
	}
	if err := kkrpc.Set(t.Context(), c, "view", "red"); err == nil {
		t.Error("a read-only view was written")
	}
}

func TestOnSetRefuses(t *testing.T) {
	level := kkrpc.NewProperty(1)
	level.OnSet(func(old, value int) error {
		if value < old {
			return &kkrpc.Error{Name: "RangeError", Message: "it only goes up"}
		}
		return nil
	})
	_, c := pair(t, kkrpc.Options{Expose: kkrpc.Object{"level": level}}, kkrpc.Options{})
	if err := kkrpc.Set(t.Context(), c, "level", 3); err != nil || level.Get() != 3 {
		t.Errorf("level is %d, %v", level.Get(), err)
	}
	var e *kkrpc.Error
	if err := kkrpc.Set(t.Context(), c, "level", 2); !errors.As(err, &e) || e.Name != "RangeError" || level.Get() != 3 {
		t.Errorf("level is %d, %v", level.Get(), err)
	}
	level.Set(0) // this side is not checked
	if level.Get() != 0 {
		t.Errorf("level is %d", level.Get())
	}
}

func TestPropertiesOfEveryKind(t *testing.T) {
	type settings struct{ Theme string }
	channels := make(chan *kkrpc.Channel, 1)
	api := kkrpc.Object{
		"struct": kkrpc.NewProperty(settings{"light"}),
		"any":    kkrpc.NewProperty[any](1),
		"ptr":    kkrpc.NewProperty[*settings](nil),
		"ctx": kkrpc.ReadOnly[bool](func(ctx context.Context) (bool, error) {
			channels <- kkrpc.FromContext(ctx)
			return true, nil
		}),
		"undefined": kkrpc.ReadOnly[any](func(context.Context) (any, error) { return superjson.Undefined, nil }),
	}
	p := newPeer(t, api)
	for _, r := range []struct{ op, path, value, want string }{
		{"get", "struct", "", `{"Theme":"light"}`},
		{"set", "struct", `{"theme":"dark"}`, `true`},
		{"get", "struct", "", `{"Theme":"dark"}`},
		{"set", "struct", `{"theme":5}`, `{"n":"TypeError","m":"struct.theme: expected string, got number"}`},
		{"set", "any", `{"a":[1]}`, `true`},
		{"get", "any", "", `{"a":[1]}`},
		{"set", "any", "", `true`},
		{"get", "any", "", `undefined`},
		{"get", "ptr", "", `null`},
		{"set", "ptr", `{"theme":"x"}`, `true`},
		{"get", "ptr", "", `{"Theme":"x"}`},
		{"set", "ptr", "", `true`},
		{"get", "ptr", "", `null`},
		{"get", "ctx", "", `true`},
		{"get", "undefined", "", `undefined`},
	} {
		rest := ""
		if r.value != "" {
			rest = `"v":` + r.value
		}
		if got := p.compact(r.op, `"`+r.path+`"`, rest); got != r.want {
			t.Errorf("%s %s %s: got %s, want %s", r.op, r.path, r.value, got, r.want)
		}
	}
	if <-channels == nil {
		t.Error("a getter has no channel in its context")
	}
	if got := p.compact("get", "", ""); got != `{"any":null,"ctx":true,"ptr":null,"struct":{"Theme":"dark"}}` && got != `{"ctx":true,"ptr":null,"struct":{"Theme":"dark"}}` {
		t.Errorf("everything is %s", got)
	}
}
