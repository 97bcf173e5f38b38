package main

import (
	"bytes"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// mostGzip is how large the program of testdata/hono may be, in megabytes, as `kkrpc build hono` prints it.
const mostGzip = 2.4

func TestBuildCommandLine(t *testing.T) {
	out := filepath.Join(t.TempDir(), "dist")
	for _, row := range []struct {
		name   string
		args   []string
		code   int
		stderr string
	}{
		{"nothing to build", nil, 2, "kkrpc build: say what to build: hono\n\nusage: "},
		{"something else", []string{"express", "."}, 2, "say what to build: hono"},
		{"help", []string{"-h"}, 0, "-runtime name"},
		{"no package", []string{"hono", "--runtime", "bun"}, 2, "want one package, such as ./cmd/api, got 0\n"},
		{"two packages", []string{"hono", "a", "b", "--runtime", "bun"}, 2, "want one package, such as ./cmd/api, got 2\n"},
		{"no runtime", []string{"hono", "."}, 2, "--runtime \"\": want bun, deno, node or workers\n"},
		{"unknown runtime", []string{"hono", ".", "--runtime", "java"}, 2, "--runtime \"java\": want bun, deno, node or workers\n"},
		{"unknown option", []string{"hono", ".", "--minify"}, 2, "flag provided but not defined: -minify"},
		{"plain where there are no objects", []string{"hono", ".", "--runtime", "bun", "--plain"}, 2, "--plain is for --runtime workers, not bun\n"},
		{"no such package", []string{"hono", "./testdata/missing", "--runtime", "bun"}, 1, "kkrpc build hono: go list ./testdata/missing: "},
		{"not a program", []string{"hono", "./testdata/library", "--runtime", "bun"}, 1, "./testdata/library is package library: want a main package\n"},
		{"a program that serves nothing", []string{"hono", "./testdata/nowasm", "--runtime", "bun"}, 1,
			"./testdata/nowasm does not import github.com/kkrpc-go/kkrpc/wasm: its main function has to call wasm.Serve\n"},
	} {
		t.Run(row.name, func(t *testing.T) {
			var stdout, stderr bytes.Buffer
			args := append([]string{"build"}, row.args...)
			if len(row.args) > 0 {
				args = append(args, "-o", out)
			}
			if code := run(t.Context(), args, &stdout, &stderr); code != row.code {
				t.Errorf("exit code %d, want %d", code, row.code)
			}
			check(t, "stderr", stderr.String(), row.stderr)
			check(t, "stdout", stdout.String(), "")
		})
	}
	if _, err := os.Stat(out); err == nil {
		t.Errorf("%s was made", out)
	}
}

func TestBuildWithoutGo(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	var stdout, stderr bytes.Buffer
	if code := run(t.Context(), []string{"build", "hono", "./testdata/hono", "--runtime", "bun"}, &stdout, &stderr); code != 1 {
		t.Errorf("exit code %d, want 1", code)
	}
	check(t, "stderr", stderr.String(), "the go command is not in PATH: install Go from https://go.dev/dl\n")
}

// TestBundles builds for every runtime.
func TestBundles(t *testing.T) {
	if testing.Short() {
		t.Skip("links a program for each runtime: not under -short")
	}
	all := []string{"api.wasm", "host.mjs", "index.d.mts", "index.mjs", "package.json", "server.mjs", "wasm_exec.js"}
	for _, row := range []struct {
		name   string
		args   []string
		files  []string // beside those of all
		server string   // some of server.mjs
	}{
		{"bun", nil, nil, `"hono/bun"`},
		{"deno", nil, nil, `"hono/deno"`},
		{"node", nil, nil, `"@hono/node-server"`},
		{"workers", nil, []string{"contexts.mjs", "wrangler.jsonc"}, "extends DurableObject"},
		{"workers", []string{"--plain"}, []string{"contexts.mjs", "wrangler.jsonc"}, "upgradeWebSocket((c) => createHonoWebSocketHandler(c))"},
	} {
		t.Run(strings.Join(append([]string{row.name}, row.args...), " "), func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "dist")
			said := buildTo(t, dir, row.name, row.args...)
			for _, name := range append(row.files, all...) {
				if info, err := os.Stat(filepath.Join(dir, name)); err != nil || info.Size() == 0 {
					t.Errorf("%s: %v", name, err)
				}
			}
			server, _ := os.ReadFile(filepath.Join(dir, "server.mjs"))
			check(t, "server.mjs", string(server), row.server)
			size := regexp.MustCompile(`api\.wasm: [0-9.]+ MB, ([0-9.]+) MB gzip\n`).FindStringSubmatch(said)
			if size == nil {
				t.Fatalf("it said nothing of the size:\n%s", said)
			}
			if mb, err := strconv.ParseFloat(size[1], 64); err != nil || mb > mostGzip {
				t.Errorf("the program has %s MB gzip, want at most %v: see wasm/testdata/packages.txt for what it is made of", size[1], mostGzip)
			}
		})
	}
}

// TestBuildAgain leaves what has been changed, and writes the rest.
func TestBuildAgain(t *testing.T) {
	if testing.Short() {
		t.Skip("links a program: not under -short")
	}
	dir := t.TempDir()
	for _, name := range []string{"server.mjs", "host.mjs"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte("// mine\n"), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	said := buildTo(t, dir, "bun")
	check(t, "stdout", said, filepath.Join(dir, "server.mjs")+": left as it was\n")
	if strings.Contains(said, "host.mjs") {
		t.Errorf("it said of host.mjs:\n%s", said)
	}
	for name, kept := range map[string]bool{"server.mjs": true, "host.mjs": false} {
		text, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil || (string(text) == "// mine\n") != kept {
			t.Errorf("%s was kept: %t, want %t (%v)", name, !kept, kept, err)
		}
	}
	if said := buildTo(t, dir, "bun"); strings.Contains(said, "package.json") {
		t.Errorf("it said of a file that is as it was:\n%s", said)
	}
}

func buildTo(t *testing.T, dir, runtime string, args ...string) (stdout string) {
	t.Helper()
	var out, stderr bytes.Buffer
	args = append([]string{"build", "hono", "./testdata/hono", "--runtime", runtime, "-o", dir}, args...)
	if code := run(t.Context(), args, &out, &stderr); code != 0 {
		t.Fatalf("exit code %d:\n%s", code, stderr.String())
	}
	return out.String()
}
