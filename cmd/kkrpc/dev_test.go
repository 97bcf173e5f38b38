package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/kkrpc-go/kkrpc"
	"github.com/kkrpc-go/kkrpc/transport/ws"
)

func TestDevCommandLine(t *testing.T) {
	for _, row := range []struct {
		name   string
		args   []string
		code   int
		stderr string
	}{
		{"help", []string{"-h"}, 0, "-stop-timeout"},
		{"no package", []string{"--ts", "a.ts"}, 2, "want one package, such as ./cmd/server, got 0; arguments of the program come behind --\n"},
		{"an argument in the wrong place", []string{"./cmd/server", "8080"}, 2, "want one package, such as ./cmd/server, got 2; arguments"},
		{"arguments", []string{"--codec", "cbor", "--", "--codec", "json"}, 2, "want one package"},
		{"codec", []string{".", "--ts", "a.ts", "--codec", "cbor"}, 2, "--codec \"cbor\": want json, json+bytes or superjson\n"},
		{"options of no file", []string{".", "--values"}, 2, "--values is about the TypeScript file: name it with --ts\n"},
		{"negative time", []string{".", "--stop-timeout", "-1s"}, 2, "--stop-timeout -1s: want 0 or more\n"},
		{"nothing there", []string{"./nothing"}, 1, "nothing: directory not found\n"},
		{"a library", []string{"./testdata/library"}, 1, "./testdata/library is package library: want a main package\n"},
		{"for JavaScript", []string{"./testdata/onlywasm"}, 1, "./testdata/onlywasm is built for js/wasm alone and cannot run here; see kkrpc build hono\n"},
	} {
		t.Run(row.name, func(t *testing.T) {
			var stdout, stderr bytes.Buffer
			if code := run(t.Context(), append([]string{"dev"}, row.args...), &stdout, &stderr); code != row.code {
				t.Errorf("exit code %d, want %d", code, row.code)
			}
			check(t, "stdout", stdout.String(), "")
			check(t, "stderr", stderr.String(), row.stderr)
		})
	}
}

// TestDev changes a server in every way while its clients are there.
func TestDev(t *testing.T) {
	if testing.Short() {
		t.Skip("it builds a program several times")
	}
	chdirToCopy(t, "testdata/dev")
	free, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr := free.Addr().String()
	free.Close()
	ctx, interrupt := context.WithCancel(t.Context())
	d := startDev(t, ctx, ".", "--ts", "web/api.gen.ts", "--", "--addr", addr)
	d.stderr.await(t, `^web/api\.gen\.ts: API, 0 types \([0-9.]+ m?s\)$`)
	d.stderr.await(t, `^server started \([0-9.]+ m?s\)$`)
	d.stdout.await(t, `^listening$`)
	p, err := ws.DialPersistent(t.Context(), "ws://"+addr, &ws.PersistentOptions{
		Backoff: ws.Backoff{Min: time.Millisecond, Max: 50 * time.Millisecond}, Logger: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	calls := func(method, want string) {
		t.Helper()
		if got, err := kkrpc.Call[string](kkrpc.Idempotent(t.Context()), p, method, "World"); err != nil || got != want {
			t.Errorf("%s: got %q, %v", method, got, err)
		}
	}
	types := func(want string) {
		t.Helper()
		check(t, "api.gen.ts", read(t, "web/api.gen.ts"), want+"(name: string): Promise<string>")
	}
	calls("greet", "Hello, World!")
	types("greet")

	t.Log("another name of a method")
	raw := dialRaw(t, addr)
	d.edit(t, "api.go", "Greet", "Salute")
	d.stderr.await(t, `^web/api\.gen\.ts: API, 0 types \([0-9.]+ m?s\)$`)
	types("salute")
	d.stderr.await(t, `^server restarted \([0-9.]+ m?s\)$`)
	if code := closeCode(t, raw); code != 1001 {
		t.Errorf("close code %d, want 1001", code)
	}
	d.stdout.await(t, `^stopped: <nil>$`)
	d.stdout.await(t, `^listening$`)
	calls("salute", "Hello, World!")

	t.Log("what does not compile")
	d.edit(t, "api.go", `"Hello, "`, `hello`)
	d.stderr.await(t, `^api\.go:10:52: undefined: hello$`)
	d.stderr.await(t, `^server not restarted: it does not compile \(`)
	calls("salute", "Hello, World!")
	types("salute")
	d.edit(t, "api.go", "Salute", "Praise")
	d.stderr.await(t, `^server not restarted: it does not compile \(`)
	types("salute")
	d.edit(t, "api.go", "hello", `"Hail, "`, "Praise", "Hail")
	d.stderr.await(t, `^server restarted \(`)
	types("hail")
	calls("hail", "Hail, World!")
	if n := strings.Count(d.stderr.all(), "undefined: hello"); n != 1 {
		t.Errorf("the compiler's error was printed %d times:\n%s", n, d.stderr.all())
	}

	t.Log("types that cannot be made")
	d.edit(t, "api.go", "Hail(name string)", "Call(name Name)", `"Hail, " + name`, `"Hey, " + string(name)`,
		"type service struct{}", "//kkrpc:nonsense\ntype Name string\n\ntype service struct{}")
	d.stderr.await(t, `^api\.go:8:1: no directive //kkrpc:nonsense for a type; there are `)
	d.stderr.await(t, `^server restarted \(`)
	types("hail")
	calls("call", "Hey, World!")
	d.edit(t, "api.go", "//kkrpc:nonsense\n", "")
	d.stderr.await(t, `^web/api\.gen\.ts: API, 1 types \(`)

	t.Log("a program that ends, of a new file")
	d.edit(t, "more.go", "", "package main\n\nimport \"os\"\n\nfunc init() { os.Exit(3) }\n")
	d.stderr.await(t, `^web/api\.gen\.ts: API, 1 types, unchanged \(`)
	d.stderr.await(t, `^server ended: exit status 3; waiting for a change$`)
	d.edit(t, "more.go", "os.Exit(3)", "os.Getpid()")
	d.stderr.await(t, `^server started \(`)
	calls("call", "Hey, World!")

	t.Log("a change that is none")
	d.edit(t, "go.mod", "", "\n")
	d.stderr.await(t, `^server unchanged \(`)
	calls("call", "Hey, World!")

	interrupt()
	if code := <-d.code; code != 0 {
		t.Errorf("exit code %d", code)
	}
	if lines := strings.Split(strings.TrimSpace(d.stdout.all()), "\n"); lines[len(lines)-1] != "stopped: <nil>" {
		t.Errorf("the server did not stop:\n%s", d.stdout.all())
	}
}

// chdirToCopy works in a module that is a copy of a folder and uses this checkout of kkrpc.
func chdirToCopy(t *testing.T, folder string) {
	t.Helper()
	root, err := filepath.Abs(filepath.FromSlash("../.."))
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS(folder)); err != nil {
		t.Fatal(err)
	}
	t.Chdir(dir)
	write(t, "go.mod", "module example.com/app\n\ngo 1.26\n")
	write(t, "go.work", "go 1.26\n\nuse (\n\t.\n\t"+root+"\n)\n")
	t.Setenv("GOWORK", filepath.Join(dir, "go.work"))
}

// devRun is kkrpc dev in this process.
type devRun struct {
	stdout, stderr transcript
	code           chan int
}

// startDev runs kkrpc dev until ctx or the test ends.
func startDev(t *testing.T, ctx context.Context, args ...string) *devRun {
	t.Helper()
	ctx, cancel := context.WithCancel(ctx)
	d := &devRun{code: make(chan int, 1)}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		d.code <- run(ctx, append([]string{"dev"}, args...), &d.stdout, &d.stderr)
	}()
	t.Cleanup(func() {
		cancel()
		<-ended
		if t.Failed() {
			t.Logf("standard output:\n%s\nstandard error:\n%s", d.stdout.all(), d.stderr.all())
		}
	})
	return d
}

// edit replaces texts of a file, in pairs as strings.NewReplacer does, and forgets what was printed before. The first
// text of a pair may be empty: the other one comes at the end of the file, which need not be there yet.
func (d *devRun) edit(t *testing.T, name string, pairs ...string) {
	t.Helper()
	text := pairs[1]
	if pairs[0] != "" {
		text = strings.NewReplacer(pairs...).Replace(read(t, name))
	} else if old, err := os.ReadFile(name); err == nil {
		text = string(old) + text
	}
	d.stdout.pass()
	d.stderr.pass()
	// As an editor does: a program never sees a part.
	write(t, name+"~", text)
	if err := os.Rename(name+"~", name); err != nil {
		t.Fatal(err)
	}
}

// transcript is what a program prints.
type transcript struct {
	mu    sync.Mutex
	text  []byte
	from  int           // where await looks
	grown chan struct{} // closed and nil again when text grows
}

func (o *transcript) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.text = append(o.text, p...)
	if o.grown != nil {
		close(o.grown)
		o.grown = nil
	}
	return len(p), nil
}

// pass makes await look at what comes from now on.
func (o *transcript) pass() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.from = len(o.text)
}

func (o *transcript) all() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return string(o.text)
}

// await waits for a line that matches.
func (o *transcript) await(t *testing.T, pattern string) {
	t.Helper()
	line := regexp.MustCompile("(?m)" + pattern)
	limit := time.After(time.Minute)
	for {
		o.mu.Lock()
		found := line.Match(o.text[o.from:])
		if o.grown == nil {
			o.grown = make(chan struct{})
		}
		grown := o.grown
		o.mu.Unlock()
		if found {
			return
		}
		select {
		case <-grown:
		case <-limit:
			t.Fatalf("no line like %s", pattern)
		}
	}
}

// dialRaw opens a WebSocket without package ws.
func dialRaw(t *testing.T, addr string) *bufio.Reader {
	t.Helper()
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	fmt.Fprintf(conn, "GET / HTTP/1.1\r\nHost: %s\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"+
		"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n", addr)
	r := bufio.NewReader(conn)
	resp, err := http.ReadResponse(r, nil)
	if err != nil || resp.StatusCode != http.StatusSwitchingProtocols {
		t.Fatal(resp, err)
	}
	return r
}

// closeCode reads the frames of a server up to the close frame. All are short.
func closeCode(t *testing.T, r io.Reader) int {
	t.Helper()
	for {
		var header [2]byte
		_, err := io.ReadFull(r, header[:])
		payload := make([]byte, header[1])
		if err == nil {
			_, err = io.ReadFull(r, payload)
		}
		if err != nil {
			t.Fatal(err)
		}
		if header[0]&0x0f == 8 {
			return int(binary.BigEndian.Uint16(payload))
		}
	}
}
