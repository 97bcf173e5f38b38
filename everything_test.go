package kkrpc_test

import (
	"context"
	"errors"
	"iter"
	"sync"
	"sync/atomic"
	"time"

	"github.com/kkrpc-go/kkrpc"
	"github.com/kkrpc-go/kkrpc/superjson"
)

// fuzzAPI is an API with one of everything, and the number of its contexts that have not ended.
func fuzzAPI() (kkrpc.Object, *atomic.Int64) {
	alive := new(atomic.Int64)
	count := func(ctx context.Context) {
		alive.Add(1)
		context.AfterFunc(ctx, func() { alive.Add(-1) })
	}
	var mu sync.Mutex
	var kept []*kkrpc.Callback
	var held []*kkrpc.Ref
	type point struct {
		X, Y  int
		Name  *string `json:"name"`
		Inner []point `json:"inner"`
	}
	return kkrpc.Object{
		"add":   func(a, b float64) float64 { return a + b },
		"any":   func(v any) any { return v },
		"value": func(v superjson.Value) superjson.Value { return v },
		"all":   func(v ...any) []any { return v },
		"point": func(ctx context.Context, p point) (point, error) { count(ctx); return p, nil },
		"fail": func(v any) error {
			return &kkrpc.Error{Name: "Failed", Message: "failed", Fields: map[string]any{"v": v}}
		},
		"wait": func(ctx context.Context, ms int) error {
			count(ctx)
			select {
			case <-ctx.Done():
				return ctx.Err()
			case <-time.After(time.Duration(ms%3000) * time.Millisecond):
				return nil
			}
		},
		"callback": func(ctx context.Context, f func(any) error) error { count(ctx); return f("called") },
		"keep": func(c *kkrpc.Callback) {
			mu.Lock()
			defer mu.Unlock()
			kept = append(kept, c)
		},
		"notify": func(v any) (n int) {
			mu.Lock()
			defer mu.Unlock()
			for _, c := range kept {
				if c.Notify(v) == nil {
					n++
				}
			}
			return n
		},
		"release": func() (err error) {
			mu.Lock()
			defer mu.Unlock()
			for _, c := range kept {
				err = errors.Join(err, kkrpc.Release(c))
			}
			kept = nil
			return err
		},
		"ask": func(ctx context.Context, v any) (any, error) {
			count(ctx)
			answer, err := kkrpc.Call[any](ctx, kkrpc.FromContext(ctx), "theirs", v)
			if items, ok := answer.(iter.Seq2[any, error]); ok { // else it stays until the garbage collector comes to it
				for _, err := range items {
					return nil, err
				}
			}
			return answer, err
		},
		"open": func(ctx context.Context, n int) iter.Seq[int] { count(ctx); return upTo(n % 100) },
		"slow": func(ctx context.Context) iter.Seq2[int, error] {
			count(ctx)
			return func(yield func(int, error) bool) {
				for i := range 10 {
					select {
					case <-ctx.Done():
						return
					case <-time.After(100 * time.Millisecond):
					}
					if !yield(i, nil) {
						return
					}
				}
			}
		},
		"sum": func(ctx context.Context, in iter.Seq2[any, error]) (n int) {
			count(ctx)
			for _, err := range in {
				if n++; err != nil || n > 20 {
					break
				}
			}
			return n
		},
		"echo": func(ctx context.Context, in iter.Seq2[any, error]) iter.Seq2[any, error] { count(ctx); return in },
		"relay": func(ctx context.Context) iter.Seq2[any, error] {
			count(ctx)
			return kkrpc.Stream[any](ctx, kkrpc.FromContext(ctx), "theirs")
		},
		"proxy": func() *kkrpc.Ref { return kkrpc.Proxy(func(a, b int) int { return a * b }) },
		"object": func() map[string]any {
			return map[string]any{"list": []any{kkrpc.Proxy(kkrpc.Object{"n": kkrpc.NewProperty(1), "f": func(v any) any { return v }})}}
		},
		"hold": func(ctx context.Context, r *kkrpc.Ref) (any, error) {
			count(ctx)
			mu.Lock()
			held = append(held, r)
			mu.Unlock()
			return kkrpc.Get[superjson.Value](ctx, r, "x")
		},
		"drop": func() (err error) {
			mu.Lock()
			defer mu.Unlock()
			for _, r := range held {
				err = errors.Join(err, kkrpc.Release(r))
			}
			held = nil
			return err
		},
		"settings": kkrpc.Object{"theme": kkrpc.NewProperty("light"), "version": "1.0"},
		"Point":    kkrpc.Constructor(func(x, y int) point { return point{X: x, Y: y} }),
	}, alive
}
