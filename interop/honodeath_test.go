package interop_test

import (
	"context"
	"errors"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/kkrpc-go/kkrpc"
	"github.com/kkrpc-go/kkrpc/interop/js"
	"github.com/kkrpc-go/kkrpc/transport/ws"
)

// dial connects to a server that runs Go in Hono.
func dial(t *testing.T, url string, rpc kkrpc.Options) *kkrpc.Channel {
	t.Helper()
	return dialWith(t, url, &ws.DialOptions{RPC: rpc})
}

func dialWith(t *testing.T, url string, opts *ws.DialOptions) *kkrpc.Channel {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	ch, err := ws.Dial(ctx, url, opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { ch.Close() })
	return ch
}

// greets fails the test unless the server answers.
func greets(t *testing.T, ch *kkrpc.Channel) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	if got, err := kkrpc.Call[string](ctx, ch, "greet", "you"); err != nil || got != "Hello, you!" {
		t.Fatalf("greet: %q, %v", got, err)
	}
}

// closedWith fails the test unless the channel ends with the code.
func closedWith(t *testing.T, ch *kkrpc.Channel, code int) {
	t.Helper()
	select {
	case <-ch.Done():
	case <-time.After(30 * time.Second):
		t.Fatal("the connection is still open")
	}
	var closed *ws.CloseError
	if err := ch.Err(); !errors.As(err, &closed) || closed.Code != code || closed.Sent {
		t.Fatalf("the connection ended with %v, want code %d of the server", err, code)
	}
}

// TestProgramThatEndsInHono ends the program in all ways: its connections are closed with code 1011, those that call and
// those that are idle, and the next connection is served by another instance in the same process.
func TestProgramThatEndsInHono(t *testing.T) {
	for _, row := range []struct {
		name, function string
		args           []any
		says           string // some of what the server prints
	}{
		{"panic", "panicOutside", nil, "outside of a handler"},
		{"exit", "exit", []any{0}, "exit code 0: main has returned, which wasm.Serve does not, or os.Exit was called"},
		{"exit with an error", "exit", []any{3}, "exit code 3"},
		{"stack exhausted", "overflow", nil, "call stack"},
		{"stack exhausted in a callback", "overflowInside", nil, "call stack"},
		{"memory exhausted", "exhaust", nil, "out of memory"},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			eachHost(t, func(t *testing.T, h host) {
				s := serve(t, h, "wasmserver", "")
				asked := make(chan struct{})
				waits := dial(t, s.url, kkrpc.Options{Expose: kkrpc.Object{"getClientInfo": func(ctx context.Context) {
					close(asked)
					<-ctx.Done()
				}}})
				idle, calls := dial(t, s.url, kkrpc.Options{}), dial(t, s.url, kkrpc.Options{})
				greets(t, idle)
				greets(t, calls)
				// A timer and a pending call: neither may outlive the instance.
				if _, err := kkrpc.Call[string](t.Context(), waits, "lateCallback", 60_000, func(string) {}); err != nil {
					t.Fatal(err)
				}
				answered := make(chan error, 1)
				go func() {
					_, err := kkrpc.Call[any](t.Context(), waits, "callMe", "you")
					answered <- err
				}()
				// Deno closes without a close frame where a message is under way.
				<-asked
				go func() { _, _ = kkrpc.Call[any](t.Context(), calls, row.function, row.args...) }()
				for _, ch := range []*kkrpc.Channel{calls, idle, waits} {
					closedWith(t, ch, 1011)
				}
				if err := <-answered; err == nil {
					t.Error("a call was answered by a program that has ended")
				}
				for range 2 { // the second joins the first's instance
					ch := dial(t, s.url, kkrpc.Options{})
					greets(t, ch)
					if got, err := kkrpc.Call[string](t.Context(), ch, "slow", 1); err != nil || got != "slept 1" {
						t.Errorf("slow: %q, %v", got, err)
					}
				}
				if said := s.out.String(); !strings.Contains(said, row.says) {
					t.Errorf("the server did not say %q, but:\n%s", row.says, said)
				}
			})
		})
	}
}

// TestProgramThatCannotStartInHono closes each connection with code 1011 and says why; the server goes on. Those for Node and
// Bun start the program first, for its limit, and do not serve.
func TestProgramThatCannotStartInHono(t *testing.T) {
	eachHost(t, func(t *testing.T, h host) {
		if h == "node" || h == "bun" {
			cmd := js.Runtime(h).Command(t, filepath.Join(build(t, h, "wasmbroken", ""), "server.mjs"))
			if out, err := cmd.CombinedOutput(); err == nil || !strings.Contains(string(out), "chan int") {
				t.Errorf("%v: the server did not name the parameter, but said:\n%s", err, out)
			}
			return
		}
		s := serve(t, h, "wasmbroken", "")
		for range 2 {
			ch := dial(t, s.url, kkrpc.Options{})
			go func() { _, _ = kkrpc.Call[any](t.Context(), ch, "feed", 1) }()
			closedWith(t, ch, 1011)
		}
		if said := s.out.String(); !strings.Contains(said, "chan int") {
			t.Errorf("the server did not name the parameter, but said:\n%s", said)
		}
	})
}
