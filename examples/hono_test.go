// Package examples_test runs what the READMEs of the Hono examples show: Go as WebAssembly in the real runtimes, called
// by the kkrpc of npm and by Go.
package examples_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/kkrpc-go/kkrpc/interop/js"
)

// address is where the programs meet as they stand; the tests put a free port in its place.
const address = "localhost:3000"

// example is a folder hono-NAME.
type example struct {
	name  string
	start string // the one command of its README
	rt    js.Runtime
	serve func(e example, t *testing.T, dir string) (addr string, said func() string)
	more  func(t *testing.T, addr string, said func() string) // checks what only this one shows
}

var examples = []example{
	{"bun", "bun start", js.Bun, example.serveScript, nil},
	{"deno", "deno task start", js.Deno, example.serveScript, middleware},
	{"node", "npm start", js.Node, example.serveScript, nil},
	{"workers", "npm start", js.Workerd, example.serveWorker, nil},
}

func (e example) dir() string { return "hono-" + e.name }

// serveScript is the server that the script serve starts, with the permissions that it has there.
func (e example) serveScript(t *testing.T, dir string) (string, func() string) {
	cmd := e.script(t, dir, "serve")
	cmd.Env = append(cmd.Env, "PORT=0")
	return start(t, cmd)
}

// script is one of package.json or deno.json, to run in dir.
func (e example) script(t *testing.T, dir, name string) *exec.Cmd {
	t.Helper()
	words := strings.Fields(e.scripts(t)[name])
	if len(words) < 2 {
		t.Fatalf("the script %s is %q", name, words)
	}
	exe := filepath.Join(dir, "node_modules", ".bin", words[0])
	if words[0] != "tsx" {
		exe = js.Runtime(words[0]).Path(t)
	}
	args := words[1:]
	if words[0] == "deno" {
		args = slices.Insert(args, 1, "--quiet", "--no-lock", "--node-modules-dir=manual") // nothing is downloaded
	}
	cmd := exec.CommandContext(t.Context(), exe, args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "DENO_NO_UPDATE_CHECK=1", "NO_COLOR=1")
	return cmd
}

// serveWorker is the server in workerd, configured as wrangler.jsonc says. What a worker imports as WebAssembly has to be
// beside it here.
func (example) serveWorker(t *testing.T, dir string) (string, func() string) {
	t.Helper()
	var config struct {
		Main    string
		Date    string `json:"compatibility_date"`
		Objects struct {
			Bindings []struct {
				Name  string
				Class string `json:"class_name"`
			}
		} `json:"durable_objects"`
	}
	if err := json.Unmarshal([]byte(read(t, filepath.Join(dir, "wrangler.jsonc"))), &config); err != nil {
		t.Fatal(err)
	}
	object := config.Objects.Bindings[0]
	if object.Name != strings.ToUpper(object.Class) {
		t.Fatalf("class %s is bound to %s, want the same name in upper case", object.Class, object.Name)
	}
	main := filepath.Join(dir, "dist", "main.mjs")
	write(t, main, strings.ReplaceAll(read(t, filepath.Join(dir, config.Main)), `"./dist/`, `"./`))
	addr, out := js.Worker{Script: main, Wasm: []string{"api.wasm"}, Object: object.Class, Date: config.Date}.Start(t)
	return addr, out.String
}

func TestHono(t *testing.T) {
	for _, e := range examples {
		t.Run(e.name, func(t *testing.T) {
			t.Parallel()
			e.rt.Path(t) // skips where it is missing, before anything is built
			dir := js.TempDir(t)
			e.copyTo(t, dir)
			e.build(t, dir)
			addr, said := e.serve(e, t, dir)
			shown := e.blocks(t, "text")
			if len(shown) != 2 {
				t.Fatalf("the README has %d blocks of output, want those of the two clients", len(shown))
			}
			t.Run("kkrpc client", func(t *testing.T) {
				write(t, filepath.Join(dir, "client.mts"), readWith(t, filepath.Join(e.dir(), "client.mts"), addr))
				compare(t, e.script(t, dir, "client"), shown[0])
			})
			t.Run("Go client", func(t *testing.T) {
				compare(t, exec.CommandContext(t.Context(), buildClient(t, e.dir(), addr)), shown[1])
			})
			if e.more != nil {
				e.more(t, addr, said)
			}
		})
	}
}

// copyTo copies the files of the example's own folder, which leaves what a reader has built there alone.
func (e example) copyTo(t *testing.T, dir string) {
	t.Helper()
	entries, err := os.ReadDir(e.dir())
	if err != nil {
		t.Fatal(err)
	}
	for _, entry := range entries {
		if entry.Type().IsRegular() {
			write(t, filepath.Join(dir, entry.Name()), read(t, filepath.Join(e.dir(), entry.Name())))
		}
	}
}

// build runs the example's build script with dist in dir.
func (e example) build(t *testing.T, dir string) {
	t.Helper()
	words := strings.Fields(e.scripts(t)["build"])
	if len(words) < 3 || !slices.Equal(words[len(words)-2:], []string{"-o", "dist"}) {
		t.Fatalf("the build script %q does not end in -o dist", words)
	}
	words[len(words)-1] = filepath.Join(dir, "dist")
	cmd := exec.CommandContext(t.Context(), words[0], words[1:]...)
	cmd.Dir = e.dir()
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%s: %v\n%s", strings.Join(words, " "), err, out)
	}
}

// scripts are those of package.json or deno.json.
func (e example) scripts(t *testing.T) map[string]string {
	t.Helper()
	name := "package.json"
	if e.name == "deno" {
		name = "deno.json"
	}
	var config struct{ Scripts, Tasks map[string]string }
	if err := json.Unmarshal([]byte(read(t, filepath.Join(e.dir(), name))), &config); err != nil {
		t.Fatal(err)
	}
	if config.Tasks != nil {
		return config.Tasks
	}
	return config.Scripts
}

// start runs a server until the test ends. It returns the address it serves and what it has said so far.
func start(t *testing.T, cmd *exec.Cmd) (addr string, said func() string) {
	t.Helper()
	var (
		mu      sync.Mutex
		text    strings.Builder
		reading sync.WaitGroup
	)
	said = func() string {
		mu.Lock()
		defer mu.Unlock()
		return text.String()
	}
	r, w := io.Pipe()
	cmd.Stdout, cmd.Stderr = w, w
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	found := make(chan string, 1)
	reading.Go(func() {
		lines := bufio.NewScanner(r)
		for lines.Scan() {
			mu.Lock()
			text.WriteString(lines.Text() + "\n")
			mu.Unlock()
			if m := serving.FindStringSubmatch(lines.Text()); m != nil {
				select {
				case found <- m[1]:
				default:
				}
			}
		}
	})
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = cmd.Wait() // it is killed
		w.Close()
	}()
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		<-ended
		reading.Wait()
		if t.Failed() {
			t.Logf("the server said:\n%s", said())
		}
	})
	select {
	case addr = <-found:
	case <-ended:
		t.Fatal("the server ended")
	}
	return addr, said
}

var serving = regexp.MustCompile(`(?:serving|Local:) +(?:ws|http)://(localhost:\d+)/`)

// buildClient compiles client/main.go with another address in it.
func buildClient(t *testing.T, example, addr string) (exe string) {
	t.Helper()
	dir := t.TempDir()
	source, err := filepath.Abs(filepath.Join(example, "client", "main.go"))
	if err != nil {
		t.Fatal(err)
	}
	changed, overlay := filepath.Join(dir, "main.go"), filepath.Join(dir, "overlay.json")
	replace, err := json.Marshal(map[string]any{"Replace": map[string]string{source: changed}})
	if err != nil {
		t.Fatal(err)
	}
	write(t, changed, readWith(t, source, addr))
	write(t, overlay, string(replace))
	exe = filepath.Join(dir, "client.exe")
	if out, err := exec.CommandContext(t.Context(), "go", "build", "-overlay", overlay, "-o", exe, "./"+example+"/client").CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	return exe
}

func compare(t *testing.T, cmd *exec.Cmd, want string) {
	t.Helper()
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil || string(out) != want {
		t.Errorf("the client ended with %v and printed\n%s%s\nthe README shows\n%s", err, out, stderr.Bytes(), want)
	}
}

func readWith(t *testing.T, name, addr string) string {
	t.Helper()
	source := read(t, name)
	if strings.Count(source, address) != 1 {
		t.Fatalf("%s does not have %s in it once", name, address)
	}
	return strings.Replace(source, address, addr, 1)
}

func read(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func write(t *testing.T, name, text string) {
	t.Helper()
	if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}
