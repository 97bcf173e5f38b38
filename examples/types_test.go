package examples_test

import (
	"encoding/json"
	"flag"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/kkrpc-go/kkrpc/interop/js"
)

var update = flag.Bool("update", false, "write the types of the Go programs anew")

// generated are the files that kkrpc gen ts writes, each of a Go program for a TypeScript program beside the file.
var generated = []struct {
	file, program string
	options       []string
}{
	{"quickstart/api.gen.ts", "./quickstart/server", nil},
	{"stdio/child.gen.ts", "./stdio/child", nil},
	{"stdio/parent.gen.ts", "./stdio/parent", nil},
	{"apiproxy/api.gen.ts", "./apiproxy", nil},
	{"hono-bun/api.gen.ts", "./hono-bun/api", nil},
	{"hono-deno/api.gen.ts", "./hono-deno/api", []string{"--codec", "superjson"}},
	{"hono-node/api.gen.ts", "./hono-node/api", nil},
	{"hono-workers/api.gen.ts", "./hono-workers/api", nil},
	{"users/web/src/api.gen.ts", "./users", []string{"--validate", "standard", "--codec", "superjson"}},
	{"browser/web/src/api.gen.ts", "./browser", []string{"--codec", "superjson"}},
	{"chat/web/src/api.gen.ts", "./chat/api", []string{"--codec", "superjson"}},
	{"guide/authentication/api.gen.ts", "./guide/authentication", nil},
	{"guide/both-directions/api.gen.ts", "./guide/both-directions", nil},
	{"guide/callbacks/api.gen.ts", "./guide/callbacks", nil},
	{"guide/calling/api.gen.ts", "./guide/calling", nil},
	{"guide/errors/api.gen.ts", "./guide/errors", nil},
	{"guide/fan-out/api.gen.ts", "./guide/fan-out", nil},
	{"guide/from-hono/api.gen.ts", "./guide/from-hono", nil},
	{"guide/generations/api.gen.ts", "./guide/generations", nil},
	{"guide/hono/api.gen.ts", "./guide/hono", nil},
	{"guide/hono-middleware/api.gen.ts", "./guide/hono-middleware", nil},
	{"guide/bytes/api.gen.ts", "./guide/bytes", []string{"--codec", "superjson"}},
	{"guide/http/api.gen.ts", "./guide/http", nil},
	{"guide/interceptors/api.gen.ts", "./guide/interceptors", nil},
	{"guide/limits/api.gen.ts", "./guide/limits", nil},
	{"guide/metadata/api.gen.ts", "./guide/metadata", nil},
	{"guide/never-returns/api.gen.ts", "./guide/never-returns", nil},
	{"guide/presence/api.gen.ts", "./guide/presence", nil},
	{"guide/properties/api.gen.ts", "./guide/properties", nil},
	{"guide/references/api.gen.ts", "./guide/references", nil},
	{"guide/rooms/api.gen.ts", "./guide/rooms", nil},
	{"guide/routers/api.gen.ts", "./guide/routers", nil},
	{"guide/stdio/child.gen.ts", "./guide/stdio/child", nil},
	{"guide/stdio/parent.gen.ts", "./guide/stdio/parent", nil},
	{"guide/streams/api.gen.ts", "./guide/streams", nil},
	{"guide/typescript-client/api.gen.ts", "./guide/typescript-client", nil},
	{"guide/users/api.gen.ts", "./guide/users", []string{"--api", "ServerAPI"}},
	{"guide/users/proxy.gen.ts", "./guide/users", []string{"--api", "API"}},
	{"guide/validation/api.gen.ts", "./guide/validation", nil},
	{"guide/values/api.gen.ts", "./guide/values", []string{"--codec", "superjson"}},
}

// TestGeneratedTypes keeps the files what kkrpc gen ts writes.
func TestGeneratedTypes(t *testing.T) {
	if testing.Short() {
		t.Skip("loads many programs: not under -short")
	}
	kkrpc := filepath.Join(t.TempDir(), "kkrpc.exe")
	if out, err := exec.CommandContext(t.Context(), "go", "build", "-o", kkrpc, "github.com/kkrpc-go/kkrpc/cmd/kkrpc").CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	var files []string
	for _, g := range generated {
		files = append(files, filepath.FromSlash(g.file))
		t.Run(g.file, func(t *testing.T) {
			t.Parallel()
			args := append([]string{"gen", "ts", g.program, "-o", g.file}, g.options...)
			if !*update {
				args = append(args, "--check")
			}
			if out, err := exec.CommandContext(t.Context(), kkrpc, args...).CombinedOutput(); err != nil {
				t.Errorf("%s\nrun make types to write it anew", out)
			}
		})
	}
	for _, name := range find(t, ".gen.ts") {
		if !slices.Contains(files, name) {
			t.Errorf("%s is not among the generated files", name)
		}
	}
}

// TestTypes has the TypeScript compiler check all programs as strictly as it can, those for each generation of kkrpc at once.
func TestTypes(t *testing.T) {
	programs := map[string][]string{}
	for _, name := range find(t, ".mts") {
		generation := "0.2"
		if strings.Contains(read(t, name), ` from "kkrpc/`) { // which kkrpc 0.2 does not have
			generation = "2"
		}
		programs[generation] = append(programs[generation], name)
	}
	client, err := filepath.Abs("../npm/client/index.d.ts")
	if err != nil {
		t.Fatal(err)
	}
	t.Run("0.2", func(t *testing.T) { compile(t, programs["0.2"], map[string][]string{"kkrpc-go-client": {client}}) })
	t.Run("2", func(t *testing.T) {
		checkout := os.Getenv("KKRPC_V2")
		if checkout == "" {
			t.Skip("needs kkrpc 2: set KKRPC_V2 to a checkout of it, see CONTRIBUTING.md")
		}
		entries := filepath.Join(checkout, "packages", "kkrpc", "src", "entries")
		compile(t, programs["2"], map[string][]string{
			"kkrpc": {filepath.Join(entries, "mod.ts")}, "kkrpc/*": {filepath.Join(entries, "*.ts")},
		})
	})
}

// compile checks programs together with the generated files. paths lead imports to the sources of a checkout.
func compile(t *testing.T, programs []string, paths map[string][]string) {
	t.Helper()
	dir := js.TempDir(t)
	for _, name := range append(find(t, ".gen.ts"), programs...) {
		if err := os.MkdirAll(filepath.Join(dir, filepath.Dir(name)), 0o777); err != nil {
			t.Fatal(err)
		}
		write(t, filepath.Join(dir, name), read(t, name))
	}
	var config map[string]any
	if err := json.Unmarshal([]byte(read(t, filepath.Join(js.Dir(t), "tsconfig.json"))), &config); err != nil {
		t.Fatal(err)
	}
	config["compilerOptions"].(map[string]any)["paths"] = paths
	config["files"] = programs
	text, err := json.Marshal(config)
	if err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(dir, "tsconfig.json"), string(text))
	tsc := filepath.Join(dir, "node_modules", "typescript", "bin", "tsc")
	if out, err := exec.CommandContext(t.Context(), js.Node.Path(t), tsc, "-p", dir).CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}

// find lists the files with this ending below here, in order, without what a reader has installed or built.
func find(t *testing.T, ending string) (names []string) {
	t.Helper()
	err := filepath.WalkDir(".", func(name string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.IsDir() && slices.Contains([]string{"node_modules", "dist", "testdata"}, entry.Name()):
			return filepath.SkipDir
		case strings.HasSuffix(name, ending):
			names = append(names, name)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return names
}
