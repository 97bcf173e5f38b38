package interop_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/kkrpc-go/kkrpc"
	"github.com/kkrpc-go/kkrpc/transport/ws"
)

// listener is the API of a client that says nothing by itself.
var listener = kkrpc.Object{"ask": func(ctx context.Context) string { return "I speak " + kkrpc.DialectFrom(ctx).String() }}

// TestClientThatOnlyListensToGoInHono is called by the program before it has said anything. On Workers a connection begins
// with its first message.
func TestClientThatOnlyListensToGoInHono(t *testing.T) {
	for _, h := range []host{"node", "deno", "bun"} {
		t.Run(string(h), func(t *testing.T) {
			t.Parallel()
			have(t, h.runtime())
			s := serve(t, h, "wasmserver", "")
			for _, dialect := range []kkrpc.Dialect{kkrpc.Compact, kkrpc.CompactSuperJSON, kkrpc.Classic, kkrpc.ClassicSuperJSON} {
				for _, row := range []struct {
					name, query string
					offered     []string
				}{
					{"by Dial", "", nil},
					{"by Dial, beside a subprotocol", "", []string{"token"}},
					{"by the URL", "&kkrpc=" + dialect.String(), nil},
				} {
					t.Run(dialect.String()+"/"+row.name, func(t *testing.T) {
						ch := dialWith(t, s.url+"?ask"+row.query, &ws.DialOptions{
							RPC: kkrpc.Options{Dialect: dialect, Expose: listener}, Subprotocols: row.offered,
						})
						select {
						case <-ch.Done():
						case <-time.After(30 * time.Second):
							t.Fatal("the connection is still open")
						}
						closed, ok := errors.AsType[*ws.CloseError](ch.Err())
						if want := "I speak " + dialect.String(); !ok || closed.Reason != want {
							t.Errorf("the connection ended with %v, want the reason %q", ch.Err(), want)
						}
					})
				}
			}
		})
	}
}
