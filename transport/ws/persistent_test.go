//go:build !js

package ws_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	kkrpc "github.com/kkrpc-go/kkrpc"
	"github.com/kkrpc-go/kkrpc/transport/ws"
)

// host is an address at which a server can be killed and started again.
type host struct {
	mu    sync.Mutex
	ln    net.Listener // nil: connections are refused
	conns []net.Conn
}

// newHost returns a host that serves h; its URL is ws://host.example.
func newHost(t testing.TB, h http.Handler) *host {
	s := &host{}
	s.start(t, h)
	t.Cleanup(s.kill)
	return s
}

func (s *host) start(t testing.TB, h http.Handler) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s.mu.Lock()
	s.ln = ln
	s.mu.Unlock()
	go (&http.Server{Handler: h}).Serve(ln) // ends with kill
}

// kill ends the server as a crash does: no close frame, and connections are reset.
func (s *host) kill() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ln != nil {
		s.ln.Close()
		s.ln = nil
	}
	for _, c := range s.conns {
		_ = c.(*net.TCPConn).SetLinger(0)
		c.Close()
	}
	s.conns = nil
}

// dial is for DialOptions.NetDial.
func (s *host) dial(ctx context.Context, network, _ string) (net.Conn, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ln == nil {
		return nil, errors.New("connection refused")
	}
	c, err := new(net.Dialer).DialContext(ctx, network, s.ln.Addr().String())
	if err == nil {
		s.conns = append(s.conns, c)
	}
	return c, err
}

// quick is options for tests: short waits, connections to s.
func quick(s *host) *ws.PersistentOptions {
	return &ws.PersistentOptions{
		Dial:    ws.DialOptions{NetDial: s.dial},
		Backoff: ws.Backoff{Min: time.Millisecond, Max: 5 * time.Millisecond},
	}
}

func dialPersistent(t testing.TB, opts *ws.PersistentOptions) *ws.Persistent {
	t.Helper()
	p, err := ws.DialPersistent(testContext(t), "ws://host.example/ws", opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = p.Close()
		<-p.Done()
	})
	return p
}

// awaitPhase returns once p is in phase.
func awaitPhase(t testing.TB, states <-chan ws.State, phase ws.Phase) ws.State {
	t.Helper()
	timeout := testContext(t).Done()
	for {
		select {
		case s := <-states:
			if s.Phase == phase {
				return s
			}
		case <-timeout:
			t.Fatalf("never %v", phase)
		}
	}
}

// A connection that is lost is made again: calls go on, and both APIs are there.
func TestPersistentSurvivesARestart(t *testing.T) {
	api := kkrpc.Object{
		"greet": func(name string) string { return "Hello, " + name + "!" },
		"ask": func(ctx context.Context) (string, error) {
			return kkrpc.Call[string](ctx, kkrpc.FromContext(ctx), "name")
		},
	}
	s := newHost(t, ws.Handler(api, nil))
	opts := quick(s)
	opts.Dial.RPC.Expose = kkrpc.Object{"name": func() string { return "client" }}
	closed := make(chan *kkrpc.Channel, 100)
	opts.Dial.RPC.OnClose = func(ch *kkrpc.Channel, _ error) { closed <- ch }
	p := dialPersistent(t, opts)
	remote := kkrpc.Remote[struct {
		Greet func(ctx context.Context, name string) (string, error)
	}](p)
	for range 3 {
		if got, err := remote.Greet(kkrpc.Idempotent(testContext(t)), "Go"); got != "Hello, Go!" {
			t.Fatalf("greet: %q, %v", got, err)
		}
		if got, err := kkrpc.Call[string](kkrpc.Idempotent(testContext(t)), p, "ask"); got != "client" {
			t.Fatalf("ask: %q, %v", got, err)
		}
		ch, err := p.Channel(testContext(t))
		if err != nil {
			t.Fatal(err)
		}
		s.kill()
		if lost := <-closed; lost != ch {
			t.Error("another connection was lost than was used")
		}
		s.start(t, ws.Handler(api, nil))
	}
}

// Calls that were under way fail and say that they may have been done; idempotent ones are repeated.
func TestPersistentCallsUnderWay(t *testing.T) {
	started := make(chan struct{}, 2)
	first := kkrpc.Object{"work": func(ctx context.Context) error {
		started <- struct{}{}
		<-ctx.Done()
		return ctx.Err()
	}}
	s := newHost(t, ws.Handler(first, nil))
	p := dialPersistent(t, quick(s))
	failed, repeated := make(chan error, 1), make(chan error, 1)
	go func() { failed <- kkrpc.Set(testContext(t), p, "x", 1) }()
	if err := <-failed; err == nil {
		t.Error("set of nothing works")
	}
	go func() {
		_, err := kkrpc.Call[any](testContext(t), p, "work")
		failed <- err
	}()
	go func() {
		got, err := kkrpc.Call[string](kkrpc.Idempotent(testContext(t)), p, "work")
		if got != "done" {
			err = fmt.Errorf("got %q, %w", got, err)
		}
		repeated <- err
	}()
	<-started
	<-started
	s.kill()
	s.start(t, ws.Handler(kkrpc.Object{"work": func() string { return "done" }}, nil))
	if err := <-failed; !errors.Is(err, kkrpc.ErrClosed) || !strings.Contains(err.Error(), "may have done it") {
		t.Errorf("a call under way: %v", err)
	}
	if err := <-repeated; err != nil {
		t.Errorf("an idempotent call: %v", err)
	}
}

// Each connection is prepared before anybody else uses it.
func TestPersistentHooks(t *testing.T) {
	handler := func() http.Handler {
		return ws.HandlerFor(func(*http.Request) (any, error) {
			var user atomic.Value
			return kkrpc.Object{
				"login": func(name string) { user.Store(name) },
				"user":  func() any { return user.Load() },
			}, nil
		}, nil)
	}
	s := newHost(t, handler())
	var mu sync.Mutex
	var events []string
	note := func(event string) {
		mu.Lock()
		defer mu.Unlock()
		events = append(events, event)
	}
	opts := quick(s)
	var p atomic.Pointer[ws.Persistent]
	opts.OnConnect = func(ctx context.Context, ch *kkrpc.Channel) error {
		note("connect")
		return ch.Call(ctx, nil, "login", "Ada")
	}
	opts.OnReconnect = func(ctx context.Context, _ *kkrpc.Channel) error {
		user, err := kkrpc.Call[string](ctx, p.Load(), "user") // of this connection, before it is for everyone
		note("reconnect " + user)
		return err
	}
	states := make(chan ws.State, 1000)
	opts.OnState = func(s ws.State) { states <- s }
	p.Store(dialPersistent(t, opts))
	for range 2 {
		awaitPhase(t, states, ws.Connected)
		s.kill()
		awaitPhase(t, states, ws.Waiting)
		var wg sync.WaitGroup
		for range 20 {
			wg.Go(func() {
				if got, err := kkrpc.Call[string](testContext(t), p.Load(), "user"); got != "Ada" {
					t.Errorf("user %q, %v", got, err)
				}
			})
		}
		s.start(t, handler())
		wg.Wait()
	}
	mu.Lock()
	defer mu.Unlock()
	if want := []string{"connect", "connect", "reconnect Ada", "connect", "reconnect Ada"}; !slices.Equal(events, want) {
		t.Errorf("events %q, want %q", events, want)
	}
}

// A hook that fails costs an attempt.
func TestPersistentHookFails(t *testing.T) {
	for name, hook := range map[string]func() error{
		"error": func() error { return errors.New("not yet") },
		"panic": func() error { panic("not yet") },
	} {
		t.Run(name, func(t *testing.T) {
			s := newHost(t, ws.Handler(greeter, nil))
			opts := quick(s)
			var channels []*kkrpc.Channel
			var ends []context.Context
			opts.OnConnect = func(ctx context.Context, ch *kkrpc.Channel) error {
				channels, ends = append(channels, ch), append(ends, ctx)
				if len(channels) < 3 {
					return hook()
				}
				return nil
			}
			opts.OnReconnect = func(context.Context, *kkrpc.Channel) error {
				t.Error("OnReconnect before the first connection")
				return nil
			}
			states := make(chan ws.State, 100)
			opts.OnState = func(s ws.State) { states <- s }
			p := dialPersistent(t, opts)
			if s := awaitPhase(t, states, ws.Waiting); s.Err == nil || !strings.Contains(s.Err.Error(), "OnConnect: not yet") {
				t.Errorf("state %+v", s)
			}
			if len(channels) != 3 {
				t.Fatalf("%d attempts", len(channels))
			}
			for i := range 2 {
				<-channels[i].Done()
				<-ends[i].Done()
			}
			if ends[2].Err() != nil || channels[2].Err() != nil {
				t.Error("the connection that lives is not the last one")
			}
			_ = p.Close()
			<-ends[2].Done()
		})
	}
}
