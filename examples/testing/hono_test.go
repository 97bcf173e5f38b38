package reminders

import (
	"testing"

	"github.com/kkrpc-go/kkrpc"
	"github.com/kkrpc-go/kkrpc/wasm/wasmtest"
)

// wasmtest has the values that a handler gets from Hono, without JavaScript.
func TestWhoami(t *testing.T) {
	host := &wasmtest.Host{Vars: map[string]any{"jwtPayload": map[string]any{"Sub": "Ada"}}}
	ch := connect(t, host.NewRequest("http://localhost/ws").Context(), API(), nil)
	if got, err := kkrpc.Call[string](t.Context(), ch, "whoami"); got != "Ada" || err != nil {
		t.Errorf("%q, %v", got, err)
	}
}
