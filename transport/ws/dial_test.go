//go:build !js

package ws_test

import (
	"context"
	"crypto/sha1"
	"encoding/base64"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	kkrpc "github.com/kkrpc-go/kkrpc"
	"github.com/kkrpc-go/kkrpc/transport/ws"
)

func TestDialErrors(t *testing.T) {
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/moved":
			http.Redirect(w, r, "https://elsewhere.example/ws", http.StatusFound)
		case "/long":
			w.WriteHeader(http.StatusTeapot)
			_, _ = io.WriteString(w, strings.Repeat("long", 1000))
		case "/ok":
			_, _ = io.WriteString(w, "a web page")
		default:
			http.Error(w, "no such thing", http.StatusNotFound)
		}
	}))
	defer srv.Close()
	host := strings.TrimPrefix(srv.URL, "http://")
	tests := []struct {
		name string
		url  string
		opts *ws.DialOptions
		want []string
		not  string
	}{
		{name: "status and body", url: "ws://" + host + "/none?token=secret", want: []string{"404 Not Found", "no such thing", host + "/none"}, not: "secret"},
		{name: "password is not told", url: "ws://user:secret@" + host + "/none", want: []string{"404"}, not: "secret"},
		{name: "redirect", url: "ws://" + host + "/moved", want: []string{"302", "https://elsewhere.example/ws"}},
		{name: "long body", url: "ws://" + host + "/long", want: []string{"418", "longlong"}, not: strings.Repeat("long", 100)},
		{name: "no WebSocket", url: "http://" + host + "/ok", want: []string{"200 OK", "a web page"}},
		{name: "scheme", url: "ftp://host/", want: []string{"ws://", `"ftp"`}},
		{name: "no scheme", url: "localhost:3000/ws", want: []string{"ws://", `"localhost"`}},
		{name: "no host", url: "ws:///path", want: []string{"no host"}},
		{name: "malformed", url: "ws://host:port/", want: []string{"malformed URL", "port"}},
		{name: "nobody listens", url: "ws://127.0.0.1:1/", want: []string{"ws: dial ws://127.0.0.1:1/", "connection refused"}},
		{name: "header of the handshake", url: "ws://" + host, opts: &ws.DialOptions{Header: http.Header{"sec-websocket-protocol": {"x"}}}, want: []string{"Sec-Websocket-Protocol", "handshake"}},
		{name: "API that cannot be exposed", url: "ws://" + host, opts: &ws.DialOptions{RPC: kkrpc.Options{Expose: 42}}, want: []string{"expose int"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			_, err := ws.Dial(testContext(t), test.url, test.opts)
			if err == nil {
				t.Fatal("no error")
			}
			for _, want := range test.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("error %q, want %q in it", err, want)
				}
			}
			if test.not != "" && strings.Contains(err.Error(), test.not) {
				t.Errorf("error %q tells %q", err, test.not)
			}
		})
	}
}

// mute accepts connections and says nothing.
func mute(t *testing.T) string {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { ln.Close() })
	return ln.Addr().String()
}

func TestDialTimeout(t *testing.T) {
	addr := mute(t)
	for _, scheme := range []string{"ws", "wss"} {
		t.Run(scheme, func(t *testing.T) {
			opts := &ws.DialOptions{RPC: kkrpc.Options{Limits: kkrpc.Limits{Handshake: 30 * time.Millisecond}}}
			_, err := ws.Dial(context.Background(), scheme+"://"+addr, opts)
			if !errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), "not connected after 30ms") {
				t.Errorf("Dial: %v", err)
			}
		})
	}
}

func TestDialCancelled(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	opts := &ws.DialOptions{NetDial: func(ctx context.Context, network, addr string) (net.Conn, error) {
		defer cancel()
		return new(net.Dialer).DialContext(ctx, network, addr)
	}}
	if _, err := ws.Dial(ctx, "ws://"+mute(t), opts); !errors.Is(err, context.Canceled) {
		t.Errorf("Dial: %v", err)
	}
}

// The channel outlives the ctx of Dial and keeps its values.
func TestDialContext(t *testing.T) {
	url := serve(t, ws.Handler(greeter, nil))
	ctx, cancel := context.WithCancel(context.Background())
	ch, err := ws.Dial(ctx, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer ch.Close()
	cancel()
	if got, err := kkrpc.Call[string](testContext(t), ch, "greet", "Go"); got != "Hello, Go!" {
		t.Errorf("got %q, %v", got, err)
	}
}

func TestDialSends(t *testing.T) {
	requests := make(chan *http.Request, 1)
	url := serve(t, ws.HandlerFor(func(r *http.Request) (any, error) {
		requests <- r
		return nil, nil
	}, nil))
	dialed := ""
	dial(t, strings.Replace(url, "ws://", "http://user:pass@", 1)+"/p?q=1#fragment", &ws.DialOptions{
		Header:       http.Header{"X-Test": {"a", "b"}, "Host": {"other.example"}},
		Subprotocols: []string{"one", "kkrpc.compact-json"},
		Compression:  true,
		NetDial: func(ctx context.Context, network, addr string) (net.Conn, error) {
			dialed = network + " " + addr
			return new(net.Dialer).DialContext(ctx, network, addr)
		},
	})
	r := <-requests
	if user, pass, ok := r.BasicAuth(); !ok || user != "user" || pass != "pass" {
		t.Errorf("basic authentication %q %q", user, pass)
	}
	for name, want := range map[string]string{
		"X-Test":                   "a,b",
		"Sec-Websocket-Protocol":   "one, kkrpc.compact-json",
		"Sec-Websocket-Extensions": "permessage-deflate",
	} {
		if got := strings.Join(r.Header[name], ","); !strings.HasPrefix(got, want) {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
	if r.RequestURI != "/p?q=1" || r.Host != "other.example" {
		t.Errorf("request for %s at %s", r.RequestURI, r.Host)
	}
	if want := "tcp " + strings.TrimPrefix(url, "ws://"); dialed != want {
		t.Errorf("dialed %q, want %q", dialed, want)
	}
}

// accept is the answer to the key of a handshake (RFC 6455, section 4.2.2).
func accept(key string) string {
	sum := sha1.Sum([]byte(key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"))
	return base64.StdEncoding.EncodeToString(sum[:])
}

// A server that answers to other terms of compression than offered would be misread: the connection fails.
func TestDialRefusesOtherCompression(t *testing.T) {
	for _, extension := range []string{"permessage-deflate", "permessage-deflate; server_no_context_takeover; client_max_window_bits=10", "x-other"} {
		t.Run(extension, func(t *testing.T) {
			srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				h := w.Header()
				h.Set("Upgrade", "websocket")
				h.Set("Connection", "Upgrade")
				h.Set("Sec-WebSocket-Accept", accept(r.Header.Get("Sec-WebSocket-Key")))
				h.Set("Sec-WebSocket-Extensions", extension)
				w.WriteHeader(http.StatusSwitchingProtocols)
			}))
			defer srv.Close()
			if _, err := ws.Dial(testContext(t), srv.URL, &ws.DialOptions{Compression: true}); err == nil {
				t.Error("Dial accepts it")
			}
		})
	}
}
