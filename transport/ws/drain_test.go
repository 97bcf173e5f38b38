//go:build !js

package ws_test

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	kkrpc "github.com/kkrpc-go/kkrpc"
	"github.com/kkrpc-go/kkrpc/transport/ws"
)

// TestShutdownAnswers has a call under way on each connection. All are answered, new ones are refused by name, and new
// connections with 503.
func TestShutdownAnswers(t *testing.T) {
	const connections = 20
	release := make(chan struct{})
	running := make(chan struct{}, connections)
	s := ws.Handler(kkrpc.Object{"wait": func(n int) int {
		running <- struct{}{}
		<-release
		return n
	}}, &ws.Options{Logger: silent})
	url := serve(t, s)
	if !s.Ready() {
		t.Error("the server is not ready")
	}
	var calls sync.WaitGroup
	var channels []*kkrpc.Channel
	for n := range connections {
		ch := dial(t, url, nil)
		channels = append(channels, ch)
		calls.Go(func() {
			if got, err := kkrpc.Call[int](testContext(t), ch, "wait", n); err != nil || got != n {
				t.Errorf("wait(%d) = %d, %v", n, got, err)
			}
		})
		<-running
	}
	ended := make(chan error, 1)
	go func() { ended <- s.Shutdown(testContext(t)) }()
	for _, ch := range channels {
		var e *kkrpc.Error
		until(t, func() bool { // its turn comes within the window
			ctx, cancel := context.WithTimeout(testContext(t), 50*time.Millisecond)
			defer cancel()
			_, err := kkrpc.Call[int](ctx, ch, "wait", -1)
			return errors.As(err, &e) && e.Name == "RPCUnavailableError"
		})
	}
	if s.Ready() {
		t.Error("the server is ready")
	}
	var refused *ws.StatusError
	if _, err := ws.Dial(testContext(t), url, nil); !errors.As(err, &refused) || refused.Status != http.StatusServiceUnavailable {
		t.Errorf("a new connection: %v", err)
	}
	select {
	case err := <-ended:
		t.Fatalf("Shutdown has not waited: %v", err)
	default:
	}
	close(release)
	calls.Wait()
	if err := <-ended; err != nil {
		t.Errorf("Shutdown: %v", err)
	}
	if got := s.Stats().Closed; got != (ws.Closings{Shutdown: connections}) {
		t.Errorf("%+v", got)
	}
}

// TestShutdownSpreads closes connections one after another, each in its turn: no two together, none early and none late.
func TestShutdownSpreads(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const connections, window = 8, 400 * time.Millisecond
		var mu sync.Mutex
		var gaps []time.Duration
		var last time.Time
		s := ws.Handler(greeter, &ws.Options{Logger: silent, DrainWindow: window, OnClose: func(*kkrpc.Channel, *http.Request, error) {
			mu.Lock()
			defer mu.Unlock()
			if !last.IsZero() {
				gaps = append(gaps, time.Since(last))
			}
			last = time.Now()
		}})
		ln := make(pipeListener)
		server := &http.Server{Handler: s}
		go server.Serve(ln) // ends with Close
		defer server.Close()
		for range connections {
			ch := dial(t, "ws://memory.example/", &ws.DialOptions{NetDial: ln.dial})
			if _, err := kkrpc.Call[string](t.Context(), ch, "greet", "you"); err != nil {
				t.Fatal(err)
			}
		}
		synctest.Wait() // the server answers the first call of a connection before it counts it as open
		begin := time.Now()
		if err := s.Shutdown(t.Context()); err != nil {
			t.Fatal(err)
		}
		if want := slices.Repeat([]time.Duration{window / connections}, connections-1); !slices.Equal(gaps, want) {
			t.Errorf("between the connections passed %v, want %v", gaps, want)
		}
		if took := time.Since(begin); took < window-window/connections || took > window+200*time.Millisecond {
			t.Errorf("Shutdown took %v, want about %v", took, window)
		}
	})
}

// pipeListener accepts connections in memory.
type pipeListener chan net.Conn

func (ln pipeListener) dial(context.Context, string, string) (net.Conn, error) {
	client, server := net.Pipe()
	ln <- server
	return client, nil
}

func (ln pipeListener) Accept() (net.Conn, error) {
	nc, ok := <-ln
	if !ok {
		return nil, net.ErrClosed
	}
	return nc, nil
}

func (ln pipeListener) Close() error   { close(ln); return nil }
func (ln pipeListener) Addr() net.Addr { return &net.TCPAddr{} }

// TestShutdownWhileConnecting has a connection that is accepted before Shutdown and opened after it.
func TestShutdownWhileConnecting(t *testing.T) {
	asked, release := make(chan struct{}), make(chan struct{})
	s := ws.HandlerFor(func(*http.Request) (any, error) {
		close(asked)
		<-release
		return greeter, nil
	}, &ws.Options{Logger: silent})
	url := serve(t, s)
	opened := make(chan *kkrpc.Channel, 1)
	go func() {
		ch, err := ws.Dial(testContext(t), url, nil)
		if err != nil {
			t.Error(err)
		}
		opened <- ch
	}()
	<-asked
	ended := make(chan error, 1)
	go func() { ended <- s.Shutdown(testContext(t)) }()
	until(t, func() bool { return !s.Ready() })
	close(release)
	ch := <-opened
	if err := <-ended; err != nil {
		t.Errorf("Shutdown: %v", err)
	}
	<-ch.Done()
}

// TestOnEnd gives back what the function of HandlerFor took, in each way that a request can end.
func TestOnEnd(t *testing.T) {
	for _, test := range []struct {
		name string
		api  func() (any, error)
		open func(ch *kkrpc.Channel)
		want string // what happened, in order
	}{
		{name: "a connection", want: "open close second first"},
		{name: "a connection that OnOpen closes", open: func(ch *kkrpc.Channel) { ch.Close() }, want: "open close second first"},
		{name: "refused", api: func() (any, error) { return nil, ws.Reject(http.StatusTeapot, "no") }, want: "second first"},
		{name: "refused by a close code", api: func() (any, error) { return nil, ws.Reject(4401, "no") }, want: "second first"},
		{name: "no API", api: func() (any, error) { return nil, errors.New("no") }, want: "second first"},
		{name: "a value that is no API", api: func() (any, error) { return 7, nil }, want: "second first"},
		{name: "a panic", api: func() (any, error) { panic(http.ErrAbortHandler) }, want: "second first"},
		{name: "no upgrade", want: "second first"},
		{name: "a panic in OnOpen", open: func(*kkrpc.Channel) { panic("no") }, want: "close second first"},
	} {
		t.Run(test.name, func(t *testing.T) {
			var mu sync.Mutex
			var happened []string
			note := func(what string) {
				mu.Lock()
				defer mu.Unlock()
				happened = append(happened, what)
			}
			ended := make(chan struct{})
			s := ws.HandlerFor(func(r *http.Request) (any, error) {
				ws.OnEnd(r, func() { note("first"); close(ended) })
				ws.OnEnd(r, func() { note("second") })
				if test.api != nil {
					return test.api()
				}
				return greeter, nil
			}, &ws.Options{Logger: silent,
				OnOpen: func(ch *kkrpc.Channel, _ *http.Request) {
					if test.open != nil {
						test.open(ch)
					}
					note("open")
				},
				OnClose: func(*kkrpc.Channel, *http.Request, error) { note("close") },
			})
			if test.name == "no upgrade" {
				s.ServeHTTP(unhijackable{}, httpRequest(http.Header{"Upgrade": {"websocket"}, "Connection": {"Upgrade"},
					"Sec-Websocket-Version": {"13"}, "Sec-Websocket-Key": {"dGhlIHNhbXBsZSBub25jZQ=="}}))
			} else if ch, err := ws.Dial(testContext(t), serve(t, s), nil); err == nil {
				ch.Close()
			}
			<-ended
			mu.Lock()
			defer mu.Unlock()
			if got := strings.Join(happened, " "); got != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
			until(t, func() bool { return s.Stats().Open == 0 })
		})
	}
}

// TestOnEndElsewhere is for requests in OnOpen, for connections that have ended, and for requests of other packages.
func TestOnEndElsewhere(t *testing.T) {
	requests := make(chan *http.Request, 1)
	ended := make(chan struct{})
	s := ws.Handler(greeter, &ws.Options{Logger: silent, OnOpen: func(_ *kkrpc.Channel, r *http.Request) {
		ws.OnEnd(r, func() { close(ended) })
		requests <- r
	}})
	ch := dial(t, serve(t, s), nil)
	r := <-requests
	select {
	case <-ended:
		t.Error("the connection is open")
	default:
	}
	ch.Close()
	<-ended
	called := false
	ws.OnEnd(r, func() { called = true })
	if !called {
		t.Error("not called although the connection has ended")
	}

	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	ws.OnEnd(httptest.NewRequestWithContext(ctx, "POST", "/", nil), func() { close(done) })
	cancel()
	<-done
}

// TestLimitPerAddress holds a limit while connections come and go in every way.
func TestLimitPerAddress(t *testing.T) {
	const most = 5
	var open atomic.Int32
	s := ws.HandlerFor(func(r *http.Request) (any, error) {
		if open.Add(1) > most {
			open.Add(-1)
			return nil, ws.Reject(http.StatusTooManyRequests, "too many connections")
		}
		ws.OnEnd(r, func() { open.Add(-1) })
		if r.URL.Path == "/fail" {
			return nil, errors.New("no")
		}
		return greeter, nil
	}, &ws.Options{Logger: silent})
	url := serve(t, s)
	var clients sync.WaitGroup
	for i := range 8 {
		clients.Go(func() {
			for n := range 20 {
				ch, err := ws.Dial(testContext(t), url+[]string{"/", "/fail"}[(i+n)%2], nil)
				var status *ws.StatusError
				switch {
				case err == nil:
					ch.Close()
				case !errors.As(err, &status):
					t.Error(err)
				}
			}
		})
	}
	clients.Wait()
	until(t, func() bool { return s.Stats().Open == 0 })
	if open.Load() != 0 {
		t.Errorf("%d places are taken for ever", open.Load())
	}
}
