package main

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/kkrpc-go/kkrpc"
	"github.com/kkrpc-go/kkrpc/interop/js"
	"github.com/kkrpc-go/kkrpc/transport/ws"
)

// started serves until the test calls stop, whose result is that of serve.
func started(t *testing.T) (address string, stop func() error) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- serve(ctx, listener) }()
	return listener.Addr().String(), func() error {
		cancel()
		return <-ended
	}
}

func status(t *testing.T, client *http.Client, url string) int {
	t.Helper()
	r, err := client.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	r.Body.Close()
	return r.StatusCode
}

// A shutdown lets the call that runs finish, and the probes answer as long as it lasts.
func TestShutdownFinishesCalls(t *testing.T) {
	address, stop := started(t)
	if got := status(t, http.DefaultClient, "http://"+address+"/ready"); got != http.StatusOK {
		t.Fatalf("/ready answers %d", got)
	}
	ch, err := ws.Dial(t.Context(), "ws://"+address+"/ws", nil)
	if err != nil {
		t.Fatal(err)
	}
	defer ch.Close()
	stopped := make(chan error, 1)
	got, err := kkrpc.Call[string](t.Context(), ch, "report", func(percent int) {
		switch percent {
		case 25:
			go func() { stopped <- stop() }()
		case 75:
			if got := status(t, http.DefaultClient, "http://"+address+"/ready"); got != http.StatusServiceUnavailable {
				t.Errorf("/ready answers %d during the shutdown", got)
			}
			if got := status(t, http.DefaultClient, "http://"+address+"/live"); got != http.StatusOK {
				t.Errorf("/live answers %d during the shutdown", got)
			}
		}
	})
	if got != "done" || err != nil {
		t.Errorf("the call that ran answered %q, %v", got, err)
	}
	if err := <-stopped; err != nil {
		t.Error(err)
	}
}

// The files of this folder run in front of the server, with other addresses and a certificate of the test.
func TestProxies(t *testing.T) {
	if testing.Short() {
		t.Skip("needs nginx and Caddy: not under -short")
	}
	address, stop := started(t)
	t.Cleanup(func() { _ = stop() })
	for name, test := range map[string]struct {
		file, command string
		require       string // an environment variable with which a missing proxy fails
		config        func(site, dir, at string) string
		args          []string
	}{
		"nginx": {"nginx.conf", "nginx", "KKRPC_REQUIRE_NGINX", func(site, dir, at string) string {
			site = swap(t, site, "listen 443 ssl;", "listen "+at+" ssl;", "/etc/ssl/example.", filepath.Join(dir, "example."), "127.0.0.1:3000", address)
			return "daemon off;\nworker_processes 1;\npid nginx.pid;\nerror_log stderr;\nevents {}\nhttp {\naccess_log off;\n" +
				"client_body_temp_path a;\nproxy_temp_path b;\nfastcgi_temp_path c;\nuwsgi_temp_path d;\nscgi_temp_path e;\n" + site + "}\n"
		}, []string{"-e", "stderr", "-p", ".", "-c", "config"}},
		"Caddy": {"Caddyfile", "caddy", "KKRPC_REQUIRE_CADDY", func(site, dir, at string) string {
			files := filepath.Join(dir, "example.")
			site = swap(t, site, "app.example.com {", "https://"+at+" {\n\ttls "+files+"pem "+files+"key", "127.0.0.1:3000", address)
			return "{\n\tadmin off\n\tauto_https off\n\tstorage file_system " + dir + "\n}\n" + site
		}, []string{"run", "--adapter", "caddyfile", "--config", "config"}},
	} {
		t.Run(name, func(t *testing.T) {
			exe, err := exec.LookPath(test.command)
			if err != nil {
				exe, err = exec.LookPath("/usr/sbin/" + test.command)
			}
			if err != nil && os.Getenv(test.require) != "" {
				t.Fatal(test.command, "is not installed")
			} else if err != nil {
				t.Skip(test.command, "is not installed")
			}
			dir, at := t.TempDir(), freeAddress(t)
			trust := certificate(t, dir)
			site, err := os.ReadFile(test.file)
			if err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(filepath.Join(dir, "config"), []byte(test.config(string(site), dir, at)), 0o600); err != nil {
				t.Fatal(err)
			}
			run(t, dir, at, exe, test.args...)
			https := &http.Client{Transport: &http.Transport{TLSClientConfig: trust}}
			if got := status(t, https, "https://"+at+"/ready"); got != http.StatusOK {
				t.Errorf("/ready answers %d", got)
			}
			for origin, allowed := range map[string]bool{"": true, "https://" + at: true, "https://evil.example": false} {
				header := http.Header{}
				if origin != "" {
					header.Set("Origin", origin)
				}
				ch, err := ws.Dial(t.Context(), "wss://"+at+"/ws", &ws.DialOptions{TLS: trust, Header: header})
				if !allowed {
					if err == nil {
						_ = ch.Close()
						t.Errorf("a page of %s may connect", origin)
					}
					continue
				}
				if err != nil {
					t.Errorf("a page of %q: %v", origin, err)
					continue
				}
				if got, err := kkrpc.Call[string](t.Context(), ch, "greet", "Ada"); got != "Hello, Ada!" || err != nil {
					t.Errorf("%q, %v", got, err)
				}
				_ = ch.Close()
			}
		})
	}
}

// swap replaces texts, of which each must be there.
func swap(t *testing.T, text string, pairs ...string) string {
	t.Helper()
	for i := 0; i < len(pairs); i += 2 {
		if !strings.Contains(text, pairs[i]) {
			t.Fatalf("the configuration has no %q", pairs[i])
		}
		text = strings.ReplaceAll(text, pairs[i], pairs[i+1])
	}
	return text
}

func freeAddress(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	return listener.Addr().String()
}

// run starts a proxy in dir and waits until it listens.
func run(t *testing.T, dir, at, exe string, args ...string) {
	t.Helper()
	cmd := exec.Command(exe, args...)
	cmd.Dir, cmd.Env = dir, append(os.Environ(), "HOME="+dir)
	js.EndWithTest(cmd, syscall.SIGTERM)
	var said bytes.Buffer
	cmd.Stderr = &said
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() { _ = cmd.Wait(); close(ended) }()
	t.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		<-ended
		if t.Failed() {
			t.Logf("%s said:\n%s", exe, said.String())
		}
	})
	retry := time.NewTicker(20 * time.Millisecond)
	defer retry.Stop()
	giveUp := time.After(30 * time.Second)
	for {
		conn, err := net.Dial("tcp", at)
		if err == nil {
			_ = conn.Close()
			return
		}
		select {
		case <-retry.C:
		case <-ended:
			t.Fatalf("%s has ended", exe)
		case <-giveUp:
			t.Fatalf("%s does not listen: %v", exe, err)
		}
	}
}

// certificate writes that of httptest, which is for 127.0.0.1, and returns whom to trust.
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

// systemd and Kubernetes wait longer than its graceful shutdown takes.
func TestTimesFit(t *testing.T) {
	seconds := func(file, pattern string) time.Duration {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		found := regexp.MustCompile(pattern + `(\d+)`).FindSubmatch(text)
		if found == nil {
			t.Fatalf("%s has no %s", file, pattern)
		}
		n, _ := strconv.Atoi(string(found[1]))
		return time.Duration(n) * time.Second
	}
	if grace, wait := seconds("kubernetes.yaml", "terminationGracePeriodSeconds: "), seconds("kubernetes.yaml", "seconds: "); grace <= wait+drain {
		t.Errorf("Kubernetes kills after %v, and preStop with the drain takes %v", grace, wait+drain)
	}
	if stop := seconds("kkrpc.service", "TimeoutStopSec="); stop <= drain {
		t.Errorf("systemd kills after %v, and the drain takes %v", stop, drain)
	}
}

// The page shows the files of this folder to the letter.
func TestPage(t *testing.T) {
	page, err := os.ReadFile("../../docs/guide/deployment.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range []string{"main.go", "nginx.conf", "Caddyfile", "kkrpc.service", "Dockerfile", "kubernetes.yaml"} {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Contains(page, append([]byte("\n"), append(text, "```\n"...)...)) {
			t.Errorf("docs/guide/deployment.md does not show %s", file)
		}
	}
}
