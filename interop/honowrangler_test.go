package interop_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

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

// TestDateOfWrangler is that wrangler dev takes no compatibility date that its workerd does not know, though the dry run does. So
// the configurations of the build have an older one.
func TestDateOfWrangler(t *testing.T) {
	dir := js.TempDir(t)
	script := `export default { fetch: () => new Response("hello") }`
	config := `{"name": "dated", "main": "worker.mjs", "compatibility_date": "` + time.Now().Format(time.DateOnly) + `"}`
	for name, text := range map[string]string{"worker.mjs": script, "wrangler.jsonc": config} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	if said, err := js.Wrangler(t, dir, "deploy", "--dry-run").CombinedOutput(); err != nil {
		t.Errorf("the dry run: %v\n%s", err, said)
	}
	said, err := js.Wrangler(t, dir, "dev", "--local", "--ip=127.0.0.1", "--port=0").CombinedOutput()
	if err == nil || !strings.Contains(string(said), "compatibility date") {
		t.Errorf("dev: %v\n%s", err, said)
	}
}
