package interop_test

import (
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/kkrpc-go/kkrpc/internal/js"
)

// TestTypesOfBundles has the TypeScript compiler hold what a bundle exports against Hono's types.
func TestTypesOfBundles(t *testing.T) {
	for _, row := range []struct{ name, types string }{
		{"bun, deno and node", "index.d.mts"},
		{"workers", "workers/index.d.mts"},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			have(t, js.Node)
			dir := js.TempDir(t, filepath.Join("..", "..", "npm", row.types),
				filepath.Join(js.Dir(t), "hono-types.mts"), filepath.Join(js.Dir(t), "tsconfig.json"))
			tsc := filepath.Join(dir, "node_modules", "typescript", "bin", "tsc")
			if out, err := exec.CommandContext(t.Context(), js.Node.Path(t), tsc, "-p", dir).CombinedOutput(); err != nil {
				t.Errorf("%v\n%s", err, out)
			}
		})
	}
}
