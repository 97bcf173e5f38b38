package interop_test

import (
	"context"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/kkrpc-go/kkrpc"
	"github.com/kkrpc-go/kkrpc/interop/js"
	"github.com/kkrpc-go/kkrpc/transport/ws"
)

// TestNpmClientLosesSession cuts a connection whose server forgets sessions at once. Both generations reject
// the pending call.
func TestNpmClientLosesSession(t *testing.T) {
	for _, test := range []struct{ version, variable, want string }{
		{"0.2.2", "", "Error: session lost: "},
		{"2.1.0", "KKRPC_V2", "RPCTransportClosedError: RPC transport closed: session lost: "},
	} {
		t.Run(test.version, func(t *testing.T) {
			t.Parallel()
			if test.variable != "" {
				haveCheckout(t, test.variable, test.version)
			}
			running, ended := make(chan struct{}), make(chan struct{}, 1)
			handler := ws.Handler(kkrpc.Object{
				"wait": func(ctx context.Context) { close(running); <-ctx.Done() },
			}, &ws.Options{Session: &ws.SessionOptions{Keep: time.Nanosecond, OnEvent: func(_ *kkrpc.Channel, e ws.SessionEvent) {
				if e.Kind == ws.SessionEnded {
					ended <- struct{}{}
				}
			}}})
			server := httptest.NewServer(handler)
			t.Cleanup(server.Close)
			between := startCutter(t, strings.TrimPrefix(server.URL, "http://"), 0)
			cmd := js.Bun.Command(t, filepath.Join(js.Dir(t), "npm-client-lost.mjs"), "ws://"+between.addr, test.version)
			cmd.Env = append(cmd.Env, "NODE_PATH="+filepath.Join(js.Dir(t), "node_modules"))
			go func() { // ends with the call
				<-running
				between.refuse(true)
				<-ended
				between.refuse(false)
			}()
			out, err := cmd.CombinedOutput()
			first, second, _ := strings.Cut(string(out), "\n")
			if err != nil || !strings.HasPrefix(first, "SessionLost unknown session lost: ") || !strings.HasPrefix(second, test.want) {
				t.Errorf("%v\n%s", err, out)
			}
		})
	}
}
