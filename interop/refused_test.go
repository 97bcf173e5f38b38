package interop_test

import (
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"

	"github.com/kkrpc-go/kkrpc/interop/js"
	"github.com/kkrpc-go/kkrpc/transport/ws"
)

// TestRefusedClients has ws.Reject refuse JavaScript clients by a close code, which they learn, and by an HTTP status, which
// the standard hides from them. A client that was refused by a close code does not try again.
func TestRefusedClients(t *testing.T) {
	server := ws.HandlerFor(func(r *http.Request) (any, error) {
		if r.URL.Path == "/status" {
			return nil, ws.Reject(http.StatusUnauthorized, "sign in first")
		}
		return nil, ws.Reject(4401, "sign in first")
	}, &ws.Options{Session: &ws.SessionOptions{}})
	srv := httptest.NewServer(server)
	t.Cleanup(srv.Close)
	for _, rt := range []js.Runtime{js.Node, js.Bun, js.Deno} {
		t.Run(string(rt), func(t *testing.T) {
			t.Parallel()
			for _, test := range []struct{ path, code, state string }{
				{"/code", "4401 sign in first", "closed 4401 connection closed with 4401: sign in first"},
				{"/status", "1006", "connecting 1006 connection closed with 1006"},
			} {
				cmd := rt.Command(t, filepath.Join(js.Dir(t), "refused.mjs"), strings.Replace(srv.URL, "http", "ws", 1)+test.path)
				out, err := cmd.Output()
				if err != nil {
					t.Fatalf("%v\n%s", err, out)
				}
				for _, want := range []string{"WebSocket: " + test.code, "kkrpc: " + test.code, "session false: " + test.state, "session true: " + test.state} {
					if !strings.Contains("\n"+string(out), "\n"+want) {
						t.Errorf("%s: no line %q:\n%s", test.path, want, out)
					}
				}
			}
		})
	}
}
