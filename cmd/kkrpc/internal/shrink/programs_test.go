package shrink

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestProgramsOfGo runs tests of Go itself in programs without the lines of any package. Its garbage collector, its growing
// stacks and its panics read the tables that are left. Package errors has had a moduledata that begins with a zero.
func TestProgramsOfGo(t *testing.T) {
	if testing.Short() {
		t.Skip("links programs: not under -short")
	}
	node, err := exec.LookPath("node")
	if err != nil {
		t.Skip("needs node")
	}
	out, err := exec.CommandContext(t.Context(), "go", "env", "GOROOT").Output()
	if err != nil {
		t.Fatal(err)
	}
	root := strings.TrimSpace(string(out))
	for pkg, tests := range map[string]string{
		"errors":  ".",
		"sync":    ".",
		"runtime": "^Test(Recover|Stack|Defer|GC|Chan|Map|Finalizer|Cleanup|Timer)",
	} {
		t.Run(pkg, func(t *testing.T) {
			p := read(t, link(t, "test", "-c", "-o", "PROGRAM", pkg))
			if err := p.DropTables(func(string) bool { return false }); err != nil {
				t.Fatal(err)
			}
			if err := p.PackTables(); err != nil {
				t.Fatal(err)
			}
			path := filepath.Join(t.TempDir(), "test.wasm")
			if err := os.WriteFile(path, bytesOf(t, p), 0o600); err != nil {
				t.Fatal(err)
			}
			cmd := exec.CommandContext(t.Context(), node, "--stack-size=8192", filepath.Join(root, "lib", "wasm", "wasm_exec_node.js"),
				path, "-test.short", "-test.v", "-test.run="+tests)
			cmd.Dir = filepath.Join(root, "src", pkg)
			cmd.Env = []string{"GOROOT=" + root} // Go has room for little
			out, err := cmd.CombinedOutput()
			if err != nil || !bytes.Contains(out, []byte("--- PASS: ")) {
				t.Errorf("%v\n%s", err, out)
			}
		})
	}
}
