package interop_test

import (
	"bufio"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/kkrpc-go/kkrpc/interop/js"
)

// TestDemoRunsWhatItPrints saves the program that `kkrpc demo` prints and runs it against that demo.
func TestDemoRunsWhatItPrints(t *testing.T) {
	for _, rt := range js.Runtimes {
		t.Run(string(rt), func(t *testing.T) {
			dir := js.TempDir(t)
			script := filepath.Join(dir, "client.mts")
			program, log := startDemo(t)
			for name, text := range map[string]string{script: program, filepath.Join(dir, "package.json"): asNpmWritesIt} {
				if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			printed, err := rt.Command(t, script).CombinedOutput()
			const want = "Hello, World!\n8\n24\n1 of 3\n2 of 3\n3 of 3\ndone\nYou are TypeScript client 1.0.0.\nSomething went wrong!\n"
			if err != nil || string(printed) != want {
				t.Errorf("the client ended with %v and printed\n%s\nwant\n%s\nlog:\n%s", err, printed, want, log)
			}
		})
	}
}

// asNpmWritesIt is the package.json that npm install leaves in an empty folder: it does not say that .ts is a module.
const asNpmWritesIt = `{"dependencies": {"kkrpc": "^0.2.2", "tsx": "^4", "ws": "^8"}}`

// startDemo runs a demo on a free port until the test ends. program is the client that it prints.
func startDemo(t *testing.T) (program string, log *js.Output) {
	t.Helper()
	command, err := kkrpcCommand()
	if err != nil {
		t.Fatal(err)
	}
	log = new(js.Output)
	cmd := exec.CommandContext(t.Context(), command, "demo", "--addr", "127.0.0.1:0")
	cmd.Stderr = log
	stdout, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Wait() }) // the context of the test has ended it
	var out strings.Builder
	for lines := bufio.NewScanner(stdout); lines.Scan(); {
		out.WriteString(lines.Text() + "\n")
		if lines.Text() == "io.destroy()" {
			_, program, _ := strings.Cut(out.String(), "import ")
			return "import " + program, log
		}
	}
	t.Fatalf("the demo ended and had printed\n%s%s", out.String(), log)
	return "", nil
}
