package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/kkrpc-go/kkrpc"
	"github.com/kkrpc-go/kkrpc/transport/ws"
)

// TestDemoHosts has a page refused whose own name resolves to this machine, as long as other machines do not reach the demo.
func TestDemoHosts(t *testing.T) {
	out, _ := start(t, t.Context())
	host := http.Header{"Host": {"rebound.example"}}
	_, err := ws.Dial(t.Context(), out.url(), &ws.DialOptions{Header: host})
	if refused, ok := errors.AsType[*ws.StatusError](err); !ok || refused.Status != http.StatusForbidden {
		t.Errorf("a request to another host ended with %v, want 403", err)
	}
	for address, bound := range map[string]bool{"127.0.0.1": true, "::1": true, "0.0.0.0": false, "::": false, "192.0.2.1": false} {
		if names := hosts(&net.TCPAddr{IP: net.ParseIP(address)}); (len(names) > 0) != bound {
			t.Errorf("at %s requests may be sent to %q", address, names)
		}
	}
}

func TestDemoCallsAndIsCalled(t *testing.T) {
	out, demo := start(t, t.Context())
	ctx := t.Context()
	ch, err := ws.Dial(ctx, out.url(), &ws.DialOptions{RPC: kkrpc.Options{Expose: kkrpc.Object{
		"getClientInfo": func() clientInfo { return clientInfo{Type: "test", Version: "2"} },
	}}})
	if err != nil {
		t.Fatal(err)
	}
	defer ch.Close()
	want := func(want any, got any, err error) {
		t.Helper()
		if err != nil || got != want {
			t.Errorf("got %v and %v, want %v", got, err, want)
		}
	}
	greeting, err := kkrpc.Call[string](ctx, ch, "greet", "World")
	want("Hello, World!", greeting, err)
	sum, err := kkrpc.Call[int](ctx, ch, "add", 5, 3)
	want(8, sum, err)
	product, err := kkrpc.Call[int](ctx, ch, "math.multiply", 4, 6)
	want(24, product, err)
	steps := 0
	done, err := kkrpc.Call[string](ctx, ch, "progress", 3, func(step, of int) { steps += step * of })
	want("done", done, err)
	want(18, steps, nil)
	who, err := kkrpc.Call[string](ctx, ch, "whoAreYou")
	want("You are test 2.", who, err)

	err = ch.Call(ctx, nil, "riskyOperation")
	var thrown *kkrpc.Error
	if !errors.As(err, &thrown) || thrown.Message != "Something went wrong!" || thrown.Cause == nil || thrown.Cause.Error() != "Root cause" {
		t.Errorf("riskyOperation: got %v, want both messages", err)
	}
	ch.Close()
	ended := regexp.MustCompile(`level=INFO msg="ws: closed" (channel=\d+ peer=127\.0\.0\.1:\d+) reason=peer`)
	end := demo.await(t, ended)
	for _, line := range []string{`level=INFO msg="kkrpc request" operation=call path=math.multiply elapsed=`, end[1] + "\n",
		`level=WARN msg="kkrpc request" operation=call path=riskyOperation elapsed=`, end[1] + ` error="Something went wrong!"`} {
		if !strings.Contains(demo.log(), line) {
			t.Errorf("the log does not say %s:\n%s", line, demo.log())
		}
	}
}

// The files that the demo embeds, prints and serves are those of its API.
func TestDemoTypes(t *testing.T) {
	if testing.Short() {
		t.Skip("it reads the whole program")
	}
	for form, file := range map[string]string{"ts": "api.gen.ts", "json": "api.json"} {
		var stdout, stderr bytes.Buffer
		if code := run(t.Context(), []string{"gen", form, ".", "-o", file, "--check"}, &stdout, &stderr); code != 0 {
			t.Errorf("go generate ./cmd/kkrpc: %s%s", stdout.Bytes(), stderr.Bytes())
		}
	}
	out, _ := start(t, t.Context())
	for file, want := range map[string]string{"api.d.ts": "greet(name: string): Promise<string>", "api.json": `"name": "greet"`} {
		response, err := http.Get("http" + strings.TrimPrefix(strings.TrimSuffix(out.url(), "ws"), "ws") + file)
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(response.Body)
		response.Body.Close()
		if err != nil || !strings.Contains(string(text), want) {
			t.Errorf("%s: %s, %v\n%s", file, response.Status, err, text)
		}
	}
	if !strings.Contains(string(out), "\nexport interface API {") || strings.Contains(string(out), "api.gen") {
		t.Errorf("the client is not typed by itself:\n%s", out)
	}
}

func TestDemoOrigins(t *testing.T) {
	out, _ := start(t, t.Context())
	for origin, allowed := range map[string]bool{
		"http://localhost:5173": true,
		"http://127.0.0.1:8080": true,
		"https://evil.example":  false,
		"http://localhost.evil": false,
	} {
		ch, err := ws.Dial(t.Context(), out.url(), &ws.DialOptions{Header: http.Header{"Origin": {origin}}})
		if (err == nil) != allowed {
			t.Errorf("origin %s: %v, want it allowed: %v", origin, err, allowed)
		}
		if err == nil {
			ch.Close()
		}
	}
}

// running is a demo in this process.
type running struct {
	code   chan int
	mu     sync.Mutex
	stderr bytes.Buffer
	grown  chan struct{} // closed and replaced when stderr grows
}

func (r *running) Write(p []byte) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	close(r.grown)
	r.grown = make(chan struct{})
	return r.stderr.Write(p)
}

// await waits until the log matches, and returns the match and its groups.
func (r *running) await(t *testing.T, pattern *regexp.Regexp) []string {
	t.Helper()
	limit := time.After(20 * time.Second)
	for {
		r.mu.Lock()
		match, grown := pattern.FindStringSubmatch(r.stderr.String()), r.grown
		r.mu.Unlock()
		if match != nil {
			return match
		}
		select {
		case <-grown:
		case <-limit:
			t.Fatalf("the log has nothing like %s:\n%s", pattern, r.log())
		}
	}
}

func (r *running) log() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.stderr.String()
}

func (r *running) wait() int { return <-r.code }

// printed is what a demo prints when it starts.
type printed string

// start runs the demo on a free port until ctx or the test ends.
func start(t *testing.T, ctx context.Context) (printed, *running) {
	t.Helper()
	ctx, cancel := context.WithCancel(ctx)
	r := &running{code: make(chan int, 1), grown: make(chan struct{})}
	stdout, w := io.Pipe()
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		r.code <- run(ctx, []string{"demo", "--addr", "127.0.0.1:0"}, w, r)
		w.Close()
	}()
	t.Cleanup(func() {
		cancel()
		<-ended
	})
	var out strings.Builder
	lines := bufio.NewScanner(stdout)
	for lines.Scan() {
		out.WriteString(lines.Text() + "\n")
		if lines.Text() == "io.destroy()" {
			return printed(out.String()), r
		}
	}
	t.Fatalf("the demo ended and had printed\n%s%s", out.String(), r.log())
	return "", nil
}

func (p printed) url() string {
	_, after, _ := strings.Cut(string(p), "at ws://")
	url, _, _ := strings.Cut(after, "/ws,")
	return "ws://" + url + "/ws"
}
