package shrink

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// TestProgramsOfGo runs tests of Go itself in programs without the lines of any package. Its garbage collector, its growing
// stacks and its panics read the tables that are left. Package errors has had a moduledata that begins with a zero.
func TestProgramsOfGo(t *testing.T) {
	root := needsNode(t)
	for pkg, tests := range map[string]string{
		"errors":  ".",
		"sync":    ".",
		"runtime": "^Test(Recover|Stack|Defer|GC|Chan|Map|Finalizer|Cleanup|Timer)",
	} {
		t.Run(pkg, func(t *testing.T) {
			module := shrunk(t, link(t, "test", "-c", "-o", "PROGRAM", pkg))
			out, err := runGo(t, root, filepath.Join(root, "src", pkg), module, "-test.short", "-test.v", "-test.run="+tests)
			if err != nil || !bytes.Contains(out, []byte("--- PASS: ")) {
				t.Errorf("%v\n%s", err, out)
			}
		})
	}
}

// TestRecover has Go decide which deferred calls end a panic, for which it looks at what was inlined into wrappers.
func TestRecover(t *testing.T) {
	root := needsNode(t)
	linked := link(t, "build", "-o", "PROGRAM", "./testdata/recovers")
	want, err := runGo(t, root, "", linked)
	if err != nil || !bytes.Contains(want, []byte("true\n")) || !bytes.Contains(want, []byte("false\n")) {
		t.Fatalf("%v\n%s", err, want)
	}
	if got, err := runGo(t, root, "", shrunk(t, linked)); err != nil || !bytes.Equal(got, want) {
		t.Errorf("got (%v)\n%s\nwant\n%s", err, got, want)
	}
}

// TestLines has a program print a stack with the lines of package main alone. Nothing is inlined.
func TestLines(t *testing.T) {
	root := needsNode(t)
	linked := link(t, "build", "-gcflags=all=-l", "-o", "PROGRAM", "./testdata/lines")
	all, err := runGo(t, root, "", linked)
	if err != nil {
		t.Fatalf("%v\n%s", err, all)
	}
	var want strings.Builder
	for line := range strings.Lines(string(all)) {
		if function, _, _ := strings.Cut(line, " "); !strings.HasPrefix(function, "main.") {
			line = function + " ? 0\n"
		}
		want.WriteString(line)
	}
	if !strings.Contains(want.String(), "main.main main.go 28\n") || !strings.Contains(want.String(), "\nslices.") {
		t.Fatalf("the stack is\n%s", all)
	}
	got, err := runGo(t, root, "", shrunk(t, linked, "main"))
	if err != nil || string(got) != want.String() {
		t.Errorf("got (%v)\n%s\nwant\n%s", err, got, want.String())
	}
}

// needsNode returns GOROOT.
func needsNode(t *testing.T) (root string) {
	t.Helper()
	if testing.Short() {
		t.Skip("links programs: not under -short")
	}
	if _, err := exec.LookPath("node"); err != nil {
		t.Skip("needs node")
	}
	out, err := exec.CommandContext(t.Context(), "go", "env", "GOROOT").Output()
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(string(out))
}

// shrunk returns a module with the lines of these packages alone.
func shrunk(t *testing.T, linked []byte, keep ...string) []byte {
	t.Helper()
	p := read(t, linked)
	if err := p.DropTables(func(pkg string) bool { return slices.Contains(keep, pkg) }); err != nil {
		t.Fatal(err)
	}
	if err := p.PackTables(); err != nil {
		t.Fatal(err)
	}
	return bytesOf(t, p)
}

func runGo(t *testing.T, root, dir string, module []byte, args ...string) ([]byte, error) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "program.wasm")
	if err := os.WriteFile(path, module, 0o600); err != nil {
		t.Fatal(err)
	}
	support := filepath.Join(root, "lib", "wasm", "wasm_exec_node.js")
	cmd := exec.CommandContext(t.Context(), "node", append([]string{"--stack-size=8192", support, path}, args...)...)
	cmd.Dir = dir
	cmd.Env = []string{"GOROOT=" + root, "PATH=" + os.Getenv("PATH")} // Go has room for little
	return cmd.CombinedOutput()
}
