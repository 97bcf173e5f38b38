package kkrpc_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"github.com/kkrpc-go/kkrpc"
	"github.com/kkrpc-go/kkrpc/superjson"
)

// hostile panics while it crosses the connection.
type hostile struct{}

func TestMisuseOfACallIsAnError(t *testing.T) {
	bubble(t, func(t *testing.T) {
		_, c := pair(t, kkrpc.Options{Expose: kkrpc.Object{"nothing": func() {}}}, kkrpc.Options{})
		var none *int
		var f func()
		for _, test := range []struct {
			name   string
			result any
			args   []any
		}{
			{"a result that is no pointer", 1, nil},
			{"a nil pointer as the result", none, nil},
			{"a nil *Callback", nil, []any{(*kkrpc.Callback)(nil)}},
			{"a zero Callback", nil, []any{&kkrpc.Callback{}}},
			{"a nil func", nil, []any{f}},
			{"a func that returns a value", nil, []any{func() int { return 1 }}},
		} {
			if err := c.Call(t.Context(), test.result, "nothing", test.args...); err == nil {
				t.Errorf("%s: no error", test.name)
			}
		}
		if err := kkrpc.Release(nil); err == nil {
			t.Error("Release(nil): no error")
		}
		if err := new(kkrpc.Callback).Call(); err == nil {
			t.Error("a zero Callback was called")
		}
	})
}

func TestArgumentsOutliveTheMessage(t *testing.T) {
	for _, d := range dialects {
		t.Run(d.String(), func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				var kept []string
				var values []any
				var texts []json.RawMessage
				server := kkrpc.Object{"keep": func(s string, v any, r json.RawMessage) {
					kept, values, texts = append(kept, s), append(values, v), append(texts, r)
				}}
				_, c := pair(t, kkrpc.Options{Expose: server}, kkrpc.Options{Dialect: d})
				for i := range 20 {
					s := fmt.Sprintf("text number %02d", i)
					if err := c.Call(t.Context(), nil, "keep", s, s, s); err != nil {
						t.Fatal(err)
					}
				}
				for i := range kept {
					want := fmt.Sprintf("text number %02d", i)
					if kept[i] != want || values[i] != want || string(texts[i]) != `"`+want+`"` {
						t.Fatalf("message %d: %q %q %s", i, kept[i], values[i], texts[i])
					}
				}
			})
		})
	}
}

func TestUndefinedResults(t *testing.T) {
	bubble(t, func(t *testing.T) {
		_, c := pair(t, kkrpc.Options{Expose: kkrpc.Object{"nothing": func() {}, `a.b`: func() string { return "dotted" }}}, kkrpc.Options{})
		if v, err := kkrpc.Call[*int](t.Context(), c, "nothing"); v != nil || err != nil {
			t.Errorf("pointer: %v, %v", v, err)
		}
		if v, err := kkrpc.Call[superjson.Value](t.Context(), c, "nothing"); v.JSON != nil || err != nil {
			t.Errorf("Value: %v, %v", v, err)
		}
		if _, err := kkrpc.Call[int](t.Context(), c, "nothing"); err == nil || !strings.Contains(err.Error(), "undefined") {
			t.Errorf("int: %v", err)
		}
		if _, err := kkrpc.Call[[]int](t.Context(), c, `a\.b`); err == nil || !strings.Contains(err.Error(), "expected array") {
			t.Errorf("string into []int: %v", err)
		}
		if err := c.Call(t.Context(), nil, `a\b`); err == nil || !strings.Contains(err.Error(), "backslash") {
			t.Errorf("a lone backslash: %v", err)
		}
	})
}

// TestDo drops what a function returns, on each kind of Caller.
func TestDo(t *testing.T) {
	bubble(t, func(t *testing.T) {
		var heard []string
		_, c := pair(t, kkrpc.Options{Expose: kkrpc.Object{
			"note":  func(s string) []int { heard = append(heard, s); return []int{1} },
			"count": func(n int, each func(i int)) int { each(n); return n },
			"fail":  func() error { return &kkrpc.Error{Name: "DomainError", Message: "no"} },
		}}, kkrpc.Options{})
		counted := 0
		for _, caller := range []kkrpc.Caller{c, kkrpc.Via(func(context.Context) (*kkrpc.Channel, error) { return c, nil })} {
			var e *kkrpc.Error
			if err := kkrpc.Do(t.Context(), caller, "note", "hello"); err != nil {
				t.Error(err)
			}
			if err := kkrpc.Do(t.Context(), caller, "count", 3, func(i int) { counted += i }); err != nil {
				t.Error(err)
			}
			if err := kkrpc.Do(t.Context(), caller, "fail"); !errors.As(err, &e) || e.Name != "DomainError" {
				t.Errorf("fail: %v", err)
			}
		}
		if len(heard) != 2 || counted != 6 {
			t.Errorf("heard %q, counted %d", heard, counted)
		}
	})
}

func TestPanicsOfMarshalersAndErrors(t *testing.T) {
	for _, d := range dialects {
		t.Run(d.String(), func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				var reported atomic.Int32
				server := kkrpc.Object{
					"take": func(hostile) {},
					"give": func() any { return hostile{} },
					"fail": func() error { return (*nilError)(nil) },
					"keep": func(f func(int)) { f(1) },
				}
				_, c := pair(t, kkrpc.Options{Expose: server, OnError: func(error) { reported.Add(1) }},
					kkrpc.Options{Dialect: d, OnError: func(error) { reported.Add(1) }})
				for _, call := range []struct {
					path string
					args []any
				}{{"take", []any{1}}, {"give", nil}, {"fail", nil}} {
					err := c.Call(t.Context(), nil, call.path, call.args...)
					if !named(err, "InternalError") || strings.Contains(err.Error(), "secret") {
						t.Errorf("%s: %v", call.path, err)
					}
				}
				if err := c.Call(t.Context(), nil, "keep", func(hostile) {}); err != nil {
					t.Error(err)
				}
				synctest.Wait()
				if reported.Load() != 4 {
					t.Errorf("%d panics reported, want 4", reported.Load())
				}
			})
		})
	}
}

func (hostile) MarshalJSON() ([]byte, error) { panic("secret") }
func (*hostile) UnmarshalJSON([]byte) error  { panic("secret") }
func (e *nilError) Error() string            { return e.text }
func (e *nilError) RPCError() *kkrpc.Error   { return &kkrpc.Error{Message: e.text} }

type nilError struct{ text string }
