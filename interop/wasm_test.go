package interop_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"iter"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	gobwas "github.com/gobwas/ws"

	"github.com/kkrpc-go/kkrpc"
	"github.com/kkrpc-go/kkrpc/interop/js"
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
refused: true false
status: true false
malformed: true false
silent: true true
away: true true
ask: binary wörld
closed: true
ask: classic-superjson
closed: true
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

// buildWasm builds a package of this repository, or its tests, for js/wasm.
func buildWasm(t *testing.T, command ...string) (program string) {
	t.Helper()
	program = filepath.Join(t.TempDir(), "program.wasm")
	build := exec.CommandContext(t.Context(), "go", slices.Insert(command, 1, "-o", program)...)
	build.Env = append(os.Environ(), "GOOS=js", "GOARCH=wasm", "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("go %s: %v\n%s", command[0], err, out)
	}
	return program
}

// wasmSupport is a script that Go brings along.
func wasmSupport(t *testing.T, script string) string {
	t.Helper()
	goroot, err := exec.CommandContext(t.Context(), "go", "env", "GOROOT").Output()
	if err != nil {
		t.Fatal(err)
	}
	return filepath.Join(strings.TrimSpace(string(goroot)), "lib", "wasm", script)
}

// wasmMux serves what the program in wasmclient asks for. codes gets why each channel closed.
func wasmMux(t *testing.T, codes chan<- error) *http.ServeMux {
	s := ws.Handler(wasmServer, &ws.Options{Origins: []string{"*"}, OnClose: func(_ *kkrpc.Channel, _ *http.Request, err error) { codes <- err }})
	t.Cleanup(func() { _ = s.Close() })
	mux := http.NewServeMux()
	mux.Handle("/ws", s)
	mux.HandleFunc("/ws/private", func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "who are you?", http.StatusUnauthorized) })
	mux.HandleFunc("/ws/silent", func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
	mux.HandleFunc("/ws/away", func(w http.ResponseWriter, r *http.Request) {
		upgraded(w, r, gobwas.NewCloseFrame(gobwas.NewCloseFrameBody(4001, "come back later")))
	})
	mux.Handle("/ws/asks", ws.Handler(nil, &ws.Options{Origins: []string{"*"}, OnOpen: func(ch *kkrpc.Channel, r *http.Request) {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		_ = ch.Call(ctx, nil, "ask", r.URL.Query().Get("kkrpc")) // the client prints what comes
	}}))
	mux.HandleFunc("/ws/binary", func(w http.ResponseWriter, r *http.Request) {
		upgraded(w, r, gobwas.NewBinaryFrame([]byte(`{"t":"q","id":"1","op":"call","p":["ask"],"a":["binary wörld"]}`)))
	})
	return mux
}

// upgraded sends a frame over a new WebSocket and reads until the client ends that; it answers no close of the client.
func upgraded(w http.ResponseWriter, r *http.Request, f gobwas.Frame) {
	nc, _, _, err := gobwas.UpgradeHTTP(r, w)
	if err != nil {
		return // it is told
	}
	defer nc.Close()
	if gobwas.WriteFrame(nc, f) != nil {
		return
	}
	for { // what is left unread when nc closes would reset the connection, and take the frame with it
		got, err := gobwas.ReadHeader(nc)
		if err != nil {
			return
		}
		_, err = io.CopyN(io.Discard, nc, got.Length)
		if err != nil || f.Header.OpCode == gobwas.OpClose && got.OpCode == gobwas.OpClose {
			return
		}
	}
}

// TestWebSocketPackageInJS runs the tests that package ws has for js/wasm, in Node.
func TestWebSocketPackageInJS(t *testing.T) {
	node := js.Node.Path(t)
	program := buildWasm(t, "test", "-c", "github.com/kkrpc-go/kkrpc/transport/ws")
	cmd := exec.CommandContext(t.Context(), node, wasmSupport(t, "wasm_exec_node.js"), program, "-test.v", "-test.timeout=1m")
	cmd.Env = []string{} // Go has room for little
	out, err := cmd.CombinedOutput()
	if err != nil || !bytes.Contains(out, []byte("--- PASS: TestDialIsRefused")) {
		t.Errorf("%v, printed\n%s", err, out)
	}
}

// TestWasmClient runs a Go client built for js/wasm in each runtime, with its own WebSocket and that of the package ws.
func TestWasmClient(t *testing.T) {
	js.Dir(t) // skips before anything is built
	program := buildWasm(t, "build", "./wasmclient")
	support := wasmSupport(t, "wasm_exec.js")

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
			server := httptest.NewServer(wasmMux(t, codes))
			defer server.Close()
			url := webSocket(server, "/ws")
			cmd := test.runtime.Command(t, filepath.Join("js", "wasm.mjs"), support, program, url)
			cmd.Env = append(cmd.Env, test.env)
			var stderr bytes.Buffer
			cmd.Stderr = &stderr
			out, err := cmd.Output()
			if err != nil {
				t.Errorf("%v\n%s", err, stderr.Bytes())
			}
			wantWasm(t, string(out), url, codes)
		})
	}
}

// TestWasmClientInAPage runs it in Chromium, in a page and in a Web Worker.
func TestWasmClientInAPage(t *testing.T) {
	js.Chromium.Path(t)
	program := buildWasm(t, "build", "./wasmclient")
	support := wasmSupport(t, "wasm_exec.js")
	for _, in := range []string{"page", "worker"} {
		t.Run(in, func(t *testing.T) {
			codes, lines := make(chan error, 8), make(chan string, 1)
			mux := wasmMux(t, codes)
			mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Content-Type", "text/html; charset=utf-8")
				tag := map[string]string{
					"page":   `<script src="/wasm-page.js"></script>`,
					"worker": `<script>new Worker("/wasm-page.js")</script>`,
				}[in]
				_, _ = io.WriteString(w, "<!doctype html><title>wasm</title>"+tag)
			})
			for path, file := range map[string]string{
				"/wasm_exec.js": support, "/client.wasm": program, "/wasm-page.js": filepath.Join(js.Dir(t), "wasm-page.js"),
			} {
				mux.HandleFunc("GET "+path, func(w http.ResponseWriter, r *http.Request) { http.ServeFile(w, r, file) })
			}
			mux.HandleFunc("POST /lines", func(_ http.ResponseWriter, r *http.Request) {
				text, _ := io.ReadAll(r.Body)
				lines <- string(text)
			})
			server := httptest.NewServer(mux)
			t.Cleanup(server.Close)
			js.Browse(t, server.URL+"/")
			patience := time.NewTimer(time.Minute)
			defer patience.Stop()
			select {
			case text := <-lines:
				wantWasm(t, text, webSocket(server, "/ws"), codes)
			case <-patience.C:
				t.Fatal("the page has posted nothing")
			}
		})
	}
}

// wantWasm compares what the program in wasmclient has printed, and why its first two channels closed.
func wantWasm(t *testing.T, printed, url string, codes <-chan error) {
	t.Helper()
	if want := fmt.Sprintf(wasmPrints, url); printed != want {
		t.Fatalf("printed\n%swant\n%s", printed, want)
	}
	var seen []error // in any order: each channel tells its own
	for late := time.After(10 * time.Second); ; {
		select {
		case err := <-codes:
			if err != nil && strings.Contains(err.Error(), "4009: message over 1024 bytes") {
				return
			}
			seen = append(seen, err)
		case <-late:
			t.Fatalf("the server saw a message that was too large on none of its channels: %v", seen)
		}
	}
}
