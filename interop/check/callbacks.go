package check

import (
	"context"
	"errors"
	"fmt"

	"github.com/kkrpc-go/kkrpc"
)

func callbackChecks() []check {
	return []check{
		{name: "callbacks/onProgress", run: func(ctx context.Context, t *target) error {
			// Not guarded: callbacks run one at a time, and the answer is delivered after them.
			var got, want [][2]int
			for i := range 25 {
				want = append(want, [2]int{i + 1, 25})
			}
			answer, err := kkrpc.Call[string](ctx, t.ch, "onProgress", 25, func(i, n int) { got = append(got, [2]int{i, n}) })
			return errors.Join(err, same(answer, "done"), same(got, want))
		}},
		{name: "callbacks/two", run: func(ctx context.Context, t *target) error {
			var got []string
			a := func(s string) { got = append(got, "a:"+s) }
			b := func(s string) { got = append(got, "b:"+s) }
			ok, err := kkrpc.Call[bool](ctx, t.ch, "twoCallbacks", a, b)
			return errors.Join(err, same(ok, true), same(got, []string{"a:A", "b:B", "a:A2"}))
		}},
		{name: "callbacks/same-function-twice", run: func(ctx context.Context, t *target) error {
			var got []string
			record := kkrpc.NewCallback(func(s string) { got = append(got, s) })
			ok, err := kkrpc.Call[bool](ctx, t.ch, "twoCallbacks", record, record)
			return errors.Join(err, same(ok, true), same(got, []string{"A", "B", "A2"}))
		}},
		{name: "callbacks/again-with-the-same", run: func(ctx context.Context, t *target) error {
			var got []string
			record := kkrpc.NewCallback(func(s string) { got = append(got, s) })
			for range 3 {
				if err := t.ch.Call(ctx, nil, "keepCallback", record); err != nil {
					return err
				}
			}
			return same(got, []string{"kept", "kept", "kept"})
		}},
		{name: "callbacks/late", run: func(ctx context.Context, t *target) error {
			called := make(chan string, 1)
			answer, err := kkrpc.Call[string](ctx, t.ch, "lateCallback", 30, func(s string) { called <- s })
			if err := errors.Join(err, same(answer, "scheduled")); err != nil {
				return err
			}
			return receives(ctx, called, "late")
		}},
		{name: "callbacks/keep", run: func(ctx context.Context, t *target) error {
			called := make(chan string, 1)
			ok, err := kkrpc.Call[bool](ctx, t.ch, "keepCallback", func(s string) { called <- s })
			if err := errors.Join(err, same(ok, true)); err != nil {
				return err
			}
			return receives(ctx, called, "kept")
		}},
		{name: "callbacks/call-from-callback", run: func(ctx context.Context, t *target) error {
			answers := make(chan string, 1)
			err := t.ch.Call(ctx, nil, "onProgress", 1, func(ctx context.Context, i, n int) error {
				greeting, err := kkrpc.Call[string](ctx, t.ch, "greet", "from a callback")
				answers <- greeting
				return err
			})
			if err != nil {
				return err
			}
			return receives(ctx, answers, "Hello, from a callback!")
		}},
	}
}

func receives(ctx context.Context, c <-chan string, want string) error {
	select {
	case got := <-c:
		return same(got, want)
	case <-ctx.Done():
		return fmt.Errorf("callback was not called: %w", ctx.Err())
	}
}
