package kkrpc_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/kkrpc-go/kkrpc"
)

// relayedTo returns a Caller in front of the API of b, over Unary and Relay in the dialect near, and a channel in the
// dialect far.
func relayedTo(t *testing.T, api any, near, far kkrpc.Dialect) kkrpc.Caller {
	t.Helper()
	a, b := kkrpc.Pipe()
	through, err := kkrpc.New(t.Context(), a, &kkrpc.Options{Dialect: far})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { through.Close() })
	peer, err := kkrpc.New(t.Context(), b, &kkrpc.Options{Expose: api})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { peer.Close() })
	caller, err := kkrpc.Unary(func(ctx context.Context, request []byte) ([]byte, error) {
		return kkrpc.Relay(ctx, through, request, nil)
	}, &kkrpc.Options{Dialect: near})
	if err != nil {
		t.Fatal(err)
	}
	return caller
}

func TestRelay(t *testing.T) {
	when := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	theme := kkrpc.NewProperty(when)
	api := kkrpc.Object{
		"later":   func(at time.Time, by int) time.Time { return at.Add(time.Duration(by) * time.Hour) },
		"nothing": func() {},
		"fail": func() error {
			return &kkrpc.Error{Name: "NoFunds", Message: "too little", Fields: map[string]any{"missing": 3.0}}
		},
		"a.b":   kkrpc.Object{`c\d`: func() string { return "odd" }},
		"theme": theme,
		"point": kkrpc.Constructor(func(x int) map[string]int { return map[string]int{"x": x} }),
		"meta":  func(ctx context.Context) any { return kkrpc.MetadataFrom(ctx)["tenant"] },
		"left": func(ctx context.Context) bool {
			deadline, ok := ctx.Deadline()
			return ok && time.Until(deadline) < time.Minute
		},
	}
	for _, c := range []struct{ near, far kkrpc.Dialect }{
		{kkrpc.CompactSuperJSON, kkrpc.CompactSuperJSON},
		{kkrpc.CompactSuperJSON, kkrpc.ClassicSuperJSON},
		{kkrpc.ClassicSuperJSON, kkrpc.CompactSuperJSON},
		{kkrpc.Compact, kkrpc.Classic},
	} {
		t.Run(c.near.String()+" to "+c.far.String(), func(t *testing.T) {
			theme.Set(when)
			to := relayedTo(t, api, c.near, c.far)
			ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
			defer cancel()
			later, err := kkrpc.Call[time.Time](ctx, to, "later", when, 2)
			check(t, "later", later, err, when.Add(2*time.Hour))
			if err := kkrpc.Do(ctx, to, "nothing"); err != nil {
				t.Error(err)
			}
			odd, err := kkrpc.Call[string](ctx, to, `a\.b.c\\d`)
			if c.near == kkrpc.ClassicSuperJSON || c.far != kkrpc.CompactSuperJSON {
				// A classic method is a text with dots, which has no such path.
				if err == nil {
					t.Error("a classic peer understood a dot in a name")
				}
			} else {
				check(t, "odd", odd, err, "odd")
			}
			_, err = kkrpc.Call[any](ctx, to, "fail")
			var failure *kkrpc.Error
			if !errors.As(err, &failure) || failure.Name != "NoFunds" || failure.Fields["missing"] != 3.0 {
				t.Errorf("fail: %#v", err)
			}
			if err := kkrpc.Do(ctx, to, "missing"); err == nil || !strings.Contains(err.Error(), "missing") {
				t.Errorf("missing: %v", err)
			}
			if err := kkrpc.Set(ctx, to, "theme", when.Add(time.Hour)); err != nil {
				t.Error(err)
			}
			got, err := kkrpc.Get[time.Time](ctx, to, "theme")
			check(t, "theme", got, err, when.Add(time.Hour))
			point, err := kkrpc.Construct[map[string]int](ctx, to, "point", 4)
			check(t, "point", point, err, map[string]int{"x": 4})
			if c.near != kkrpc.ClassicSuperJSON && c.far == kkrpc.CompactSuperJSON {
				tenant, err := kkrpc.Call[any](kkrpc.WithMetadata(ctx, map[string]any{"tenant": "t1"}), to, "meta")
				check(t, "metadata", tenant, err, any("t1"))
				left, err := kkrpc.Call[bool](ctx, to, "left")
				check(t, "the deadline travels", left, err, true)
			}
			if err := kkrpc.Do(ctx, to, "nothing", func() {}); !errors.Is(err, kkrpc.ErrUnsupported) {
				t.Errorf("a function: %v", err)
			}
		})
	}
}

func check[T any](t *testing.T, what string, got T, err error, want T) {
	t.Helper()
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Errorf("%s: %v (-want +got):\n%s", what, err, diff)
	}
}
