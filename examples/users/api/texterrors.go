package api

import (
	"context"
	"errors"
	"maps"

	"github.com/kkrpc-go/kkrpc"
	"github.com/kkrpc-go/kkrpc/superjson"
)

// TextErrors returns an interceptor for clients of kkrpc 0.2, which get nothing of an error but its message. If asked reports
// that the client wants so, the message is the whole error in SuperJSON: name, message and fields. Other clients get
// errors as they are. Nil means that no client asks.
func TextErrors(asked func(ctx context.Context) bool) kkrpc.Interceptor {
	return func(ctx context.Context, r *kkrpc.Request, next kkrpc.Handler) (any, error) {
		result, err := next(ctx, r)
		if err == nil || asked == nil || !asked(ctx) {
			return result, err
		}
		thrown, ok := thrownBy(err)
		if !ok {
			return nil, err
		}
		whole := map[string]any{}
		maps.Copy(whole, thrown.Fields)
		whole["name"], whole["message"] = thrown.Name, thrown.Message
		text, err := superjson.Marshal(whole)
		if err != nil {
			return nil, thrown
		}
		return nil, &kkrpc.Error{Name: thrown.Name, Message: string(text)}
	}
}

// thrownBy returns the error that crosses for err, unless err is one whose text alone would cross.
func thrownBy(err error) (*kkrpc.Error, bool) {
	own, ok := errors.AsType[interface {
		error
		RPCError() *kkrpc.Error
	}](err)
	if ok {
		return own.RPCError(), true
	}
	return errors.AsType[*kkrpc.Error](err)
}
