//go:build !js

package ws_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	kkrpc "github.com/kkrpc-go/kkrpc"
	"github.com/kkrpc-go/kkrpc/transport/ws"
)

// TestPersistentFinalErrors has each error in the first attempt, where those that do not pass by waiting are final, and after a
// connection, where all are tried again. Each failure is in the log, without the secrets of the URL.
func TestPersistentFinalErrors(t *testing.T) {
	tlsServer := httptest.NewTLSServer(http.NotFoundHandler()) // whose certificate nobody trusts
	defer tlsServer.Close()
	tlsServer.Config.ErrorLog = nil
	missing := func(temporary bool) func(context.Context, string, string) (net.Conn, error) {
		return func(context.Context, string, string) (net.Conn, error) {
			return nil, &net.OpError{Op: "dial", Err: &net.DNSError{Err: "no such host", Name: "x", IsNotFound: true, IsTemporary: temporary}}
		}
	}
	to := func(addr string) func(context.Context, string, string) (net.Conn, error) {
		return func(ctx context.Context, network, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, network, addr)
		}
	}
	plain := httptest.NewServer(http.NotFoundHandler())
	defer plain.Close()
	for _, test := range []struct {
		name  string
		url   string
		dial  func(context.Context, string, string) (net.Conn, error)
		final bool
	}{
		{"a host that does not exist", "ws://host.example/ws?token=secret", missing(false), true},
		{"a name server that is busy", "ws://host.example/ws?token=secret", missing(true), false},
		{"nobody listens", "ws://host.example/ws?token=secret", to("127.0.0.1:1"), false},
		{"a certificate that is not trusted", "wss://host.example/ws?token=secret", to(tlsServer.Listener.Addr().String()), true},
		{"a server without TLS", "wss://host.example/ws?token=secret", to(plain.Listener.Addr().String()), true},
		{"not found", "ws://host.example/ws?token=secret", to(plain.Listener.Addr().String()), true},
		{"a malformed URL", "http//host.example/ws?token=secret", missing(true), true},
	} {
		for _, first := range []bool{true, false} {
			t.Run(fmt.Sprintf("%s, first %v", test.name, first), func(t *testing.T) {
				s := ws.Handler(greeter, &ws.Options{Logger: silent})
				good := newHost(t, s)
				var log records
				var attempts atomic.Int32
				opts := quick(good)
				opts.Logger = log.logger()
				connected := !first
				opts.Target = func(context.Context, string, http.Header) (string, error) {
					if connected {
						connected = false
						return "ws://host.example/ws", nil
					}
					attempts.Add(1)
					return test.url, nil
				}
				use := test.dial
				opts.Dial.NetDial = func(ctx context.Context, network, addr string) (net.Conn, error) {
					if attempts.Load() == 0 {
						return good.dial(ctx, network, addr)
					}
					return use(ctx, network, addr)
				}
				opts.Background = true
				opts.MaxAttempts = 4
				p, err := ws.DialPersistent(testContext(t), "ws://user:secret@host.example/ws?token=secret", opts)
				if err != nil {
					t.Fatal(err)
				}
				defer p.Close()
				if !first {
					if _, err := kkrpc.Call[string](testContext(t), p, "greet", "you"); err != nil {
						t.Fatal(err)
					}
					good.kill()
				}
				<-p.Done()
				want := int32(4)
				switch {
				case first && test.final:
					want = 1
				case !first:
					want = 3 // the lost connection counts as one
				}
				if attempts.Load() != want {
					t.Errorf("%d attempts, want %d: %v", attempts.Load(), want, p.Err())
				}
				if n := len(log.of(t, "ws: not connected, for good")); n != 1 {
					t.Errorf("the log has %d lines about the end", n)
				}
				if n := len(log.of(t, "ws: not connected")); first && n != int(want)-1 || !first && n != 3 {
					t.Errorf("the log has %d lines about failures", n)
				}
				if n := len(log.of(t, "ws: connected")); first == (n == 1) {
					t.Errorf("the log has %d lines about connections", n)
				}
				url, _, _ := strings.Cut(test.url, "?")
				if strings.Contains(test.name, "malformed") {
					url = ""
				}
				if text := log.text.String(); strings.Contains(text, "secret") || !strings.Contains(text, `"url":"`+url+`"`) {
					t.Errorf("the log is\n%s", text)
				}
			})
		}
	}
}

// TestPersistentLogsTheURLOfTarget has a line for each attempt with the URL that was used, without its secrets.
func TestPersistentLogsTheURLOfTarget(t *testing.T) {
	first, second := newHost(t, ws.Handler(greeter, &ws.Options{Logger: silent})), newHost(t, ws.Handler(greeter, &ws.Options{Logger: silent}))
	var log records
	urls := make(chan string, 4)
	for _, url := range []string{"", "http//malformed?secret", "ws://second.example/b?token=secret", "ws://third.example/c"} {
		urls <- url
	}
	opts := quick(first)
	opts.Logger = log.logger()
	opts.Target = func(context.Context, string, http.Header) (string, error) {
		url := <-urls
		if url == "" {
			return "", errors.New("no token")
		}
		return url, nil
	}
	opts.RetryIf = func(err error) bool { return !strings.Contains(err.Error(), "third is not there") }
	opts.Dial.NetDial = func(ctx context.Context, network, addr string) (net.Conn, error) {
		if addr == "third.example:80" {
			return nil, errors.New("third is not there")
		}
		return second.dial(ctx, network, addr)
	}
	p, err := ws.DialPersistent(testContext(t), "ws://first.example/a?token=secret", opts)
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	second.kill()
	<-p.Done()
	var got []string
	for line := range strings.Lines(log.text.String()) {
		var record struct{ Msg, URL, Err string }
		if err := json.Unmarshal([]byte(line), &record); err != nil {
			t.Fatal(err)
		}
		got = append(got, record.Msg+" "+record.URL)
	}
	want := []string{
		"ws: not connected ws://first.example/a", // as given: Target has failed
		"ws: not connected ",                     // a malformed URL is not shown
		"ws: connected ws://second.example/b",
		"ws: not connected ws://second.example/b", // it was lost
		"ws: not connected, for good ws://third.example/c",
	}
	if diff := cmp.Diff(want, got); diff != "" || strings.Contains(log.text.String(), "secret") {
		t.Errorf("(-want +got)\n%s\n%s", diff, log.text.String())
	}
}

// TestPersistentMovesOn shuts a server down under a client with a call under way. It is answered, and all further calls go to
// the next server, without an error.
func TestPersistentMovesOn(t *testing.T) {
	type server struct {
		*ws.Server
		url     string
		ran     atomic.Int32
		release chan struct{}
	}
	var servers [2]*server
	for i := range servers {
		s := &server{release: make(chan struct{})}
		s.Server = ws.Handler(kkrpc.Object{
			"hold": func() int { s.ran.Add(1); <-s.release; return i },
			"get":  func() int { s.ran.Add(1); return i },
		}, &ws.Options{Logger: silent})
		s.url = serve(t, s.Server)
		servers[i] = s
	}
	p := dialPersistent(t, &ws.PersistentOptions{
		Backoff: ws.Backoff{Min: time.Millisecond, Max: time.Millisecond},
		Logger:  silent,
		Target: func(context.Context, string, http.Header) (string, error) {
			if servers[0].Ready() {
				return servers[0].url, nil
			}
			return servers[1].url, nil
		},
	})
	held := make(chan error, 1)
	go func() {
		got, err := kkrpc.Call[int](testContext(t), p, "hold")
		if err == nil && got != 0 {
			err = errors.New("answered by the wrong server")
		}
		held <- err
	}()
	until(t, func() bool { return servers[0].ran.Load() == 1 })
	ended := make(chan error, 1)
	go func() { ended <- servers[0].Shutdown(testContext(t)) }()
	calls := int32(0)
	for first := 0; first == 0; calls++ {
		var err error
		if first, err = kkrpc.Call[int](testContext(t), p, "get"); err != nil {
			t.Fatalf("call %d: %v", calls+1, err)
		}
	}
	close(servers[0].release)
	if err := <-held; err != nil {
		t.Errorf("the call under way: %v", err)
	}
	if err := <-ended; err != nil {
		t.Errorf("Shutdown: %v", err)
	}
	if ran := servers[0].ran.Load() - 1 + servers[1].ran.Load(); ran != calls {
		t.Errorf("%d calls have run %d times", calls, ran)
	}
	if p.State().Phase != ws.Connected {
		t.Errorf("%+v", p.State())
	}
}
