//go:build unix

package quickstart_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// TestCheckout types what README.md says of a module that uses a checkout, and then what the guide says of a page of one's own.
// The page is built with the connection that the guide shows.
func TestCheckout(t *testing.T) {
	if testing.Short() {
		t.Skip("installs npm packages: not under -short")
	}
	if _, err := exec.LookPath("npm"); err != nil {
		t.Skip(err)
	}
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if err := os.Symlink(root, filepath.Join(dir, "kkrpc")); err != nil {
		t.Fatal(err)
	}
	module := folder{dir: filepath.Join(dir, "mine")}
	write(t, module.dir, "main.go", read(t, "server/main.go"))

	commands := commandsFrom(t, "../../README.md", "git clone")
	if want := "git clone https://github.com/kkrpc-go/kkrpc ../kkrpc"; commands[0] != want { // a link is in its place
		t.Fatalf("the first command of README.md is %q, want %q", commands[0], want)
	}
	module.types(t, slices.Concat([]string{"go mod init example.com/mine"}, commands[1:], []string{"go tool kkrpc version", "go vet ."}))

	commands = commandsFrom(t, "../../docs/guide/browser.md", "npm create")
	module.types(t, []string{"npm_config_yes=true " + commands[0]})
	web := folder{dir: filepath.Join(module.dir, "web")}
	if commands[1] != "cd web" {
		t.Fatalf("the second command of the page is %q", commands[1])
	}
	web.types(t, commands[2:])
	write(t, web.dir, "vite.config.ts", read(t, "../browser/web/vite.config.ts"))
	write(t, web.dir, "src/useServer.ts", read(t, "../browser/web/src/useServer.ts"))
	write(t, web.dir, "src/App.tsx", `import { useServer } from "./useServer.ts"

export default function App() {
	const server = useServer("/ws")
	return <button onClick={() => server?.api.greet("World").then(alert)}>{server?.state.phase}</button>
}
`)
	web.types(t, []string{"npm run build"})
}

// commandsFrom returns the commands of the indented block of a page whose first command begins with start.
func commandsFrom(t *testing.T, page, start string) []string {
	t.Helper()
	_, block, found := strings.Cut(read(t, page), "\n\n    "+start)
	block, _, ended := strings.Cut(block, "\n\n")
	if !found || !ended {
		t.Fatalf("%s has no block that begins with %q", page, start)
	}
	return strings.Split(start+block, "\n    ")
}

// types runs commands in the folder one after the other, each as it is typed.
func (f folder) types(t *testing.T, commands []string) {
	t.Helper()
	for _, command := range commands {
		out, err := f.shell(t, command).CombinedOutput()
		switch {
		case err != nil && offline.Match(out):
			t.Skipf("no registry: %s\n%s", command, out)
		case err != nil:
			t.Fatalf("%s: %v\n%s", command, err, out)
		}
	}
}

func write(t *testing.T, dir, name, text string) {
	t.Helper()
	name = filepath.Join(dir, name)
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}
