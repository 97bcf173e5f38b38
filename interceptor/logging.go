package interceptor

import (
	"context"
	"log/slog"
	"time"

	"github.com/kkrpc-go/kkrpc"
)

// LoggingOptions configures Logging. Nil and the zero value mean the defaults.
type LoggingOptions struct {
	// Level is the level of successful calls; nil means slog.LevelInfo.
	Level slog.Leveler
	// ErrorLevel is the level of failed calls; nil means slog.LevelWarn, because a peer can cause failures at will.
	ErrorLevel slog.Leveler
	// Args, Result and Metadata log the data of users, and are off by default. Each is cut off after 1 KiB and 16 levels.
	// A struct is logged as a map of the members that would be sent. A slog.LogValuer, at any depth, is logged as its LogValue.
	Args, Result, Metadata bool
}

// Logging writes one record with the call's ctx when a call ends. The message is "kkrpc request" for a call of the
// peer, and "kkrpc call" for a call of this side. The attributes are operation, path and elapsed. On a channel they are
// also channel, its ID, and peer, unless the transport has no name for it. A server of transport/ws logs the end of a
// connection with the same two. An operation on a reference also has on. A failed call has at most 1 KiB of error.
func Logging(logger *slog.Logger, opts *LoggingOptions) kkrpc.Interceptor {
	if logger == nil {
		panic("interceptor: Logging: logger is nil")
	}
	var o LoggingOptions
	if opts != nil {
		o = *opts
	}
	if o.Level == nil {
		o.Level = slog.LevelInfo
	}
	if o.ErrorLevel == nil {
		o.ErrorLevel = slog.LevelWarn
	}
	return observe(func(ctx context.Context, r *kkrpc.Request, elapsed time.Duration, result any, err error) {
		level := o.Level.Level()
		if err != nil {
			level = o.ErrorLevel.Level()
		}
		if !logger.Enabled(ctx, level) {
			return
		}
		attrs := append(make([]slog.Attr, 0, 10), slog.String("operation", r.Operation), slog.String("path", r.Path), slog.Duration("elapsed", elapsed))
		if r.Ref != nil {
			attrs = append(attrs, slog.String("on", r.Ref.String()))
		}
		if r.Channel != nil {
			attrs = append(attrs, slog.Uint64("channel", r.Channel.ID()))
			if peer := r.Channel.Peer(); peer != "" {
				attrs = append(attrs, slog.String("peer", peer))
			}
		}
		if o.Args {
			attrs = append(attrs, slog.Any("args", clipped(r.Args)))
		}
		if o.Metadata && r.Metadata != nil {
			attrs = append(attrs, slog.Any("metadata", clipped(r.Metadata)))
		}
		switch {
		case err != nil:
			attrs = append(attrs, slog.Any("error", clipped(err.Error())))
		case o.Result:
			attrs = append(attrs, slog.Any("result", clipped(result)))
		}
		message := "kkrpc call"
		if r.Inbound {
			message = "kkrpc request"
		}
		logger.LogAttrs(ctx, level, message, attrs...)
	})
}
