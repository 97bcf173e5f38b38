package kkrpc_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/kkrpc-go/kkrpc"
)

// Account is what a peer can do with an account.
type Account interface {
	Deposit(amount int) (int, error)
	Partner() *kkrpc.RefTo[Account]
}

// savings has a method that Account has not.
type savings struct {
	balance int
	partner *kkrpc.RefTo[Account]
}

func (a *savings) Deposit(amount int) (int, error) {
	if amount > 1000 {
		return 0, &kkrpc.Error{Name: "RangeError", Message: "too much"}
	}
	a.balance += amount
	return a.balance, nil
}

func (a *savings) Partner() *kkrpc.RefTo[Account] { return a.partner }

func (a *savings) Close() {}

// Approve is a function that answers.
type Approve func(ctx context.Context, name string) (bool, error)

func TestTypedReferences(t *testing.T) {
	needsMethods(t)
	for _, d := range compactDialects {
		t.Run(d.String(), func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				type job struct {
					Name    string                         `json:"name"`
					Approve kkrpc.RefTo[Approve]           `json:"approve"`
					Others  map[string]kkrpc.RefTo[func()] `json:"others"`
					Log     *kkrpc.RefTo[Account]          `json:"log"`
				}
				ada := &savings{balance: 10, partner: new(kkrpc.ProxyTo[Account](&savings{balance: 1}))}
				api := kkrpc.Object{
					"open": func() kkrpc.RefTo[Account] { return kkrpc.ProxyTo[Account](ada) },
					"isAda": func(a kkrpc.RefTo[Account]) bool {
						own, ok := a.Value()
						untyped, _ := a.Ref.Value().(*savings)
						return ok && own == Account(ada) && untyped == ada
					},
					"run": func(ctx context.Context, j job) (bool, error) {
						if _, ok := j.Approve.Value(); ok || len(j.Others) != 1 || j.Log != nil {
							return false, errors.New("not what was sent")
						}
						return kkrpc.Call[bool](ctx, j.Approve, "", j.Name)
					},
				}
				_, ch := pair(t, kkrpc.Options{Expose: api}, kkrpc.Options{Dialect: d})
				ctx := t.Context()
				ref, err := kkrpc.Call[kkrpc.RefTo[Account]](ctx, ch, "open")
				if err != nil {
					t.Fatal(err)
				}
				if n, err := kkrpc.Call[int](ctx, ref, "deposit", 5); err != nil || n != 15 {
					t.Errorf("deposit = %d, %v", n, err)
				}
				partner, err := kkrpc.Call[*kkrpc.RefTo[Account]](ctx, ref, "partner")
				if err != nil || partner == nil {
					t.Fatal(partner, err)
				}
				if n, err := kkrpc.Call[int](ctx, *partner, "deposit", 1); err != nil || n != 2 {
					t.Errorf("deposit of the partner = %d, %v", n, err)
				}
				if none, err := kkrpc.Call[*kkrpc.RefTo[Account]](ctx, *partner, "partner"); err != nil || none != nil {
					t.Errorf("the partner of the partner: %v, %v", none, err)
				}
				if err := ch.Call(ctx, nil, "open.nothing"); err == nil {
					t.Error("open has nothing in it")
				}
				if err := kkrpc.Do(ctx, ref, "close"); err == nil || !strings.Contains(err.Error(), "close is not a function") {
					t.Errorf("what the interface has not: %v", err)
				}
				if _, ok := ref.Value(); ok {
					t.Error("a reference of the peer has a value here")
				}
				other := kkrpc.ProxyTo[Account](&savings{})
				for _, test := range []struct {
					name string
					arg  any
					want bool
				}{
					{"itself", ref, true}, {"by pointer", &ref, true}, {"without its type", ref.Ref, true}, {"another", other, false},
					{"another of this type", *partner, false}, {"of another type", kkrpc.ProxyTo(func() {}), false},
				} {
					if got, err := kkrpc.Call[bool](ctx, ch, "isAda", test.arg); err != nil || got != test.want {
						t.Errorf("%s: %t, %v", test.name, got, err)
					}
				}
				j := job{Name: "backup", Others: map[string]kkrpc.RefTo[func()]{"x": kkrpc.ProxyTo(func() {})}}
				j.Approve = kkrpc.ProxyTo[Approve](func(_ context.Context, name string) (bool, error) { return name == "backup", nil })
				if ok, err := kkrpc.Call[bool](ctx, ch, "run", j); err != nil || !ok {
					t.Errorf("run = %t, %v", ok, err)
				}
				if err := ref.Release(ctx); err != nil {
					t.Error(err)
				}
				if err := kkrpc.Do(ctx, ref, "deposit", 1); !errors.Is(err, kkrpc.ErrReleased) {
					t.Errorf("after Release: %v", err)
				}
			})
		})
	}
}

func TestTypedReferencesThatAreNone(t *testing.T) {
	needsMethods(t)
	bubble(t, func(t *testing.T) {
		api := kkrpc.Object{
			"take":  func(kkrpc.RefTo[Account]) {},
			"maybe": func(a *kkrpc.RefTo[Account]) bool { return a != nil },
			"none":  func() kkrpc.RefTo[Account] { return kkrpc.RefTo[Account]{} },
			"null":  func() kkrpc.RefTo[Account] { return kkrpc.ProxyTo[Account](nil) },
		}
		_, ch := pair(t, kkrpc.Options{Expose: api}, kkrpc.Options{})
		ctx := t.Context()
		for _, test := range []struct {
			name string
			do   func() error
			want string
		}{
			{"null", func() error { return ch.Call(ctx, nil, "take", nil) }, "take: argument 1: expected reference, got null"},
			{"nothing", func() error { return ch.Call(ctx, nil, "take") }, "take: argument 1: expected reference, got undefined"},
			{"data", func() error { return ch.Call(ctx, nil, "take", map[string]any{"a": 1}) }, "take: argument 1: expected reference, got object"},
			{"a zero one", func() error { return ch.Call(ctx, nil, "take", kkrpc.RefTo[Account]{}) }, "RefTo[github.com/kkrpc-go/kkrpc_test.Account] holds no reference"},
			{"a zero one as a result", func() error { return ch.Call(ctx, nil, "none") }, "holds no reference"},
			{"to nil", func() error { return ch.Call(ctx, nil, "null") }, "nil"},
			{"to nothing", func() error { return ch.Call(ctx, nil, "take", kkrpc.ProxyTo(3)) }, "cannot be sent as a reference"},
			{"a call of a zero one", func() error { return kkrpc.Do(ctx, kkrpc.RefTo[Account]{}, "deposit") }, "nil"},
			{"shared", func() error { return ch.Call(ctx, nil, "take", kkrpc.Share(kkrpc.ProxyTo(func() {}))) }, "cannot be shared"},
		} {
			if err := test.do(); err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("%s: %v, want %q", test.name, err, test.want)
			}
		}
		for _, test := range []struct {
			args []any
			want bool
		}{{nil, false}, {[]any{nil}, false}, {[]any{kkrpc.ProxyTo[Account](&savings{})}, true}} {
			if got, err := kkrpc.Call[bool](ctx, ch, "maybe", test.args...); err != nil || got != test.want {
				t.Errorf("maybe(%v) = %t, %v", test.args, got, err)
			}
		}
	})
	for want, member := range map[string]any{
		"int":                 func() (r kkrpc.RefTo[int]) { return },
		"*kkrpc_test.savings": func(kkrpc.RefTo[*savings]) {},
		"interface {}":        func([]kkrpc.RefTo[any]) {},
		"kkrpc.Object":        new(kkrpc.Property[kkrpc.RefTo[kkrpc.Object]]),
	} {
		want = "stands for a " + want + "; want a func type, or an interface with methods"
		if _, err := kkrpc.Expose(kkrpc.Object{"f": member}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
}

func TestTypedReferencesOfThisSide(t *testing.T) {
	bubble(t, func(t *testing.T) {
		own := kkrpc.ProxyTo(func(a kkrpc.RefTo[Account]) (kkrpc.RefTo[Account], error) {
			if v, ok := a.Value(); ok {
				_, err := v.Deposit(1)
				return a, err
			}
			return a, errors.New("of the peer")
		})
		a := &savings{}
		ref := kkrpc.ProxyTo[Account](a)
		var back kkrpc.RefTo[Account]
		if err := own.Apply(t.Context(), &back, ref); err != nil || back.Ref != ref.Ref || a.balance != 1 {
			t.Errorf("%v, %v, balance %d", back, err, a.balance)
		}
		if kkrpc.Proxy(ref) != ref.Ref || kkrpc.Proxy(&ref) != ref.Ref {
			t.Error("Proxy of a RefTo is another reference")
		}
	})
}

// References that only typed ones announce are recognised in an any.
func TestTypedReferencesSwitchReferencesOn(t *testing.T) {
	needsMethods(t)
	bubble(t, func(t *testing.T) {
		api := kkrpc.Object{
			"typed": func([]kkrpc.RefTo[Account]) {},
			"any":   func(v any) bool { _, ok := v.(*kkrpc.Ref); return ok },
		}
		_, ch := pair(t, kkrpc.Options{Expose: api}, kkrpc.Options{})
		if ok, err := kkrpc.Call[bool](t.Context(), ch, "any", kkrpc.ProxyTo[Account](&savings{})); err != nil || !ok {
			t.Errorf("%t, %v", ok, err)
		}
	})
}
