package kkrpc_test

import (
	"fmt"
	"iter"
	"math"
	"testing"

	"github.com/kkrpc-go/kkrpc"
)

func tell[T any](v T) string { return fmt.Sprint(v) }

func TestMinusZeroWhereIntegersAreRead(t *testing.T) {
	minus := math.Copysign(0, -1)
	level := kkrpc.NewProperty(7)
	items := func(yield func(float64) bool) { _ = yield(1) && yield(minus) && yield(2) }
	api := kkrpc.Object{
		"int": tell[int], "uint8": tell[uint8], "slice": tell[[]int], "map": tell[map[string]int], "field": tell[struct{ N int32 }],
		"pointer":  func(n *int) string { return fmt.Sprint(*n) },
		"variadic": func(list ...int64) string { return fmt.Sprint(list) },
		"plus":     func(a, b int) int { return a + b },
		"minus":    func() float64 { return minus },
		"minuses":  func() []any { return []any{1, minus, 2} },
		"items":    func() iter.Seq[float64] { return items },
		"each": func(f func(float64)) {
			for v := range items {
				f(v)
			}
		},
		"sum": func(in iter.Seq2[int, error]) (string, error) {
			got, err := collect(in)
			return fmt.Sprint(got), err
		},
		"level": level, "negative": minus,
	}
	for _, d := range dialects {
		bubble(t, func(t *testing.T) {
			_, c := pair(t, kkrpc.Options{Expose: api}, kkrpc.Options{Dialect: d})
			for path, row := range map[string]struct {
				args []any
				want string
			}{
				"int":      {[]any{minus}, "0"},
				"uint8":    {[]any{minus}, "0"},
				"pointer":  {[]any{minus}, "0"},
				"slice":    {[]any{[]float64{1, minus}}, "[1 0]"},
				"variadic": {[]any{1, minus, 2}, "[1 0 2]"},
				"map":      {[]any{map[string]float64{"a": minus}}, "map[a:0]"},
				"field":    {[]any{map[string]any{"n": minus}}, "{0}"},
			} {
				if got, err := kkrpc.Call[string](t.Context(), c, path, row.args...); got != row.want || err != nil {
					t.Errorf("%v: %s: %s, %v", d, path, got, err)
				}
			}
			if got, err := kkrpc.Call[int](t.Context(), c, "plus", 3, minus); got != 3 || err != nil {
				t.Errorf("%v: plus: %d, %v", d, got, err)
			}
			if got, err := kkrpc.Call[int](t.Context(), c, "minus"); got != 0 || err != nil {
				t.Errorf("%v: a result: %d, %v", d, got, err)
			}
			if got, err := kkrpc.Call[[]int](t.Context(), c, "minuses"); fmt.Sprint(got) != "[1 0 2]" || err != nil {
				t.Errorf("%v: a list: %v, %v", d, got, err)
			}
			if got, err := kkrpc.Get[int](t.Context(), c, "negative"); got != 0 || err != nil {
				t.Errorf("%v: a property: %d, %v", d, got, err)
			}
			level.Set(7)
			if err := kkrpc.Set(t.Context(), c, "level", minus); err != nil || level.Get() != 0 {
				t.Errorf("%v: the property became %d, %v", d, level.Get(), err)
			}
			if got, err := collect(kkrpc.Stream[int](t.Context(), c, "items")); fmt.Sprint(got) != "[1 0 2]" || err != nil {
				t.Errorf("%v: a stream: %v, %v", d, got, err)
			}
			var got []int
			if _, err := kkrpc.Call[any](t.Context(), c, "each", func(n int) { got = append(got, n) }); err != nil || fmt.Sprint(got) != "[1 0 2]" {
				t.Errorf("%v: a callback: %v, %v", d, got, err)
			}
			if d == kkrpc.Compact || d == kkrpc.CompactSuperJSON {
				if got, err := kkrpc.Call[string](t.Context(), c, "sum", iter.Seq[float64](items)); got != "[1 0 2]" || err != nil {
					t.Errorf("%v: an argument: %v, %v", d, got, err)
				}
			}
		})
	}
}
