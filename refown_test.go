package kkrpc_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"strings"
	"testing"
	"time"

	"github.com/kkrpc-go/kkrpc"
	"github.com/kkrpc-go/kkrpc/superjson"
)

// What Apply does with a function is the same on both sides of a channel.
func TestApplyOnEitherSide(t *testing.T) {
	day := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	other := kkrpc.Proxy(func() int { return 9 })
	kind := func(v any) string { return fmt.Sprintf("%T", v) }
	for _, test := range []struct {
		name string
		fn   any
		args []any
		want string // result, or the end of the error
	}{
		{"numbers", func(a, b float64) float64 { return a + b }, []any{1, 2}, "3"},
		{"a number for any", kind, []any{1}, "float64"},
		{"a struct for any", kind, []any{point{1, 2}}, "map[string]interface {}"},
		{"a map for a struct", func(p point) int { return p.X }, []any{map[string]int{"X": 4}}, "4"},
		{"a date for any", kind, []any{[]any{day}}, "[]interface {}"},
		{"a date", func(d time.Time) int { return d.Year() }, []any{day}, "2026"},
		{"a shared value", func(n int) int { return n }, []any{kkrpc.Share(5)}, "5"},
		{"variadic", func(first string, rest ...int) string { return fmt.Sprint(first, rest) }, []any{"a", 1, 2}, "a[1 2]"},
		{"variadic without", func(first string, rest ...int) string { return fmt.Sprint(first, rest) }, []any{"a"}, "a[]"},
		{"an optional argument", func(n *int) bool { return n == nil }, nil, "true"},
		{"undefined for any", kind, []any{superjson.Undefined}, kind(superjson.Undefined)},
		{"a context", func(ctx context.Context, n int) bool { return ctx != nil && n == 1 }, []any{1}, "true"},
		{"a reference in data", func(ctx context.Context, refs map[string]*kkrpc.Ref) (n int, err error) {
			err = refs["f"].Apply(ctx, &n)
			return n, err
		}, []any{map[string]any{"f": other}}, "9"},
		{"nothing", func() {}, nil, "<nil>"},
		{"an error", func() (int, error) { return 0, &kkrpc.Error{Name: "RangeError", Message: "no"} }, nil, "RangeError: no"},
		{"a wrong argument", func(int) {}, []any{"x"}, "argument 1: expected integer, got string"},
		{"one too many", func(int) {}, []any{1, 2}, "argument 2: expected at most 1 argument, got 2"},
		{"one too few", func(int) {}, nil, "argument 1: expected integer, got undefined"},
	} {
		t.Run(test.name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				own := kkrpc.Proxy(test.fn)
				_, ch := pair(t, kkrpc.Options{Expose: kkrpc.Object{"fn": func() *kkrpc.Ref { return own }}}, kkrpc.Options{Dialect: kkrpc.CompactSuperJSON, Expose: kkrpc.Object{"other": other}})
				remote, err := kkrpc.Call[*kkrpc.Ref](t.Context(), ch, "fn")
				if err != nil {
					t.Fatal(err)
				}
				for side, ref := range map[string]*kkrpc.Ref{"own": own, "remote": remote} {
					got, err := kkrpc.Call[any](t.Context(), ref, "", test.args...)
					text := fmt.Sprint(got)
					if err != nil {
						text = err.Error()
					}
					if !strings.HasSuffix(text, test.want) || (err != nil) != strings.Contains(test.want, ": ") {
						t.Errorf("%s: got %s, want %s", side, text, test.want)
					}
				}
			})
		})
	}
}

func TestApplyOfThisSide(t *testing.T) {
	ctx := t.Context()
	ended, cancel := context.WithCancel(ctx)
	cancel()
	var result int
	var seq iter.Seq2[int, error]
	numbers := func() iter.Seq2[int, error] { return func(yield func(int, error) bool) { yield(5, nil) } }
	for _, test := range []struct {
		name string
		do   func() error
		want string
	}{
		{"a func is passed as it is", func() error {
			return kkrpc.Proxy(func(f func(int) error) error { return f(1) }).Apply(ctx, nil, func(n int) error { return fmt.Errorf("got %d", n) })
		}, "got 1"},
		{"a func of another type", func() error { return kkrpc.Proxy(func(f func(int)) {}).Apply(ctx, nil, func() {}) }, "argument 1: expected func(int), got func()"},
		{"a stream is passed as it is", func() error { return kkrpc.Proxy(numbers).Apply(ctx, &seq) }, ""},
		{"a result of another type", func() error { return kkrpc.Proxy(func() string { return "x" }).Apply(ctx, &result) }, "result: expected integer, got string"},
		{"no result", func() error { return kkrpc.Proxy(func() {}).Apply(ctx, &result) }, "result: expected int, got undefined"},
		{"no pointer", func() error { return kkrpc.Proxy(func() {}).Apply(ctx, result) }, "must be a pointer"},
		{"a ctx that has ended", func() error { return kkrpc.Proxy(func() { t.Error("it ran") }).Apply(ended, nil) }, "context canceled"},
		{"the very error", func() error {
			if err := kkrpc.Proxy(func() error { return io.EOF }).Apply(ctx, nil); !errors.Is(err, io.EOF) {
				return err
			}
			return nil
		}, ""},
		{"an object", func() error { return kkrpc.Proxy(&counter{}).Apply(ctx, nil) }, "an object of this side"},
		{"get", func() error { _, err := kkrpc.Get[int](ctx, kkrpc.Proxy(func() {}), "x"); return err }, "of this side"},
		{"no function at all", func() error { return kkrpc.Proxy((func())(nil)).Apply(ctx, nil) }, "is nil"},
	} {
		if err := test.do(); (err == nil) != (test.want == "") || err != nil && !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: %v, want %q", test.name, err, test.want)
		}
	}
	for n, err := range seq {
		if n != 5 || err != nil {
			t.Errorf("got %d, %v", n, err)
		}
	}
}
