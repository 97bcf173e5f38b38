//go:build !js

package ws_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	gobwas "github.com/gobwas/ws"

	kkrpc "github.com/kkrpc-go/kkrpc"
	"github.com/kkrpc-go/kkrpc/transport/ws"
)

func TestPersistentStates(t *testing.T) {
	s := newHost(t, ws.Handler(greeter, nil))
	states := make(chan ws.State, 1000)
	opts := quick(s)
	opts.OnState = func(s ws.State) { states <- s }
	p := dialPersistent(t, opts)
	if first, second := <-states, <-states; first != (ws.State{}) || second != (ws.State{Phase: ws.Connected}) || p.State() != second {
		t.Errorf("states %+v, %+v; now %+v", first, second, p.State())
	}
	s.kill()
	lost := <-states
	if lost.Phase != ws.Waiting || !errors.Is(lost.Err, kkrpc.ErrClosed) || lost.Next.IsZero() {
		t.Errorf("a lost connection: %+v", lost)
	}
	if again := <-states; again.Phase != ws.Connecting || again.Err != lost.Err || again.Failures != 1 {
		t.Errorf("the next attempt: %+v", again)
	}
	if failed := <-states; failed.Phase != ws.Waiting || !strings.Contains(failed.Err.Error(), "connection refused") || failed.Failures != 2 {
		t.Errorf("a failed attempt: %+v", failed)
	}
	s.start(t, ws.Handler(greeter, nil))
	if s := awaitPhase(t, states, ws.Connected); s.Err != nil {
		t.Errorf("connected again: %+v", s)
	}
	if p.Err() != nil {
		t.Errorf("Err while open: %v", p.Err())
	}
	_ = p.Close()
	if s := awaitPhase(t, states, ws.Closed); s.Err == nil || s.Err.Error() != "channel closed by this side" {
		t.Errorf("closed: %+v", s)
	}
	<-p.Done()
	if p.Err() == nil || p.Err() != p.State().Err {
		t.Errorf("Err %v", p.Err())
	}
	if _, err := kkrpc.Call[string](testContext(t), p, "greet", "x"); !errors.Is(err, kkrpc.ErrClosed) {
		t.Errorf("a call after Close: %v", err)
	}
	if err := p.Close(); err != nil {
		t.Errorf("Close again: %v", err)
	}
}

// What a call does while there is no connection.
func TestPersistentWithoutConnection(t *testing.T) {
	tests := []struct {
		name   string
		change func(*ws.PersistentOptions)
		is     error
		say    string
	}{
		{name: "ctx ends", is: context.DeadlineExceeded, say: "waiting for a connection"},
		{name: "call timeout", change: func(o *ws.PersistentOptions) { o.Dial.RPC.CallTimeout = time.Millisecond }, is: context.DeadlineExceeded, say: "RPCTimeoutError: no connection within 1ms"},
		{name: "fails at once", change: func(o *ws.PersistentOptions) { o.FailFast = true }, is: kkrpc.ErrClosed, say: "no connection now"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			opts := &ws.PersistentOptions{Background: true, Backoff: ws.Backoff{Min: time.Hour}}
			opts.Dial.NetDial = func(context.Context, string, string) (net.Conn, error) { return nil, errors.New("nobody there") }
			states := make(chan ws.State, 10)
			opts.OnState = func(s ws.State) { states <- s }
			ctx := testContext(t)
			if test.change != nil {
				test.change(opts)
				ctx = context.WithoutCancel(ctx) // a deadline would replace CallTimeout
			} else {
				var cancel context.CancelFunc
				ctx, cancel = context.WithTimeout(ctx, time.Millisecond)
				defer cancel()
			}
			p := dialPersistent(t, opts)
			awaitPhase(t, states, ws.Waiting)
			_, err := kkrpc.Call[string](ctx, p, "greet", "x")
			if !errors.Is(err, test.is) || !strings.Contains(err.Error(), test.say) || !strings.Contains(err.Error(), "nobody there") {
				t.Errorf("call: %v", err)
			}
		})
	}
}

// Close and ctx end a Persistent in whatever it does, and calls that wait.
func TestPersistentEnds(t *testing.T) {
	type doing struct {
		name string
		opts func(t *testing.T, reached chan<- struct{}) *ws.PersistentOptions
	}
	for _, what := range []doing{
		{"connecting", func(t *testing.T, reached chan<- struct{}) *ws.PersistentOptions {
			return &ws.PersistentOptions{Dial: ws.DialOptions{NetDial: func(ctx context.Context, _, _ string) (net.Conn, error) {
				close(reached)
				<-ctx.Done()
				return nil, ctx.Err()
			}}}
		}},
		{"in a hook", func(t *testing.T, reached chan<- struct{}) *ws.PersistentOptions {
			opts := quick(newHost(t, ws.Handler(greeter, nil)))
			opts.OnConnect = func(ctx context.Context, ch *kkrpc.Channel) error {
				close(reached)
				<-ch.Done()
				<-ctx.Done()
				return nil
			}
			return opts
		}},
		{"waiting", func(t *testing.T, reached chan<- struct{}) *ws.PersistentOptions {
			return &ws.PersistentOptions{
				Backoff: ws.Backoff{Min: time.Hour},
				Dial:    ws.DialOptions{NetDial: func(context.Context, string, string) (net.Conn, error) { return nil, errors.New("no") }},
				OnState: func(s ws.State) {
					if s.Phase == ws.Waiting {
						close(reached)
					}
				},
			}
		}},
		{"connected", func(t *testing.T, reached chan<- struct{}) *ws.PersistentOptions {
			opts := quick(newHost(t, ws.Handler(kkrpc.Object{"wait": func(ctx context.Context) { <-ctx.Done() }}, nil)))
			opts.OnState = func(s ws.State) {
				if s.Phase == ws.Connected {
					close(reached)
				}
			}
			return opts
		}},
	} {
		for _, by := range []string{"Close", "ctx"} {
			t.Run(what.name+", by "+by, func(t *testing.T) {
				reached := make(chan struct{})
				ctx, cancel := context.WithCancelCause(testContext(t))
				opts := what.opts(t, reached)
				opts.Background = true
				p, err := ws.DialPersistent(ctx, "ws://host.example", opts)
				if err != nil {
					t.Fatal(err)
				}
				called := make(chan error, 1)
				go func() {
					_, err := kkrpc.Call[any](testContext(t), p, "wait")
					called <- err
				}()
				<-reached
				reason := errors.New("enough")
				if by == "ctx" {
					cancel(reason)
				} else {
					_ = p.Close()
				}
				<-p.Done()
				if err := p.Err(); !errors.Is(err, kkrpc.ErrClosed) || by == "ctx" && !errors.Is(err, reason) {
					t.Errorf("Err: %v", err)
				}
				if err := <-called; !errors.Is(err, kkrpc.ErrClosed) {
					t.Errorf("a call: %v", err)
				}
				cancel(nil)
			})
		}
	}
}

// When it gives up: permanent refusals, attempts, the user's rule, what is wrong from the start.
func TestPersistentGivesUp(t *testing.T) {
	answer := func(status int) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "so it is", status) })
	}
	tests := []struct {
		name     string
		url      string
		handler  http.Handler
		change   func(*ws.PersistentOptions)
		attempts int
		status   int
		say      []string
	}{
		{name: "unauthorized", handler: answer(401), attempts: 1, status: 401, say: []string{"ws: dial ws://host.example", "401 Unauthorized: so it is"}},
		{name: "forbidden", handler: answer(403), attempts: 1, status: 403},
		{name: "not found", handler: answer(404), attempts: 1, status: 404},
		{name: "unavailable", handler: answer(503), change: func(o *ws.PersistentOptions) { o.MaxAttempts = 3 }, attempts: 3, status: 503, say: []string{"gave up after 3 attempts"}},
		{name: "too many requests", handler: answer(429), change: func(o *ws.PersistentOptions) { o.MaxAttempts = 2 }, attempts: 2, status: 429},
		{name: "own rule", handler: answer(404), change: func(o *ws.PersistentOptions) {
			n := 0
			o.RetryIf = func(error) bool { n++; return n < 4 }
		}, attempts: 4, status: 404},
		{name: "URL", url: "ftp://host.example", say: []string{`"ftp"`}},
		{name: "header", change: func(o *ws.PersistentOptions) { o.Dial.Header = http.Header{"Upgrade": {"x"}} }, say: []string{"Upgrade is set by the handshake"}},
		{name: "API", change: func(o *ws.PersistentOptions) { o.Dial.RPC.Expose = 42 }, say: []string{"expose int"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			attempts := 0
			s := newHost(t, test.handler)
			opts := quick(s)
			opts.Target = func(_ context.Context, url string, _ http.Header) (string, error) {
				attempts++
				return url, nil
			}
			if test.attempts == 0 {
				opts.Target = nil
			}
			if test.change != nil {
				test.change(opts)
			}
			url := test.url
			if url == "" {
				url = "ws://host.example"
			}
			p, err := ws.DialPersistent(testContext(t), url, opts)
			if err == nil {
				_ = p.Close()
				t.Fatal("no error")
			}
			for _, say := range test.say {
				if !strings.Contains(err.Error(), say) {
					t.Errorf("error %q, want %q in it", err, say)
				}
			}
			refused, ok := errors.AsType[*ws.StatusError](err)
			if ok != (test.status != 0) || ok && refused.Status != test.status {
				t.Errorf("error %v, want status %d", err, test.status)
			}
			if attempts != test.attempts {
				t.Errorf("%d attempts, want %d", attempts, test.attempts)
			}
		})
	}
}

// A server that takes connections and drops them again is not one that works.
func TestPersistentCountsShortConnections(t *testing.T) {
	s := ws.Handler(nil, &ws.Options{OnOpen: func(ch *kkrpc.Channel, _ *http.Request) { _ = ch.CloseWith(1011, "broken") }})
	opts := quick(newHost(t, s))
	opts.MaxAttempts = 3
	p, err := ws.DialPersistent(testContext(t), "ws://host.example", opts)
	if err != nil {
		t.Fatal(err)
	}
	<-p.Done()
	var ce *ws.CloseError
	if !errors.As(p.Err(), &ce) || ce.Code != 1011 || !strings.Contains(p.Err().Error(), "gave up after 3 attempts") {
		t.Errorf("Err: %v", p.Err())
	}
}

// A connection that was lost in a hook, which took no notice, was never for everyone.
func TestPersistentLostInAHook(t *testing.T) {
	opts := quick(newHost(t, ws.Handler(greeter, nil)))
	n := 0
	opts.OnConnect = func(ctx context.Context, ch *kkrpc.Channel) error {
		if n++; n < 3 {
			_ = ch.Close()
		}
		return nil
	}
	opts.OnReconnect = func(context.Context, *kkrpc.Channel) error {
		t.Error("OnReconnect before the first connection")
		return nil
	}
	states := make(chan ws.State, 100)
	opts.OnState = func(s ws.State) { states <- s }
	dialPersistent(t, opts)
	var phases []ws.Phase
	for len(phases) < 6 {
		phases = append(phases, (<-states).Phase)
	}
	want := []ws.Phase{ws.Connecting, ws.Waiting, ws.Connecting, ws.Waiting, ws.Connecting, ws.Connected}
	if !slices.Equal(phases, want) {
		t.Errorf("states %v", phases)
	}
}

// Each attempt may have another URL and other headers.
func TestPersistentTarget(t *testing.T) {
	var got []string
	s := newHost(t, ws.HandlerFor(func(r *http.Request) (any, error) {
		got = append(got, r.URL.String()+" "+r.Header.Get("Authorization")+" "+r.Header.Get("X-Kept"))
		if len(got) < 3 {
			return nil, ws.Reject(http.StatusServiceUnavailable, "later")
		}
		return nil, nil
	}, nil))
	opts := quick(s)
	opts.Dial.Header = http.Header{"X-Kept": {"yes"}}
	n := 0
	opts.Target = func(_ context.Context, url string, header http.Header) (string, error) {
		n++
		switch n {
		case 2:
			return "", errors.New("no token")
		case 4:
			panic("no luck")
		}
		header.Set("Authorization", fmt.Sprint("token", n))
		return fmt.Sprint(url, "?n=", n), nil
	}
	opts.Backoff.Max = time.Millisecond // caps Retry-After
	var failures []string
	opts.OnState = func(s ws.State) {
		if s.Phase == ws.Waiting {
			failures = append(failures, s.Err.Error())
		}
	}
	dialPersistent(t, opts)
	want := []string{"/ws?n=1 token1 yes", "/ws?n=3 token3 yes", "/ws?n=5 token5 yes"}
	if !slices.Equal(got, want) {
		t.Errorf("requests %q", got)
	}
	if len(failures) != 4 || !strings.Contains(failures[1], "Target: no token") || !strings.Contains(failures[3], "panic in PersistentOptions.Target: no luck") {
		t.Errorf("failures %q", failures)
	}
}

// A service of tokens that hangs costs an attempt.
func TestPersistentTargetHangs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start, states := time.Now(), make(chan ws.State, 10)
		opts := &ws.PersistentOptions{
			Background: true,
			Target: func(ctx context.Context, _ string, _ http.Header) (string, error) {
				<-ctx.Done()
				return "", context.Cause(ctx)
			},
			OnState: func(s ws.State) { states <- s },
		}
		p := dialPersistent(t, opts)
		<-states
		if s := <-states; s.Phase != ws.Waiting || !errors.Is(s.Err, context.DeadlineExceeded) || time.Since(start) != 10*time.Second {
			t.Errorf("%+v after %v", s, time.Since(start))
		}
		_ = p.Close()
		<-p.Done()
	})
}

// A server that is gone without a word is found by the client's own pings.
func TestPersistentHeartbeat(t *testing.T) {
	silence := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		conn, _, _, err := gobwas.UpgradeHTTP(r, w)
		if err != nil {
			t.Error(err)
			return
		}
		_ = conn.SetDeadline(time.Now().Add(20 * time.Second))
		_, _ = io.Copy(io.Discard, conn)
		conn.Close()
	})
	s := newHost(t, silence)
	states := make(chan ws.State, 1000)
	opts := quick(s)
	opts.Dial.Ping = 20 * time.Millisecond
	opts.Dial.RPC.Dialect = kkrpc.Compact
	opts.OnState = func(s ws.State) { states <- s }
	dialPersistent(t, opts)
	if s := awaitPhase(t, states, ws.Waiting); s.Err == nil || !strings.Contains(s.Err.Error(), "did not answer a ping within 20ms") {
		t.Errorf("state %+v", s)
	}
}
