package interop_test

import (
	"strings"
	"testing"

	"github.com/kkrpc-go/kkrpc"
	"github.com/kkrpc-go/kkrpc/interop/js"
)

// TestWranglerOfGoInHono has wrangler take the folders of kkrpc build hono as they are, as the build tells the user to.
func TestWranglerOfGoInHono(t *testing.T) {
	for _, h := range []host{"workers", "workers-plain"} {
		t.Run(string(h), func(t *testing.T) {
			t.Parallel()
			dir := build(t, h, "wasmserver", "")
			said, err := js.Wrangler(t, dir, "deploy", "--dry-run", "--outdir="+t.TempDir()).CombinedOutput()
			if err != nil || !strings.Contains(string(said), "--dry-run: exiting now.") {
				t.Errorf("%v\n%s", err, said)
			}
			addr, _ := js.StartWrangler(t, dir)
			greets(t, dial(t, "ws://"+addr+"/ws", kkrpc.Options{}))
		})
	}
}
