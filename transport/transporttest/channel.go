package transporttest

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"

	kkrpc "github.com/kkrpc-go/kkrpc"
)

// connect starts a channel on each end; the one of a speaks first. Both expose echo, and relay, which calls the
// caller's echo. The function wait closes waiting when it is called.
func connect(t *testing.T, a, b kkrpc.Transport) (x, y *kkrpc.Channel, waiting <-chan struct{}) {
	t.Helper()
	started := make(chan struct{})
	api := kkrpc.Object{
		"echo": func(s string) string { return s },
		"relay": func(ctx context.Context, s string) (string, error) {
			return kkrpc.Call[string](ctx, kkrpc.FromContext(ctx), "echo", s)
		},
		"wait": func(ctx context.Context) {
			close(started)
			<-ctx.Done()
		},
	}
	x, err := kkrpc.New(context.Background(), a, &kkrpc.Options{Expose: api, Dialect: kkrpc.Compact})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = x.Close() })
	if y, err = kkrpc.New(context.Background(), b, &kkrpc.Options{Expose: api}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = y.Close() })
	return x, y, started
}

func channels(t *testing.T, a, b kkrpc.Transport) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	x, y, _ := connect(t, a, b)
	if _, err := kkrpc.Call[string](ctx, x, "echo", ""); err != nil { // y learns the dialect
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	for side, ch := range []*kkrpc.Channel{x, y} {
		for i := range 30 {
			wg.Go(func() {
				method := []string{"echo", "relay"}[i%2]
				want := strings.Repeat(fmt.Sprintf("%d-%d €\n", side, i), 1+30*i)
				if got, err := kkrpc.Call[string](ctx, ch, method, want); got != want || err != nil {
					t.Errorf("%s %d of side %d: %d bytes for %d, %v", method, i, side, len(got), len(want), err)
				}
			})
		}
	}
	wg.Wait()
	for side, ch := range []*kkrpc.Channel{x, y} {
		if n := ch.Dropped(); n > 0 || ch.Err() != nil {
			t.Errorf("side %d: %d messages dropped, %v", side, n, ch.Err())
		}
	}
}

func channelCloses(t *testing.T, a, b kkrpc.Transport) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	x, y, waiting := connect(t, a, b)
	if _, err := kkrpc.Call[string](ctx, x, "echo", "x"); err != nil {
		t.Fatal(err)
	}
	failed := make(chan error, 1)
	go func() { failed <- y.Call(ctx, nil, "wait") }()
	select {
	case <-waiting:
	case <-ctx.Done():
		t.Fatal("the call has not arrived")
	}
	_ = x.Close()
	select {
	case <-y.Done():
	case <-ctx.Done():
		t.Fatal("the other channel is still open")
	}
	if err := y.Err(); !errors.Is(err, kkrpc.ErrClosed) || !strings.Contains(err.Error(), "by the peer") {
		t.Errorf("the other channel closed with %v", err)
	}
	if err := <-failed; !errors.Is(err, kkrpc.ErrClosed) {
		t.Errorf("its call: %v", err)
	}
}
