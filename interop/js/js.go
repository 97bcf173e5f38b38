// Package js gives tests the real JavaScript runtimes and the npm packages that `make js` installed in
// interop/js.
//
//	func TestGreetFromTypeScript(t *testing.T) {
//		for _, rt := range js.Runtimes {
//			t.Run(string(rt), func(t *testing.T) {
//				out, err := rt.Command(t, "testdata/client.ts", url).Output()
//				…
//			})
//		}
//	}
//
// Workerd runs no script by itself, see [Worker], and Chromium shows pages, see [Browse]; both need Bun, which puts a script
// and what it imports into one file.
//
// A test that asks for a runtime is skipped under -short. Without -short it is skipped when the runtime is not
// installed, unless KKRPC_REQUIRE_JS is set, as `make interop` does: then it fails. Chromium, which does not come from
// npm, is required by KKRPC_REQUIRE_CHROMIUM.
package js

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
)

// Runtime names a JavaScript runtime.
type Runtime string

// The runtimes that tests use. Node and Chromium come with the machine, the others from npm.
const (
	Node     Runtime = "node"
	Bun      Runtime = "bun"
	Deno     Runtime = "deno"
	Workerd  Runtime = "workerd" // that of Cloudflare Workers
	Chromium Runtime = "chromium"
)

// Runtimes lists those that [Runtime.Command] takes, the one that starts fastest last.
var Runtimes = []Runtime{Node, Deno, Bun}

// The variables that make the absence of a runtime a failure.
const (
	requireVar         = "KKRPC_REQUIRE_JS"
	requireChromiumVar = "KKRPC_REQUIRE_CHROMIUM"
)

// workspace is the npm workspace's folder, relative to the repository's root.
var workspace = filepath.Join("interop", "js")

// Dir returns the npm workspace. A script in it, or below it, can import its packages.
func Dir(tb testing.TB) string {
	tb.Helper()
	if testing.Short() {
		tb.Skip("needs a JavaScript runtime: not under -short")
	}
	dir, err := installed()
	if err != nil {
		unavailable(tb, err)
	}
	return dir
}

// Path returns the runtime's executable.
func (r Runtime) Path(tb testing.TB) string {
	tb.Helper()
	dir := Dir(tb)
	f, err := find(r, dir)
	switch {
	case err != nil && r == Chromium && os.Getenv(requireChromiumVar) == "":
		tb.Skip(err)
	case err != nil && r == Chromium:
		tb.Fatal(err)
	case err != nil:
		unavailable(tb, err)
	}
	return f.exe
}

// Version returns the first line of what the runtime prints as its version. The error says why it cannot be run.
func (r Runtime) Version() (string, error) {
	dir, err := installed()
	if err != nil {
		return "", err
	}
	f, err := find(r, dir)
	return f.version, err
}

// Command prepares a run of a JavaScript or TypeScript file by one of Runtimes. The file may stand anywhere that resolves
// the packages it imports (see [Dir] and [TempDir]). The process is killed when the test ends, however it ends.
func (r Runtime) Command(tb testing.TB, script string, args ...string) *exec.Cmd {
	tb.Helper()
	exe := r.Path(tb)
	script, err := filepath.Abs(script)
	if err != nil {
		tb.Fatal(err)
	}
	var flags []string
	switch r {
	case Node:
		// The loader is named by its path, so that the script's own folder need not have it.
		flags = []string{"--import", "file://" + filepath.ToSlash(filepath.Join(Dir(tb), "node_modules", "tsx", "dist", "loader.mjs"))}
	case Deno:
		flags = []string{"run", "--quiet", "--allow-all", "--no-lock", "--no-check", "--node-modules-dir=manual"}
	case Bun:
		flags = []string{"run"}
	default:
		tb.Fatalf("%s runs no scripts", r)
	}
	cmd := exec.CommandContext(tb.Context(), exe, append(append(flags, script), args...)...)
	cmd.Env = append(os.Environ(), "DENO_NO_UPDATE_CHECK=1", "NO_COLOR=1")
	cmd.Dir = filepath.Dir(script)
	EndWithTest(cmd, syscall.SIGKILL)
	return cmd
}

// TempDir returns a new folder, removed when the test ends, that holds copies of files and resolves the packages of
// the workspace.
func TempDir(tb testing.TB, files ...string) string {
	tb.Helper()
	src, dst := Dir(tb), tb.TempDir()
	if err := os.Symlink(filepath.Join(src, "node_modules"), filepath.Join(dst, "node_modules")); err != nil {
		tb.Fatal(err)
	}
	for _, f := range append([]string{filepath.Join(src, "package.json")}, files...) {
		data, err := os.ReadFile(f)
		if err == nil {
			err = os.WriteFile(filepath.Join(dst, filepath.Base(f)), data, 0o644)
		}
		if err != nil {
			tb.Fatal(err)
		}
	}
	return dst
}

// unavailable skips, or fails where a skip would hide that nothing was tested.
func unavailable(tb testing.TB, err error) {
	tb.Helper()
	if os.Getenv(requireVar) != "" {
		tb.Fatal(err)
	}
	tb.Skip(err)
}

// installed walks up to the repository's root, because go test runs in the package's folder.
var installed = sync.OnceValues(func() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for {
		ws := filepath.Join(dir, workspace)
		if _, err := os.Stat(filepath.Join(ws, "package.json")); err == nil {
			if _, err := os.Stat(filepath.Join(ws, "node_modules", "kkrpc")); err != nil {
				return "", errors.New("the npm packages are not installed: run `make js`")
			}
			return ws, nil
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			return "", fmt.Errorf("no %s above the working directory", workspace)
		}
		dir = parent
	}
})

type executable struct{ exe, version string }

var (
	foundMu sync.Mutex
	found   = map[Runtime]executable{}
)

// find runs each candidate once, since npm may have installed builds for another processor or C library.
func find(r Runtime, dir string) (executable, error) {
	if r == Workerd || r == Chromium {
		if _, err := find(Bun, dir); err != nil {
			return executable{}, fmt.Errorf("what %s runs is bundled by bun: %w", r, err)
		}
	}
	foundMu.Lock()
	defer foundMu.Unlock()
	if f, ok := found[r]; ok {
		return f, nil
	}
	for _, exe := range candidates(r, dir) {
		if out, err := exec.Command(exe, "--version").Output(); err == nil {
			line, _, _ := strings.Cut(strings.TrimSpace(string(out)), "\n")
			found[r] = executable{exe, line}
			return found[r], nil
		}
	}
	if r == Chromium {
		return executable{}, errors.New("no chromium that runs here: run `make chromium`")
	}
	return executable{}, fmt.Errorf("no %s that runs here: run `make js`", r)
}

// candidates are what npm has installed, and then what the machine has.
func candidates(r Runtime, dir string) (names []string) {
	pattern := map[Runtime]string{
		Bun:     "@oven/bun-*/bin/bun*",
		Deno:    "@deno/*/deno*",
		Workerd: "@cloudflare/workerd-*/bin/workerd*",
	}[r]
	if pattern != "" {
		names, _ = filepath.Glob(filepath.Join(dir, "node_modules", pattern))
		slices.Sort(names)
	}
	commands := []string{string(r)}
	if r == Chromium {
		commands = append(commands, "chromium-browser", "google-chrome", "google-chrome-stable")
	}
	for _, name := range commands {
		if exe, err := exec.LookPath(name); err == nil {
			names = append(names, exe)
		}
	}
	return names
}
