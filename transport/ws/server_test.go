//go:build !js

package ws_test

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	gobwas "github.com/gobwas/ws"
	"github.com/gobwas/ws/wsutil"

	kkrpc "github.com/kkrpc-go/kkrpc"
	"github.com/kkrpc-go/kkrpc/transport/ws"
)

var greeter = kkrpc.Object{
	"greet": func(name string) string { return "Hello, " + name + "!" },
	"echo":  func(s string) string { return s },
}

var silent = slog.New(slog.DiscardHandler)

// serve runs s until the test ends and returns its address as ws://host:port.
func serve(t testing.TB, s *ws.Server) string {
	t.Helper()
	srv := httptest.NewServer(s)
	t.Cleanup(func() {
		_ = s.Close()
		srv.Close()
	})
	return "ws" + strings.TrimPrefix(srv.URL, "http")
}

// testContext bounds what a test waits for.
func testContext(t testing.TB) context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	t.Cleanup(cancel)
	return ctx
}

func dial(t testing.TB, url string, opts *ws.DialOptions) *kkrpc.Channel {
	t.Helper()
	ch, err := ws.Dial(testContext(t), url, opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = ch.Close() })
	return ch
}

func TestCall(t *testing.T) {
	for _, compression := range []bool{false, true} {
		t.Run(fmt.Sprintf("compression %v", compression), func(t *testing.T) {
			url := serve(t, ws.Handler(greeter, &ws.Options{Compression: compression, Logger: silent}))
			ch := dial(t, url, &ws.DialOptions{Compression: compression})
			got, err := kkrpc.Call[string](testContext(t), ch, "greet", "Go")
			if err != nil || got != "Hello, Go!" {
				t.Errorf("got %q, %v", got, err)
			}
			long := strings.Repeat("long ", 100_000)
			if got, err := kkrpc.Call[string](testContext(t), ch, "echo", long); got != long {
				t.Errorf("got %d bytes, %v", len(got), err)
			}
		})
	}
}

func TestCallTLS(t *testing.T) {
	s := ws.Handler(greeter, nil)
	srv := httptest.NewTLSServer(s)
	defer srv.Close()
	defer s.Close()
	pool := srv.Client().Transport.(*http.Transport).TLSClientConfig
	ch := dial(t, srv.URL, &ws.DialOptions{TLS: &tls.Config{RootCAs: pool.RootCAs}})
	if got, err := kkrpc.Call[string](testContext(t), ch, "greet", "TLS"); got != "Hello, TLS!" {
		t.Errorf("got %q, %v", got, err)
	}
	if _, err := ws.Dial(testContext(t), srv.URL, nil); err == nil || !strings.Contains(err.Error(), "certificate") {
		t.Errorf("a certificate nobody knows: %v", err)
	}
}

// An independent client, of another library, whose frames are not ours.
func TestOtherClient(t *testing.T) {
	url := serve(t, ws.Handler(greeter, nil))
	conn, _, _, err := gobwas.Dial(testContext(t), url)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if err := wsutil.WriteClientText(conn, []byte(`{"t":"q","id":"1","op":"call","p":["greet"],"a":["gobwas"]}`)); err != nil {
		t.Fatal(err)
	}
	msg, op, err := wsutil.ReadServerData(conn)
	if err != nil || op != gobwas.OpText || !bytes.Contains(msg, []byte(`Hello, gobwas!`)) {
		t.Errorf("got %s, opcode %d, %v", msg, op, err)
	}
}

// Frames that come in one packet with the request are not lost.
func TestFramesRightBehindTheRequest(t *testing.T) {
	url := serve(t, ws.Handler(greeter, nil))
	nc, err := net.Dial("tcp", strings.TrimPrefix(url, "ws://"))
	if err != nil {
		t.Fatal(err)
	}
	defer nc.Close()
	var b bytes.Buffer
	fmt.Fprintf(&b, "GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n")
	_ = wsutil.WriteClientText(&b, []byte(`{"t":"q","id":"1","op":"call","p":["greet"],"a":["early"]}`))
	_, _ = nc.Write(b.Bytes())
	_ = nc.SetReadDeadline(time.Now().Add(20 * time.Second))
	br := bufio.NewReader(nc)
	resp, err := http.ReadResponse(br, nil)
	if err != nil || resp.StatusCode != 101 || resp.Header.Get("Sec-WebSocket-Accept") != "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=" {
		t.Fatalf("response %+v, %v", resp, err)
	}
	msg, _, err := wsutil.ReadServerData(struct {
		io.Reader
		io.Writer
	}{br, nc})
	if err != nil || !bytes.Contains(msg, []byte("Hello, early!")) {
		t.Errorf("got %s, %v", msg, err)
	}
}

func TestRefusals(t *testing.T) {
	var log bytes.Buffer
	var mu sync.Mutex
	logger := slog.New(slog.NewTextHandler(writerFunc(func(p []byte) (int, error) {
		mu.Lock()
		defer mu.Unlock()
		return log.Write(p)
	}), nil))
	s := ws.HandlerFor(func(r *http.Request) (any, error) {
		switch r.URL.Path {
		case "/rejected":
			return nil, fmt.Errorf("wrapped: %w", ws.Reject(http.StatusUnauthorized, "log in first"))
		case "/badstatus":
			return nil, ws.Reject(200, "no")
		case "/failed":
			return nil, errors.New("secret: the database is down")
		case "/badapi":
			return 42, nil
		}
		return greeter, nil
	}, &ws.Options{Logger: logger, Compression: true})
	srv := httptest.NewServer(s)
	defer srv.Close()
	defer s.Close()

	good := http.Header{
		"Upgrade": {"websocket"}, "Connection": {"keep-alive, Upgrade"}, "Sec-Websocket-Version": {"13"}, "Sec-Websocket-Key": {"dGhlIHNhbXBsZSBub25jZQ=="},
	}
	tests := []struct {
		name    string
		method  string
		path    string
		change  map[string]string // "" deletes; lines are separated by \n
		status  int
		body    string
		headers map[string]string
	}{
		{name: "accepted", status: 101},
		{name: "plain GET", change: map[string]string{"Upgrade": "", "Connection": ""}, status: 426, body: "WebSocket client", headers: map[string]string{"Upgrade": "websocket", "Sec-WebSocket-Version": "13"}},
		{name: "Connection dropped by a proxy", change: map[string]string{"Connection": "close"}, status: 426, body: "proxy"},
		{name: "two Connection lines", change: map[string]string{"Connection": "keep-alive\nUpgrade"}, status: 101},
		{name: "two Upgrade lines", change: map[string]string{"Upgrade": "h2c\nWebSocket"}, status: 101},
		{name: "Upgrade to one of several", change: map[string]string{"Upgrade": "h2c, websocket", "Connection": "HTTP2-Settings, upgrade"}, status: 101},
		{name: "Upgrade to another version", change: map[string]string{"Upgrade": "websocket/2"}, status: 426, body: "WebSocket client"},
		{name: "malformed subprotocol", change: map[string]string{"Sec-Websocket-Protocol": "a;b=c"}, status: 400, body: "Sec-WebSocket-Protocol"},
		{name: "malformed subprotocol on the second line", change: map[string]string{"Sec-Websocket-Protocol": "a\n\"b"}, status: 400, body: "Sec-WebSocket-Protocol"},
		{name: "empty subprotocol", change: map[string]string{"Sec-Websocket-Protocol": " "}, status: 400, body: "Sec-WebSocket-Protocol"},
		{name: "malformed extension", change: map[string]string{"Sec-Websocket-Extensions": "permessage-deflate; ="}, status: 400, body: "Sec-WebSocket-Extensions"},
		{name: "POST", method: "POST", status: 405, body: "GET"},
		{name: "old version", change: map[string]string{"Sec-Websocket-Version": "8"}, status: 426, body: "version 13", headers: map[string]string{"Sec-WebSocket-Version": "13"}},
		{name: "no key", change: map[string]string{"Sec-Websocket-Key": ""}, status: 400, body: "Sec-WebSocket-Key"},
		{name: "cross-origin", change: map[string]string{"Origin": "http://localhost:5173"}, status: 403, body: `"http://localhost:5173"`},
		{name: "cross-origin names the option", change: map[string]string{"Origin": "http://localhost:5173"}, status: 403, body: "Origins in ws.Options"},
		{name: "unknown dialect", path: "/?kkrpc=esperanto", status: 400, body: "compact-superjson"},
		{name: "empty dialect", path: "/?kkrpc=", status: 400, body: "classic-json"},
		{name: "known dialect", path: "/?kkrpc=classic-superjson", status: 101},
		{name: "rejected", path: "/rejected", status: 401, body: "log in first"},
		{name: "rejected with a status that is none", path: "/badstatus", status: 403, body: "no"},
		{name: "failed", path: "/failed", status: 500, body: "Internal Server Error"},
		{name: "API that cannot be exposed", path: "/badapi", status: 500, body: "Internal Server Error"},
		{name: "unknown subprotocol", change: map[string]string{"Sec-Websocket-Protocol": "soap"}, status: 101, headers: map[string]string{"Sec-WebSocket-Protocol": ""}},
		{name: "dialect as subprotocol", change: map[string]string{"Sec-Websocket-Protocol": "soap, kkrpc.classic-json"}, status: 101, headers: map[string]string{"Sec-WebSocket-Protocol": "kkrpc.classic-json"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			method := test.method
			if method == "" {
				method = "GET"
			}
			r, err := http.NewRequest(method, srv.URL+test.path, nil)
			if err != nil {
				t.Fatal(err)
			}
			r.Header = good.Clone()
			for name, value := range test.change {
				if value == "" {
					r.Header.Del(name)
				} else {
					r.Header[name] = strings.Split(value, "\n")
				}
			}
			resp, err := http.DefaultTransport.RoundTrip(r)
			if err != nil {
				t.Fatal(err)
			}
			defer resp.Body.Close()
			if resp.StatusCode != test.status {
				t.Errorf("status %d, want %d", resp.StatusCode, test.status)
			}
			for name, want := range test.headers {
				if got := resp.Header.Get(name); got != want {
					t.Errorf("%s: %q, want %q", name, got, want)
				}
			}
			if test.status == 101 || resp.StatusCode == 101 {
				return
			}
			body, _ := io.ReadAll(resp.Body)
			if !strings.Contains(string(body), test.body) || strings.Contains(string(body), "secret") {
				t.Errorf("body %q, want %q", body, test.body)
			}
		})
	}
	mu.Lock()
	defer mu.Unlock()
	if strings.Contains(log.String(), "upgrade failed") {
		t.Errorf("a malformed request is in the log:\n%s", &log)
	}
	if !strings.Contains(log.String(), "secret: the database is down") {
		t.Errorf("the log does not tell why a request failed:\n%s", &log)
	}
}

type writerFunc func(p []byte) (int, error)

func (f writerFunc) Write(p []byte) (int, error) { return f(p) }

// What middleware sets, such as a cookie, reaches the client with the upgrade.
func TestMiddlewareHeader(t *testing.T) {
	s := ws.Handler(greeter, nil)
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		http.SetCookie(w, &http.Cookie{Name: "session", Value: "1"})
		w.Header().Set("Sec-WebSocket-Accept", "nonsense")
		s.ServeHTTP(w, r)
	}))
	defer srv.Close()
	defer s.Close()
	var cookie string
	d := gobwas.Dialer{OnHeader: func(k, v []byte) error {
		if string(k) == "Set-Cookie" {
			cookie = string(v)
		}
		return nil
	}}
	conn, _, _, err := d.Dial(testContext(t), "ws"+strings.TrimPrefix(srv.URL, "http"))
	if err != nil {
		t.Fatal(err)
	}
	conn.Close()
	if cookie != "session=1" {
		t.Errorf("cookie %q", cookie)
	}
}

func TestAPIPerConnection(t *testing.T) {
	type key struct{}
	s := ws.HandlerFor(func(r *http.Request) (any, error) {
		user := r.URL.Query().Get("user")
		return kkrpc.Object{
			"whoami": func() string { return user },
			"value":  func(ctx context.Context) (string, error) { v, _ := ctx.Value(key{}).(string); return v, ctx.Err() },
		}, nil
	}, nil)
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), key{}, "from middleware")))
	}))
	defer srv.Close()
	defer s.Close()
	for _, user := range []string{"ann", "bob"} {
		ch := dial(t, srv.URL+"?user="+user, nil)
		if got, err := kkrpc.Call[string](testContext(t), ch, "whoami"); got != user {
			t.Errorf("got %q, %v, want %q", got, err, user)
		}
		if got, err := kkrpc.Call[string](testContext(t), ch, "value"); got != "from middleware" {
			t.Errorf("value of the request: %q, %v", got, err)
		}
	}
}

// A server may call first if the client said its dialect.
func TestServerFirst(t *testing.T) {
	for name, opts := range map[string]*ws.DialOptions{
		"parameter":   {},
		"subprotocol": {Subprotocols: []string{"kkrpc.compact-json"}},
	} {
		t.Run(name, func(t *testing.T) {
			got := make(chan string, 1)
			s := ws.Handler(nil, &ws.Options{OnOpen: func(ch *kkrpc.Channel, r *http.Request) {
				name, err := kkrpc.Call[string](r.Context(), ch, "name")
				if errors.Is(err, context.Canceled) { // the request's own ctx ended with ServeHTTP
					name, err = kkrpc.Call[string](context.Background(), ch, "name")
				}
				got <- fmt.Sprint(name, err)
			}})
			url := serve(t, s)
			if name == "parameter" {
				url += "?kkrpc=compact-json"
			}
			opts.RPC.Expose = kkrpc.Object{"name": func() string { return "client" }}
			dial(t, url, opts)
			select {
			case got := <-got:
				if got != "client<nil>" {
					t.Errorf("got %s", got)
				}
			case <-testContext(t).Done():
				t.Fatal("no answer")
			}
		})
	}
}

func TestMaxConns(t *testing.T) {
	closed := make(chan struct{}, 1)
	s := ws.Handler(greeter, &ws.Options{MaxConns: 1, OnClose: func(*kkrpc.Channel, *http.Request, error) { closed <- struct{}{} }})
	url := serve(t, s)
	first := dial(t, url, nil)
	if _, err := ws.Dial(testContext(t), url, nil); err == nil || !strings.Contains(err.Error(), "503") {
		t.Errorf("a second connection: %v", err)
	}
	_ = first.Close()
	<-closed
	for { // OnClose runs just before the place is free
		ch, err := ws.Dial(testContext(t), url, nil)
		if err == nil {
			_ = ch.Close()
			break
		}
		if !strings.Contains(err.Error(), "503") {
			t.Fatal(err)
		}
	}
}

func TestFrameLimit(t *testing.T) {
	url := serve(t, ws.Handler(greeter, &ws.Options{RPC: kkrpc.Options{Limits: kkrpc.Limits{Frame: 1000}}}))
	ch := dial(t, url, nil)
	_, err := kkrpc.Call[string](testContext(t), ch, "echo", strings.Repeat("x", 5<<20))
	var ce *ws.CloseError
	if !errors.As(ch.Err(), &ce) || ce.Code != 1009 || !strings.Contains(ce.Reason, "1000 bytes") {
		t.Errorf("call: %v; channel: %v", err, ch.Err())
	}
}

func TestHandlerPanicsForBadAPI(t *testing.T) {
	defer func() {
		if p, _ := recover().(string); !strings.Contains(p, "ws: Handler") {
			t.Errorf("panic %q", p)
		}
	}()
	ws.Handler(42, nil)
}

func TestMalformedOriginPanics(t *testing.T) {
	defer func() {
		if p, _ := recover().(string); !strings.Contains(p, "ws: Options.Origins") {
			t.Errorf("panic %q", p)
		}
	}()
	ws.Handler(nil, &ws.Options{Origins: []string{"example.com"}})
}

// Also behind a writer that only unwraps, as that of much middleware.
func TestConnectionIsKept(t *testing.T) {
	var log strings.Builder
	s := ws.Handler(greeter, &ws.Options{Logger: slog.New(slog.NewTextHandler(&log, nil))})
	wrapped := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { s.ServeHTTP(struct{ unwraps }{unwraps{w}}, r) })
	server := httptest.NewServer(http.TimeoutHandler(wrapped, time.Minute, ""))
	_, err := ws.Dial(t.Context(), strings.Replace(server.URL, "http", "ws", 1), nil)
	server.Close()
	refused, ok := errors.AsType[*ws.StatusError](err)
	if !ok || refused.Status != http.StatusInternalServerError || !strings.Contains(refused.Text, "http.TimeoutHandler") {
		t.Errorf("error %v", err)
	}
	if !strings.Contains(log.String(), "*http.timeoutWriter") {
		t.Errorf("log %q", log.String())
	}
}

type unwraps struct{ http.ResponseWriter }

func (u unwraps) Unwrap() http.ResponseWriter { return u.ResponseWriter }
