package check

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/kkrpc-go/kkrpc"
)

// shortly is how long a check waits for what is not to come.
const shortly = 100 * time.Millisecond

// lifeChecks are about calls that end before their answer comes, and about the end of a connection.
func lifeChecks() []check {
	return []check{
		{name: "life/ctx-deadline", run: func(ctx context.Context, t *target) error {
			short, cancel := context.WithTimeout(ctx, shortly)
			defer cancel()
			err := t.ch.Call(short, nil, "slow", 400)
			if !errors.Is(err, context.DeadlineExceeded) {
				return fmt.Errorf("got %v, want %v", err, context.DeadlineExceeded)
			}
			// The late answer comes while this call waits, and is nobody's.
			return returns("slept 500", "slow", 500)(ctx, t)
		}},
		{name: "life/ctx-cancel", run: func(ctx context.Context, t *target) error {
			short, cancel := context.WithCancel(ctx)
			timer := time.AfterFunc(shortly, cancel)
			defer timer.Stop()
			if err := t.ch.Call(short, nil, "slow", 400); !errors.Is(err, context.Canceled) {
				return fmt.Errorf("got %v, want %v", err, context.Canceled)
			}
			return returns("Hello, after!", "greet", "after")(ctx, t)
		}},
		{name: "life/call-timeout", run: func(ctx context.Context, t *target) error {
			ch, err := t.dial(ctx, kkrpc.Options{CallTimeout: shortly})
			if err != nil {
				return err
			}
			defer ch.Close()
			var timedOut *kkrpc.Error
			unbounded := context.WithoutCancel(ctx) // a deadline would replace CallTimeout
			if err := ch.Call(unbounded, nil, "slow", 400); !errors.As(err, &timedOut) || timedOut.Name != "RPCTimeoutError" {
				return fmt.Errorf("got %v, want an RPCTimeoutError", err)
			}
			return nil
		}},
		{name: "life/close-fails-pending", run: func(ctx context.Context, t *target) error {
			ch, err := t.dial(ctx, kkrpc.Options{})
			if err != nil {
				return err
			}
			if err := ch.Call(ctx, nil, "greet", "first"); err != nil {
				return err
			}
			timer := time.AfterFunc(shortly, func() { ch.Close() })
			defer timer.Stop()
			if err := ch.Call(ctx, nil, "slow", 5000); !errors.Is(err, kkrpc.ErrClosed) {
				return fmt.Errorf("pending call: got %v, want %v", err, kkrpc.ErrClosed)
			}
			if err := ch.Call(ctx, nil, "greet", "late"); !errors.Is(err, kkrpc.ErrClosed) {
				return fmt.Errorf("later call: got %v, want %v", err, kkrpc.ErrClosed)
			}
			return nil
		}},
		{name: "life/connections-are-separate", needs: webSocket, run: func(ctx context.Context, t *target) error {
			for range 20 {
				ch, err := t.dial(ctx, kkrpc.Options{})
				if err != nil {
					return err
				}
				if err := ch.Call(ctx, nil, "greet", "briefly"); err != nil {
					return err
				}
				if err := ch.Close(); err != nil {
					return err
				}
			}
			return returns("Hello, survivor!", "greet", "survivor")(ctx, t)
		}},
	}
}
