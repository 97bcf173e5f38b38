package interceptor

import (
	"context"
	"errors"
	"time"

	"github.com/kkrpc-go/kkrpc"
)

// Timing tells ended about each call when it has ended: how long it took, and its error. Inbound that is the time of
// the function and of the interceptors behind, not the time that the request waited for its turn; outbound it is the
// whole round trip. ended runs on the goroutine of the call, which waits for it; the error of a call that panics says so.
func Timing(ended func(ctx context.Context, r *kkrpc.Request, elapsed time.Duration, err error)) kkrpc.Interceptor {
	if ended == nil {
		panic("interceptor: Timing: the function is nil")
	}
	return observe(func(ctx context.Context, r *kkrpc.Request, elapsed time.Duration, _ any, err error) {
		ended(ctx, r, elapsed, err)
	})
}

// errNotReturned stands for the error of a call that panicked, which goes on behind the interceptor.
var errNotReturned = errors.New("the function did not return: it panicked or called runtime.Goexit")

// observe tells after about every call, even one that panics.
func observe(after func(ctx context.Context, r *kkrpc.Request, elapsed time.Duration, result any, err error)) kkrpc.Interceptor {
	return func(ctx context.Context, r *kkrpc.Request, next kkrpc.Handler) (result any, err error) {
		start := time.Now()
		err = errNotReturned
		defer func() { after(ctx, r, time.Since(start), result, err) }()
		result, err = next(ctx, r)
		return result, err
	}
}
