package kkrpc_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/kkrpc-go/kkrpc"
	"github.com/kkrpc-go/kkrpc/superjson"
)

func TestFunctionReferenceIsACallback(t *testing.T) {
	needsMethods(t)
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

func TestDataThatLooksLikeAnArgumentOfAReference(t *testing.T) {
	for _, d := range compactDialects {
		t.Run(d.String(), func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				api := kkrpc.Object{"f": func() *kkrpc.Ref {
					return kkrpc.Proxy(func(v map[string]any, when any) string { return fmt.Sprintf("%v %T", v, when) })
				}}
				_, ch := pair(t, kkrpc.Options{Expose: api}, kkrpc.Options{Dialect: d})
				ref, err := kkrpc.Call[*kkrpc.Ref](t.Context(), ch, "f")
				if err != nil {
					t.Fatal(err)
				}
				when := "string"
				if d == kkrpc.CompactSuperJSON {
					when = "time.Time"
				}
				for _, text := range []string{
					`{"__kkrpc_next_arg__":"callback","id":"f1"}`,
					`{"\u005f_kkrpc_next_arg__":"callback","id":"f1"}`,
				} {
					var s string
					want := "map[__kkrpc_next_arg__:callback id:f1] " + when
					if err := ref.Apply(t.Context(), &s, json.RawMessage(text), time.UnixMilli(0)); err != nil || s != want {
						t.Errorf("%s: got %s, %v, want %s", text, s, err, want)
					}
				}
			})
		})
	}
}

// The decoder used to panic on it, which the peer saw as an InternalError.
func TestPartOfAFunctionOfThePeerIsNoFunction(t *testing.T) {
	p := newWirePeer(t, kkrpc.Options{References: true, Expose: kkrpc.Object{"take": func(func()) {}}})
	a := p.ask(`{"t":"q","id":"1","op":"call","p":["take"],"a":[{"__kkrpc_ref__":true,"id":"x","kind":"function","p":["part"]}]}`)
	if want := "TypeError: take: argument 1: expected function, got object"; a.String() != want {
		t.Errorf("got %v, want %s", a, want)
	}
}
