package main

import (
	"context"
	"log/slog"
	"strings"

	"github.com/kkrpc-go/kkrpc"
)

type traceKey struct{}

// traced takes the trace of the caller from the metadata traceparent, in the form of the W3C. A tracer would begin a span here.
func traced(ctx context.Context, r *kkrpc.Request, next kkrpc.Handler) (any, error) {
	if parent, ok := r.Metadata["traceparent"].(string); ok {
		if part := strings.Split(parent, "-"); len(part) == 4 && len(part[1]) == 32 {
			ctx = context.WithValue(ctx, traceKey{}, part[1])
		}
	}
	return next(ctx, r)
}

// withTrace adds the trace of the ctx to each record.
type withTrace struct{ slog.Handler }

func (h withTrace) Handle(ctx context.Context, r slog.Record) error {
	if trace, ok := ctx.Value(traceKey{}).(string); ok {
		r.AddAttrs(slog.String("trace", trace))
	}
	return h.Handler.Handle(ctx, r)
}

func (h withTrace) WithAttrs(a []slog.Attr) slog.Handler { return withTrace{h.Handler.WithAttrs(a)} }
func (h withTrace) WithGroup(name string) slog.Handler   { return withTrace{h.Handler.WithGroup(name)} }
