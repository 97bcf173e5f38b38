//go:build !js

package ws

import (
	"context"
	"testing"
	"testing/synctest"
	"time"
)

func TestWindow(t *testing.T) {
	for _, test := range []struct {
		name   string
		option time.Duration
		left   time.Duration // until the deadline of ctx; 0 for none
		n      int
		want   time.Duration
	}{
		{"no connections", 0, 0, 0, 0},
		{"few connections", 0, 0, 10, 10 * time.Millisecond},
		{"many connections", 0, 0, 100_000, 2 * time.Second},
		{"many connections and little time", 0, time.Second, 100_000, 500 * time.Millisecond},
		{"no time at all", 0, -time.Second, 100_000, 0},
		{"an option", time.Minute, 0, 1, time.Minute},
		{"an option and less time", time.Minute, time.Minute, 1, 30 * time.Second},
		{"all at once", -1, time.Minute, 100_000, 0},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx := t.Context()
				if test.left != 0 {
					var cancel context.CancelFunc
					ctx, cancel = context.WithTimeout(ctx, test.left)
					defer cancel()
				}
				s := Server{opts: Options{DrainWindow: test.option}}
				if got := s.window(ctx, test.n); got != test.want {
					t.Errorf("got %v, want %v", got, test.want)
				}
			})
		})
	}
}
