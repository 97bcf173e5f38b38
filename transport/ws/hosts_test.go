package ws

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

func TestHostAllowed(t *testing.T) {
	tests := []struct {
		hosts   string // separated by spaces
		host    string
		allowed bool
	}{
		{"", "anything.example:80", true},
		{"localhost", "localhost:3000", true},
		{"localhost", "localhost", true},
		{"localhost", "LOCALHOST.:3000", true},
		{"LocalHost.", "localhost:3000", true},
		{"localhost", "evil.example:3000", false},
		{"localhost", "localhost.evil.example", false},
		{"localhost", "evil.localhost", false},
		{"localhost", "", false},
		{"localhost", "localhost:3000:4000", false},
		{"localhost 127.0.0.1 ::1", "127.0.0.1:3000", true},
		{"localhost 127.0.0.1 ::1", "[::1]:3000", true},
		{"localhost 127.0.0.1 ::1", "[::1]", true},
		{"[::1]", "[0:0::1]:80", true},
		{"localhost 127.0.0.1 ::1", "127.0.0.2", false},
		{"*.example.com", "a.example.com", true},
		{"*.example.com", "a.b.example.com:8080", true},
		{"*.example.com", "example.com", false},
		{"*.example.com", ".example.com", false},
		{"*.example.com", "badexample.com", false},
	}
	for _, test := range tests {
		t.Run(test.hosts+" "+test.host, func(t *testing.T) {
			r := &http.Request{Host: test.host}
			if got := hostAllowed(r, parseHosts(strings.Fields(test.hosts))); got != test.allowed {
				t.Errorf("allowed: %v", got)
			}
		})
	}
}

func TestHostsPanic(t *testing.T) {
	for _, bad := range []string{"", "http://localhost", "localhost:3000", "*", "*.", "a.*.example", "localhost/ws", "user@localhost"} {
		t.Run(bad, func(t *testing.T) {
			defer func() {
				if p, _ := recover().(string); !strings.Contains(p, "Options.Hosts") || !strings.Contains(p, "localhost") {
					t.Errorf("panic %q", p)
				}
			}()
			Handler(nil, &Options{Hosts: []string{bad}})
		})
	}
}

// A page whose name was made to point to this server has an Origin that equals the Host: only the list helps.
func TestHostsAgainstRebinding(t *testing.T) {
	s := Handler(nil, &Options{Hosts: []string{"localhost", "127.0.0.1"}})
	r := httptest.NewRequest(http.MethodGet, "http://evil.example/", nil)
	for name, value := range map[string]string{"Upgrade": "websocket", "Connection": "Upgrade", "Origin": "http://evil.example",
		"Sec-WebSocket-Version": "13", "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ=="} {
		r.Header.Set(name, value)
	}
	w := httptest.NewRecorder()
	s.ServeHTTP(w, r)
	if w.Code != http.StatusForbidden || !strings.Contains(w.Body.String(), `"evil.example"`) || !strings.Contains(w.Body.String(), "Hosts in ws.Options") {
		t.Errorf("answered %d: %s", w.Code, w.Body)
	}
}
