package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// mostGzip is how large the program of testdata/hono may be, in gzipped bytes.
const mostGzip = 1_500_000

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
		{"a folder without a dot", []string{"hono", "testdata/hono", "--runtime", "bun"}, 1,
			"kkrpc build hono: go list testdata/hono: exit status 1: the package in the folder is ./testdata/hono\n"},
		{"not a program", []string{"hono", "./testdata/library", "--runtime", "bun"}, 1, "./testdata/library is package library: want a main package\n"},
		{"a program that serves nothing", []string{"hono", "./testdata/nowasm", "--runtime", "bun"}, 1,
			"./testdata/nowasm does not import github.com/kkrpc-go/kkrpc/wasm: its main function has to call wasm.Serve\n"},
		{"an unknown codec", []string{"hono", ".", "--runtime", "bun", "--codec", "xml"}, 2, "--codec \"xml\": want json, json+bytes or superjson\n"},
		{"no such API", []string{"hono", "./testdata/hono", "--runtime", "bun", "--api", "Other"}, 1,
			"kkrpc build hono: no API \"Other\" in ./testdata/hono; there is API at "},
		{"several packages", []string{"hono", "archive/...", "--runtime", "bun"}, 1, "archive/... matches 2 packages: want one\n"},
		{"a pattern of nothing", []string{"hono", "./testdata/...", "--runtime", "bun"}, 1, "./testdata/... matches 0 packages: want one\n"},
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

// TestBuildWithPartOfGo is for distributions that have Go in several packages.
func TestBuildWithPartOfGo(t *testing.T) {
	root := t.TempDir()
	t.Setenv("GOROOT", root)
	var stdout, stderr bytes.Buffer
	if code := run(t.Context(), []string{"build", "hono", "./testdata/hono", "--runtime", "bun"}, &stdout, &stderr); code != 1 {
		t.Errorf("exit code %d, want 1", code)
	}
	check(t, "stderr", stderr.String(), "take one of https://go.dev/dl: open "+filepath.Join(root, "lib", "wasm", "wasm_exec.js"))
}

// TestInterruptedBuild leaves nothing, and lets the go command end by itself.
func TestInterruptedBuild(t *testing.T) {
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	bin, work, root := t.TempDir(), t.TempDir(), t.TempDir()
	loader := filepath.Join(root, "lib", "wasm", "wasm_exec.js")
	if err := os.MkdirAll(filepath.Dir(loader), 0o777); err != nil {
		t.Fatal(err)
	}
	write(t, loader, "// a part of Go")
	if err := os.Symlink(exe, filepath.Join(bin, "go")); err != nil {
		t.Skip(err)
	}
	t.Setenv("PATH", bin)
	t.Setenv("TMPDIR", work)
	t.Setenv(fakeGoVar, root)
	ctx, interrupt := context.WithCancelCause(t.Context())
	var stdout, stderr bytes.Buffer
	out := filepath.Join(t.TempDir(), "dist")
	code := run(ctx, []string{"build", "hono", ".", "--runtime", "bun", "-o", out}, &stdout, writer(func(text []byte) (int, error) {
		if string(text) == "compiling\n" {
			interrupt(errors.New("interrupt signal received"))
		}
		return stderr.Write(text)
	}))
	if want := "compiling\nremoving\nkkrpc build hono: interrupt signal received\n"; code != 1 || stderr.String() != want {
		t.Errorf("exit code %d and\n%s\nwant 1 and\n%s", code, &stderr, want)
	}
	if _, err := os.Stat(out); err == nil {
		t.Errorf("%s was made", out)
	}
	if left, _ := os.ReadDir(work); len(left) > 0 {
		t.Errorf("%s was left in the folder for temporary files", left[0].Name())
	}
}

type writer func(text []byte) (int, error)

func (w writer) Write(text []byte) (int, error) { return w(text) }

// fakeGoVar has the test program be a go command in the middle of a build. Its value is GOROOT.
const fakeGoVar = "KKRPC_FAKE_GO"

func TestMain(m *testing.M) {
	if root := os.Getenv(fakeGoVar); root != "" {
		fakeGo(root)
		return
	}
	m.Run()
}

func fakeGo(root string) {
	switch os.Args[1] {
	case "env":
		fmt.Println(root)
	case "list":
		fmt.Println("main", wasmPackage)
	case "build":
		interrupted := make(chan os.Signal, 1)
		signal.Notify(interrupted, os.Interrupt)
		_ = os.WriteFile(os.Args[slices.Index(os.Args, "-o")+1], []byte("half"), 0o666)
		fmt.Fprintln(os.Stderr, "compiling")
		<-interrupted
		fmt.Fprintln(os.Stderr, "removing")
		os.Exit(1)
	}
}

// TestBuildTags has tags from either place. Those of GOFLAGS were lost.
func TestBuildTags(t *testing.T) {
	for _, row := range []struct {
		name, goflags string
		args          []string
		stderr        string
	}{
		{"none", "", nil, "./testdata/tagged does not import github.com/kkrpc-go/kkrpc/wasm"},
		{"the option", "", []string{"--tags", "served"}, "undefined: served\nkkrpc build hono: go build ./testdata/tagged: "},
		{"GOFLAGS", "-tags=served", nil, "undefined: served\nkkrpc build hono: go build ./testdata/tagged: "},
		{"the option counts more", "-tags=served", []string{"--tags", "other"}, "./testdata/tagged does not import"},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Setenv("GOFLAGS", row.goflags)
			var stdout, stderr bytes.Buffer
			out := filepath.Join(t.TempDir(), "dist")
			args := append([]string{"build", "hono", "./testdata/tagged", "--runtime", "bun", "-o", out}, row.args...)
			if code := run(t.Context(), args, &stdout, &stderr); code != 1 {
				t.Errorf("exit code %d, want 1", code)
			}
			check(t, "stderr", stderr.String(), row.stderr)
			if _, err := os.Stat(out); err == nil {
				t.Errorf("%s was made", out)
			}
		})
	}
}

// TestBundles builds for every runtime.
func TestBundles(t *testing.T) {
	if testing.Short() {
		t.Skip("links a program for each runtime: not under -short")
	}
	all := []string{"api.d.mts", "api.wasm", "batch.mjs", "fetch.mjs", "host.mjs", "index.d.mts", "index.mjs", "package.json", "runtime.mjs", "server.mjs", "socket.mjs", "values.mjs", "wasm_exec.js"}
	for _, row := range []struct {
		name   string
		args   []string
		files  []string // beside those of all
		server string   // some of server.mjs
	}{
		{"bun", nil, nil, `"hono/bun"`},
		{"deno", nil, nil, `"hono/deno"`},
		{"node", nil, nil, `"@hono/node-server"`},
		{"workers", nil, []string{"contexts.mjs", "durable.mjs", "object.mjs", "wrangler.jsonc"}, "extends GoDurableObject"},
		{"workers", []string{"--plain"}, []string{"contexts.mjs", "durable.mjs", "object.mjs", "wrangler.jsonc"}, "upgradeWebSocket((c) => createHonoWebSocketHandler(c))"},
	} {
		t.Run(strings.Join(append([]string{row.name}, row.args...), " "), func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "dist")
			said := buildTo(t, dir, "./testdata/hono", row.name, row.args...)
			var files []string
			entries, err := os.ReadDir(dir)
			for _, entry := range entries {
				files = append(files, entry.Name())
			}
			want := slices.Sorted(slices.Values(append(row.files, all...)))
			if err != nil || !slices.Equal(files, want) {
				t.Errorf("the folder has\n%v, want\n%v (%v)", files, want, err)
			}
			types, _ := os.ReadFile(filepath.Join(dir, "api.d.mts"))
			check(t, "api.d.mts", string(types), "export interface API {\n\tapi: {\n\t\tgreet(u: User): Promise<string>\n\t}\n\techo(u: User): Promise<User>\n}\n")
			check(t, "api.d.mts", string(types), "\nexport type { API as default }\n")
			server, _ := os.ReadFile(filepath.Join(dir, "server.mjs"))
			check(t, "server.mjs", string(server), row.server)
			size, err := gzipSize(readFile(t, filepath.Join(dir, "api.wasm")))
			if err != nil {
				t.Fatal(err)
			}
			if size > mostGzip {
				t.Errorf("the program has %d bytes gzip, want at most %d: see wasm/testdata/packages.txt for what it is made of", size, mostGzip)
			}
			check(t, "stdout", said, fmt.Sprintf(" MB, %.2f MB gzip\n", float64(size)/1e6))
		})
	}
}

// TestBundleOfUnknownTypes has a program whose API its source does not tell, and which is built all the same.
func TestBundleOfUnknownTypes(t *testing.T) {
	if testing.Short() {
		t.Skip("links a program: not under -short")
	}
	dir := filepath.Join(t.TempDir(), "dist")
	var out, stderr bytes.Buffer
	if code := run(t.Context(), []string{"build", "hono", "./testdata/hidden", "--runtime", "node", "-o", dir}, &out, &stderr); code != 0 {
		t.Fatalf("exit code %d:\n%s", code, stderr.String())
	}
	check(t, "stderr", stderr.String(), "kkrpc build hono: the type API of "+filepath.Join(dir, "api.d.mts")+" is unknown: ")
	types, err := os.ReadFile(filepath.Join(dir, "api.d.mts"))
	if err != nil {
		t.Fatal(err)
	}
	check(t, "api.d.mts", string(types), "type API = unknown\nexport type { API as default }\n")
}

// TestSizeOfPackages is how much larger some packages may make a program, in gzipped bytes.
func TestSizeOfPackages(t *testing.T) {
	if testing.Short() {
		t.Skip("links programs: not under -short")
	}
	size := func(program string) int {
		dir := filepath.Join(t.TempDir(), "dist")
		buildTo(t, dir, program, "bun")
		n, err := gzipSize(readFile(t, filepath.Join(dir, "api.wasm")))
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	without := size("./testdata/hono")
	for _, row := range []struct {
		name, program string
		most          int
	}{
		{"wasm/fetch", "./testdata/honofetch", 20_000},
		{"wasm/durable", "./testdata/honodurable", 47_000},
	} {
		added := size(row.program) - without
		t.Logf("%s adds %d bytes to %d", row.name, added, without)
		if added > row.most {
			t.Errorf("%s adds %d bytes gzip, want at most %d: go list -deps tells what it needs", row.name, added, row.most)
		}
	}
}

func buildTo(t *testing.T, dir, program, runtime string, args ...string) (stdout string) {
	t.Helper()
	var out, stderr bytes.Buffer
	args = append([]string{"build", "hono", program, "--runtime", runtime, "-o", dir}, args...)
	if code := run(t.Context(), args, &out, &stderr); code != 0 {
		t.Fatalf("exit code %d:\n%s", code, stderr.String())
	}
	return out.String()
}

// TestBuildWithOtherTables keeps what it does not know, and says so.
func TestBuildWithOtherTables(t *testing.T) {
	const module = "\x00asm\x01\x00\x00\x00" + "\x0b\x08\x01\x00\x41\x08\x0b\x02ab"
	const unknownSizes = "kkrpc build hono: the sizes of packages are unknown: the tables of functions are not those of Go 1.26\n"
	for version, want := range map[string]string{
		"go1.26.3": unknownSizes + "kkrpc build hono: the program is larger than it has to be: the tables of functions are not those of Go 1.26\n",
		"go1.27":   unknownSizes,
	} {
		var stderr bytes.Buffer
		b := bundle{stderr: &stderr, sizes: true}
		got, err := b.shrink([]byte(module), version, func(string) bool { return false })
		if err != nil || string(got) != module {
			t.Errorf("%s: got %q (%v)", version, got, err)
		}
		if stderr.String() != want {
			t.Errorf("%s: stderr is %q, want %q", version, stderr.String(), want)
		}
	}
}
