//go:build !js

package ws

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
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

// upgradeRequest is what a page of evil.example sends.
func upgradeRequest() *http.Request {
	r := httptest.NewRequest(http.MethodGet, "http://evil.example/", nil)
	for name, value := range map[string]string{"Upgrade": "websocket", "Connection": "Upgrade", "Origin": "http://evil.example",
		"Sec-WebSocket-Version": "13", "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ=="} {
		r.Header.Set(name, value)
	}
	return r
}
