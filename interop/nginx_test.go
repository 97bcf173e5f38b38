package interop_test

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/kkrpc-go/kkrpc"
	"github.com/kkrpc-go/kkrpc/interop/js"
	"github.com/kkrpc-go/kkrpc/transport/ws"
)

// nginxIdle is the proxy_read_timeout of the tests, whole seconds in nginx.
const nginxIdle = time.Second

// nginx runs the configuration that docs/security.md shows, TLS included, in front of h and with other times, and returns the URL
// of what h serves as / and whom to trust for it. The test is skipped where nginx is missing, unless KKRPC_REQUIRE_NGINX is set.
func nginx(t *testing.T, h http.Handler, change ...string) (url string, trust *tls.Config) {
	t.Helper()
	if testing.Short() {
		t.Skip("needs nginx: not under -short")
	}
	exe, err := exec.LookPath("nginx")
	if err != nil {
		exe, err = exec.LookPath("/usr/sbin/nginx") // Debian's, which is not on everybody's path
	}
	if err != nil && os.Getenv("KKRPC_REQUIRE_NGINX") != "" {
		t.Fatal("nginx is not installed (apt-get install nginx-light)")
	} else if err != nil {
		t.Skip("nginx is not installed (apt-get install nginx-light)")
	}
	backend := httptest.NewServer(h)
	t.Cleanup(backend.Close)

	// nginx inherits the listener, so that it need not be waited for.
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	file, err := ln.(*net.TCPListener).File()
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()

	page, err := os.ReadFile("../docs/security.md")
	if err != nil {
		t.Fatal(err)
	}
	shown := regexp.MustCompile("(?s)```nginx\n(.*?)```").FindSubmatch(page)
	if shown == nil {
		t.Fatal("docs/security.md shows no configuration of nginx")
	}
	site := string(shown[1])
	dir := t.TempDir()
	trust = certificate(t, dir)
	replace := append([]string{
		"listen 443 ssl;", "listen " + ln.Addr().String() + " ssl;",
		"/etc/ssl/example.", filepath.Join(dir, "example."),
		"http://127.0.0.1:3000/", backend.URL + "/",
		"proxy_read_timeout 75s;", fmt.Sprintf("proxy_read_timeout %.0fs;", nginxIdle.Seconds()),
	}, change...)
	for i := 0; i < len(replace); i += 2 {
		if !strings.Contains(site, replace[i]) {
			t.Fatalf("docs/security.md shows no %q", replace[i])
		}
		site = strings.ReplaceAll(site, replace[i], replace[i+1])
	}
	config := "daemon off;\nworker_processes 1;\npid nginx.pid;\nerror_log stderr;\nevents {}\nhttp {\naccess_log off;\n" +
		"client_body_temp_path a;\nproxy_temp_path b;\nfastcgi_temp_path c;\nuwsgi_temp_path d;\nscgi_temp_path e;\n" + site + "}\n"
	name := filepath.Join(dir, "nginx.conf")
	if err := os.WriteFile(name, []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(exe, "-p", dir, "-c", name, "-e", "stderr")
	cmd.Env = append(os.Environ(), "NGINX=3;")
	cmd.ExtraFiles = []*os.File{file}
	js.EndWithTest(cmd, syscall.SIGTERM) // killed, it would leave its worker behind
	var said bytes.Buffer
	cmd.Stderr = &said
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		_ = cmd.Wait()
		if t.Failed() {
			t.Logf("nginx said:\n%s", said.String())
		}
	})
	return "wss://" + ln.Addr().String() + "/app/", trust
}

// certificate writes the one of httptest, which is for 127.0.0.1, into dir as nginx wants it.
func certificate(t *testing.T, dir string) *tls.Config {
	t.Helper()
	server := httptest.NewTLSServer(http.NotFoundHandler())
	defer server.Close()
	own := server.TLS.Certificates[0]
	key, err := x509.MarshalPKCS8PrivateKey(own.PrivateKey)
	if err != nil {
		t.Fatal(err)
	}
	for name, block := range map[string]*pem.Block{
		"example.pem": {Type: "CERTIFICATE", Bytes: own.Certificate[0]},
		"example.key": {Type: "PRIVATE KEY", Bytes: key},
	} {
		if err := os.WriteFile(filepath.Join(dir, name), pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return server.Client().Transport.(*http.Transport).TLSClientConfig
}

// quiet is a client that sends no heartbeat.
func quiet(t *testing.T, url string, opts *ws.DialOptions) *kkrpc.Channel {
	t.Helper()
	if opts.Ping == 0 {
		opts.Ping = -1
	}
	ch, err := ws.Dial(t.Context(), url, opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = ch.Close() })
	return ch
}

func TestBehindNginx(t *testing.T) {
	api := func(r *http.Request) (any, error) {
		return kkrpc.Object{"request": func() map[string]string {
			return map[string]string{"path": r.URL.Path, "host": r.Host, "for": r.Header.Get("X-Forwarded-For"), "proto": r.Header.Get("X-Forwarded-Proto")}
		}}, nil
	}
	mux := http.NewServeMux()
	mux.Handle("/ws", ws.HandlerFor(api, nil))
	mux.Handle("/listed", ws.HandlerFor(api, &ws.Options{Origins: []string{"https://app.example.com"}}))
	const noHost = "\t\tproxy_set_header Host $http_host;\n"
	passed, trust := nginx(t, mux)
	kept, _ := nginx(t, mux, noHost, "")
	bare, _ := nginx(t, mux, "$http_host", "$host")

	for _, test := range []struct {
		name   string
		url    string
		asked  string // the header Host
		origin string
		host   string // that the handler sees; empty for the one of the backend
		status int    // of a refusal
	}{
		{"prefix and headers", passed + "ws", "app.example.com", "", "app.example.com", 0},
		{"a page of the same host", passed + "ws", "app.example.com", "https://app.example.com", "app.example.com", 0},
		{"a page of the same host and port", passed + "ws", "app.example.com:8443", "https://app.example.com:8443", "app.example.com:8443", 0},
		{"a page of another port", passed + "ws", "app.example.com:8443", "https://app.example.com", "", http.StatusForbidden},
		{"a page of another host", passed + "ws", "app.example.com", "https://evil.example", "", http.StatusForbidden},
		{"Host not passed on: a page of the same host is a stranger", kept + "ws", "app.example.com", "https://app.example.com", "", http.StatusForbidden},
		{"Host not passed on, but the origin listed", kept + "listed", "app.example.com", "https://app.example.com", "", 0},
		{"Host passed on without the port: its pages are strangers", bare + "ws", "app.example.com:8443", "https://app.example.com:8443", "", http.StatusForbidden},
	} {
		t.Run(test.name, func(t *testing.T) {
			header := http.Header{"Host": {test.asked}}
			if test.origin != "" {
				header.Set("Origin", test.origin)
			}
			ch, err := ws.Dial(t.Context(), test.url, &ws.DialOptions{Header: header, TLS: trust})
			if test.status != 0 {
				if refused, ok := errors.AsType[*ws.StatusError](err); !ok || refused.Status != test.status {
					t.Fatalf("error %v", err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			defer ch.Close()
			got, err := kkrpc.Call[map[string]string](t.Context(), ch, "request")
			if err != nil {
				t.Fatal(err)
			}
			if test.host != "" && got["host"] != test.host || got["path"] != "/"+test.url[strings.LastIndex(test.url, "/")+1:] ||
				got["for"] != "127.0.0.1" || got["proto"] != "https" {
				t.Errorf("the handler saw %v", got)
			}
		})
	}
}

// A connection without heartbeats is cut by nginx: twice in turn that tells that its timeout has passed, and those with
// heartbeats, of either side, have survived it.
func TestHeartbeatsSurviveNginx(t *testing.T) {
	api := kkrpc.Object{"hello": func() string { return "hello" }}
	mux := http.NewServeMux()
	mux.Handle("/silent", ws.Handler(api, &ws.Options{Ping: -1}))
	mux.Handle("/pings", ws.Handler(api, &ws.Options{Ping: nginxIdle / 4}))
	url, trust := nginx(t, mux)

	survivors := map[string]*kkrpc.Channel{
		"the server pings": quiet(t, url+"pings", &ws.DialOptions{TLS: trust}),
		"the client pings": quiet(t, url+"silent", &ws.DialOptions{TLS: trust, Ping: nginxIdle / 4}),
	}
	for range 2 {
		began := time.Now()
		cut := quiet(t, url+"silent", &ws.DialOptions{TLS: trust})
		select {
		case <-cut.Done():
		case <-time.After(20 * nginxIdle):
			t.Fatal("nginx does not cut a silent connection")
		}
		if took := time.Since(began); took < nginxIdle*9/10 {
			t.Errorf("cut after %v: %v", took, cut.Err())
		}
	}
	for name, ch := range survivors {
		if got, err := kkrpc.Call[string](t.Context(), ch, "hello"); err != nil || got != "hello" {
			t.Errorf("%s: %q, %v", name, got, err)
		}
	}
}
