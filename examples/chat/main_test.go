package main

import (
	"bufio"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/kkrpc-go/kkrpc/interop/js"
)

// patience is how long the tests wait for what must happen.
const patience = 30 * time.Second

var built = struct {
	sync.Once
	exe string
	out []byte
	err error
}{}

// program builds the program once, for all tests.
func program(t *testing.T) string {
	t.Helper()
	if testing.Short() {
		t.Skip("links a program: not under -short")
	}
	built.Do(func() {
		dir, err := os.MkdirTemp("", "kkrpc-chat-")
		if err != nil {
			built.err = err
			return
		}
		built.exe = filepath.Join(dir, "chat.exe")
		built.out, built.err = exec.Command("go", "build", "-o", built.exe, ".").CombinedOutput()
	})
	if built.err != nil {
		t.Fatalf("go build: %v\n%s", built.err, built.out)
	}
	return built.exe
}

func TestMain(m *testing.M) {
	code := m.Run()
	if built.exe != "" {
		_ = os.RemoveAll(filepath.Dir(built.exe))
	}
	os.Exit(code)
}

// process is a running program.
type process struct {
	cmd   *exec.Cmd
	addr  string
	ended chan struct{}
	err   error // of cmd, once ended is closed

	mu   sync.Mutex
	said strings.Builder
}

var opened = regexp.MustCompile(`msg="the chat is open" url=http://(\S+)`)

// start starts the program, which ends with the test, and waits until it serves.
func start(t *testing.T, args ...string) *process {
	t.Helper()
	p := &process{cmd: exec.Command(program(t), args...), ended: make(chan struct{})}
	read, write, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	p.cmd.Stderr = write
	js.EndWithTest(p.cmd, syscall.SIGKILL)
	err = p.cmd.Start()
	_ = write.Close()
	if err != nil {
		t.Fatal(err)
	}
	found := make(chan string, 1)
	go func() { // until the program ends
		defer close(p.ended)
		for lines := bufio.NewScanner(read); lines.Scan(); {
			p.mu.Lock()
			p.said.WriteString(lines.Text() + "\n")
			p.mu.Unlock()
			if m := opened.FindStringSubmatch(lines.Text()); m != nil {
				found <- m[1]
			}
		}
		_ = read.Close()
		p.err = p.cmd.Wait()
	}()
	t.Cleanup(func() {
		p.kill()
		if t.Failed() {
			t.Logf("%q said:\n%s", args, p.text())
		}
	})
	select {
	case p.addr = <-found:
	case <-p.ended:
		t.Fatalf("the program ended: %v\n%s", p.err, p.text())
	case <-time.After(patience):
		t.Fatalf("the program does not serve\n%s", p.text())
	}
	return p
}

func (p *process) text() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.said.String()
}

// kill ends the program as a crash does.
func (p *process) kill() {
	_ = p.cmd.Process.Kill()
	<-p.ended
}

// stop ends the program as an operator does.
func (p *process) stop(t *testing.T) {
	t.Helper()
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	select {
	case <-p.ended:
	case <-time.After(patience):
		t.Fatal("the program does not end")
	}
	if p.err != nil {
		t.Errorf("the program ended with %v", p.err)
	}
}

// proxy is the network between clients and a server. It can be cut.
type proxy struct {
	addr   string
	target atomic.Pointer[string]
	deaf   atomic.Bool // what the server says is lost

	mu    sync.Mutex // guards what follows
	down  bool
	conns map[net.Conn]bool
}

// newProxy returns a proxy in front of a server, which ends with the test.
func newProxy(t *testing.T, target string) *proxy {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &proxy{addr: listener.Addr().String(), conns: map[net.Conn]bool{}}
	p.target.Store(&target)
	var running sync.WaitGroup
	running.Go(func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			running.Go(func() { p.carry(conn) })
		}
	})
	t.Cleanup(func() {
		_ = listener.Close()
		p.set(false)
		running.Wait()
	})
	return p
}

// carry carries the bytes of a connection.
func (p *proxy) carry(client net.Conn) {
	defer client.Close()
	server, err := net.Dial("tcp", *p.target.Load())
	if err != nil {
		return
	}
	defer server.Close()
	for _, conn := range []net.Conn{client, server} {
		if !p.add(conn) {
			return
		}
		defer p.remove(conn)
	}
	done := make(chan struct{}, 2)
	for _, way := range [][2]net.Conn{{client, server}, {server, client}} {
		go func() {
			_, _ = io.Copy(&oneWay{way[0], p, way[0] == client}, way[1])
			_, _ = way[0].Close(), way[1].Close()
			done <- struct{}{}
		}()
	}
	<-done
	<-done
}

// oneWay writes what one side has said.
type oneWay struct {
	net.Conn
	p        *proxy
	toClient bool
}

func (w *oneWay) Write(data []byte) (int, error) {
	if w.toClient && w.p.deaf.Load() {
		return len(data), nil
	}
	return w.Conn.Write(data)
}

func (p *proxy) add(conn net.Conn) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.conns[conn] = true
	return !p.down
}

func (p *proxy) remove(conn net.Conn) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.conns, conn)
}

// set has the network up or down. What is connected loses its connection.
func (p *proxy) set(up bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.down = !up
	for conn := range p.conns {
		_ = conn.Close()
	}
}
