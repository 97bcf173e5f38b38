package examples_test

import (
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/kkrpc-go/kkrpc/interop/js"
)

// TestBrowserDevelopment serves the page by Vite, where React mounts each component twice, in front of the Go server.
func TestBrowserDevelopment(t *testing.T) {
	js.Chromium.Path(t) // skips where it is missing, before anything is built
	dir := browserProject(t)
	addr, _ := start(t, exec.CommandContext(t.Context(), buildBrowser(t), "-addr", "localhost:0"))
	between := startCounter(t, addr)
	config := filepath.Join(dir, "vite.config.ts")
	write(t, config, strings.Replace(read(t, config), "http://localhost:3000", between.url, 1))
	vite, _ := start(t, browserTool(t, dir, "vite/bin/vite.js", "--host", "localhost", "--port", freePort(t), "--strictPort", "--clearScreen", "false"))
	page := js.StartChrome(t).Open("http://" + vite + "/")

	page.Wait(shows("open"))
	addNote(page, "from the page")
	page.Wait(listed("from the page"))
	if n := between.connections.Load(); n != 1 {
		t.Errorf("the page has connected %d times", n)
	}
	// Vite passes the host on, so that its pages are of the server's own origin. Without Vite between they are not.
	var code int
	page.Eval(fmt.Sprintf(`new Promise((resolve) => (new WebSocket("ws://%s/ws").onclose = ({ code }) => resolve(code)))`, addr), &code)
	if code != 1006 {
		t.Errorf("a page of another origin gets %d", code)
	}
	for _, complaint := range page.Complaints() {
		if !strings.Contains(complaint, addr) {
			t.Error(complaint)
		}
	}
}

// TestBrowserPage has TypeScript and Vite build the page, and shows it in two windows over a failing network and a restart.
func TestBrowserPage(t *testing.T) {
	js.Chromium.Path(t)
	dir := browserProject(t)
	for _, tool := range [][]string{{"typescript/bin/tsc", "-p", "."}, {"vite/bin/vite.js", "build", "--logLevel", "warn"}} {
		if out, err := browserTool(t, dir, tool[0], tool[1:]...).CombinedOutput(); err != nil || len(out) > 0 {
			t.Fatalf("%s: %v\n%s", tool[0], err, out)
		}
	}
	exe, addr := buildBrowser(t), "localhost:"+freePort(t)
	serve := func() (stop func()) {
		cmd := exec.CommandContext(t.Context(), exe, "-addr", addr, "-page", filepath.Join(dir, "dist"))
		_, _ = start(t, cmd)
		return func() { _ = cmd.Process.Kill() }
	}
	stop := serve()
	chrome := js.StartChrome(t)
	ada, eve := chrome.Open("http://"+addr+"/"), chrome.Open("http://"+addr+"/")
	ada.Wait(shows("open"))
	eve.Wait(shows("open"))
	addNote(ada, "one")
	eve.Wait(listed("one"))
	addNote(eve, "two")
	ada.Wait(listed("one", "two"))
	addNote(ada, "")
	ada.Wait(`document.querySelector("[role=alert]").textContent === "a note has 1 to 1000 bytes"`)

	stop()
	ada.Wait(shows("paused"))
	serve() // which knows neither the sessions nor the notes
	ada.Wait(shows("open"))
	eve.Wait(shows("open"))
	addNote(eve, "three")
	ada.Wait(listed("three"))
}

// TestBrowserOnPage keeps the code in the guide what the tests run: each block is part of a file.
func TestBrowserOnPage(t *testing.T) {
	var all strings.Builder
	for _, name := range []string{"main.go", "web/src/useServer.ts", "web/src/Board.tsx", "web/vite.config.ts", "web/package.json"} {
		all.WriteString("\n" + read(t, "browser/"+name))
	}
	page := read(t, "../docs/guide/browser.md")
	blocks := fence.FindAllStringSubmatch(page, -1)
	if len(blocks) < 8 {
		t.Errorf("the page has %d blocks of code", len(blocks))
	}
	for _, block := range blocks {
		if !strings.Contains(all.String(), "\n"+block[2]) {
			t.Errorf("the page shows what no file of examples/browser has:\n%s", block[2])
		}
	}
	if command := "kkrpc gen ts .. --codec superjson -o src/api.gen.ts"; !strings.Contains(page, command) || !strings.Contains(all.String(), command) {
		t.Errorf("the page or package.json does not say %q", command)
	}
}

// shows is true once the page shows a phase of its connection.
func shows(phase string) string {
	return fmt.Sprintf(`document.querySelector("[role=status]").textContent.startsWith(%q)`, phase)
}

// listed is true once the page shows these notes and no others.
func listed(notes ...string) string {
	return fmt.Sprintf(`[...document.querySelectorAll("li")].map((item) => item.textContent).join() === %q`, strings.Join(notes, ","))
}

func addNote(page *js.Page, text string) {
	page.Eval(`document.querySelector("input").focus()`, nil)
	page.Type(text)
	page.Press("Enter", 0)
	if text != "" {
		page.Wait(`document.querySelector("input").value === ""`) // the server has it
	}
}

// counter is a proxy that counts WebSockets.
type counter struct {
	url         string
	connections atomic.Int32
}

func startCounter(t *testing.T, addr string) *counter {
	c := &counter{}
	proxy := httputil.NewSingleHostReverseProxy(&url.URL{Scheme: "http", Host: addr})
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c.connections.Add(1)
		proxy.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	c.url = server.URL
	return c
}

func buildBrowser(t *testing.T) (exe string) {
	t.Helper()
	exe = filepath.Join(t.TempDir(), "browser.exe")
	if out, err := exec.CommandContext(t.Context(), "go", "build", "-o", exe, "./browser").CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	return exe
}

// browserProject copies the page to where it has its packages, with npm/client as npm installs it.
func browserProject(t *testing.T) (dir string) {
	t.Helper()
	dir = t.TempDir()
	if err := os.CopyFS(dir, os.DirFS("browser/web")); err != nil {
		t.Fatal(err)
	}
	modules := filepath.Join(dir, "node_modules")
	_ = os.RemoveAll(modules) // of who runs the example here
	if err := os.Mkdir(modules, 0o777); err != nil {
		t.Fatal(err)
	}
	installed, err := os.ReadDir(filepath.Join(js.Dir(t), "node_modules"))
	if err != nil {
		t.Fatal(err)
	}
	for _, entry := range installed {
		if err := os.Symlink(filepath.Join(js.Dir(t), "node_modules", entry.Name()), filepath.Join(modules, entry.Name())); err != nil {
			t.Skip(err)
		}
	}
	if err := os.CopyFS(filepath.Join(modules, "kkrpc-go-client"), os.DirFS("../npm/client")); err != nil {
		t.Fatal(err)
	}
	return dir
}

// browserTool runs a program of an npm package in the project.
func browserTool(t *testing.T, dir, script string, args ...string) *exec.Cmd {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), js.Node.Path(t), append([]string{filepath.Join(dir, "node_modules", filepath.FromSlash(script))}, args...)...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "NO_COLOR=1")
	return cmd
}

func freePort(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "localhost:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	_, port, _ := net.SplitHostPort(listener.Addr().String())
	return port
}
