// Package quickstart_test runs the programs of the README against each other.
package quickstart_test

import (
	"bytes"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/kkrpc-go/kkrpc/interop/js"
)

// address is where the programs meet as the README shows them. The tests use a free port instead.
const address = "localhost:3000"

const (
	clientPrints = "Hello, World!\n3\n2\n1\nlift-off confirmed by TypeScript\n"
	goPrints     = "Hello, World! <nil>\n"
)

// folder is where somebody has saved the programs of the README.
type folder struct {
	dir, address string
	programs     string // the folder of the compiled ones
}

// save writes the programs in TypeScript into dir.
func save(t *testing.T, dir string) folder {
	t.Helper()
	compiled, err := compile()
	if err != nil {
		t.Fatal(err)
	}
	f := folder{dir, compiled.address, filepath.Join(compiled.dir, "bin")}
	for _, name := range []string{"client.mts", "server.mts", "child.mjs"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(f.moved(read(t, name))), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	return f
}

// moved is a program with the address of the tests.
func (f folder) moved(program string) string {
	_, port, _ := net.SplitHostPort(f.address)
	return strings.ReplaceAll(strings.ReplaceAll(program, address, f.address), "port: 3000", "port: "+port)
}

// compiled is set by the first test that needs the programs in Go. TestMain removes its folder.
var compiled folder

func TestMain(m *testing.M) {
	code := m.Run()
	if compiled.dir != "" {
		_ = os.RemoveAll(compiled.dir)
	}
	os.Exit(code)
}

// compile builds the programs in Go in a module of their own, as a user has one.
var compile = sync.OnceValues(func() (folder, error) {
	var err error
	if compiled.address, err = freeAddress(); err != nil {
		return compiled, err
	}
	if compiled.dir, err = os.MkdirTemp("", "quickstart"); err != nil {
		return compiled, err
	}
	root, err := filepath.Abs("../..")
	if err != nil {
		return compiled, err
	}
	sums, err := os.ReadFile("../../go.sum")
	if err != nil {
		return compiled, err
	}
	const version = "github.com/kkrpc-go/kkrpc v0.0.0-00010101000000-000000000000"
	files := map[string]string{
		"go.mod": "module hello\n\ngo 1.26\n\nrequire " + version + "\n\nreplace " + version + " => " + filepath.ToSlash(root) + "\n",
		"go.sum": string(sums),
	}
	for _, name := range []string{"server/main.go", "client/main.go", "parent/main.go"} {
		text, err := os.ReadFile(name)
		if err != nil {
			return compiled, err
		}
		files[name] = compiled.moved(string(text))
	}
	for name, text := range files {
		path := filepath.Join(compiled.dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
			return compiled, err
		}
		if err := os.WriteFile(path, []byte(text), 0o666); err != nil {
			return compiled, err
		}
	}
	build := exec.Command("go", "build", "-mod=mod", "-o", "bin"+string(filepath.Separator), "./server", "./client", "./parent")
	build.Dir, build.Env = compiled.dir, append(os.Environ(), "GOWORK=off")
	if out, err := build.CombinedOutput(); err != nil {
		return compiled, fmt.Errorf("go build: %w\n%s", err, out)
	}
	return compiled, nil
})

// command runs a compiled program in the folder.
func (f folder) command(t *testing.T, name string) *exec.Cmd {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), filepath.Join(f.programs, name))
	cmd.Dir = f.dir
	return cmd
}

// serve starts a server and returns when it accepts connections. stop ends it.
func (f folder) serve(t *testing.T, server *exec.Cmd, stop func(*exec.Cmd)) {
	t.Helper()
	var said bytes.Buffer
	server.Stdout, server.Stderr = &said, &said
	server.WaitDelay = time.Second
	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- server.Wait() }()
	t.Cleanup(func() {
		stop(server)
		<-ended
		if t.Failed() {
			t.Logf("the server printed:\n%s", said.Bytes())
		}
	})
	retry := time.NewTicker(20 * time.Millisecond)
	defer retry.Stop()
	for {
		if c, err := net.Dial("tcp", f.address); err == nil {
			_ = c.Close()
			return
		}
		select {
		case err := <-ended:
			ended <- err
			t.Fatalf("the server ended: %v\n%s", err, said.Bytes())
		case <-t.Context().Done():
			t.Fatal("the server does not listen")
		case <-retry.C:
		}
	}
}

func kill(cmd *exec.Cmd) { _ = cmd.Process.Kill() }

// expect runs a program to its end.
func expect(t *testing.T, cmd *exec.Cmd, want string) {
	t.Helper()
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	cmd.WaitDelay = time.Second
	out, err := cmd.Output()
	if err != nil || string(out) != want {
		t.Errorf("%s ended with %v and printed\n%s%s\nwant\n%s", cmd.Args, err, out, stderr.Bytes(), want)
	}
}

// freeAddress is an address that nobody listens at.
func freeAddress() (string, error) {
	l, err := net.Listen("tcp", "localhost:0")
	if err != nil {
		return "", err
	}
	defer l.Close()
	_, port, err := net.SplitHostPort(l.Addr().String())
	return net.JoinHostPort("localhost", port), err
}

// TestRuntimes runs the programs in each runtime, with the npm packages that all tests use.
func TestRuntimes(t *testing.T) {
	f := save(t, js.TempDir(t))
	for _, rt := range js.Runtimes {
		script := func(name string) *exec.Cmd { return rt.Command(t, filepath.Join(f.dir, name)) }
		t.Run(string(rt), func(t *testing.T) {
			t.Run("Go server", func(t *testing.T) {
				f.serve(t, f.command(t, "server"), kill)
				expect(t, script("client.mts"), clientPrints)
				expect(t, f.command(t, "client"), goPrints)
			})
			t.Run("TypeScript server", func(t *testing.T) {
				f.serve(t, script("server.mts"), kill)
				expect(t, f.command(t, "client"), goPrints)
			})
		})
	}
	t.Run("child", func(t *testing.T) {
		expect(t, f.command(t, "parent"), goPrints)
	})
}
