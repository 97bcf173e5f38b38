package interop_test

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"

	"github.com/kkrpc-go/kkrpc/interop/check"
	"github.com/kkrpc-go/kkrpc/interop/js"
	"github.com/kkrpc-go/kkrpc/interop/seen"
)

// host is a runtime that Go runs in, inside Hono.
type host string

// hosts lists them. On Workers all connections meet in a Durable Object, or, in a plain Worker, in an isolate.
var hosts = []host{"node", "deno", "bun", "workers", "workers-plain"}

func (h host) runtime() js.Runtime {
	if h == "workers" || h == "workers-plain" {
		return js.Workerd
	}
	return js.Runtime(h)
}

// program is one built by `kkrpc build hono`.
type program struct {
	host    host
	pkg     string // beside this file
	tags    string
	dir     string // set by build
	once    sync.Once
	problem error
}

type programKey struct {
	host      host
	pkg, tags string
}

var programs sync.Map // programKey to *program

// build returns the folder of the program, built once for all tests, with the npm packages beside it.
func build(t *testing.T, h host, pkg, tags string) (dir string) {
	t.Helper()
	modules := filepath.Join(js.Dir(t), "node_modules")
	v, _ := programs.LoadOrStore(programKey{h, pkg, tags}, &program{host: h, pkg: pkg, tags: tags})
	p := v.(*program)
	p.once.Do(func() { p.problem = p.build(modules) })
	if p.problem != nil {
		t.Fatal(p.problem)
	}
	return p.dir
}

func (p *program) build(modules string) (err error) {
	if p.dir, err = os.MkdirTemp("", "kkrpc-hono-"); err != nil {
		return err
	}
	command, err := kkrpcCommand()
	if err != nil {
		return err
	}
	args := []string{"build", "hono", "./" + p.pkg, "-o", p.dir, "--tags", p.tags, "--runtime"}
	if name, plain := strings.CutSuffix(string(p.host), "-plain"); plain {
		args = append(args, name, "--plain")
	} else {
		args = append(args, name)
	}
	if out, err := exec.Command(command, args...).CombinedOutput(); err != nil {
		return fmt.Errorf("%w\n%s", err, out)
	}
	return os.Symlink(modules, filepath.Join(p.dir, "node_modules"))
}

// kkrpcCommand is the command kkrpc, built once.
var kkrpcCommand = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "kkrpc-command-")
	if err != nil {
		return "", err
	}
	commandDir = dir
	name := filepath.Join(dir, "kkrpc")
	if out, err := exec.Command("go", "build", "-o", name, "../cmd/kkrpc").CombinedOutput(); err != nil {
		return "", fmt.Errorf("%w\n%s", err, out)
	}
	return name, nil
})

var commandDir string // what TestMain removes

// TestMain removes what kkrpcCommand and build have made.
func TestMain(m *testing.M) {
	code := m.Run()
	os.RemoveAll(commandDir)
	for _, v := range programs.Range {
		os.RemoveAll(v.(*program).dir)
	}
	os.Exit(code)
}

// server is a program that serves.
type server struct {
	url string
	out *js.Output // what it prints
}

// serve starts a program in Hono until the test ends.
func serve(t *testing.T, h host, pkg, tags string) server {
	t.Helper()
	dir := build(t, h, pkg, tags)
	if strings.HasPrefix(string(h), "workers") {
		return serveWorker(t, h, dir)
	}
	return serveScript(t, js.Runtime(h), filepath.Join(dir, "server.mjs"))
}

// serveScript starts the server of a folder that build has made until the test ends.
func serveScript(t *testing.T, rt js.Runtime, script string) server {
	t.Helper()
	return serveCommand(t, rt.Command(t, script))
}

// serveCommand starts a server that prints its URL, as those of kkrpc build hono do, until the test ends.
func serveCommand(t *testing.T, cmd *exec.Cmd) server {
	t.Helper()
	cmd.Env = append(cmd.Env, "PORT=0")
	s := server{out: new(js.Output)}
	cmd.Stderr = s.out
	stdout, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	var reading sync.WaitGroup
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		reading.Wait()
		_ = cmd.Wait()
		if t.Failed() {
			t.Logf("the server said:\n%s", s.out)
		}
	})
	lines := bufio.NewReader(stdout)
	line, err := lines.ReadString('\n')
	_, url, found := strings.Cut(strings.TrimSpace(line), "serving ")
	if err != nil || !found {
		t.Fatalf("the server printed %q (%v), not its URL", line, err)
	}
	s.url = strings.Replace(url, "localhost", "127.0.0.1", 1)
	reading.Go(func() { _, _ = io.Copy(s.out, lines) }) // ends with the server
	return s
}

var compatibilityDate = regexp.MustCompile(`"compatibility_date": "([0-9-]+)"`)

func serveWorker(t *testing.T, h host, dir string) server {
	t.Helper()
	config, err := os.ReadFile(filepath.Join(dir, "wrangler.jsonc"))
	if err != nil {
		t.Fatal(err)
	}
	date := compatibilityDate.FindSubmatch(config)
	if date == nil {
		t.Fatalf("no compatibility date in\n%s", config)
	}
	w := js.Worker{Script: filepath.Join(dir, "server.mjs"), Wasm: []string{"api.wasm"}, Date: string(date[1])}
	if h == "workers" {
		w.Object = "Rpc"
	}
	addr, out := w.Start(t)
	return server{url: "ws://" + addr + "/ws", out: out}
}

// eachHost runs a subtest in every host, beside each other.
func eachHost(t *testing.T, run func(t *testing.T, h host)) {
	for _, h := range hosts {
		t.Run(string(h), func(t *testing.T) {
			t.Parallel()
			have(t, h.runtime())
			run(t, h)
		})
	}
}

// TestKkrpcClientOfGoInHono has the real client call Go that runs inside Hono.
func TestKkrpcClientOfGoInHono(t *testing.T) {
	eachHost(t, func(t *testing.T, h host) {
		for _, codec := range codecs {
			t.Run(codec, func(t *testing.T) {
				t.Parallel()
				p := peer{version: "0.2.2", channel: check.Base, codec: codec}
				cmd := p.command(t, js.Node, "client.mjs", serve(t, h, "wasmserver", "errortext").url)
				passed, failed := runClient(t, js.Node, cmd)
				saw(t, h.runtime(), seen.Inside, p.version, codec, passed, failed)
			})
		}
	})
}

// TestNewerKkrpcClientOfGoInHono has the real clients that npm's registry does not have call Go that runs inside Hono.
func TestNewerKkrpcClientOfGoInHono(t *testing.T) {
	for _, c := range checkouts {
		t.Run(c.version, func(t *testing.T) {
			haveCheckout(t, c.variable, c.version)
			eachHost(t, func(t *testing.T, h host) {
				for _, channel := range c.channels {
					for _, codec := range codecs {
						t.Run(fmt.Sprintf("%s/%s", channel, codec), func(t *testing.T) {
							t.Parallel()
							p := peer{c.version, channel, codec, c.variable}
							runClient(t, js.Bun, p.command(t, js.Bun, "client.mjs", serve(t, h, "wasmserver", "").url))
						})
					}
				}
			})
		})
	}
}

// TestGoClientOfGoInHono has the Go client make every check in every dialect.
func TestGoClientOfGoInHono(t *testing.T) {
	eachHost(t, func(t *testing.T, h host) {
		for _, version := range []string{"0.7.0", "2.1.0"} {
			for _, codec := range codecs {
				t.Run(version+"/"+codec, func(t *testing.T) {
					t.Parallel()
					p := peer{version: version, channel: check.All, codec: codec}
					url := serve(t, h, "wasmserver", "").url // one for each: the checks write its properties
					runChecks(t, check.Config{URL: url, Peer: version, Channel: check.All, Dialect: p.dialect(t)})
				})
			}
		}
	})
}
