// Package quickstart_test runs the programs of the quick start against each other.
package quickstart_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/kkrpc-go/kkrpc/interop/js"
)

// address is where the programs meet as they stand; the tests put a free port in its place.
const address = "localhost:3000"

const common = "Hello, World!\n24\n3\n2\n1\n"

func TestGoClient(t *testing.T) {
	if testing.Short() {
		t.Skip("builds two programs")
	}
	client := build(t, "client", startServer(t))
	out, err := exec.CommandContext(t.Context(), client).CombinedOutput()
	if want := common + "lift-off confirmed by Go\n"; err != nil || string(out) != want {
		t.Errorf("the client ended with %v and printed\n%s\nwant\n%s", err, out, want)
	}
}

func TestTypeScriptClient(t *testing.T) {
	dir := js.TempDir(t, "client.mts")
	script := filepath.Join(dir, "client.mts")
	for name, text := range map[string]string{
		script:                             readWith(t, "client.mts", startServer(t)),
		filepath.Join(dir, "package.json"): `{"dependencies": {"kkrpc": "^0.2.2", "tsx": "^4", "ws": "^8"}}`, // as npm install leaves it
	} {
		if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for _, rt := range js.Runtimes {
		t.Run(string(rt), func(t *testing.T) {
			cmd := rt.Command(t, script)
			var stderr bytes.Buffer
			cmd.Stderr = &stderr
			out, err := cmd.Output()
			if want := common + "lift-off confirmed by TypeScript\n"; err != nil || string(out) != want {
				t.Errorf("the client ended with %v and printed\n%s%s\nwant\n%s", err, out, stderr.Bytes(), want)
			}
		})
	}
}

// TestTypes has the TypeScript compiler check the client as strictly as it can.
func TestTypes(t *testing.T) {
	dir := js.TempDir(t, "client.mts", filepath.Join(js.Dir(t), "tsconfig.json"))
	tsc := filepath.Join(dir, "node_modules", "typescript", "bin", "tsc")
	out, err := exec.CommandContext(t.Context(), js.Node.Path(t), tsc, "-p", dir).CombinedOutput()
	if err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}

// startServer runs the server until the test ends and returns the address it listens on.
func startServer(t *testing.T) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), build(t, "server", "127.0.0.1:0"))
	stderr, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewReader(stderr)
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		said, _ := io.ReadAll(lines)
		_ = cmd.Wait() // it was killed
		if t.Failed() {
			t.Logf("the server said:\n%s", said)
		}
	})
	line, err := lines.ReadString('\n')
	_, after, found := strings.Cut(strings.TrimSpace(line), "ws://")
	if err != nil || !found {
		t.Fatalf("the server printed %q (%v), not where it serves", line, err)
	}
	return strings.TrimSuffix(after, "/ws")
}

// build compiles a program of the quick start with another address in it.
func build(t *testing.T, program, addr string) string {
	t.Helper()
	dir := t.TempDir()
	source, err := filepath.Abs(filepath.Join(program, "main.go"))
	if err != nil {
		t.Fatal(err)
	}
	changed, overlay, exe := filepath.Join(dir, "main.go"), filepath.Join(dir, "overlay.json"), filepath.Join(dir, program+".exe")
	replace, err := json.Marshal(map[string]any{"Replace": map[string]string{source: changed}})
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{changed: readWith(t, source, addr), overlay: string(replace)} {
		if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	out, err := exec.CommandContext(t.Context(), "go", "build", "-overlay", overlay, "-o", exe, "./"+program).CombinedOutput()
	if err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	return exe
}

// readWith reads a program and replaces the address in it.
func readWith(t *testing.T, name, addr string) string {
	t.Helper()
	source, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	if strings.Count(string(source), address) != 1 {
		t.Fatalf("%s does not have %s in it once", name, address)
	}
	return strings.Replace(string(source), address, addr, 1)
}
