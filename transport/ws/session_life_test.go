//go:build !js

package ws_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	gobwas "github.com/gobwas/ws"

	kkrpc "github.com/kkrpc-go/kkrpc"
	"github.com/kkrpc-go/kkrpc/transport/ws"
)

// Of two sockets of one session the newer wins, also while the older one is stuck.
func TestSessionNewerSocketWins(t *testing.T) {
	url, _, closed := sessionServer(t, &ws.Options{})
	old := openSocket(t, url, nil)
	id := old.begin()
	old.call(1)
	old.answered(1)
	for i := range 5 {
		c := openSocket(t, url, nil)
		c.send("#resume " + id + " 1")
		c.expect(fmt.Sprintf("#resumed %d", 1))
		old.expectClose(4409)
		old = c
		_ = i
	}
	old.call(2)
	old.answered(2)
	if len(closed) > 0 {
		t.Errorf("closed with %v", <-closed)
	}
}

// Events come in order, and OnOpen and OnClose once a session.
func TestSessionEvents(t *testing.T) {
	events := make(chan string, 100)
	hook := func(side string) func(*kkrpc.Channel, ws.SessionEvent) {
		return func(ch *kkrpc.Channel, e ws.SessionEvent) {
			if ch == nil || (e.Err == nil) != (e.Kind == ws.SessionResumed) {
				t.Errorf("%s: %v with %v", side, e.Kind, e.Err)
			}
			events <- side + " " + e.Kind.String()
		}
	}
	s := ws.Handler(greeter, &ws.Options{
		Session: &ws.SessionOptions{OnEvent: hook("server")},
		OnOpen:  func(*kkrpc.Channel, *http.Request) { events <- "server open" },
		OnClose: func(*kkrpc.Channel, *http.Request, error) { events <- "server close" },
		Logger:  silent,
	})
	c := newCutter(t, serve(t, s))
	opts := sessionOptions(&ws.SessionOptions{OnEvent: hook("client")})
	opts.OnReconnect = func(context.Context, *kkrpc.Channel) error {
		t.Error("OnReconnect for a session that goes on")
		return nil
	}
	p := openPersistent(t, c.url(), opts)
	got := map[string][]string{}
	await := func(n int) {
		for range n {
			side, what, _ := strings.Cut(receive(t, events), " ")
			got[side] = append(got[side], what)
		}
	}
	await(1)
	for range 3 {
		if _, err := kkrpc.Call[string](testContext(t), p, "echo", "x"); err != nil {
			t.Fatal(err)
		}
		c.cut()
		await(4)
	}
	_ = p.Close()
	await(3)
	if s := strings.Join(got["server"], " "); s != "open paused resumed paused resumed paused resumed ended close" {
		t.Errorf("server: %s", s)
	}
	if s := strings.Join(got["client"], " "); s != "paused resumed paused resumed paused resumed ended" {
		t.Errorf("client: %s", s)
	}
}

// A session over which no message has gone comes back too.
func TestSessionIdleResumes(t *testing.T) {
	opened, resumed := make(chan *kkrpc.Channel, 10), make(chan struct{}, 10)
	s := ws.Handler(greeter, &ws.Options{
		Session: &ws.SessionOptions{},
		OnOpen:  func(ch *kkrpc.Channel, _ *http.Request) { opened <- ch },
		Logger:  silent,
	})
	c := newCutter(t, serve(t, s))
	opts := sessionOptions(&ws.SessionOptions{OnEvent: func(_ *kkrpc.Channel, e ws.SessionEvent) {
		if e.Kind == ws.SessionResumed {
			resumed <- struct{}{}
		}
	}})
	opts.Dial.RPC.Expose = greeter
	p := openPersistent(t, c.url(), opts)
	ch := receive(t, opened)
	for range 3 {
		c.cut()
		receive(t, resumed)
	}
	if n := c.counts(); n[up] > 4*firstFrames {
		t.Errorf("%d bytes have gone up, more than first frames", n[up])
	}
	for _, side := range []kkrpc.Caller{ch, p} {
		if got, err := kkrpc.Call[string](testContext(t), side, "echo", "x"); got != "x" || err != nil {
			t.Errorf("%q, %v", got, err)
		}
	}
	if stats := s.Stats(); stats.Opened != 1 || stats.Sessions != (ws.SessionStats{Resumed: 3}) {
		t.Errorf("%+v", stats)
	}
}

// A session whose client does not come back ends after Keep, on both sides.
func TestSessionExpires(t *testing.T) {
	url, s, closed := sessionServer(t, &ws.Options{Session: &ws.SessionOptions{Keep: 50 * time.Millisecond}})
	c := newCutter(t, url)
	ch := dial(t, c.url(), &ws.DialOptions{Session: &ws.SessionOptions{}})
	if _, err := kkrpc.Call[string](testContext(t), ch, "echo", "x"); err != nil {
		t.Fatal(err)
	}
	c.ln.Close()
	c.cut()
	if err := receive(t, closed); !errors.Is(err, ws.ErrSessionLost) || !errors.Is(err, kkrpc.ErrClosed) {
		t.Errorf("the server's channel closed with %v", err)
	}
	<-ch.Done()
	if err := ch.Err(); !errors.Is(err, ws.ErrSessionLost) {
		t.Errorf("the client's channel closed with %v", err)
	}
	if stats := s.Stats(); stats.Sessions != (ws.SessionStats{Expired: 1}) || stats.Closed.Lost != 1 {
		t.Errorf("%+v", stats)
	}
}

// A server that does not know the session any more refuses it; then the client begins anew.
func TestSessionLost(t *testing.T) {
	crashing := func(opts *ws.Options) *ws.Server {
		s := ws.Handler(greeter, opts)
		t.Cleanup(func() { _ = s.Close() }) // its sessions outlive the sockets
		return s
	}
	s := newHost(t, crashing(&ws.Options{Session: &ws.SessionOptions{}, Logger: silent}))
	for _, next := range []*ws.Options{
		{Session: &ws.SessionOptions{}, Logger: silent}, // has forgotten the session
		{Logger: silent}, // has no sessions any more
	} {
		ended, reconnected := make(chan error, 1), make(chan struct{}, 1)
		opts := quick(s)
		opts.Logger = silent
		opts.Dial.Session = &ws.SessionOptions{OnEvent: func(_ *kkrpc.Channel, e ws.SessionEvent) {
			if e.Kind == ws.SessionEnded {
				ended <- e.Err
			}
		}}
		opts.OnReconnect = func(context.Context, *kkrpc.Channel) error {
			reconnected <- struct{}{}
			return nil
		}
		p := dialPersistent(t, opts)
		s.kill()
		s.start(t, crashing(next))
		if err := receive(t, ended); !errors.Is(err, ws.ErrSessionLost) {
			t.Errorf("ended with %v", err)
		}
		receive(t, reconnected)
		if got, err := kkrpc.Call[string](testContext(t), p, "echo", "x"); got != "x" || err != nil {
			t.Errorf("%q, %v", got, err)
		}
	}
}

// Shutdown ends sessions, those that are paused too, and their clients begin anew elsewhere.
func TestSessionShutdown(t *testing.T) {
	url, s, closed := sessionServer(t, &ws.Options{Session: &ws.SessionOptions{Keep: time.Hour}})
	open := openSocket(t, url, nil)
	open.begin()
	open.call(1)
	open.answered(1)
	gone := openSocket(t, url, nil)
	gone.begin()
	gone.nc.Close()
	greeting := openSocket(t, url, nil) // has sent no first frame
	if err := s.Shutdown(testContext(t)); err != nil {
		t.Fatal(err)
	}
	open.expectClose(4410)
	greeting.expectClose(1001)
	for range 2 {
		receive(t, closed)
	}
	if stats := s.Stats(); stats.Open != 0 || stats.Sessions.Paused != 0 {
		t.Errorf("%+v", stats)
	}

	h := newHost(t, nil)
	again := make(chan struct{}, 10)
	opts := quick(h)
	opts.Logger = silent
	opts.Dial.Session = &ws.SessionOptions{}
	opts.OnReconnect = func(context.Context, *kkrpc.Channel) error { again <- struct{}{}; return nil }
	servers := [2]*ws.Server{}
	for i := range servers {
		servers[i] = ws.Handler(greeter, &ws.Options{Session: &ws.SessionOptions{}, Logger: silent})
		t.Cleanup(func() { _ = servers[i].Close() })
	}
	h.kill()
	h.start(t, servers[0])
	p := dialPersistent(t, opts)
	if _, err := kkrpc.Call[string](testContext(t), p, "echo", "x"); err != nil {
		t.Fatal(err)
	}
	h.mu.Lock()
	h.ln.Close()
	h.mu.Unlock()
	h.start(t, servers[1])
	if err := servers[0].Shutdown(testContext(t)); err != nil {
		t.Fatal(err)
	}
	receive(t, again)
	if got, err := kkrpc.Call[string](testContext(t), p, "echo", "x"); got != "x" || err != nil {
		t.Errorf("%q, %v", got, err)
	}
}

// A paused session keeps its place, and may come back although all places are taken.
func TestSessionsCountForMaxConns(t *testing.T) {
	paused := make(chan struct{}, 10)
	url, s, _ := sessionServer(t, &ws.Options{MaxConns: 1, Session: &ws.SessionOptions{OnEvent: func(_ *kkrpc.Channel, e ws.SessionEvent) {
		if e.Kind == ws.SessionPaused {
			paused <- struct{}{}
		}
	}}})
	c := openSocket(t, url, nil)
	id := c.begin()
	c.nc.Close()
	receive(t, paused)
	if stats := s.Stats(); stats.Open != 1 || stats.Sessions.Paused != 1 {
		t.Errorf("%+v", stats)
	}
	var status gobwas.StatusError
	if _, _, _, err := (gobwas.Dialer{}).Dial(testContext(t), url); !errors.As(err, &status) || status != 503 {
		t.Errorf("a further connection: %v", err)
	}
	second := openSocket(t, url, nil)
	second.send("#open")
	second.expectClose(1013)
	until(t, func() bool { return s.Stats().Open == 1 }) // its place is free again
	if _, _, _, err := (gobwas.Dialer{}).Dial(testContext(t), url); !errors.As(err, &status) || status != 503 {
		t.Errorf("a further connection: %v", err)
	}
	c = openSocket(t, url, nil)
	c.send("#resume " + id + " 0")
	c.expect("#resumed 0")
	c.call(1)
	c.answered(1)
	if stats := s.Stats(); stats.Sessions.Paused != 0 || stats.Sessions.Resumed != 1 {
		t.Errorf("%+v", stats)
	}
}

// What is kept for a repetition counts for the memory of the server.
func TestSessionMemoryCounts(t *testing.T) {
	group := &kkrpc.Group{}
	opened := make(chan *kkrpc.Channel, 1)
	s := ws.Handler(greeter, &ws.Options{
		RPC:     kkrpc.Options{Group: group, Dialect: kkrpc.Compact},
		Session: &ws.SessionOptions{},
		OnOpen:  func(ch *kkrpc.Channel, _ *http.Request) { opened <- ch },
		Logger:  silent,
	})
	c := openSocket(t, serve(t, s), nil)
	c.begin()
	ch := receive(t, opened)
	text := strings.Repeat("x", 100_000)
	for range 5 {
		if err := kkrpc.Notify(ch, "news", text); err != nil {
			t.Fatal(err)
		}
		c.expect(`{"t":"q"`)
	}
	if used := group.MemoryUsage().Used; used < 500_000 {
		t.Errorf("%d bytes count", used)
	}
	c.send("#ack 5")
	c.send("#ping")
	c.expect("#ack 0")
	if used := group.MemoryUsage().Used; used > 0 {
		t.Errorf("%d bytes count after acknowledgements", used)
	}
}

// A token is asked for anew for each socket of a session.
func TestSessionAsksForTokens(t *testing.T) {
	var n atomic.Int32
	tokens := make(chan string, 10)
	s := ws.HandlerFor(func(r *http.Request) (any, error) {
		tokens <- r.Header.Get("Token")
		return greeter, nil
	}, &ws.Options{Session: &ws.SessionOptions{}, Logger: silent})
	c := newCutter(t, serve(t, s))
	opts := sessionOptions(&ws.SessionOptions{})
	opts.Target = func(_ context.Context, url string, header http.Header) (string, error) {
		header.Set("Token", fmt.Sprint(n.Add(1)))
		return url, nil
	}
	openPersistent(t, c.url(), opts)
	if got := receive(t, tokens); got != "1" {
		t.Errorf("token %s", got)
	}
	c.cut()
	if got := receive(t, tokens); got != "2" {
		t.Errorf("token %s", got)
	}
}
