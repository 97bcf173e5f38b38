package kkrpc_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/kkrpc-go/kkrpc"
)

// TestDeadlineReplacesCallTimeout has contexts with a deadline beyond CallTimeout, and before it, on every kind of operation.
func TestDeadlineReplacesCallTimeout(t *testing.T) {
	every(t, func(t *testing.T, d kkrpc.Dialect) {
		const answers = time.Minute
		_, c := pair(t, kkrpc.Options{Expose: kkrpc.Object{
			"slow": func() int { time.Sleep(answers); return 7 },
			"any":  func() []int { time.Sleep(answers); return []int{7} },
			"make": kkrpc.Constructor(func() []int { time.Sleep(answers); return []int{7} }),
		}}, kkrpc.Options{Dialect: d, CallTimeout: 30 * time.Second})
		operations := map[string]func(ctx context.Context) error{
			"a call":            func(ctx context.Context) error { _, err := kkrpc.Call[int](ctx, c, "slow"); return err },
			"a call of any":     func(ctx context.Context) error { _, err := kkrpc.Call[any](ctx, c, "any"); return err },
			"a call to nothing": func(ctx context.Context) error { return c.Call(ctx, nil, "slow") },
			"a construction":    func(ctx context.Context) error { _, err := kkrpc.Construct[[]int](ctx, c, "make"); return err },
		}
		for what, do := range operations {
			ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
			if err := do(ctx); err != nil {
				t.Errorf("%s within five minutes: %v", what, err)
			}
			cancel()
			var e *kkrpc.Error
			if err := do(t.Context()); !errors.As(err, &e) || e.Name != "RPCTimeoutError" {
				t.Errorf("%s without a deadline: %v", what, err)
			}
			ctx, cancel = context.WithTimeout(t.Context(), time.Second)
			if err := do(ctx); !errors.Is(err, context.DeadlineExceeded) || strings.Contains(err.Error(), "no answer within") {
				t.Errorf("%s within a second: %v", what, err)
			}
			cancel()
		}
		time.Sleep(time.Hour) // functions that nobody waits for end
	})
}

// TestUnaryDeadline is the same over a request that travels by itself.
func TestUnaryDeadline(t *testing.T) {
	bubble(t, func(t *testing.T) {
		api, err := kkrpc.Expose(kkrpc.Object{"slow": func() int { time.Sleep(time.Minute); return 7 }})
		if err != nil {
			t.Fatal(err)
		}
		u, err := kkrpc.Unary(func(ctx context.Context, request []byte) ([]byte, error) {
			answer := make(chan []byte, 1)
			go func() {
				response, _ := api.Answer(context.Background(), request, nil)
				answer <- response
			}()
			select {
			case response := <-answer:
				return response, nil
			case <-ctx.Done():
				return nil, ctx.Err()
			}
		}, nil)
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
		defer cancel()
		if got, err := kkrpc.Call[int](ctx, u, "slow"); got != 7 || err != nil {
			t.Errorf("within five minutes: %d, %v", got, err)
		}
		if _, err := kkrpc.Call[int](t.Context(), u, "slow"); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("without a deadline: %v", err)
		}
		time.Sleep(time.Hour) // what was given up ends
	})
}

// TestDeadlineWhileTheDialectIsUnknown has a call that waits for the first message of the peer for longer than CallTimeout.
func TestDeadlineWhileTheDialectIsUnknown(t *testing.T) {
	bubble(t, func(t *testing.T) {
		ch, peer := raw(t, kkrpc.Options{})
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
		defer cancel()
		ended := make(chan error, 1)
		go func() { ended <- ch.Call(ctx, nil, "hello") }()
		time.Sleep(time.Minute)
		write(t, peer, `{"t":"q","id":"1","op":"call","p":["x"],"a":[]}`)
		for range 2 { // the answer, and the call
			if m := read(t, peer); strings.Contains(m, `"hello"`) {
				write(t, peer, `{"t":"r","id":"1"}`)
			}
		}
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
}

// TestAnAnsweredCallDoesNotExpire has an answer that waits for its callbacks for longer than CallTimeout.
func TestAnAnsweredCallDoesNotExpire(t *testing.T) {
	every(t, func(t *testing.T, d kkrpc.Dialect) {
		_, c := pair(t, kkrpc.Options{Expose: kkrpc.Object{"work": func(tick func(int)) int { tick(1); return 7 }}},
			kkrpc.Options{Dialect: d, CallTimeout: 30 * time.Second})
		got, err := kkrpc.Call[int](t.Context(), c, "work", func(int) { time.Sleep(time.Minute) })
		if got != 7 || err != nil {
			t.Errorf("got %d, %v", got, err)
		}
		synctest.Wait()
	})
}

// TestHintAboutDialects is in the error of a call only if the peer has never said anything.
func TestHintAboutDialects(t *testing.T) {
	const hint = "nothing was ever received"
	for _, test := range []struct {
		name string
		says string // the peer, meanwhile
		own  bool   // the ctx has a deadline
		hint bool
	}{
		{"nothing", "", false, true},
		{"nothing, with a deadline", "", true, true},
		{"a request", `{"t":"q","id":"1","op":"call","p":["x"],"a":[]}`, false, false},
		{"a request, with a deadline", `{"t":"q","id":"1","op":"call","p":["x"],"a":[]}`, true, false},
		{"something that is no message", `{"hello":"world"}`, false, false},
		{"something that is no message, with a deadline", `{"hello":"world"}`, true, false},
		{"a message that cannot be read", `{"t":"q","id":`, false, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				ch, peer := raw(t, kkrpc.Options{Dialect: kkrpc.Compact})
				ctx := t.Context()
				if test.own {
					var cancel context.CancelFunc
					ctx, cancel = context.WithTimeout(ctx, time.Minute)
					defer cancel()
				}
				ended := make(chan error, 1)
				go func() { ended <- ch.Call(ctx, nil, "x") }()
				read(t, peer)
				if test.says != "" {
					write(t, peer, test.says)
				}
				err := <-ended
				if !errors.Is(err, context.DeadlineExceeded) || strings.Contains(err.Error(), hint) != test.hint {
					t.Errorf("got %v", err)
				}
			})
		})
	}
}
