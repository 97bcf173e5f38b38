package guide_test

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/kkrpc-go/kkrpc/interop/js"
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
		script := r.script(t, filepath.Join(name, server.script)).Args
		file := script[len(script)-1]
		buildHono(t, name, filepath.Join(filepath.Dir(file), "dist"), server.build)
		address := ""
		if server.build[1] == "workers" {
			address = serveWorker(t, file, server.object)
		} else {
			address = serveHono(t, r.Runtime, file)
		}
		client := r.script(t, filepath.Join(name, "client.mts"), "localhost:3000", address)
		printed = append(printed, run(t, client))
	}
	return slices.Compact(printed)
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
