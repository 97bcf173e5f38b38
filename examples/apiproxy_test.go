package examples_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/kkrpc-go/kkrpc/interop/js"
)

// patience bounds what a test waits for that does not happen.
const patience = 30 * time.Second

// foreign is an HTTP API that fails in every way. A user's ID says what becomes of the request.
type foreign struct {
	*httptest.Server
	atOnce int // requests that wait for each other to be that many

	mu          sync.Mutex
	lists       int      // of users
	conditions  []string // of the requests for posts
	running     int
	mostRunning int
	full        *event         // atOnce requests run
	arrived     map[int]*event // there is a request for the user
	ended       map[int]*event // it is over
}

// event happens once. Further times do not count.
type event struct {
	once sync.Once
	has  chan struct{}
}

func newEvent() *event { return &event{has: make(chan struct{})} }

func (e *event) happens() { e.once.Do(func() { close(e.has) }) }

// wait returns when the event has happened, or the request has ended.
func (e *event) wait(r *http.Request) {
	select {
	case <-e.has:
	case <-r.Context().Done():
	}
}

func newForeign(t *testing.T, atOnce int) *foreign {
	t.Helper()
	f := &foreign{atOnce: atOnce, full: newEvent(), arrived: map[int]*event{}, ended: map[int]*event{}}
	for _, id := range []int{600, 601, 610, 612} {
		f.arrived[id], f.ended[id] = newEvent(), newEvent()
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /users", func(w http.ResponseWriter, r *http.Request) {
		f.mu.Lock()
		f.lists++
		f.mu.Unlock()
		w.Header().Set("Cache-Control", "max-age=600")
		fmt.Fprint(w, `[{"id": 1, "name": "Ada"}]`)
	})
	mux.HandleFunc("GET /posts", f.posts)
	mux.HandleFunc("GET /users/{id}", f.user)
	f.Server = httptest.NewServer(mux)
	t.Cleanup(f.Close)
	return f
}

// posts has to be asked each time whether it is still the same.
func (f *foreign) posts(w http.ResponseWriter, r *http.Request) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.conditions = append(f.conditions, r.Header.Get("If-None-Match"))
	w.Header().Set("Cache-Control", "no-cache")
	w.Header().Set("ETag", `"first"`)
	if r.Header.Get("If-None-Match") == `"first"` {
		w.WriteHeader(http.StatusNotModified)
		return
	}
	fmt.Fprint(w, `[{"id": 1, "title": "Notes"}]`)
}

func (f *foreign) user(w http.ResponseWriter, r *http.Request) {
	id, err := strconv.Atoi(r.PathValue("id"))
	if err != nil {
		panic(err)
	}
	begun := func() {
		fmt.Fprint(w, `{"id": 1`)
		w.(http.Flusher).Flush()
	}
	switch id {
	case 404:
		http.NotFound(w, r)
	case 500:
		w.WriteHeader(http.StatusInternalServerError)
	case 501:
		fmt.Fprint(w, "<html>")
	case 502:
		fmt.Fprintf(w, `{"name": %q}`, strings.Repeat("a", 2<<20))
	case 503:
		<-r.Context().Done()
	case 504:
		begun()
		<-r.Context().Done()
	case 505:
		panic(http.ErrAbortHandler) // cuts the connection
	case 600, 601:
		if id == 601 {
			begun()
		}
		f.arrived[id].happens()
		<-r.Context().Done()
		f.ended[id].happens()
	case 602:
		f.arrived[600].wait(r)
		f.arrived[601].wait(r)
		fmt.Fprint(w, `{"name": "both have come"}`)
	case 603:
		f.ended[600].wait(r)
		f.ended[601].wait(r)
		fmt.Fprint(w, `{"name": "both have ended"}`)
	case 610:
		f.arrived[610].happens()
		f.arrived[612].wait(r)
		fmt.Fprint(w, `{"name": "late"}`)
	case 611:
		f.arrived[610].wait(r)
		fmt.Fprint(w, `{}`)
	case 612:
		f.arrived[612].happens()
		fmt.Fprint(w, `{"name": "soon"}`)
	default:
		f.together(r)
		fmt.Fprintf(w, `{"id": %d}`, id)
	}
}

// together waits until atOnce requests have come.
func (f *foreign) together(r *http.Request) {
	f.mu.Lock()
	f.running++
	f.mostRunning = max(f.mostRunning, f.running)
	if f.running == f.atOnce {
		f.full.happens()
	}
	f.mu.Unlock()
	f.full.wait(r)
	f.mu.Lock()
	f.running--
	f.mu.Unlock()
}

// check says what the upstream has seen of one client of checks.mts.
func (f *foreign) check(t *testing.T) {
	t.Helper()
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.lists != 1 {
		t.Errorf("%d requests for 20 equal calls, want 1", f.lists)
	}
	if got := strings.Join(f.conditions, ", "); got != `, "first"` {
		t.Errorf("the conditions of the requests for posts are %q, want none and the ETag", got)
	}
	if f.mostRunning != f.atOnce {
		t.Errorf("%d requests at the same time, want %d", f.mostRunning, f.atOnce)
	}
}

// checksPrint is what checks.mts prints if the proxy has this timeout.
func checksPrint(timeout time.Duration) string {
	return fmt.Sprintf(`equal calls: 1 answer
revalidated: Notes and Notes
different calls: each its answer
failed: there is no users/404
failed: the upstream answered users/500 with status 500
failed: the upstream's response to users/501 is unusable: it is not JSON
failed: the upstream's response to users/502 is unusable: it has more than 1048576 bytes
failed: the upstream did not answer users/503 within %[1]v
failed: the upstream did not answer users/504 within %[1]v
failed: the upstream cannot be reached
failed: limit must be from 0 to 100
cancelled: both have ended
shared with one who left: late and soon
`, timeout)
}

const guardPrints = `NotFoundError users/404
UpstreamError users/500 500
ResponseError users/501 it is not JSON
ResponseError users/502 it has more than 1048576 bytes
TimeoutError users/503 5000
TimeoutError users/504 5000
UnavailableError users/505
QueryError limit 100 false
`

// buildProxy compiles the native server.
func buildProxy(t *testing.T) (exe string) {
	t.Helper()
	exe = filepath.Join(t.TempDir(), "apiproxy.exe")
	if out, err := exec.CommandContext(t.Context(), "go", "build", "-o", exe, "./apiproxy").CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	return exe
}

// runScript runs a script in a folder of its own, with the generated types beside it, and returns what it prints.
func runScript(t *testing.T, rt js.Runtime, script, url string) string {
	t.Helper()
	dir := js.TempDir(t, script, "apiproxy/api.gen.ts")
	for _, name := range []string{"compact.mjs", "compact-remote.mjs", "compact-sockets.mjs", "compact-streams.mjs"} {
		write(t, filepath.Join(dir, name), read(t, filepath.Join(js.Dir(t), name)))
	}
	name := filepath.Join(dir, filepath.Base(script))
	if strings.Contains(read(t, name), address) {
		write(t, name, readWith(t, name, strings.TrimSuffix(strings.TrimPrefix(url, "ws://"), "/api")))
	}
	var stderr strings.Builder
	cmd := rt.Command(t, name, url)
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Errorf("%s: %v\n%s", script, err, stderr.String())
	}
	return string(out)
}

func TestAPIProxy(t *testing.T) {
	js.Node.Path(t) // skips where it is missing, before anything is built
	exe := buildProxy(t)
	const timeout = 5 * time.Second
	for _, rt := range js.Runtimes {
		t.Run("checks in "+string(rt), func(t *testing.T) {
			t.Parallel()
			rt.Path(t)
			f := newForeign(t, 3)
			addr, _ := start(t, exec.CommandContext(t.Context(), exe, "-addr", "localhost:0", "-upstream", f.URL, "-timeout", timeout.String(), "-concurrency", "3"))
			if got := runScript(t, rt, "testdata/apiproxy/checks.mts", "ws://"+addr+"/api"); got != checksPrint(timeout) {
				t.Errorf("the client printed\n%s\nwant\n%s", got, checksPrint(timeout))
			}
			f.check(t)
		})
		t.Run("README in "+string(rt), func(t *testing.T) {
			t.Parallel()
			rt.Path(t)
			addr, _ := start(t, exec.CommandContext(t.Context(), exe, "-addr", "localhost:0"))
			if got, want := runScript(t, rt, "apiproxy/client.mts", "ws://"+addr+"/api"), readmeOutput(t); got != want {
				t.Errorf("the client printed\n%s\nthe README shows\n%s", got, want)
			}
		})
	}
	t.Run("guard", func(t *testing.T) {
		t.Parallel()
		f := newForeign(t, 3)
		addr, _ := start(t, exec.CommandContext(t.Context(), exe, "-addr", "localhost:0", "-upstream", f.URL, "-timeout", timeout.String()))
		if got := runScript(t, js.Bun, "testdata/apiproxy/guard.mts", "ws://"+addr+"/api"); got != guardPrints {
			t.Errorf("the client printed\n%s\nwant\n%s", got, guardPrints)
		}
	})
	t.Run("shutdown", func(t *testing.T) {
		t.Parallel()
		testProxyShutdown(t, exe)
	})
}

func readmeOutput(t *testing.T) string {
	t.Helper()
	for _, m := range fence.FindAllStringSubmatch(read(t, "apiproxy/README.md"), -1) {
		if m[1] == "text" {
			return m[2]
		}
	}
	t.Fatal("the README shows no output")
	return ""
}

// testProxyShutdown interrupts a server.
func testProxyShutdown(t *testing.T, exe string) {
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	cmd := exec.CommandContext(ctx, exe, "-addr", "localhost:0")
	stdout, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	first := make([]byte, 1)
	if _, err := stdout.Read(first); err != nil { // it serves
		t.Fatal(err)
	}
	if err := cmd.Process.Signal(syscall.SIGTERM); errors.Is(err, errors.ErrUnsupported) {
		t.Skip("no signals here")
	} else if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err != nil {
		t.Error(err)
	}
}

// TestAPIProxyInHono is the same in the servers of apiproxy/hono, for the client in Node.
func TestAPIProxyInHono(t *testing.T) {
	for _, rt := range []js.Runtime{js.Bun, js.Deno, js.Node, js.Workerd} {
		t.Run(string(rt), func(t *testing.T) {
			t.Parallel()
			rt.Path(t)
			f := newForeign(t, 8)
			dir := buildHonoProxy(t, rt)
			url := ""
			if rt == js.Workerd {
				url = serveProxyWorker(t, dir, f.URL)
			} else {
				cmd := rt.Command(t, filepath.Join(dir, string(rt)+".mjs"))
				cmd.Args[0] = string(rt) // in Node.js, net/http's own transport would have no network
				cmd.Env = append(cmd.Env, "PORT=0", "UPSTREAM="+f.URL)
				addr, _ := start(t, cmd)
				url = "ws://" + addr + "/api"
			}
			if got, want := runScript(t, js.Node, "testdata/apiproxy/checks.mts", url), checksPrint(10*time.Second); got != want {
				t.Errorf("the client printed\n%s\nwant\n%s", got, want)
			}
			f.check(t)
			if rt == js.Node {
				t.Run("README", func(t *testing.T) {
					cmd := rt.Command(t, filepath.Join(dir, "node.mjs"))
					cmd.Env = append(cmd.Env, "PORT=0")
					addr, _ := start(t, cmd)
					if got, want := runScript(t, rt, "apiproxy/client.mts", "ws://"+addr+"/api"), readmeOutput(t); got != want {
						t.Errorf("the client printed\n%s\nthe README shows\n%s", got, want)
					}
				})
			}
		})
	}
}

// buildHonoProxy compiles the program into dist of a new folder, with the servers beside it.
func buildHonoProxy(t *testing.T, rt js.Runtime) (dir string) {
	t.Helper()
	servers, err := filepath.Glob("apiproxy/hono/*.mjs")
	if err != nil || len(servers) != 4 {
		t.Fatalf("servers %v, %v", servers, err)
	}
	dir = js.TempDir(t, servers...)
	name := string(rt)
	if rt == js.Workerd {
		name = "workers"
	}
	command := " build hono . --runtime " + name + " -o dist && "
	if !strings.Contains(read(t, "apiproxy/hono/package.json"), command) {
		t.Errorf("package.json does not have %q", command)
	}
	cmd := exec.CommandContext(t.Context(), "go", "run", "github.com/kkrpc-go/kkrpc/cmd/kkrpc", "build", "hono", "./apiproxy/hono", "--runtime", name, "-o", filepath.Join(dir, "dist"))
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return dir
}

// serveProxyWorker serves workers.mjs. What a worker imports as WebAssembly has to be beside it here.
func serveProxyWorker(t *testing.T, dir, upstream string) (url string) {
	t.Helper()
	main := filepath.Join(dir, "dist", "main.mjs")
	script := read(t, filepath.Join(dir, "workers.mjs"))
	for old, new := range map[string]string{`"./dist/`: `"./`, "env.UPSTREAM": strconv.Quote(upstream)} {
		if strings.Count(script, old) != 1 {
			t.Fatalf("workers.mjs does not have %s once", old)
		}
		script = strings.ReplaceAll(script, old, new)
	}
	write(t, main, script)
	addr, _ := js.Worker{Script: main, Wasm: []string{"api.wasm"}, Object: "Proxy", Date: "2026-10-01", Local: true}.Start(t)
	return "ws://" + addr + "/api"
}
