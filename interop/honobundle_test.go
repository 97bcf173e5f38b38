package interop_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/kkrpc-go/kkrpc"
	"github.com/kkrpc-go/kkrpc/interop/js"
)

// TestBundledServerOfGoInHono has bundlers take the server of kkrpc build hono along, and runs what they make in another
// folder: the program has to be in it.
func TestBundledServerOfGoInHono(t *testing.T) {
	for _, row := range []struct {
		name    string
		rt      js.Runtime
		args    []string // of bun
		run     string   // by the runtime; "" for a program of its own
		program bool     // api.wasm is put beside it
	}{
		{"bun build --compile", js.Bun, []string{"build", "--compile", "--outfile=server"}, "", false},
		{"bun build", js.Bun, []string{"build", "--target=bun", "--outdir=."}, "server.js", false},
		{"a bundle for Node, with the program beside", js.Node, []string{"build", "--target=node", "--outfile=server.mjs"}, "server.mjs", true},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			have(t, row.rt)
			bundle, out := build(t, host(row.rt), "wasmlarge", ""), oddFolder(t)
			bundling := exec.CommandContext(t.Context(), js.Bun.Path(t), append(row.args, filepath.Join(bundle, "server.mjs"))...)
			bundling.Dir = out
			if said, err := bundling.CombinedOutput(); err != nil {
				t.Fatalf("%v\n%s", err, said)
			}
			if row.program {
				program, err := os.ReadFile(filepath.Join(bundle, "api.wasm"))
				if err == nil {
					err = os.WriteFile(filepath.Join(out, "api.wasm"), program, 0o666)
				}
				if err != nil {
					t.Fatal(err)
				}
			}
			cmd := exec.CommandContext(t.Context(), filepath.Join(out, "server"))
			if row.run != "" {
				cmd = row.rt.Command(t, filepath.Join(out, row.run))
			}
			cmd.Dir = t.TempDir()
			if cmd.Env == nil {
				cmd.Env = os.Environ()
			}
			greets(t, dial(t, serveCommand(t, cmd).url, kkrpc.Options{}))
		})
	}
}

// oddFolder returns a new folder whose path does not mean the same as a URL.
func oddFolder(t *testing.T) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "a#b %41")
	if err := os.Mkdir(dir, 0o777); err != nil {
		t.Fatal(err)
	}
	return dir
}

// TestGoInHonoInAFolderOfAnyName starts each server from a folder whose name has the special characters of URLs.
func TestGoInHonoInAFolderOfAnyName(t *testing.T) {
	for _, h := range []host{"node", "deno", "bun"} {
		t.Run(string(h), func(t *testing.T) {
			t.Parallel()
			have(t, h.runtime())
			from, dir := build(t, h, "wasmlarge", ""), oddFolder(t)
			if err := os.CopyFS(dir, os.DirFS(from)); err != nil { // a copy, since runtimes follow symbolic links
				t.Fatal(err)
			}
			greets(t, dial(t, serveScript(t, h.runtime(), filepath.Join(dir, "server.mjs")).url, kkrpc.Options{}))
		})
	}
}
