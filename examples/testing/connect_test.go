package reminders

import (
	"context"
	"testing"

	"github.com/kkrpc-go/kkrpc"
)

// connect serves an API over a pipe in memory, and returns the channel of its peer, which exposes peer.
func connect(t *testing.T, ctx context.Context, api, peer any) *kkrpc.Channel {
	t.Helper()
	a, b := kkrpc.Pipe()
	if _, err := kkrpc.New(ctx, a, &kkrpc.Options{Expose: api}); err != nil {
		t.Fatal(err)
	}
	ch, err := kkrpc.New(t.Context(), b, &kkrpc.Options{Expose: peer, Dialect: kkrpc.Compact})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = ch.Close() })
	return ch
}
