package check

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"sync"
	"time"

	"github.com/kkrpc-go/kkrpc"
)

// reverseChecks have the server call this client while a call is pending.
func reverseChecks() []check {
	called := func(name string) map[string]any {
		return map[string]any{"info": clientInfo, "notified": "received: hello " + name}
	}
	failure := regexp.MustCompile(`^(Client)?Error: client failure$`)
	return []check{
		{name: "bidi/callMe", run: returns(called("TypeScript"), "callMe", "TypeScript")},
		{name: "bidi/callMeFailing", run: func(ctx context.Context, t *target) error {
			got, err := kkrpc.Call[string](ctx, t.ch, "callMeFailing")
			if err == nil && !failure.MatchString(got) {
				err = fmt.Errorf("got %q", got)
			}
			return err
		}},
		{name: "bidi/hundred-at-once", run: func(ctx context.Context, t *target) error {
			return parallel(100, func(i int) error {
				name := fmt.Sprint("n", i)
				return returns(called(name), "callMe", name)(ctx, t)
			})
		}},
	}
}

func concurrencyChecks() []check {
	return []check{
		{name: "concurrency/completion-order", run: completionOrder},
		{name: "concurrency/slow", run: returns("slept 20", "slow", 20)},
		{name: "concurrency/sleepers-side-by-side", run: func(ctx context.Context, t *target) error {
			start := time.Now()
			if err := parallel(50, func(int) error { return returns("slept 100", "slow", 100)(ctx, t) }); err != nil {
				return err
			}
			if took := time.Since(start); took > 2500*time.Millisecond {
				return fmt.Errorf("50 sleeps of 100 ms took %v", took)
			}
			return nil
		}},
		{name: "concurrency/thousand-calls", run: func(ctx context.Context, t *target) error {
			return parallel(1000, func(i int) error { return returns(2*i, "add", i, i)(ctx, t) })
		}},
	}
}

// completionOrder wants the answer of the shorter wait first, though it was asked for last.
func completionOrder(ctx context.Context, t *target) error {
	var mu sync.Mutex
	var order []string
	record := func(ms int, name string) func() error {
		return func() error {
			got, err := kkrpc.Call[string](ctx, t.ch, "delayEcho", ms, name)
			mu.Lock()
			defer mu.Unlock()
			order = append(order, got)
			return err
		}
	}
	late, early := record(150, "late"), record(10, "early")
	if err := parallel(2, func(i int) error { return []func() error{late, early}[i]() }); err != nil {
		return err
	}
	return same(order, []string{"early", "late"})
}

// parallel runs f for 0 to n-1 at once and joins the errors.
func parallel(n int, f func(i int) error) error {
	errs := make([]error, n)
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() { errs[i] = f(i) })
	}
	wg.Wait()
	return errors.Join(errs...)
}

func sortedKeys[K cmp.Ordered, V any](m map[K]V) []K { return slices.Sorted(maps.Keys(m)) }
