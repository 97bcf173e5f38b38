package interop_test

import (
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"

	"github.com/kkrpc-go/kkrpc"
	"github.com/kkrpc-go/kkrpc/interop/js"
	"github.com/kkrpc-go/kkrpc/transport/ws"
)

// TestRequireMembers has the real kkrpc send objects without a member that Go requires.
func TestRequireMembers(t *testing.T) {
	type address struct {
		City string `json:"city"`
	}
	type user struct {
		Name    string   `json:"name"`
		Age     *int     `json:"age"`
		Tags    []string `json:"tags,omitempty"`
		Address *address `json:"address,omitzero"`
	}
	api := kkrpc.Object{"create": func(u user) string { return "created " + u.Name }}
	const missing = "create: argument 1.name: expected string, got undefined\n"
	for _, test := range []struct {
		name string
		opts kkrpc.Options
		want string
	}{
		{"required", kkrpc.Options{RequireMembers: true, ErrorText: true}, "created Ada\n" + missing + missing + "create: argument 1.address.city: expected string, got undefined\n"},
		{"not required", kkrpc.Options{ErrorText: true}, "created Ada\ncreated \ncreated \ncreated Ada\n"},
	} {
		for _, codec := range []string{"superjson", "json"} {
			t.Run(test.name+"/"+codec, func(t *testing.T) {
				srv := httptest.NewServer(ws.Handler(api, &ws.Options{RPC: test.opts}))
				t.Cleanup(srv.Close)
				out, err := js.Node.Command(t, filepath.Join(js.Dir(t), "members.mjs"), strings.Replace(srv.URL, "http", "ws", 1), codec).CombinedOutput()
				if err != nil || string(out) != test.want {
					t.Errorf("%v, got\n%swant\n%s", err, out, test.want)
				}
			})
		}
	}
}
