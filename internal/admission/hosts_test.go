package admission_test

import (
	"net/http"
	"strconv"
	"strings"
	"testing"

	"github.com/kkrpc-go/kkrpc/internal/admission"
)

func TestHosts(t *testing.T) {
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
		{"localhost", "user@localhost", false},
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
			hosts, err := admission.ParseHosts(strings.Fields(test.hosts))
			if err != nil {
				t.Fatal(err)
			}
			if got := hosts.Allow(&http.Request{Host: test.host}); got != test.allowed {
				t.Errorf("allowed: %v", got)
			}
		})
	}
}

func TestMalformedHosts(t *testing.T) {
	for _, pattern := range []string{"", "http://localhost", "localhost:3000", "*", "*.", "a.*.example", "localhost/ws", "user@localhost"} {
		t.Run(pattern, func(t *testing.T) {
			_, err := admission.ParseHosts([]string{"localhost", pattern})
			if err == nil || !strings.Contains(err.Error(), "Options.Hosts") || !strings.Contains(err.Error(), strconv.Quote(pattern)) {
				t.Errorf("error %v", err)
			}
		})
	}
}
