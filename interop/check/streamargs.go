package check

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"strings"
	"sync/atomic"
	"testing/iotest"

	"github.com/kkrpc-go/kkrpc"
)

// streamArgumentChecks have the server consume streams of this client.
func streamArgumentChecks() []check {
	checks := []check{
		{name: "streams/sumStream", run: func(ctx context.Context, t *target) error {
			return returns(15, "sumStream", source(5, nil))(ctx, t)
		}},
		{name: "streams/sumStream-none", run: func(ctx context.Context, t *target) error {
			return returns(0, "sumStream", source(0, nil))(ctx, t)
		}},
		{name: "streams/sumStream-thousand", run: func(ctx context.Context, t *target) error {
			return returns(500500, "sumStream", source(1000, nil))(ctx, t)
		}},
		{name: "streams/sumStream-without-errors", run: func(ctx context.Context, t *target) error {
			return returns(6, "sumStream", iter.Seq[int](func(yield func(int) bool) {
				_ = yield(1) && yield(2) && yield(3)
			}))(ctx, t)
		}},
		{name: "streams/sumStream-channel", run: func(ctx context.Context, t *target) error {
			numbers := make(chan int, 3)
			numbers <- 1
			numbers <- 2
			numbers <- 3
			close(numbers)
			return returns(6, "sumStream", (<-chan int)(numbers))(ctx, t)
		}},
		{name: "streams/sumStream-failing-source", run: func(ctx context.Context, t *target) error {
			failing := iter.Seq2[int, error](func(yield func(int, error) bool) {
				_ = yield(1, nil) && yield(0, &kkrpc.Error{Name: "RangeError", Message: "source failed"})
			})
			return rejects("", "source failed", "sumStream", failing)(ctx, t)
		}},
		{name: "streams/firstOf-stops-the-source", run: func(ctx context.Context, t *target) error {
			stopped := make(chan string, 1)
			err := returns(1, "firstOf", source(1000, func() { stopped <- "stopped" }))(ctx, t)
			return errors.Join(err, receives(ctx, stopped, "stopped"))
		}},
		{name: "streams/firstOf-object", run: func(ctx context.Context, t *target) error {
			object := map[string]any{"a": []any{1.0, nil}, "b": "two"}
			return returns[any](object, "firstOf", iter.Seq[any](func(yield func(any) bool) { yield(object) }))(ctx, t)
		}},
		{name: "streams/countBytes", run: func(ctx context.Context, t *target) error {
			var errs []error
			for _, n := range []int64{0, 1, 200_000} {
				errs = append(errs, returns(n, "countBytes", io.LimitReader(new(countedReader), n))(ctx, t))
			}
			return errors.Join(errs...)
		}},
		{name: "streams/countBytes-failing-source", run: func(ctx context.Context, t *target) error {
			failing := io.MultiReader(strings.NewReader("a"), iotest.ErrReader(errors.New("source failed")))
			return rejects("", "source failed", "countBytes", failing)(ctx, t)
		}},
		{name: "streams/firstByte-stops-the-source", run: func(ctx context.Context, t *target) error {
			stopped := make(chan string, 1)
			content := &countedReader{closed: func() { stopped <- "stopped" }}
			if err := errors.Join(returns(0, "firstByte", content)(ctx, t), receives(ctx, stopped, "stopped")); err != nil {
				return err
			}
			if n := content.reads.Load(); n > 33 {
				return fmt.Errorf("%d items were read for one that was wanted", n)
			}
			return nil
		}},
		{name: "streams/arguments-side-by-side", run: func(ctx context.Context, t *target) error {
			return parallel(20, func(i int) error {
				return returns(5*i*(5*i+1)/2, "sumStream", source(5*i, nil))(ctx, t)
			})
		}},
	}
	for i := range checks {
		checks[i].needs |= streamArguments
	}
	return checks
}

// source yields 1 to n and calls done, if any, when it ends or is stopped.
func source(n int, done func()) iter.Seq2[int, error] {
	return func(yield func(int, error) bool) {
		if done != nil {
			defer done()
		}
		for i := range n {
			if !yield(i+1, nil) {
				return
			}
		}
	}
}

// countedReader reads zeros, and counts.
type countedReader struct {
	reads  atomic.Int64
	closed func()
}

func (r *countedReader) Read(p []byte) (int, error) {
	r.reads.Add(1)
	clear(p)
	return len(p), nil
}

func (r *countedReader) Close() error {
	r.closed()
	return nil
}
