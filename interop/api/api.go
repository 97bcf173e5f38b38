// Package api is the conformance API: functions whose every answer is specified, so that clients of any
// implementation of kkrpc can be checked against them, and a server that exposes it.
package api

import (
	"context"
	"fmt"
	"maps"
	"time"

	"github.com/kkrpc-go/kkrpc"
)

// New returns the API. Its state, the theme, the kept callback and the counters of streams, is shared by all connections that it is exposed on.
func New() kkrpc.Object {
	object := kkrpc.Object{
		"greet": func(name string) string { return "Hello, " + name + "!" },
		"add":   func(a, b float64) float64 { return a + b },
		"math": kkrpc.Object{
			"multiply": func(a, b float64) float64 { return a * b },
			"divide":   divide,
		},
		"count":    func(args ...any) int { return len(args) },
		"nothing":  func() {},
		"nul":      func() any { return nil },
		"slow":     slow,
		"version":  "1.0.0",
		"settings": kkrpc.Object{"theme": kkrpc.NewProperty("light")},
		"Counter":  kkrpc.Constructor(newCounter),
	}
	for _, part := range []kkrpc.Object{values(), failures(), callbacks(), reverse(), streams(), references()} {
		maps.Copy(object, part)
	}
	return object
}

// Counter is what `new Counter(start)` answers.
type Counter struct {
	Count int `json:"count"`
}

func newCounter(start *int) Counter {
	if start == nil {
		return Counter{}
	}
	return Counter{Count: *start}
}

func slow(ctx context.Context, ms int) (string, error) {
	if err := sleep(ctx, ms); err != nil {
		return "", err
	}
	return fmt.Sprintf("slept %d", ms), nil
}

// sleep waits for ms milliseconds, or until the caller gives up or the connection ends.
func sleep(ctx context.Context, ms int) error {
	timer := time.NewTimer(time.Duration(ms) * time.Millisecond)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
