package interop_test

import (
	"bytes"
	"context"
	"fmt"
	"iter"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/kkrpc-go/kkrpc"
	"github.com/kkrpc-go/kkrpc/internal/js"
	"github.com/kkrpc-go/kkrpc/transport/ws"
)

// wasmServer is the API that the program in wasmclient calls.
var wasmServer = kkrpc.Object{
	"greet": func(name string) string { return "Hello, " + name },
	"progress": func(ctx context.Context, n int, step func(i int)) (string, error) {
		for i := range n {
			step(i + 1)
		}
		return kkrpc.Call[string](ctx, kkrpc.FromContext(ctx), "ask", "enough")
	},
	"count": func(n int) iter.Seq[int] {
		return func(yield func(int) bool) {
			for i := range n {
				if !yield(i + 1) {
					return
				}
			}
		}
	},
	"flood": func(n int) string { return strings.Repeat("x", n) },
	"close": func(ctx context.Context, code int, reason string) {
		ch := kkrpc.FromContext(ctx)
		go ch.CloseWith(code, reason) // the handler has to return first
	},
}

const wasmPrints = `refused: true ws: dial %[1]s: DialOptions.Header (or what Target added) is not possible in a js/wasm build: the WebSocket of the host has nothing of the kind
refused: true ws: dial %[1]s: DialOptions.TLS is not possible in a js/wasm build: the WebSocket of the host has nothing of the kind
refused: true ws: dial %[1]s: DialOptions.Compression is not possible in a js/wasm build: the WebSocket of the host has nothing of the kind
refused: true ws: dial %[1]s: DialOptions.Ping is not possible in a js/wasm build: the WebSocket of the host has nothing of the kind
not connected: true
greet: Hello, wörld 🌍
step: 1
step: 2
step: 3
progress: enough? yes
sum: 5050
large: 7
closed: true true
too large: true
because: channel closed: ws: connection refused with code 1009: message over 1024 bytes
persistent: Hello, again
persistent: Hello, again
done
`

// TestWasmClient runs a Go client built for js/wasm in each runtime, with its own WebSocket and that of the package ws.
func TestWasmClient(t *testing.T) {
	js.Dir(t) // skips before anything is built
	program := filepath.Join(t.TempDir(), "wasmclient.wasm")
	build := exec.CommandContext(t.Context(), "go", "build", "-o", program, "./wasmclient")
	build.Env = append(os.Environ(), "GOOS=js", "GOARCH=wasm", "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	goroot, err := exec.CommandContext(t.Context(), "go", "env", "GOROOT").Output()
	if err != nil {
		t.Fatal(err)
	}
	support := filepath.Join(strings.TrimSpace(string(goroot)), "lib", "wasm", "wasm_exec.js")

	for _, test := range []struct {
		name    string
		runtime js.Runtime
		env     string
	}{
		{"node with ws", js.Node, "WEBSOCKET=ws"},
		{"node", js.Node, "NODE_OPTIONS=--experimental-websocket"}, // on by default since Node 22
		{"bun", js.Bun, ""},
		{"deno", js.Deno, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			codes := make(chan error, 8)
			s := ws.Handler(wasmServer, &ws.Options{
				Origins: []string{"*"},
				OnClose: func(_ *kkrpc.Channel, err error) { codes <- err },
			})
			mux := http.NewServeMux()
			mux.Handle("/ws", s)
			server := httptest.NewServer(mux)
			defer server.Close()
			defer s.Close()
			url := strings.Replace(server.URL, "http", "ws", 1) + "/ws"
			cmd := test.runtime.Command(t, filepath.Join("js", "wasm.mjs"), support, program, url)
			cmd.Env = append(cmd.Env, test.env)
			var stderr bytes.Buffer
			cmd.Stderr = &stderr
			out, err := cmd.Output()
			if want := fmt.Sprintf(wasmPrints, url); err != nil || string(out) != want {
				t.Errorf("%v, printed\n%swant\n%s%s", err, out, want, stderr.Bytes())
			}
			if t.Failed() {
				return
			}
			<-codes // the one that the server closed with 4321
			if err := <-codes; err == nil || !strings.Contains(err.Error(), "4009: message over 1024 bytes") {
				t.Errorf("the server saw the message that was too large as %v", err)
			}
		})
	}
}
