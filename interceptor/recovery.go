package interceptor

import (
	"context"
	"runtime/debug"

	"github.com/kkrpc-go/kkrpc"
)

// Recovery makes what handle returns the error of a call that panics: what was recovered and the stack are for this side,
// the error is what the peer sees. If handle returns nil the peer sees "InternalError: internal error".
//
// Without Recovery, a panic in an inbound call is that error too, and goes to Options.OnError; with it, OnError is not
// told. Interceptors that come behind see the panic, those in front see the error.
func Recovery(handle func(ctx context.Context, r *kkrpc.Request, recovered any, stack []byte) error) kkrpc.Interceptor {
	if handle == nil {
		panic("interceptor: Recovery: the function is nil")
	}
	return func(ctx context.Context, r *kkrpc.Request, next kkrpc.Handler) (result any, err error) {
		defer func() {
			recovered := recover()
			if recovered == nil {
				return
			}
			if result, err = nil, handle(ctx, r, recovered, debug.Stack()); err == nil {
				err = &kkrpc.Error{Name: "InternalError", Message: "internal error"}
			}
		}()
		return next(ctx, r)
	}
}
