package admission_test

import (
	"crypto/tls"
	"net/http"
	"strconv"
	"strings"
	"testing"

	"github.com/kkrpc-go/kkrpc/internal/admission"
)

func TestOrigin(t *testing.T) {
	tests := []struct {
		name     string
		patterns []string
		host     string
		origin   []string
		want     bool
	}{
		{"no browser", nil, "a.com", nil, true},
		{"same origin", nil, "a.com", []string{"https://a.com"}, true},
		{"same origin behind TLS of a proxy", nil, "a.com:443", []string{"https://a.com"}, true},
		{"same origin, other case", nil, "A.com", []string{"https://a.COM"}, true},
		{"same host and port", nil, "localhost:3000", []string{"http://localhost:3000"}, true},
		{"IPv6", nil, "[::1]:3000", []string{"http://[::1]:3000"}, true},
		{"other port", nil, "localhost:3000", []string{"http://localhost:5173"}, false},
		{"other host", nil, "a.com", []string{"https://b.com"}, false},
		{"a host that begins with ours", nil, "a.com", []string{"https://a.com.evil.com"}, false},
		{"a host that ends with ours", nil, "a.com", []string{"https://evila.com"}, false},
		{"user info that looks like ours", nil, "a.com", []string{"https://a.com@evil.com"}, false},
		{"null", nil, "a.com", []string{"null"}, false},
		{"empty", nil, "a.com", []string{""}, false},
		{"malformed", nil, "a.com", []string{"http://%zz"}, false},
		{"two headers", nil, "a.com", []string{"https://a.com", "https://a.com"}, false},
		{"everyone", []string{"*"}, "a.com", []string{"https://b.com"}, true},
		{"everyone includes null", []string{"*"}, "a.com", []string{"null"}, true},
		{"listed null", []string{"null"}, "a.com", []string{"null"}, true},
		{"listed", []string{"https://x.com", "https://b.com"}, "a.com", []string{"https://b.com"}, true},
		{"listed, default port written out", []string{"https://b.com:443"}, "a.com", []string{"https://b.com"}, true},
		{"listed with another scheme", []string{"https://b.com"}, "a.com", []string{"http://b.com"}, false},
		{"listed with another port", []string{"https://b.com"}, "a.com", []string{"https://b.com:8443"}, false},
		{"every port", []string{"http://localhost:*"}, "a.com", []string{"http://localhost:5173"}, true},
		{"every port includes the default", []string{"http://localhost:*"}, "a.com", []string{"http://localhost"}, true},
		{"every port of IPv6", []string{"http://[::1]:*"}, "a.com", []string{"http://[::1]:5173"}, true},
		{"every port of another host", []string{"http://localhost:*"}, "a.com", []string{"http://localhost.evil.com:5173"}, false},
		{"subdomain", []string{"https://*.b.com"}, "a.com", []string{"https://x.y.b.com"}, true},
		{"subdomain is not the domain", []string{"https://*.b.com"}, "a.com", []string{"https://b.com"}, false},
		{"subdomain is not a suffix", []string{"https://*.b.com"}, "a.com", []string{"https://evilb.com"}, false},
		{"subdomain with every port", []string{"https://*.b.com:*"}, "a.com", []string{"https://x.b.com:99"}, true},
		{"listed does not excuse two headers", []string{"https://b.com"}, "a.com", []string{"https://b.com", "https://b.com"}, false},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			r := &http.Request{Host: test.host, Header: http.Header{}}
			if test.origin != nil {
				r.Header["Origin"] = test.origin
			}
			origins, err := admission.ParseOrigins(test.patterns)
			if err != nil {
				t.Fatal(err)
			}
			if got := origins.Allow(r); got != test.want {
				t.Errorf("allowed: %v, want %v", got, test.want)
			}
		})
	}
}

func TestMalformedOrigins(t *testing.T) {
	for _, pattern := range []string{"", "example.com", "://b.com", "https://", "https://*b.com", "https://a.*.com", "https://b.com/", "https://u@b.com", "https://b.com:x"} {
		t.Run(pattern, func(t *testing.T) {
			_, err := admission.ParseOrigins([]string{"*", pattern})
			if err == nil || !strings.Contains(err.Error(), "Options.Origins") || !strings.Contains(err.Error(), strconv.Quote(pattern)) {
				t.Errorf("error %v", err)
			}
		})
	}
}

// A page that came without TLS may have been written by anybody on the way.
func TestPlainPageOfATLSHost(t *testing.T) {
	for _, test := range []struct {
		origin string
		tls    *tls.ConnectionState
		want   bool
	}{
		{"http://example.com", nil, true}, // a proxy may have ended TLS
		{"http://example.com", &tls.ConnectionState{}, false},
		{"https://example.com", &tls.ConnectionState{}, true},
	} {
		r := &http.Request{Host: "example.com", Header: http.Header{"Origin": {test.origin}}, TLS: test.tls}
		if got := admission.Origins(nil).Allow(r); got != test.want {
			t.Errorf("%s, TLS %v: %v", test.origin, test.tls != nil, got)
		}
	}
}
