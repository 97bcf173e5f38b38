package kkrpc_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/kkrpc-go/kkrpc"
)

// redial makes a new pair for each call of open, whose server side exposes api.
func redial(t *testing.T, api func(attempt int) any) (open func(context.Context) (*kkrpc.Channel, error), opened *int) {
	opened = new(int)
	var current *kkrpc.Channel
	return func(context.Context) (*kkrpc.Channel, error) {
		if current == nil || current.Err() != nil {
			*opened++
			_, current = pair(t, kkrpc.Options{Expose: api(*opened)}, kkrpc.Options{Dialect: kkrpc.Compact})
		}
		return current, nil
	}, opened
}

func TestViaRepeatsWhatIsIdempotent(t *testing.T) {
	for _, test := range []struct {
		name     string
		failures int // attempts whose channel closes under the call
		mark     bool
		opened   int
		want     string // of the error
	}{
		{"one channel serves", 0, false, 1, ""},
		{"not marked", 1, false, 1, "kkrpc.Idempotent"},
		{"marked", 1, true, 2, ""},
		{"marked, and closes channels", 100, true, 4, "attempt 4"},
	} {
		t.Run(test.name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				open, opened := redial(t, func(attempt int) any {
					return kkrpc.Object{"get": func(ctx context.Context) int {
						if attempt <= test.failures {
							_ = kkrpc.FromContext(ctx).CloseWith(1001, "going away")
						}
						return attempt
					}}
				})
				ctx := t.Context()
				if test.mark {
					ctx = kkrpc.Idempotent(ctx)
				}
				got, err := kkrpc.Call[int](ctx, kkrpc.Via(open), "get")
				switch {
				case test.want == "" && (err != nil || got != test.failures+1):
					t.Errorf("got %d, %v", got, err)
				case test.want != "" && (!errors.Is(err, kkrpc.ErrClosed) || !strings.Contains(err.Error(), test.want)):
					t.Errorf("error %v, want ErrClosed and %q", err, test.want)
				}
				if *opened != test.opened {
					t.Errorf("%d channels were opened, want %d", *opened, test.opened)
				}
			})
		})
	}
}

func TestViaSendsOnAnotherChannelWhatWasNotSent(t *testing.T) {
	bubble(t, func(t *testing.T) {
		open, _ := redial(t, func(int) any { return kkrpc.Object{"get": func() int { return 7 }} })
		stale, err := open(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		_ = stale.Close()
		first := true
		c := kkrpc.Via(func(ctx context.Context) (*kkrpc.Channel, error) {
			if first {
				first = false
				return stale, nil
			}
			return open(ctx)
		})
		api := kkrpc.Remote[struct {
			Get func(ctx context.Context) (int, error)
		}](c)
		if got, err := api.Get(t.Context()); err != nil || got != 7 {
			t.Errorf("got %d, %v", got, err)
		}
		always := kkrpc.Via(func(context.Context) (*kkrpc.Channel, error) { return stale, nil })
		if err := kkrpc.Set(t.Context(), always, "x", 1); !errors.Is(err, kkrpc.ErrClosed) {
			t.Errorf("with a closed channel: %v", err)
		}
	})
}

func TestViaWithoutAChannel(t *testing.T) {
	offline := errors.New("offline")
	for _, test := range []struct {
		name string
		err  error
		want string
	}{
		{"an error", offline, "kkrpc: call get: offline"},
		{"nothing at all", nil, "kkrpc: call get: there is no channel"},
	} {
		c := kkrpc.Via(func(context.Context) (*kkrpc.Channel, error) { return nil, test.err })
		if _, err := kkrpc.Call[int](t.Context(), c, "get"); err == nil || err.Error() != test.want {
			t.Errorf("%s: got %v, want %s", test.name, err, test.want)
		}
	}
}

func TestViaInAHandlerDoesNotHoldUpTheChannel(t *testing.T) {
	bubble(t, func(t *testing.T) {
		opened := make(chan struct{})
		_, other := pair(t, kkrpc.Options{Expose: kkrpc.Object{"get": func() int { return 7 }}}, kkrpc.Options{})
		c := kkrpc.Via(func(context.Context) (*kkrpc.Channel, error) {
			<-opened
			return other, nil
		})
		_, ch := pair(t, kkrpc.Options{Limits: kkrpc.Limits{Running: 1}, Expose: kkrpc.Object{
			"get":  func(ctx context.Context) (int, error) { return kkrpc.Call[int](ctx, c, "get") },
			"open": func() { close(opened) },
		}}, kkrpc.Options{})
		done := make(chan struct{})
		go func() {
			defer close(done)
			if got, err := kkrpc.Call[int](t.Context(), ch, "get"); err != nil || got != 7 {
				t.Errorf("got %d, %v", got, err)
			}
		}()
		synctest.Wait()
		if err := ch.Call(t.Context(), nil, "open"); err != nil {
			t.Error(err)
		}
		<-done
	})
}

func TestViaNothingPanics(t *testing.T) {
	defer func() {
		if got := recover(); got != "kkrpc: Via: open is nil" {
			t.Errorf("got %v", got)
		}
	}()
	kkrpc.Via(nil)
}
