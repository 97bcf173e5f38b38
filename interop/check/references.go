package check

import (
	"context"
	"errors"
	"fmt"

	"github.com/kkrpc-go/kkrpc"
)

// referenceChecks are for servers whose channel is that of kkrpc/remote-refs.
func referenceChecks() []check {
	checks := []check{
		{name: "refs/counter", run: func(ctx context.Context, t *target) error {
			counter, err := kkrpc.Call[*kkrpc.Ref](ctx, t.ch, "openCounter", 5)
			if err != nil {
				return err
			}
			seven, err1 := kkrpc.Call[int](ctx, counter, "increment", 2)
			eight, err2 := kkrpc.Call[int](ctx, counter, "increment")
			read, err3 := kkrpc.Get[int](ctx, counter, "value")
			err4 := kkrpc.Set(ctx, counter, "value", 50)
			written, err5 := kkrpc.Call[int](ctx, counter, "increment")
			return errors.Join(err1, err2, err3, err4, err5, same([]int{seven, eight, read, written}, []int{7, 8, 8, 51}),
				counter.Release(ctx))
		}},
		{name: "refs/remote-struct", run: func(ctx context.Context, t *target) error {
			ref, err := kkrpc.Call[*kkrpc.Ref](ctx, t.ch, "openCounter", 1)
			if err != nil {
				return err
			}
			counter := kkrpc.Remote[struct {
				Increment func(ctx context.Context, by int) (int, error)
			}](ref)
			n, err := counter.Increment(ctx, 41)
			return errors.Join(err, same(n, 42))
		}},
		{name: "refs/two-counters", run: func(ctx context.Context, t *target) error {
			a, err1 := kkrpc.Call[*kkrpc.Ref](ctx, t.ch, "openCounter", 1)
			b, err2 := kkrpc.Call[*kkrpc.Ref](ctx, t.ch, "openCounter", 100)
			if err := errors.Join(err1, err2); err != nil {
				return err
			}
			one, err1 := kkrpc.Call[int](ctx, a, "increment")
			other, err2 := kkrpc.Call[int](ctx, b, "increment")
			return errors.Join(err1, err2, same([]int{one, other}, []int{2, 101}))
		}},
		{name: "refs/missing-method", run: func(ctx context.Context, t *target) error {
			counter, err := kkrpc.Call[*kkrpc.Ref](ctx, t.ch, "openCounter", 1)
			if err != nil {
				return err
			}
			var thrown *kkrpc.Error
			if _, err := kkrpc.Call[any](ctx, counter, "nothing"); !errors.As(err, &thrown) {
				return fmt.Errorf("got %v, want an error of the peer", err)
			}
			return same(thrown.Message, "nothing is not a function")
		}},
		{name: "refs/adder", run: func(ctx context.Context, t *target) error {
			add, err := kkrpc.Call[*kkrpc.Ref](ctx, t.ch, "makeAdder", 10)
			if err != nil {
				return err
			}
			var sum int
			return errors.Join(add.Apply(ctx, &sum, 32), same(sum, 42))
		}},
		{name: "refs/applyTwice", run: func(ctx context.Context, t *target) error {
			triple := kkrpc.Proxy(func(x int) int { return x * 3 })
			return returns(18, "applyTwice", triple, 2)(ctx, t)
		}},
		{name: "refs/applyTwice-fails", run: func(ctx context.Context, t *target) error {
			fail := kkrpc.Proxy(func(any) (any, error) { return nil, &kkrpc.Error{Name: "RangeError", Message: "no more"} })
			return rejects("RangeError", "^no more$", "applyTwice", fail, 1)(ctx, t)
		}},
		{name: "refs/echo-comes-back", run: func(ctx context.Context, t *target) error {
			own := kkrpc.Proxy(func() int { return 1 })
			back, err := kkrpc.Call[map[string][]*kkrpc.Ref](ctx, t.ch, "echo", map[string]any{"deep": []any{own, own}})
			return errors.Join(err, same(len(back["deep"]), 2), same(back["deep"][0] == own && back["deep"][1] == own, true))
		}},
		{name: "refs/release", run: func(ctx context.Context, t *target) error {
			add, err := kkrpc.Call[*kkrpc.Ref](ctx, t.ch, "makeAdder", 10)
			if err != nil {
				return err
			}
			if err := add.Release(ctx); err != nil {
				return err
			}
			if err := add.Apply(ctx, nil, 1); !errors.Is(err, kkrpc.ErrReleased) {
				return fmt.Errorf("got %v, want %v", err, kkrpc.ErrReleased)
			}
			return nil
		}},
		{name: "refs/hundred-at-once", run: func(ctx context.Context, t *target) error {
			return parallel(100, func(i int) error {
				add := kkrpc.Proxy(func(x int) int { return x + i })
				return returns(2*i, "applyTwice", add, 0)(ctx, t)
			})
		}},
	}
	for i := range checks {
		checks[i].needs |= references
	}
	return checks
}
