package interceptor

import (
	"context"
	"log/slog"
	"time"

	"github.com/kkrpc-go/kkrpc"
)

// LoggingOptions says what Logging writes. Nil and the zero value mean the defaults.
type LoggingOptions struct {
	// Level is for what succeeded; nil means slog.LevelInfo.
	Level slog.Leveler
	// ErrorLevel is for what failed; nil means slog.LevelWarn, since a peer can cause failures at will.
	ErrorLevel slog.Leveler
	// Args, Result and Metadata are logged only if asked for: they are the users' data.
	Args, Result, Metadata bool
}

// Logging writes one record for each call when it has ended, with the call's ctx: "kkrpc request" for those of the peer,
// "kkrpc call" for those of this side. Its attributes are operation, path, elapsed, on for an operation on a reference and, if
// it failed, error, at most 1 KiB of it.
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
		attrs := append(make([]slog.Attr, 0, 8), slog.String("operation", r.Operation), slog.String("path", r.Path), slog.Duration("elapsed", elapsed))
		if r.Ref != nil {
			attrs = append(attrs, slog.String("on", r.Ref.String()))
		}
		if o.Args {
			attrs = append(attrs, slog.Any("args", r.Args))
		}
		if o.Metadata && r.Metadata != nil {
			attrs = append(attrs, slog.Any("metadata", r.Metadata))
		}
		switch {
		case err != nil:
			attrs = append(attrs, slog.String("error", shortened(err.Error())))
		case o.Result:
			attrs = append(attrs, slog.Any("result", result))
		}
		message := "kkrpc call"
		if r.Inbound {
			message = "kkrpc request"
		}
		logger.LogAttrs(ctx, level, message, attrs...)
	})
}

// maxErrorText bounds what one error may add to the log: its text may be the peer's.
const maxErrorText = 1 << 10

func shortened(text string) string {
	if len(text) > maxErrorText {
		return text[:maxErrorText] + "…"
	}
	return text
}
