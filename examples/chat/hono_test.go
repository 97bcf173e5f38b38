package main

import (
	"bufio"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/kkrpc-go/kkrpc"
	"github.com/kkrpc-go/kkrpc/interop/js"
	"github.com/kkrpc-go/kkrpc/rooms"
	"github.com/kkrpc-go/kkrpc/transport/ws"

	chat "github.com/kkrpc-go/kkrpc/examples/chat/api"
)

// TestHono runs the API of the chat inside Hono, in all runtimes, and on Node.js also with the page.
func TestHono(t *testing.T) {
	for _, rt := range []js.Runtime{js.Node, js.Bun, js.Deno, js.Workerd} {
		t.Run(string(rt), func(t *testing.T) {
			rt.Path(t) // skips where it is missing
			addr := serveHono(t, rt)
			url := "http://" + addr
			tokens := map[string]string{}
			for _, user := range []string{"Ada", "Ève"} {
				tokens[user] = honoToken(t, url, user)
			}
			testHonoRefusals(t, url)
			ada, eve := dial(t, url, tokens["Ada"], "lobby"), dial(t, url, tokens["Ève"], "lobby")
			eve.join("lobby", nil)
			present := make(chan rooms.Update[string, int], 10)
			if err := eve.Call(t.Context(), nil, "watchPresence", "lobby", func(u rooms.Update[string, int]) { present <- u }); err != nil {
				t.Fatal(err)
			}
			for users := map[string]int{}; users["Ève"] != 1; {
				select {
				case u := <-present:
					for _, item := range u.Set {
						users[item.Key] = item.Value
					}
				case <-time.After(patience):
					t.Fatalf("present are %v", users)
				}
			}
			seq, err := ada.send("Hello!", "lobby", "id")
			if err != nil {
				t.Fatal(err)
			}
			if again, err := ada.send("Hello!", "lobby", "id"); err != nil || again != seq {
				t.Errorf("repeated, the message has the number %d, not %d: %v", again, seq, err)
			}
			got := eve.hears()
			if diff := cmp.Diff(chat.Message{Seq: seq, ID: "id", User: "Ada", Text: "Hello!", At: got.At}, got); diff != "" {
				t.Error(diff)
			}
			if _, err := ada.send("Psst!", "help"); name(err) != "AccessDeniedError" {
				t.Errorf("a message to another room: %v", err)
			}
			at := rooms.Position{Epoch: eve.Joined.Epoch, Seq: got.Seq}
			_ = eve.Close()
			if _, err := ada.send("missed", "lobby"); err != nil {
				t.Fatal(err)
			}
			eve = dial(t, url, tokens["Ève"], "lobby")
			eve.join("lobby", &at)
			if got := eve.hears().Text; got != "missed" || eve.Joined.Reset {
				t.Errorf("after %+v Eve hears %q", eve.Joined, got)
			}
			if page, err := kkrpc.Call[[]chat.Message](t.Context(), ada, "getMessages", "lobby"); err != nil || len(page) != 2 {
				t.Errorf("the room has %+v, %v", page, err)
			}
			if rt == js.Node {
				t.Run("page", func(t *testing.T) {
					chrome := js.StartChrome(t)
					ada, eve := visit(t, chrome, addr, "Ada"), visit(t, chrome, addr, "Eve")
					ada.say("From a page.")
					eve.sees("Hello!", "missed", "From a page.")
					ada.calm()
				})
			}
		})
	}
}

// serveHono builds the program and serves it in a runtime.
func serveHono(t *testing.T, rt js.Runtime) (addr string) {
	t.Helper()
	scripts, err := filepath.Glob("hono/*.mjs")
	if err != nil {
		t.Fatal(err)
	}
	dir := js.TempDir(t, scripts...)
	dist := filepath.Join(dir, "dist")
	runtime := map[js.Runtime]string{js.Workerd: "workers"}[rt]
	if runtime == "" {
		runtime = string(rt)
	}
	build := exec.CommandContext(t.Context(), "go", "run", "github.com/kkrpc-go/kkrpc/cmd/kkrpc", "build", "hono", "./hono", "--runtime", runtime, "-o", dist)
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	if rt == js.Workerd {
		return serveWorker(t, dir)
	}
	page, err := filepath.Abs("web/dist")
	if err == nil {
		page, err = filepath.Rel(dir, page) // as serveStatic takes it
	}
	if err != nil {
		t.Fatal(err)
	}
	cmd := rt.Command(t, filepath.Join(dir, string(rt)+".mjs"))
	cmd.Env = append(cmd.Env, "PORT=0", "PAGE="+page)
	read, write, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd.Stdout, cmd.Stderr = write, write
	err = cmd.Start()
	_ = write.Close()
	if err != nil {
		t.Fatal(err)
	}
	var said strings.Builder
	found, ended := make(chan string, 1), make(chan struct{})
	go func() { // until the server ends
		defer close(ended)
		for lines := bufio.NewScanner(read); lines.Scan(); {
			said.WriteString(lines.Text() + "\n")
			if m := honoOpened.FindStringSubmatch(lines.Text()); m != nil {
				found <- m[1]
			}
		}
		_ = read.Close()
		_ = cmd.Wait() // it is killed
	}()
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		<-ended
		if t.Failed() {
			t.Logf("the server said:\n%s", &said)
		}
	})
	select {
	case addr = <-found:
	case <-ended:
		t.Fatal("the server ended")
	}
	return addr
}

var honoOpened = regexp.MustCompile(`the chat is open: http://(\S+)`)

// serveWorker serves the Worker in workerd, with a key in place of the secret.
func serveWorker(t *testing.T, dir string) (addr string) {
	t.Helper()
	text, err := os.ReadFile("hono/worker.mjs")
	if err != nil {
		t.Fatal(err)
	}
	config, err := os.ReadFile("hono/wrangler.jsonc")
	if err != nil {
		t.Fatal(err)
	}
	date := regexp.MustCompile(`"compatibility_date": "([0-9-]+)"`).FindSubmatch(config)
	if date == nil {
		t.Fatalf("no compatibility date in\n%s", config)
	}
	// What a Worker imports as WebAssembly has to be beside it here.
	main := filepath.Join(dir, "dist", "main.mjs")
	script := strings.NewReplacer(`"./dist/`, `"./`, `"./app.mjs"`, `"../app.mjs"`, "env.CHAT_KEY", `"a key"`).Replace(string(text))
	if err := os.WriteFile(main, []byte(script), 0o644); err != nil {
		t.Fatal(err)
	}
	addr, _ = js.Worker{Script: main, Wasm: []string{"api.wasm"}, Object: "Room", Date: string(date[1])}.Start(t)
	return addr
}

// honoToken signs a user in and returns the token of the cookie.
func honoToken(t *testing.T, url, user string) string {
	t.Helper()
	response, err := http.Post(url+"/session", "application/json", strings.NewReader(`{"name": "`+user+`"}`))
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if body, err := io.ReadAll(response.Body); err != nil || response.StatusCode != http.StatusOK {
		t.Fatalf("%s: %v\n%s", response.Status, err, body)
	}
	cookie := response.Cookies()[0]
	if !cookie.HttpOnly || cookie.SameSite != http.SameSiteStrictMode {
		t.Errorf("the cookie is %v", cookie)
	}
	return cookie.Value
}

// testHonoRefusals has nobody connect whom the server does not know, whatever the headers say.
func testHonoRefusals(t *testing.T, url string) {
	t.Helper()
	for _, header := range []http.Header{{}, {"X-User": {"Ada"}}, {"Authorization": {"Bearer guessed"}, "X-User": {"Ada"}}} {
		ch, err := ws.Dial(t.Context(), url+"/chat/lobby", &ws.DialOptions{Header: header})
		if err == nil {
			_ = ch.Close()
			t.Errorf("%v connects", header)
		}
	}
}
