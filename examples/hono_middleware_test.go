package examples_test

import (
	"net/http"
	"strings"
	"testing"
)

// middleware checks that logger has seen the upgrades and cors the answers.
func middleware(t *testing.T, addr string, said func() string) {
	if !strings.Contains(said(), "--> GET /ws 101") {
		t.Error("the logger has not seen a WebSocket")
	}
	resp, err := http.Get("http://" + addr + "/ws") // no upgrade
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if got := resp.Header.Get("Access-Control-Allow-Origin"); resp.StatusCode != http.StatusNotFound || got != "*" {
		t.Errorf("a request without an upgrade got status %d and Access-Control-Allow-Origin %q, want 404 and *", resp.StatusCode, got)
	}
}
