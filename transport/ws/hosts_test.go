//go:build !js

package ws

import (
	"bytes"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

func TestMalformedHostPanics(t *testing.T) {
	defer func() {
		if p, _ := recover().(string); !strings.HasPrefix(p, `ws: Options.Hosts: "localhost:3000": `) {
			t.Errorf("panic %q", p)
		}
	}()
	Handler(nil, &Options{Hosts: []string{"localhost:3000"}})
}

// A page whose name was made to point to this server has an Origin that equals the Host: only the list helps.
func TestHostsAgainstRebinding(t *testing.T) {
	s := Handler(nil, &Options{Hosts: []string{"localhost", "127.0.0.1"}})
	w := httptest.NewRecorder()
	s.ServeHTTP(w, upgradeRequest())
	if w.Code != http.StatusForbidden || !strings.Contains(w.Body.String(), `"evil.example"`) || !strings.Contains(w.Body.String(), "Hosts in ws.Options") {
		t.Errorf("answered %d: %s", w.Code, w.Body)
	}
}

// An answer that quotes its request is not much longer than that.
func TestRefusalsAreShort(t *testing.T) {
	long := strings.Repeat("\x01", 10_000)
	for _, test := range []struct {
		name   string
		hosts  []string
		change func(r *http.Request)
		status int
	}{
		{"origin", nil, func(r *http.Request) { r.Header.Set("Origin", long) }, http.StatusForbidden},
		{"host", []string{"localhost"}, func(r *http.Request) { r.Host = long }, http.StatusForbidden},
		{"parameter", nil, func(r *http.Request) { r.URL.RawQuery = "kkrpc=" + url.QueryEscape(long) }, http.StatusBadRequest},
	} {
		t.Run(test.name, func(t *testing.T) {
			r := upgradeRequest()
			test.change(r)
			w := httptest.NewRecorder()
			Handler(nil, &Options{Hosts: test.hosts}).ServeHTTP(w, r)
			if w.Code != test.status || w.Body.Len() > 2000 {
				t.Errorf("answered %d with %d bytes", w.Code, w.Body.Len())
			}
		})
	}
}

// A browser shows nobody why it was refused, so that the log does; not as often as somebody asks.
func TestRefusedPagesAreLogged(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		s := Handler(nil, &Options{Logger: slog.New(slog.NewTextHandler(&log, nil))})
		refuse := func(want int) {
			t.Helper()
			r := upgradeRequest()
			r.Host = "localhost"
			w := httptest.NewRecorder()
			s.ServeHTTP(w, r)
			if w.Code != http.StatusForbidden {
				t.Errorf("answered %d", w.Code)
			}
			if got := strings.Count(log.String(), "Origins in ws.Options"); got != want || !strings.Contains(log.String(), "http://evil.example") {
				t.Errorf("%d lines, want %d:\n%s", got, want, &log)
			}
		}
		for range 100 {
			refuse(1)
		}
		time.Sleep(refusalPause)
		refuse(2)
	})
}

// A header about the connection, as Upgrade is, makes a response of HTTP/2 malformed.
func TestHTTP2(t *testing.T) {
	server := httptest.NewUnstartedServer(Handler(nil, nil))
	server.EnableHTTP2 = true
	server.StartTLS()
	defer server.Close()
	resp, err := server.Client().Get(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, _ := io.ReadAll(resp.Body)
	if resp.ProtoMajor != 2 || resp.StatusCode != http.StatusBadRequest || !strings.Contains(string(body), "HTTP/1.1, not HTTP/2.0") || resp.Header.Get("Upgrade") != "" {
		t.Errorf("%s %s %v: %s", resp.Proto, resp.Status, resp.Header, body)
	}
}

// upgradeRequest is what a page of evil.example sends.
func upgradeRequest() *http.Request {
	r := httptest.NewRequest(http.MethodGet, "http://evil.example/", nil)
	for name, value := range map[string]string{"Upgrade": "websocket", "Connection": "Upgrade", "Origin": "http://evil.example",
		"Sec-WebSocket-Version": "13", "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ=="} {
		r.Header.Set(name, value)
	}
	return r
}
