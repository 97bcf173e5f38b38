//go:build !js

package ws_test

import (
	"bufio"
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/kkrpc-go/kkrpc"
	"github.com/kkrpc-go/kkrpc/transport/ws"
)

const proxiedURL = "KKRPC_TEST_PROXIED_URL"

// TestDialOfAProcessBehindAProxy is what runInProxiedProcess runs. net/http reads the environment once, and has
// no proxy for hosts on this machine.
func TestDialOfAProcessBehindAProxy(t *testing.T) {
	url := os.Getenv(proxiedURL)
	if url == "" {
		t.Skip("the other tests run this one")
	}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	ch, err := ws.Dial(ctx, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer ch.Close()
	if got, err := kkrpc.Call[string](ctx, ch, "hello", "proxy"); got != "hello proxy" || err != nil {
		t.Fatal(got, err)
	}
}

// dialInProcess dials url in another process with these variables, and returns its output.
func dialInProcess(t *testing.T, url string, env ...string) (string, error) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestDialOfAProcessBehindAProxy$", "-test.v")
	cmd.Env = append(os.Environ(), "HTTP_PROXY=", "http_proxy=", "HTTPS_PROXY=", "https_proxy=", "NO_PROXY=", "no_proxy=", "REQUEST_METHOD=", proxiedURL+"="+url)
	cmd.Env = append(cmd.Env, env...)
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// connectProxy answers CONNECT requests by connecting to server. It tells each request.
func connectProxy(t *testing.T, server string, answer string) (addr string, requests <-chan *http.Request) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	seen := make(chan *http.Request, 8)
	go func() {
		for {
			nc, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer nc.Close()
				br := bufio.NewReader(nc)
				req, err := http.ReadRequest(br)
				if err != nil {
					return
				}
				seen <- req
				if _, err := io.WriteString(nc, answer); err != nil || server == "" {
					return
				}
				to, err := net.Dial("tcp", server)
				if err != nil {
					return
				}
				defer to.Close()
				go func() { _, _ = io.Copy(to, br); _ = to.(*net.TCPConn).CloseWrite() }()
				_, _ = io.Copy(nc, to)
			}()
		}
	}()
	return l.Addr().String(), seen
}

const established = "HTTP/1.1 200 Connection established\r\n\r\n"

func TestDialUsesTheProxyOfTheEnvironment(t *testing.T) {
	srv := httptest.NewServer(ws.Handler(kkrpc.Object{"hello": func(s string) string { return "hello " + s }}, nil))
	defer srv.Close()
	server := srv.Listener.Addr().String()
	addr, requests := connectProxy(t, server, established)
	if out, err := dialInProcess(t, "ws://kkrpc.invalid/ws", "HTTP_PROXY=http://user:pass@"+addr); err != nil {
		t.Fatal(out)
	}
	req := <-requests
	if user, password, _ := (&http.Request{Header: http.Header{"Authorization": req.Header["Proxy-Authorization"]}}).BasicAuth(); req.Method != "CONNECT" || req.Host != "kkrpc.invalid:80" || user != "user" || password != "pass" {
		t.Errorf("got %s %s of %s:%s", req.Method, req.Host, user, password)
	}
	for name, row := range map[string]struct {
		url, want string
		env       []string
	}{
		"this machine":      {"ws://" + server, "PASS", []string{"HTTP_PROXY=http://" + addr}},
		"an exception":      {"ws://kkrpc.invalid/ws", "lookup kkrpc.invalid", []string{"HTTP_PROXY=http://" + addr, "NO_PROXY=.invalid"}},
		"that of the other": {"wss://kkrpc.invalid/ws", "lookup kkrpc.invalid", []string{"HTTP_PROXY=http://" + addr}},
		"of another kind":   {"ws://kkrpc.invalid/ws", "no support for socks5 proxies; use DialOptions.NetDial", []string{"HTTP_PROXY=socks5://" + addr}},
	} {
		if out, _ := dialInProcess(t, row.url, row.env...); !strings.Contains(out, row.want) {
			t.Errorf("%s: got %s", name, out)
		}
		if len(requests) > 0 {
			t.Errorf("%s: the proxy was asked for %s", name, (<-requests).Host)
		}
	}
}

func TestProxyThatRefuses(t *testing.T) {
	for answer, want := range map[string]string{
		"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n": "407 Proxy Authentication Required",
		"nonsense\r\n\r\n":        "malformed HTTP",
		established + "\x81\x01x": "it sends data before the server can",
	} {
		addr, _ := connectProxy(t, "", answer)
		out, err := dialInProcess(t, "wss://kkrpc.invalid/ws", "HTTPS_PROXY=http://secret:word@"+addr)
		if err == nil || !strings.Contains(out, "ws: dial wss://kkrpc.invalid/ws: proxy "+addr+": "+want) || strings.Contains(out, "secret") {
			t.Errorf("%q: got %s", answer, out)
		}
	}
}
