package ws

import (
	"net/http"
	"net/http/httptest"
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
