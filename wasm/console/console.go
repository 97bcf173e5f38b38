// Package console writes the records of package slog to the console of the JavaScript server, by the method of their
// level: console.debug, info, warn or error. Standard output and standard error both go to console.log.
//
//	slog.SetDefault(slog.New(console.NewHandler(nil)))
//
// Package log then writes there too, at the level info.
package console

import (
	"bytes"
	"context"
	"log/slog"
	"sync"
)

// The levels of the host, see npm/host.mjs.
const (
	levelDebug = iota
	levelInfo
	levelWarn
	levelError
)

// Handler is a [slog.Handler]. Create one with NewHandler.
type Handler struct {
	text slog.Handler // writes to out
	out  *output
}

// output is shared by a Handler and those that are derived from it.
type output struct {
	print func(level int32, line []byte)

	mu   sync.Mutex // held while a record is written
	line bytes.Buffer
}

func (o *output) Write(part []byte) (int, error) { return o.line.Write(part) }

// NewHandler returns a handler that writes records as [slog.TextHandler] does, with these options. Nil means the defaults.
// Outside of a JavaScript server the records go to standard error.
func NewHandler(opts *slog.HandlerOptions) *Handler { return newHandler(opts, write) }

func newHandler(opts *slog.HandlerOptions, print func(level int32, line []byte)) *Handler {
	out := &output{print: print}
	return &Handler{slog.NewTextHandler(out, opts), out}
}

// Enabled implements [slog.Handler].
func (h *Handler) Enabled(ctx context.Context, level slog.Level) bool {
	return h.text.Enabled(ctx, level)
}

// Handle implements [slog.Handler].
func (h *Handler) Handle(ctx context.Context, r slog.Record) error {
	h.out.mu.Lock()
	defer h.out.mu.Unlock()
	h.out.line.Reset()
	if err := h.text.Handle(ctx, r); err != nil {
		return err
	}
	h.out.print(levelOf(r.Level), bytes.TrimSuffix(h.out.line.Bytes(), []byte("\n")))
	return nil
}

// levelOf is the level of the host for one of slog: the next lower one.
func levelOf(level slog.Level) int32 {
	switch {
	case level < slog.LevelInfo:
		return levelDebug
	case level < slog.LevelWarn:
		return levelInfo
	case level < slog.LevelError:
		return levelWarn
	}
	return levelError
}

// WithAttrs implements [slog.Handler].
func (h *Handler) WithAttrs(attrs []slog.Attr) slog.Handler {
	return &Handler{h.text.WithAttrs(attrs), h.out}
}

// WithGroup implements [slog.Handler].
func (h *Handler) WithGroup(name string) slog.Handler { return &Handler{h.text.WithGroup(name), h.out} }
