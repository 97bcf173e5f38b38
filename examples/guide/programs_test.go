package guide_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

// As the programs stand they meet at fixed addresses; the tests replace them.
const (
	listens = `http.ListenAndServe("localhost:3000", nil)`
	dials   = `"ws://localhost:3000/ws"`
	hono    = `"localhost:8787"`
)

// support is added to each Go program in its place.
const support = `package main

import (
	"fmt"
	"net"
	"net/http"
	"os"
)

func guideServe() error {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	fmt.Fprintln(os.Stderr, listener.Addr())
	return http.Serve(listener, nil)
}

func guideURL() string { return os.Getenv("GUIDE_URL") }

func guideHono() string { return os.Getenv("GUIDE_HONO") }

var _, _, _ = guideServe, guideURL, guideHono
`

func TestMain(m *testing.M) {
	if os.Getenv(childVar) != "" {
		serveParent()
	}
	code := m.Run()
	if programs.dir != "" {
		_ = os.RemoveAll(programs.dir)
	}
	os.Exit(code)
}

var programs struct {
	once sync.Once
	dir  string
	err  error
}

// program returns the command for the Go program of a feature. All are built together, the first time.
func program(t *testing.T, name string) *exec.Cmd {
	t.Helper()
	programs.once.Do(func() {
		if programs.dir, programs.err = os.MkdirTemp("", "guide"); programs.err == nil {
			programs.err = build(programs.dir)
		}
	})
	if programs.err != nil {
		t.Fatal(programs.err)
	}
	return exec.CommandContext(t.Context(), filepath.Join(programs.dir, name))
}

// build compiles all Go programs of the guide into dir, with their addresses replaced.
func build(dir string) error {
	replaced := map[string]string{}
	for _, source := range sources("*", "main.go") {
		source, err := filepath.Abs(source)
		if err != nil {
			return err
		}
		text, err := os.ReadFile(source)
		if err != nil {
			return err
		}
		folder := filepath.Dir(source)
		changed := filepath.Join(dir, filepath.Base(folder)+".go")
		text = bytes.ReplaceAll(text, []byte(listens), []byte("guideServe()"))
		text = bytes.ReplaceAll(text, []byte(dials), []byte("guideURL()"))
		text = bytes.ReplaceAll(text, []byte(hono), []byte("guideHono()"))
		if err := os.WriteFile(changed, text, 0o644); err != nil {
			return err
		}
		replaced[source] = changed
		replaced[filepath.Join(folder, "guide_support.go")] = filepath.Join(dir, "support.go")
	}
	overlay, err := json.Marshal(map[string]any{"Replace": replaced})
	if err != nil {
		return err
	}
	for name, text := range map[string][]byte{"support.go": []byte(support), "overlay.json": overlay} {
		if err := os.WriteFile(filepath.Join(dir, name), text, 0o644); err != nil {
			return err
		}
	}
	out, err := exec.Command("go", "build", "-ldflags=-s -w", "-overlay", filepath.Join(dir, "overlay.json"), "-o", dir+string(filepath.Separator), "./...").CombinedOutput()
	if err != nil {
		return fmt.Errorf("go build: %w\n%s", err, out)
	}
	return nil
}

// process is a running program of the guide.
type process struct {
	cmd    *exec.Cmd
	stdout printed
	once   sync.Once
}

// printed is what a program has printed so far.
type printed struct {
	mu   sync.Mutex
	text bytes.Buffer
	wake chan struct{} // closed by the next Write; nil while nobody waits
}

func (p *printed) Write(text []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.wake != nil {
		close(p.wake)
		p.wake = nil
	}
	return p.text.Write(text)
}

func (p *printed) String() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.text.String()
}

// await returns when n lines are printed, or when ctx ends.
func (p *printed) await(ctx context.Context, n int) {
	for {
		p.mu.Lock()
		if bytes.Count(p.text.Bytes(), []byte("\n")) >= n {
			p.mu.Unlock()
			return
		}
		if p.wake == nil {
			p.wake = make(chan struct{})
		}
		wake := p.wake
		p.mu.Unlock()
		select {
		case <-wake:
		case <-ctx.Done():
			return
		}
	}
}

// stop ends the program and returns what it printed to its standard output.
func (p *process) stop() string {
	p.once.Do(func() {
		_ = p.cmd.Process.Kill()
		_ = p.cmd.Wait() // it was killed
	})
	return p.stdout.String()
}

// serve starts a server, which ends with the test, and returns the line of its standard error behind those that it logs and the one
// that says that it serves: where it listens.
func serve(t *testing.T, cmd *exec.Cmd) (p *process, address string) {
	t.Helper()
	p = &process{cmd: cmd}
	cmd.Stdout = &p.stdout
	stderr, err := os.CreateTemp(t.TempDir(), "stderr")
	if err != nil {
		t.Fatal(err)
	}
	read, write, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd.Stderr = write
	err = cmd.Start()
	_ = write.Close()
	if err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewReader(read)
	line, err := lines.ReadString('\n')
	for err == nil && (strings.Contains(line, "serving ") || strings.Contains(line, " INFO ")) {
		line, err = lines.ReadString('\n')
	}
	said := make(chan struct{})
	go func() { // until the program ends
		defer close(said)
		_, _ = lines.WriteTo(stderr)
	}()
	t.Cleanup(func() {
		p.stop()
		<-said
		_ = read.Close()
		if text, _ := os.ReadFile(stderr.Name()); t.Failed() {
			t.Logf("%s said:\n%s%s", cmd.Path, line, text)
		}
		_ = stderr.Close()
	})
	if err != nil {
		t.Fatalf("%s did not say where it listens: %v", cmd.Path, err)
	}
	return p, strings.TrimSpace(line)
}

// sources lists the files of features that match a pattern.
func sources(feature string, patterns ...string) (names []string) {
	for _, pattern := range patterns {
		matches, err := filepath.Glob(filepath.Join(feature, pattern))
		if err != nil {
			panic(err)
		}
		names = append(names, matches...)
	}
	return names
}
