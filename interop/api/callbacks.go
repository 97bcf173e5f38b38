package api

import (
	"context"
	"errors"
	"sync/atomic"
	"time"

	"github.com/kkrpc-go/kkrpc"
)

// callbacks are the functions that take functions.
func callbacks() kkrpc.Object {
	var kept atomic.Pointer[func(string)] // the peer may not release what this side still holds
	return kkrpc.Object{
		"onProgress": func(n int, report func(i, n int)) string {
			for i := 1; i <= n; i++ {
				report(i, n)
			}
			return "done"
		},
		"twoCallbacks": func(a, b func(string)) bool {
			a("A")
			b("B")
			a("A2")
			return true
		},
		"lateCallback": func(ms int, call func(string)) string {
			time.AfterFunc(time.Duration(ms)*time.Millisecond, func() { call("late") })
			return "scheduled"
		},
		"keepCallback": func(call func(string)) bool {
			kept.Store(&call)
			call("kept")
			return true
		},
	}
}

// Client is what a client of the conformance API exposes to the server.
type Client struct {
	GetClientInfo func(context.Context) (any, error)
	Notify        func(ctx context.Context, message string) (string, error)
	Fail          func(context.Context) error
}

// reverse are the functions that call the client while its call is pending.
func reverse() kkrpc.Object {
	return kkrpc.Object{
		"callMe": func(ctx context.Context, name string) (map[string]any, error) {
			client := kkrpc.Remote[Client](kkrpc.FromContext(ctx))
			info, err := client.GetClientInfo(ctx)
			if err != nil {
				return nil, err
			}
			notified, err := client.Notify(ctx, "hello "+name)
			if err != nil {
				return nil, err
			}
			return map[string]any{"info": info, "notified": notified}, nil
		},
		"callMeFailing": func(ctx context.Context) (string, error) {
			err := kkrpc.FromContext(ctx).Call(ctx, nil, "fail")
			var thrown *kkrpc.Error
			switch {
			case err == nil:
				return "did not fail", nil
			case !errors.As(err, &thrown):
				return "", err
			case thrown.Name == "":
				return "Error: " + thrown.Message, nil
			default:
				return thrown.Name + ": " + thrown.Message, nil
			}
		},
	}
}
