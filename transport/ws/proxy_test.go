//go:build !js

package ws_test

import (
	"bufio"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"io"
	"log"
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

// These variables tell the process of dialInProcess what to do.
const (
	proxiedURL  = "KKRPC_TEST_PROXIED_URL"
	proxiedCA   = "KKRPC_TEST_PROXIED_CA"   // a certificate in PEM that it trusts
	proxiedName = "KKRPC_TEST_PROXIED_NAME" // the ServerName of its options
)

// TestDialOfAProcessBehindAProxy is what runInProxiedProcess runs. net/http reads the environment once, and has
// no proxy for hosts on this machine.
func TestDialOfAProcessBehindAProxy(t *testing.T) {
	url := os.Getenv(proxiedURL)
	if url == "" {
		t.Skip("the other tests run this one")
	}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	opts := ws.DialOptions{TLS: &tls.Config{ServerName: os.Getenv(proxiedName)}}
	if ca := os.Getenv(proxiedCA); ca != "" {
		opts.TLS.RootCAs = x509.NewCertPool()
		opts.TLS.RootCAs.AppendCertsFromPEM([]byte(ca))
	}
	ch, err := ws.Dial(ctx, url, &opts)
	if err != nil {
		if refused, ok := errors.AsType[*ws.StatusError](err); ok {
			t.Logf("status %d, of the proxy %v, again after %v", refused.Status, refused.Proxy, refused.RetryAfter)
		}
		_, again := ws.DialPersistent(ctx, url, &ws.PersistentOptions{
			Dial: opts, Logger: silent, MaxAttempts: 2, Backoff: ws.Backoff{Min: time.Millisecond, Max: time.Millisecond},
		})
		t.Logf("final %v", !strings.Contains(again.Error(), "gave up"))
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
	cmd.Env = append(os.Environ(), "HTTP_PROXY=", "http_proxy=", "HTTPS_PROXY=", "https_proxy=", "NO_PROXY=", "no_proxy=", "REQUEST_METHOD=",
		proxiedURL+"="+url, proxiedCA+"=", proxiedName+"=")
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
		"this machine":              {"ws://" + server, "PASS", []string{"HTTP_PROXY=http://" + addr}},
		"an exception":              {"ws://kkrpc.invalid/ws", "lookup kkrpc.invalid", []string{"HTTP_PROXY=http://" + addr, "NO_PROXY=.invalid"}},
		"that of the other":         {"wss://kkrpc.invalid/ws", "lookup kkrpc.invalid", []string{"HTTP_PROXY=http://" + addr}},
		"of another kind":           {"ws://kkrpc.invalid/ws", "no support for socks5 proxies; use DialOptions.NetDial", []string{"HTTP_PROXY=socks5://" + addr}},
		"of another kind, for good": {"ws://kkrpc.invalid/ws", "final true", []string{"HTTP_PROXY=socks5://" + addr}},
		"malformed, for good":       {"ws://kkrpc.invalid/ws", "final true", []string{"HTTP_PROXY=http://%zz"}},
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
	for _, row := range []struct{ answer, want, status, final string }{
		{"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n", "the proxy answered 407 Proxy Authentication Required",
			"status 407, of the proxy true, again after 0s", "final true"},
		{"HTTP/1.1 403 Forbidden\r\nContent-Length: 11\r\n\r\nnot allowed", "the proxy answered 403 Forbidden: not allowed",
			"status 403, of the proxy true, again after 0s", "final true"},
		{"HTTP/1.1 503 Service Unavailable\r\nRetry-After: 1\r\nContent-Length: 0\r\n\r\n", "the proxy answered 503 Service Unavailable",
			"status 503, of the proxy true, again after 1s", "final false"},
		{"nonsense\r\n\r\n", "malformed HTTP", "", "final false"},
		{established + "\x81\x01x", "it sends data before the server can", "", "final false"},
	} {
		addr, _ := connectProxy(t, "", row.answer)
		out, err := dialInProcess(t, "wss://kkrpc.invalid/ws", "HTTPS_PROXY=http://secret:word@"+addr)
		for _, want := range []string{"ws: dial wss://kkrpc.invalid/ws: proxy " + addr + ": " + row.want, row.status, row.final} {
			if err == nil || !strings.Contains(out, want) || strings.Contains(out, "secret") {
				t.Errorf("%q: got %s, want %s", row.answer, out, want)
			}
		}
	}
}

// A server's own refusal is told apart from that of the proxy before it.
func TestServerBehindAProxyThatRefuses(t *testing.T) {
	srv := httptest.NewServer(http.NotFoundHandler())
	defer srv.Close()
	addr, _ := connectProxy(t, srv.Listener.Addr().String(), established)
	out, err := dialInProcess(t, "ws://kkrpc.invalid/ws", "HTTP_PROXY=http://"+addr)
	if err == nil || !strings.Contains(out, "the server answered 404 Not Found") || !strings.Contains(out, "status 404, of the proxy false") {
		t.Errorf("got %s", out)
	}
}

// A proxy that is reached over TLS is checked by DialOptions.TLS, for its own name.
func TestProxyOverTLS(t *testing.T) {
	srv := httptest.NewTLSServer(ws.Handler(kkrpc.Object{"hello": func(s string) string { return "hello " + s }}, nil))
	defer srv.Close()
	proxy := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		to, err := net.Dial("tcp", srv.Listener.Addr().String())
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadGateway)
			return
		}
		defer to.Close()
		nc, rw, err := http.NewResponseController(w).Hijack()
		if err != nil {
			return
		}
		defer nc.Close()
		_, _ = io.WriteString(nc, established)
		go func() { _, _ = io.Copy(to, rw); _ = to.(*net.TCPConn).CloseWrite() }()
		_, _ = io.Copy(nc, to)
	}))
	proxy.Config.ErrorLog = log.New(io.Discard, "", 0)
	proxy.StartTLS()
	defer proxy.Close()
	env := "HTTPS_PROXY=" + proxy.URL // whose certificate is for example.com and 127.0.0.1
	ca := proxiedCA + "=" + string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: proxy.Certificate().Raw}))
	for name, row := range map[string]struct {
		url, want string
		env       []string
	}{
		"a certificate that is trusted":       {"wss://example.com/ws", "PASS", []string{env, ca}},
		"one that is not":                     {"wss://example.com/ws", "proxy " + proxy.Listener.Addr().String() + ": tls: failed to verify", []string{env}},
		"ServerName is the server's":          {"wss://kkrpc.invalid/ws", "PASS", []string{env, ca, proxiedName + "=example.com"}},
		"a ServerName that the server is not": {"wss://example.com/ws", "ws: dial wss://example.com/ws: tls: failed to verify", []string{env, ca, proxiedName + "=other.invalid"}},
	} {
		if out, _ := dialInProcess(t, row.url, row.env...); !strings.Contains(out, row.want) {
			t.Errorf("%s: got %s, want %s", name, out, row.want)
		}
	}
}
