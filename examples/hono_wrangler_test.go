package examples_test

import (
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/kkrpc-go/kkrpc/interop/js"
)

// TestWranglerOfHonoWorkers has wrangler bundle the example as `npm run deploy` does, and serve it as `npm start` does, to
// both of its clients.
func TestWranglerOfHonoWorkers(t *testing.T) {
	t.Parallel()
	e := examples[len(examples)-1]
	dir := js.TempDir(t)
	dry := js.Wrangler(t, dir, "deploy", "--dry-run", "--outdir=bundle") // skips where it cannot run, before anything is built
	e.copyTo(t, dir)
	e.build(t, dir)
	if got, want := e.scripts(t)["serve"], "wrangler dev --port 3000"; got != want {
		t.Errorf("the script serve is %q, and %q is tested", got, want)
	}
	if got := e.scripts(t)["deploy"]; !strings.HasSuffix(got, "&& wrangler deploy") {
		t.Errorf("the script deploy is %q, and `wrangler deploy` is tested", got)
	}
	t.Run("deploy --dry-run", func(t *testing.T) {
		said, err := dry.CombinedOutput()
		if err != nil || !strings.Contains(string(said), "env.ROOM (Room)") || !strings.Contains(string(said), "--dry-run: exiting now.") {
			t.Fatalf("%v\n%s", err, said)
		}
		programs, err := filepath.Glob(filepath.Join(dir, "bundle", "*api.wasm"))
		if err != nil || len(programs) != 1 {
			t.Fatalf("the bundle has the programs %q, %v", programs, err)
		}
		bundled, built := read(t, programs[0]), read(t, filepath.Join(dir, "dist", "api.wasm"))
		if bundled != built {
			t.Errorf("the bundle has a program of %d bytes, not that of the build, of %d", len(bundled), len(built))
		}
	})
	t.Run("dev", func(t *testing.T) {
		shown := e.blocks(t, "text")
		addr, _ := js.StartWrangler(t, dir)
		write(t, filepath.Join(dir, "client.mts"), readWith(t, filepath.Join(e.dir(), "client.mts"), addr))
		compare(t, e.script(t, dir, "client"), shown[0])
		// The objects of the second client are those of the first.
		compare(t, exec.CommandContext(t.Context(), buildClient(t, e.dir(), addr)), shown[1])
	})
}
