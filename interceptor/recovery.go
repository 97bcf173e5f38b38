package interceptor

import (
	"context"
	"runtime/debug"

	"github.com/kkrpc-go/kkrpc"
)

// Recovery turns a panic of a call into the error that handle returns. handle gets the recovered value and the stack
// for this side. The peer sees the error. If handle returns nil, the peer sees "InternalError: internal error".
//
// Without Recovery, the peer of an inbound call gets that error as well, and Options.OnError gets the panic. With
// Recovery, OnError gets nothing. Interceptors behind Recovery see the panic, those in front of it see the error.
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
