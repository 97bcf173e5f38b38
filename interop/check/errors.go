package check

import (
	"context"
	"errors"
	"fmt"

	"github.com/kkrpc-go/kkrpc"
)

func errorChecks() []check {
	return []check{
		{name: "errors/riskyOperation", run: rejects("Error", "^Something went wrong!$", "riskyOperation")},
		{name: "errors/riskyOperation-cause", needs: causes, run: func(ctx context.Context, t *target) error {
			thrown, err := throws(ctx, t, "riskyOperation")
			if err != nil {
				return err
			}
			if thrown.Cause == nil {
				return fmt.Errorf("no cause in %#v", thrown)
			}
			return same(thrown.Cause.Error(), "Root cause")
		}},
		{name: "errors/divide", run: rejects("DivisionByZero", "^division by zero$", "math.divide", 1, 0)},
		{name: "errors/divide-code", needs: errorObjects, run: fieldIs("code", "E_DIV", "math.divide", 1, 0)},
		{name: "errors/throwTyped", run: rejects("TypeError", "^bad type$", "throwTyped")},
		{name: "errors/throwString", run: rejects("Error", "^plain string$", "throwString")},
		{name: "errors/throwDetails", run: rejects("CustomError", "^custom failure$", "throwDetails")},
		{name: "errors/throwDetails-code", needs: errorObjects, run: fieldIs("code", "E_CUSTOM", "throwDetails")},
		{name: "errors/throwDetails-details", needs: errorObjects, run: fieldIs("details",
			map[string]any{"field": "name", "values": []any{1.0, 2.0}}, "throwDetails")},
		{name: "errors/no-stack", run: func(ctx context.Context, t *target) error {
			thrown, err := throws(ctx, t, "riskyOperation")
			if err != nil {
				return err
			}
			for _, name := range []string{"stack", "s"} {
				if _, ok := thrown.Fields[name]; ok {
					return fmt.Errorf("the peer's stack got into the fields as %q", name)
				}
			}
			return nil
		}},
		{name: "errors/unencodable-argument", run: func(ctx context.Context, t *target) error {
			err := t.ch.Call(ctx, nil, "echo", make(chan int))
			if err == nil || errors.Is(err, kkrpc.ErrClosed) {
				return fmt.Errorf("got %v, want an error about the argument", err)
			}
			return returns("Hello, after!", "greet", "after")(ctx, t)
		}},
	}
}

func fieldIs(name string, want any, path string, args ...any) func(context.Context, *target) error {
	return func(ctx context.Context, t *target) error {
		thrown, err := throws(ctx, t, path, args...)
		if err != nil {
			return err
		}
		return same(thrown.Fields[name], want)
	}
}
