package interop_test

import (
	"bytes"
	"compress/gzip"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/kkrpc-go/kkrpc/interop/js"
)

// buildForJS builds a program for js/wasm into a folder, without kkrpc, as small as it gets.
func buildForJS(t *testing.T, dir, source string) (wasm []byte) {
	t.Helper()
	out := filepath.Join(dir, "gojs.wasm")
	cmd := exec.CommandContext(t.Context(), "go", "build", "-trimpath", "-ldflags=-s -w", "-o", out, source)
	cmd.Env = append(os.Environ(), "GOOS=js", "GOARCH=wasm")
	if said, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, said)
	}
	wasm, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	return wasm
}

// TestGoForJavaScript is what the host of a program and its documentation rely on, or have to live with. A Go release that
// changes it may make the host simpler.
func TestGoForJavaScript(t *testing.T) {
	js.Node.Path(t)
	dir := t.TempDir()
	buildForJS(t, dir, "./testdata/gojs")
	root, err := exec.CommandContext(t.Context(), "go", "env", "GOROOT").Output()
	if err != nil {
		t.Fatal(err)
	}
	shim, err := os.ReadFile(filepath.Join(strings.TrimSpace(string(root)), "lib", "wasm", "wasm_exec.js"))
	if err == nil {
		err = os.WriteFile(filepath.Join(dir, "wasm_exec.js"), shim, 0o666)
	}
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range []struct{ does, want string }{
		{"exports", "a blocking export returned 42: false\nmemory above 256 MiB: true shrunk: false\n"},
		{"deadlock", "the promise of go.run is settled: false\n"},
		{"timer", "thrown later: Go program has already exited\n"},
	} {
		out, err := js.Node.Command(t, filepath.Join(js.Dir(t), "gojs.mjs"), dir, row.does).Output()
		if got := string(out); got != row.want {
			t.Errorf("%s: printed %q, %v, want %q", row.does, got, err, row.want)
		}
	}
}

// TestSizeOfGoItself bounds a program that prints a line, since the page about Hono's sizes counts from there.
func TestSizeOfGoItself(t *testing.T) {
	if testing.Short() {
		t.Skip("links a program: not under -short")
	}
	dir := t.TempDir()
	source := filepath.Join(dir, "main.go")
	if err := os.WriteFile(source, []byte("package main\n\nimport \"fmt\"\n\nfunc main() { fmt.Println(\"hello\") }\n"), 0o666); err != nil {
		t.Fatal(err)
	}
	var small bytes.Buffer
	z, err := gzip.NewWriterLevel(&small, gzip.BestCompression)
	if err == nil {
		_, err = z.Write(buildForJS(t, dir, source))
	}
	if err == nil {
		err = z.Close()
	}
	t.Logf("%d KB", small.Len()/1000)
	if err != nil || small.Len() < 650_000 || small.Len() > 850_000 {
		t.Errorf("%d bytes gzip, %v", small.Len(), err)
	}
}
