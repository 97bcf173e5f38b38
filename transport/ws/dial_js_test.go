package ws_test

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"syscall/js"
	"testing"
	"time"

	"github.com/kkrpc-go/kkrpc"
	"github.com/kkrpc-go/kkrpc/transport/ws"
)

const url = "ws://host.example/ws?token=SECRET"

func TestDialIsRefused(t *testing.T) {
	ended, cancel := context.WithCancel(context.Background())
	cancel()
	tests := []struct {
		name    string
		ctx     context.Context // nil: one without end
		url     string          // empty: a good one
		opts    ws.DialOptions
		made    func(s socket) // what the host does; nil: it is not to come so far
		want    string         // part of the text
		is      error
		dropped string // what the host's close is called with
	}{
		{name: "header", opts: ws.DialOptions{Header: http.Header{"A": {"x"}}}, want: "DialOptions.Header", is: errors.ErrUnsupported},
		{name: "TLS", opts: ws.DialOptions{TLS: &tls.Config{}}, want: "DialOptions.TLS", is: errors.ErrUnsupported},
		{name: "compression", opts: ws.DialOptions{Compression: true}, want: "DialOptions.Compression", is: errors.ErrUnsupported},
		{name: "ping", opts: ws.DialOptions{Ping: 1}, want: "DialOptions.Ping", is: errors.ErrUnsupported},
		{name: "message time", opts: ws.DialOptions{MessageTime: 1}, want: "DialOptions.MessageTime", is: errors.ErrUnsupported},
		{name: "own connection", opts: ws.DialOptions{NetDial: (&net.Dialer{}).DialContext}, want: "DialOptions.NetDial", is: errors.ErrUnsupported},
		{name: "password", url: "ws://u:SECRET@host.example", want: "user and password", is: errors.ErrUnsupported},
		{name: "scheme", url: "ftp://host.example", want: `got scheme "ftp"`},
		{name: "API", opts: ws.DialOptions{RPC: kkrpc.Options{Expose: 1}}, want: "int"},
		{name: "subprotocol", opts: ws.DialOptions{Subprotocols: []string{"a b"}}, want: "The subprotocol 'a b' is invalid, ws://host.example/ws"},
		{name: "ctx has ended", ctx: ended, want: "context canceled", is: context.Canceled},
		{name: "no answer", opts: ws.DialOptions{RPC: kkrpc.Options{Limits: kkrpc.Limits{Handshake: 100 * time.Millisecond}}},
			made: func(socket) {}, want: "not connected after 100ms", is: context.DeadlineExceeded, dropped: "1000 "},
		{name: "no reason", made: func(s socket) { s.fire("error", nil); s.fire("close", nil) }, want: "does not say why", dropped: "1000 "},
		{name: "a reason with the URL", made: func(s socket) {
			s.fire("error", map[string]any{"message": "WebSocket connection to '" + s.Get("url").String() + "' failed: no"})
		}, want: "could not connect: WebSocket connection to 'ws://host.example/ws' failed: no", dropped: "1000 "},
		{name: "closed without error", made: func(s socket) { s.fire("close", map[string]any{"code": 1006, "reason": ""}) }, want: "does not say why"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			h := newHost(t)
			if test.made != nil {
				h.onMade(test.made)
			}
			if test.ctx == nil {
				test.ctx = context.Background()
			}
			if test.url == "" {
				test.url = url
			}
			ch, err := ws.Dial(test.ctx, test.url, &test.opts)
			if ch != nil || err == nil {
				t.Fatal("connected")
			}
			if text := err.Error(); !strings.Contains(text, test.want) || strings.Contains(text, "SECRET") {
				t.Errorf("got %q, want %q and no secret", text, test.want)
			}
			if test.is != nil && !errors.Is(err, test.is) {
				t.Errorf("%v is no %v", err, test.is)
			}
			if (h.sockets.Length() > 0) != (test.made != nil) {
				t.Errorf("%d sockets were made", h.sockets.Length())
			}
			if test.made != nil {
				if n := h.last().Call("heard").Int(); n > 0 {
					t.Errorf("%d listeners are left", n)
				}
				if got := h.last().closes(); got != test.dropped {
					t.Errorf("closed with %q, want %q", got, test.dropped)
				}
			}
		})
	}
}

// TestDialAnnouncesItsDialect in the URL: the host does not connect if the server picks none of the subprotocols.
func TestDialAnnouncesItsDialect(t *testing.T) {
	for _, test := range []struct {
		url  string
		opts ws.DialOptions
		want string
	}{
		{"ws://host.example/ws", ws.DialOptions{}, "ws://host.example/ws?kkrpc=compact-json"},
		{url, ws.DialOptions{RPC: kkrpc.Options{Dialect: kkrpc.ClassicSuperJSON}}, url + "&kkrpc=classic-superjson"},
		{url + "&kkrpc=classic-json", ws.DialOptions{}, url + "&kkrpc=classic-json"},
		{url, ws.DialOptions{Subprotocols: []string{"kkrpc.classic-json"}}, url},
	} {
		h := newHost(t)
		h.onMade(func(s socket) { s.fire("open", nil) })
		ch, err := ws.Dial(context.Background(), test.url, &test.opts)
		if err != nil {
			t.Fatal(err)
		}
		if got := h.last().Get("url").String(); got != test.want {
			t.Errorf("%s: connected to %s, want %s", test.url, got, test.want)
		}
		go ch.Close()
		h.last().fire("close", map[string]any{"code": 1000, "reason": ""})
		<-ch.Done()
	}
}

func TestDialIsCancelled(t *testing.T) {
	h := newHost(t)
	ctx, cancel := context.WithCancel(context.Background())
	h.onMade(func(socket) { cancel() })
	if _, err := ws.Dial(ctx, url, nil); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	s := h.last()
	s.fire("open", nil) // too late
	if s.Call("heard").Int() > 0 || s.closes() != "1000 " {
		t.Errorf("%d listeners are left, closed with %q", s.Call("heard").Int(), s.closes())
	}
}

// A server that closes at once has its say.
func TestDialAndClosedAtOnce(t *testing.T) {
	h := newHost(t)
	h.onMade(func(s socket) {
		s.fire("open", nil)
		s.fire("close", map[string]any{"code": 4001, "reason": "come back later"})
	})
	ch, err := ws.Dial(context.Background(), url, nil)
	if err != nil {
		t.Fatal(err)
	}
	<-ch.Done()
	if e, ok := errors.AsType[*ws.CloseError](ch.Err()); !ok || *e != (ws.CloseError{Code: 4001, Reason: "come back later"}) {
		t.Errorf("got %v", ch.Err())
	}
}

// What no further attempt can mend ends a Persistent instead of having it try for ever.
func TestDialPersistentIsHopeless(t *testing.T) {
	for _, test := range []struct {
		name    string
		host    any // globalThis.WebSocket; nil: the fake
		opts    ws.DialOptions
		want    string
		support bool // it is a question of what is supported
	}{
		{"no WebSocket", js.Undefined(), ws.DialOptions{}, "this host has no WebSocket", true},
		{"WebSocket is null", js.Null(), ws.DialOptions{}, "this host has no WebSocket", true},
		{"option", nil, ws.DialOptions{Compression: true}, "DialOptions.Compression", true},
		{"subprotocol", nil, ws.DialOptions{Subprotocols: []string{"a b"}}, "The subprotocol 'a b' is invalid", false},
	} {
		t.Run(test.name, func(t *testing.T) {
			newHost(t)
			if test.host != nil {
				js.Global().Set("WebSocket", test.host)
			}
			ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
			defer cancel()
			target := func(context.Context, string, http.Header) (string, error) { return url, nil }
			for _, o := range []ws.PersistentOptions{{Dial: test.opts}, {Dial: test.opts, Target: target}} {
				_, err := ws.DialPersistent(ctx, url, &o)
				if err == nil || !strings.Contains(err.Error(), test.want) || errors.Is(err, errors.ErrUnsupported) != test.support {
					t.Errorf("got %v, want %q", err, test.want)
				}
			}
		})
	}
}

func TestDialPersistentComesAgain(t *testing.T) {
	h := newHost(t)
	attempts := 0
	h.onMade(func(s socket) {
		if attempts++; attempts == 2 {
			s.fire("error", nil) // refused
			return
		}
		s.fire("open", nil)
	})
	p, err := ws.DialPersistent(context.Background(), url, &ws.PersistentOptions{Backoff: ws.Backoff{Min: time.Nanosecond, Max: time.Nanosecond}})
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	first, err := p.Channel(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	h.last().fire("close", map[string]any{"code": 1001, "reason": "restart"})
	<-first.Done()
	if again, err := p.Channel(context.Background()); err != nil || again == first || attempts != 3 {
		t.Errorf("got %v after %d attempts", err, attempts)
	}
}

func TestServerIsNotThere(t *testing.T) {
	s := ws.Handler(kkrpc.Object{}, nil)
	w := httptest.NewRecorder()
	s.ServeHTTP(w, httptest.NewRequest("GET", "/ws", nil))
	if w.Code != http.StatusNotImplemented || !strings.Contains(w.Body.String(), "js/wasm") {
		t.Errorf("got %d %s", w.Code, w.Body)
	}
	if err := errors.Join(s.Shutdown(context.Background()), s.Close()); err != nil {
		t.Error(err)
	}
	for name, make := range map[string]func(){
		"api":    func() { ws.Handler(1, nil) },
		"origin": func() { ws.Handler(nil, &ws.Options{Origins: []string{"nonsense"}}) },
		"host":   func() { ws.Handler(nil, &ws.Options{Hosts: []string{"http://x"}}) },
	} {
		t.Run(name, func(t *testing.T) {
			defer func() {
				if recover() == nil {
					t.Error("no panic")
				}
			}()
			make()
		})
	}
}
