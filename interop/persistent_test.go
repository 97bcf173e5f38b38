package interop_test

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/kkrpc-go/kkrpc"
	"github.com/kkrpc-go/kkrpc/interop/check"
	"github.com/kkrpc-go/kkrpc/interop/js"
	"github.com/kkrpc-go/kkrpc/transport/ws"
)

// TestPersistentSurvivesARestart kills a real kkrpc server in the middle of a call of a Go client, and starts another.
func TestPersistentSurvivesARestart(t *testing.T) {
	for _, codec := range codecs {
		old := peer{version: "0.2.2", channel: check.Base, codec: codec}
		t.Run(codec, func(t *testing.T) {
			t.Parallel()
			url, server := startProcess(t, old.command(t, js.Bun, "server.mjs"))
			var where atomic.Value
			where.Store(url)
			asked, asking := make(chan struct{}), false
			api := kkrpc.Object{
				"getClientInfo": func(ctx context.Context) string {
					if asking {
						close(asked)
						<-ctx.Done() // the server dies before it has an answer
					}
					return "Go"
				},
				"notify": func(s string) string { return s },
			}
			p, err := ws.DialPersistent(t.Context(), url, &ws.PersistentOptions{
				Dial:    ws.DialOptions{RPC: kkrpc.Options{Dialect: old.dialect(t), Expose: api}},
				Target:  func(context.Context, string, http.Header) (string, error) { return where.Load().(string), nil },
				Backoff: ws.Backoff{Min: 10 * time.Millisecond, Max: 100 * time.Millisecond},
			})
			if err != nil {
				t.Fatal(err)
			}
			defer p.Close()
			callMe := func() {
				t.Helper()
				got, err := kkrpc.Call[struct{ Info, Notified string }](kkrpc.Idempotent(t.Context()), p, "callMe", "you")
				if err != nil || got.Info != "Go" || got.Notified != "hello you" {
					t.Errorf("callMe: %+v, %v", got, err)
				}
			}
			callMe()
			asking = true
			failed := make(chan error, 1)
			go func() {
				_, err := kkrpc.Call[any](t.Context(), p, "callMe", "you")
				failed <- err
			}()
			<-asked
			asking = false
			if err := server.Kill(); err != nil {
				t.Fatal(err)
			}
			if err := <-failed; !errors.Is(err, kkrpc.ErrClosed) || !strings.Contains(err.Error(), "may have done it") {
				t.Errorf("the call under way: %v", err)
			}
			url, _ = startProcess(t, old.command(t, js.Bun, "server.mjs"))
			where.Store(url)
			callMe()
		})
	}
}
