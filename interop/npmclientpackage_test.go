package interop_test

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"

	"github.com/kkrpc-go/kkrpc/interop/js"
)

const npmClientFolder = "../npm/client"

// TestNpmClientUnits runs the tests of npm/client against a scripted server, with timers that stand still.
func TestNpmClientUnits(t *testing.T) {
	t.Parallel()
	tests, err := filepath.Glob(filepath.Join(npmClientFolder, "test", "*.test.mjs"))
	if err != nil || len(tests) == 0 {
		t.Fatalf("%d tests, %v", len(tests), err)
	}
	cmd := exec.CommandContext(t.Context(), js.Node.Path(t), append([]string{"--test"}, tests...)...)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}

// npmClientLimit bounds what npm/client adds to a page, in bytes of gzip.
const npmClientLimit = 5632

// TestNpmClientSize has Bun minify npm/client.
func TestNpmClientSize(t *testing.T) {
	t.Parallel()
	out := filepath.Join(t.TempDir(), "client.js")
	cmd := exec.CommandContext(t.Context(), js.Bun.Path(t), "build", filepath.Join(npmClientFolder, "index.js"), "--minify", "--outfile="+out)
	if text, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	text, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	var packed bytes.Buffer
	zip, err := gzip.NewWriterLevel(&packed, gzip.BestCompression)
	if err == nil {
		_, err = zip.Write(text)
	}
	if err == nil {
		err = zip.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("npm/client is %d bytes, %d in gzip", len(text), packed.Len())
	if packed.Len() > npmClientLimit {
		t.Errorf("npm/client is %d bytes in gzip, allowed are %d", packed.Len(), npmClientLimit)
	}
}

// TestNpmClientPackage packs npm/client, installs the tarball in an empty folder, has TypeScript 5 and 7 check a program that
// uses it with kkrpc, and runs the program.
func TestNpmClientPackage(t *testing.T) {
	t.Parallel()
	modules := filepath.Join(js.Dir(t), "node_modules")
	dir := t.TempDir()
	npm := func(folder string, args ...string) []byte {
		t.Helper()
		cmd := exec.CommandContext(t.Context(), "npm", append(args, "--ignore-scripts", "--offline", "--no-audit", "--no-fund", "--cache="+filepath.Join(dir, "cache"))...)
		cmd.Dir = folder
		var stderr bytes.Buffer
		cmd.Stderr = &stderr
		out, err := cmd.Output()
		if err != nil {
			t.Fatalf("npm %v: %v\n%s%s", args, err, out, stderr.Bytes())
		}
		return out
	}
	var packed []struct {
		Filename string
		Files    []struct{ Path string }
	}
	if out := npm(npmClientFolder, "pack", "--json", "--pack-destination="+dir); json.Unmarshal(out, &packed) != nil || len(packed) != 1 {
		t.Fatalf("npm pack: %s", out)
	}
	var files []string
	for _, f := range packed[0].Files {
		files = append(files, f.Path)
	}
	slices.Sort(files)
	want := []string{"LICENSE", "README.md", "bytes.js", "calls.js", "connect.js", "errors.js", "index.d.ts", "index.js", "outbox.js", "package.json", "watch.js"}
	if !slices.Equal(files, want) {
		t.Errorf("the package has %q, want %q", files, want)
	}

	project := filepath.Join(dir, "project")
	if err := os.CopyFS(project, os.DirFS("testdata/npmclient")); err != nil {
		t.Fatal(err)
	}
	npm(project, "install", filepath.Join(dir, packed[0].Filename))
	for _, name := range []string{"kkrpc", "superjson", "copy-anything", "ws", "@types", "undici-types"} {
		if err := os.Symlink(filepath.Join(modules, name), filepath.Join(project, "node_modules", name)); err != nil {
			t.Fatal(err)
		}
	}
	for _, check := range [][]string{
		{"typescript", "--project", "tsconfig.json", "--lib", "ES2023,DOM"},
		{"typescript7", "--project", "tsconfig.json", "--lib", "ES2023"}, // a server, which has the types of Node.js
		{"typescript", "--project", "tsconfig.types.json"},
		{"typescript7", "--project", "tsconfig.types.json"},
	} {
		cmd := exec.CommandContext(t.Context(), js.Node.Path(t), append([]string{filepath.Join(modules, check[0], "bin", "tsc")}, check[1:]...)...)
		cmd.Dir = project
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Errorf("%v: %v\n%s", check, err, out)
		}
	}
	for _, rt := range js.Runtimes {
		t.Run(string(rt), func(t *testing.T) {
			cmd := rt.Command(t, filepath.Join(project, "client.mts"), goServer(t, "0.2.2"))
			if out, err := cmd.CombinedOutput(); err != nil || string(out) != "Hello, package!\nclosed\n" {
				t.Errorf("%v\n%s", err, out)
			}
		})
	}
}
