package main

import (
	"bytes"
	"log/slog"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/kkrpc-go/kkrpc"
	"github.com/kkrpc-go/kkrpc/transport/ws"
)

// lockedBuffer can be written and read at the same time.
type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

func TestWatched(t *testing.T) {
	var logs lockedBuffer
	m := &metrics{}
	rpc := server(slog.New(withTrace{slog.NewJSONHandler(&logs, nil)}), m)
	s := httptest.NewServer(rpc)
	defer s.Close()
	ch, err := ws.Dial(t.Context(), "ws"+strings.TrimPrefix(s.URL, "http"), nil)
	if err != nil {
		t.Fatal(err)
	}
	ctx := kkrpc.WithMetadata(t.Context(), map[string]any{"traceparent": "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"})
	if got, err := kkrpc.Call[string](ctx, ch, "greet", "Ada"); got != "Hello, Ada!" || err != nil {
		t.Fatalf("%q, %v", got, err)
	}
	if _, err := kkrpc.Call[string](t.Context(), ch, "unknown"); err == nil {
		t.Error("an unknown function answers")
	}
	w := httptest.NewRecorder()
	m.ServeHTTP(w, nil)
	for _, line := range []string{
		"kkrpc_connections 1\n", `kkrpc_calls_failed_total{operation="call",path="greet"} 0` + "\n",
		`kkrpc_call_seconds_count{operation="call",path="greet"} 1` + "\n",
	} {
		if !strings.Contains(w.Body.String(), line) {
			t.Errorf("no %q in\n%s", line, w.Body)
		}
	}
	if strings.Contains(w.Body.String(), "unknown") {
		t.Errorf("a client invents paths:\n%s", w.Body)
	}
	_ = ch.Close()
	if err := rpc.Shutdown(t.Context()); err != nil { // after it, the connection is logged and counted
		t.Fatal(err)
	}
	w = httptest.NewRecorder()
	m.ServeHTTP(w, nil)
	if !strings.Contains(w.Body.String(), "kkrpc_connections 0\n") {
		t.Errorf("a closed connection counts:\n%s", w.Body)
	}
	closed := false
	for line := range strings.Lines(logs.String()) {
		switch {
		case strings.Contains(line, `"msg":"greeting"`), strings.Contains(line, `"msg":"kkrpc request"`):
			if !strings.Contains(line, `"trace":"4bf92f3577b34da6a3ce929d0e0e4736"`) {
				t.Errorf("no trace in %s", line)
			}
		case strings.Contains(line, `"msg":"ws: closed"`) && strings.Contains(line, `"reason":"`):
			closed = true
		}
	}
	if !closed || strings.Count(logs.String(), `"trace"`) != 2 {
		t.Errorf("the log is\n%s", logs.String())
	}
}

// The page shows the files of this folder to the letter.
func TestPage(t *testing.T) {
	page, err := os.ReadFile("../../docs/guide/observability.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range []string{"main.go", "trace.go", "metrics.go"} {
		text, err := os.ReadFile(filepath.Clean(file))
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Contains(page, append([]byte("\n"), append(text, "```\n"...)...)) {
			t.Errorf("docs/guide/observability.md does not show %s", file)
		}
	}
}
