package interceptor

import (
	"context"
	"errors"
	"time"

	"github.com/kkrpc-go/kkrpc"
)

// Timing calls ended when a call has ended, with its duration and its error. The duration of an inbound call covers the
// function and the interceptors behind Timing. It omits the time before the request starts. The duration of an outbound
// call is the round trip. ended runs on the goroutine of the call and delays it. The error of a call that panics says
// so.
func Timing(ended func(ctx context.Context, r *kkrpc.Request, elapsed time.Duration, err error)) kkrpc.Interceptor {
	if ended == nil {
		panic("interceptor: Timing: the function is nil")
	}
	return observe(func(ctx context.Context, r *kkrpc.Request, elapsed time.Duration, _ any, err error) {
		ended(ctx, r, elapsed, err)
	})
}

// errNotReturned is the error of a call that panicked. The panic continues after Timing.
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
