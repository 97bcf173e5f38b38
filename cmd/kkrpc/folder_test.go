package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/kkrpc-go/kkrpc/npm"
)

// TestFolderThatIsNotOne is refused before anything is compiled, and nothing in it is lost.
func TestFolderThatIsNotOne(t *testing.T) {
	for _, row := range []struct {
		name   string
		files  []string // that are there
		out    string
		stderr string
	}{
		{"a file", []string{"dist"}, "dist", "dist is a file: want a folder\n"},
		{"below a file", []string{"dist"}, filepath.Join("dist", "bun"), "not a directory\n"},
		{"an index.mjs of somebody else", []string{"index.mjs"}, ".",
			"has a file index.mjs that is of no earlier build, without api.wasm beside it: want another folder\n"},
		{"a wasm_exec.js of somebody else", []string{"server.mjs", "wasm_exec.js"}, ".", "has a file wasm_exec.js that is of no earlier build"},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Setenv("PATH", "") // no Go
			dir := t.TempDir()
			for _, name := range row.files {
				write(t, filepath.Join(dir, name), "mine")
			}
			var stdout, stderr bytes.Buffer
			code := run(t.Context(), []string{"build", "hono", "./testdata/hono", "--runtime", "bun", "-o", filepath.Join(dir, row.out)}, &stdout, &stderr)
			if code != 1 {
				t.Errorf("exit code %d, want 1", code)
			}
			check(t, "stderr", stderr.String(), row.stderr)
			for _, name := range row.files {
				if text := read(t, filepath.Join(dir, name)); text != "mine" {
					t.Errorf("%s is now %q", name, text)
				}
			}
		})
	}
}

// TestFolderOfAnEarlierBuild is written again but for what has been changed and what is of no build.
func TestFolderOfAnEarlierBuild(t *testing.T) {
	if testing.Short() {
		t.Skip("links a program: not under -short")
	}
	template := func(name string) string {
		text, err := npm.Files.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	dir := filepath.Join(t.TempDir(), "my dist")
	before := map[string]string{
		"api.wasm":      "old",
		"host.mjs":      "// old",
		"server.mjs":    "// mine",
		"package.json":  template("bun/package.json"), // for another runtime, and as it was written
		"wrangler.json": "{}",
		"notes.txt":     "mine",
	}
	after := map[string]string{
		"host.mjs":       template("host.mjs"),
		"server.mjs":     "// mine",
		"package.json":   template("workers/package.json"),
		"wrangler.jsonc": template("workers/plain/wrangler.jsonc"),
		"wrangler.json":  "{}",
		"notes.txt":      "mine",
	}
	if err := os.Mkdir(dir, 0o777); err != nil {
		t.Fatal(err)
	}
	for name, text := range before {
		write(t, filepath.Join(dir, name), text)
	}
	said := buildTo(t, dir, "./testdata/hono", "workers", "--plain")
	if n := strings.Count(said, "left as it was"); n != 1 || !strings.Contains(said, filepath.Join(dir, "server.mjs")+": left as it was\n") {
		t.Errorf("it said\n%s\nwant one file that was left, server.mjs", said)
	}
	for name, text := range after {
		if got := read(t, filepath.Join(dir, name)); got != text {
			t.Errorf("%s is now\n%s\nwant\n%s", name, got, text)
		}
	}
	if read(t, filepath.Join(dir, "api.wasm")) == "old" {
		t.Error("api.wasm is the old one")
	}
}

func read(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func write(t *testing.T, name, text string) {
	t.Helper()
	if err := os.WriteFile(name, []byte(text), 0o666); err != nil {
		t.Fatal(err)
	}
}
