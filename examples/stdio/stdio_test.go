// Package stdio_test runs each parent with the child in the other language.
package stdio_test

import (
	"bytes"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/kkrpc-go/kkrpc/interop/js"
)

const common = "Hello, World!\n3\n2\n1\n"

func TestGoParent(t *testing.T) {
	script := filepath.Join(js.TempDir(t, "child.mts"), "child.mts")
	parent := build(t, "parent")
	for _, rt := range js.Runtimes {
		t.Run(string(rt), func(t *testing.T) {
			child := rt.Command(t, script)
			cmd := exec.CommandContext(t.Context(), parent, child.Args...)
			cmd.Dir, cmd.Env = child.Dir, child.Env
			check(t, cmd, common+"lift-off confirmed by Go\n", "the child is ready\n")
		})
	}
}

// TestTypeScriptParent leaves Bun out, where NodeIo of kkrpc 0.2 loses what a child writes in quick succession.
func TestTypeScriptParent(t *testing.T) {
	script := filepath.Join(js.TempDir(t, "parent.mts"), "parent.mts")
	child := build(t, "child")
	for _, rt := range js.Runtimes {
		if rt == js.Bun {
			continue
		}
		t.Run(string(rt), func(t *testing.T) {
			check(t, rt.Command(t, script, child), common+"lift-off confirmed by TypeScript\n", "the child greets World\n")
		})
	}
}

// check runs a program that has to print stdout and stderr and end well.
func check(t *testing.T, cmd *exec.Cmd, stdout, stderr string) {
	t.Helper()
	var said bytes.Buffer
	cmd.Stderr = &said
	out, err := cmd.Output()
	if err != nil || string(out) != stdout || said.String() != stderr {
		t.Errorf("the parent ended with %v and printed\n%s%s\nwant\n%s%s", err, out, said.Bytes(), stdout, stderr)
	}
}

func build(t *testing.T, program string) string {
	t.Helper()
	exe := filepath.Join(t.TempDir(), program+".exe")
	out, err := exec.CommandContext(t.Context(), "go", "build", "-o", exe, "./"+program).CombinedOutput()
	if err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	return exe
}
