package interop_test

import (
	"path/filepath"
	"testing"

	"github.com/kkrpc-go/kkrpc/interop/js"
)

// TestHostOfGoInHono gives the host the events of servers that do what the real ones do rarely.
func TestHostOfGoInHono(t *testing.T) {
	for _, rt := range []js.Runtime{js.Node, js.Deno, js.Bun} {
		t.Run(string(rt), func(t *testing.T) {
			t.Parallel()
			have(t, rt)
			cmd := rt.Command(t, filepath.Join(js.Dir(t), "hono-host.mjs"), build(t, host(rt), "wasmserver", ""))
			if out, err := cmd.CombinedOutput(); err != nil || len(out) > 0 {
				t.Errorf("%v\n%s", err, out)
			}
		})
	}
}
