package guide_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/kkrpc-go/kkrpc"
	"github.com/kkrpc-go/kkrpc/interop/js"
	"github.com/kkrpc-go/kkrpc/transport/ws"
)

// honoServers are the servers of the page about Hono, each with the client's runtime in whose subtest it runs and what the
// page says to build it with.
var honoServers = []struct {
	script string
	client js.Runtime
	build  []string
	object string // a class of Durable Objects that it exports
}{
	{"bun.mjs", js.Bun, []string{"--runtime", "bun"}, ""},
	{"deno.mjs", js.Deno, []string{"--runtime", "deno"}, ""},
	{"node.mjs", js.Node, []string{"--runtime", "node"}, ""},
	{"workers.mjs", js.Bun, []string{"--runtime", "workers"}, "Rpc"},
	{"plain.mjs", js.Bun, []string{"--runtime", "workers", "--plain"}, ""},
}

// goInHono runs client.mts against the Go program inside Hono, in the runtime of the client and, for Bun's, also in workerd.
// It returns what the clients print, once if it is the same.
func goInHono(t *testing.T, name string, r runtime) (printed []string) {
	for _, server := range honoServers {
		if server.client != r.Runtime {
			continue
		}
		script := r.script(t, honoServer(t, name, server.script)).Args
		file := script[len(script)-1]
		dist := filepath.Join(filepath.Dir(file), "dist")
		buildHono(t, name, dist, server.build)
		for _, beside := range sources(name, "middleware.mjs") {
			text, err := os.ReadFile(beside)
			if err != nil {
				t.Fatal(err)
			}
			write(t, filepath.Join(filepath.Dir(file), filepath.Base(beside)), string(text))
			write(t, filepath.Join(dist, filepath.Base(beside)), string(text)) // for workerd
		}
		address := ""
		if server.build[1] == "workers" {
			address = serveWorker(t, file, server.object)
		} else {
			address = serveHono(t, r.Runtime, file)
		}
		client := r.script(t, filepath.Join(name, "client.mts"), "localhost:3000", address)
		printed = append(printed, run(t, client))
		if name == "hono-middleware" {
			wantToken(t, server.script, address)
		}
	}
	return slices.Compact(printed)
}

// honoServer returns the server of a page. A page that does not show this one has it from the page hono, with what the
// server for Bun adds to that.
func honoServer(t *testing.T, name, script string) (file string) {
	t.Helper()
	file = filepath.Join(name, script)
	if _, err := os.Stat(file); err == nil {
		return file
	}
	bun, err := os.ReadFile(filepath.Join(name, "bun.mjs"))
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(filepath.Join("hono", script))
	if err != nil {
		t.Fatal(err)
	}
	const app, begins = "const app = new Hono()\n", "import { Hono } from 'hono'\n"
	for _, line := range []string{"import { addMiddleware } from './middleware.mjs'\n", "addMiddleware(app)\n"} {
		if !strings.Contains(string(bun), line) {
			t.Fatalf("%s/bun.mjs has no line %s", name, line)
		}
	}
	file = filepath.Join(t.TempDir(), script)
	write(t, file, strings.NewReplacer(begins, begins+"import { addMiddleware } from './middleware.mjs'\n", app, app+"addMiddleware(app)\n").Replace(string(text)))
	return file
}

// wantToken has clients connect without a token, with tokens of other secrets, and with one that is good.
func wantToken(t *testing.T, server, address string) {
	t.Helper()
	const header, none = `{"alg":"HS256","typ":"JWT"}`, `{"alg":"none","typ":"JWT"}`
	const secret, claims = "it-is-very-secret", `{"sub":"Bob","exp":9999999999}`
	for _, row := range []struct {
		name  string
		field http.Header
		ok    bool
	}{
		{"no token", nil, false},
		{"one of another secret", http.Header{"Authorization": {"Bearer " + token(header, claims, "guessed")}}, false},
		{"one without a signature", http.Header{"Authorization": {"Bearer " + token(none, claims, "")}}, false},
		{"one that has expired", http.Header{"Authorization": {"Bearer " + token(header, `{"sub":"Bob","exp":1}`, secret)}}, false},
		{"the payload alone", http.Header{"Jwtpayload": {claims}, "Cookie": {"jwtPayload=" + url.QueryEscape(claims)}}, false},
		{"a token in a header", http.Header{"Authorization": {"Bearer " + token(header, claims, secret)}, "X-Request-Id": {"mine"}}, true},
		{"a token in a cookie", http.Header{"Cookie": {"token=" + token(header, claims, secret)}, "X-Request-Id": {"mine"}}, true},
	} {
		ch, err := ws.Dial(t.Context(), "ws://"+address+"/ws", &ws.DialOptions{Header: row.field})
		if !row.ok {
			if err == nil || !strings.Contains(err.Error(), "401") {
				t.Errorf("%s: %s: %v, want status 401", server, row.name, err)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: %s: %v", server, row.name, err)
			continue
		}
		defer ch.Close()
		greeting, err := kkrpc.Call[string](t.Context(), ch, "greet")
		id, err2 := kkrpc.Call[string](t.Context(), ch, "id")
		if greeting != "Hello, Bob!" || id != "mine" {
			t.Errorf("%s: %s: %q, %v and %q, %v", server, row.name, greeting, err, id, err2)
		}
	}
}

// token is a JSON Web Token, signed by HMAC with SHA-256.
func token(header, claims, secret string) string {
	text := base64.RawURLEncoding.EncodeToString([]byte(header)) + "." + base64.RawURLEncoding.EncodeToString([]byte(claims))
	if secret == "" {
		return text + "."
	}
	sign := hmac.New(sha256.New, []byte(secret))
	sign.Write([]byte(text))
	return text + "." + base64.RawURLEncoding.EncodeToString(sign.Sum(nil))
}

// buildHono runs kkrpc as the page says, which has to name the options.
func buildHono(t *testing.T, name, out string, options []string) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(pages, name+".md"))
	if err != nil {
		t.Fatal(err)
	}
	if line := "build hono ./cmd/api " + strings.Join(options, " "); !strings.Contains(string(text), line) {
		t.Errorf("the page does not say %q", line)
	}
	args := append([]string{"run", "github.com/kkrpc-go/kkrpc/cmd/kkrpc", "build", "hono", "./" + name, "-o", out}, options...)
	if text, err := exec.CommandContext(t.Context(), "go", args...).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
}

// serveHono starts a server on a free port and returns its address.
func serveHono(t *testing.T, rt js.Runtime, file string) (address string) {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	write(t, file, strings.NewReplacer("port: 3000", "port: 0", "console.log", "console.error").Replace(string(text)))
	_, line := serve(t, rt.Command(t, file))
	_, port, _ := strings.Cut(line, "Server running on port ")
	return "localhost:" + port
}

// serveWorker starts a Worker in workerd, dated as in the configuration that the build has written.
func serveWorker(t *testing.T, file, object string) (address string) {
	t.Helper()
	dist := filepath.Join(filepath.Dir(file), "dist")
	config, err := os.ReadFile(filepath.Join(dist, "wrangler.jsonc"))
	if err != nil {
		t.Fatal(err)
	}
	var date string
	if m := regexp.MustCompile(`"compatibility_date": ("[0-9-]+")`).FindSubmatch(config); m == nil || json.Unmarshal(m[1], &date) != nil {
		t.Fatalf("no compatibility date in\n%s", config)
	}
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	// What a Worker imports as WebAssembly has to be beside it here.
	main := filepath.Join(dist, "main.mjs")
	write(t, main, strings.ReplaceAll(string(text), "'./dist/", "'./"))
	address, _ = js.Worker{Script: main, Wasm: []string{"api.wasm"}, Object: object, Date: date}.Start(t)
	return address
}

// peerHono runs the program without a JavaScript server, which it says it needs.
func peerHono(t *testing.T) {
	out, err := program(t, "hono").CombinedOutput()
	if err == nil || !strings.Contains(string(out), "kkrpc build hono") {
		t.Errorf("the program ended with %v and printed\n%s\nwant it to say how it is built", err, out)
	}
}
