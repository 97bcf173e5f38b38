package main

import (
	"bytes"
	"context"
	"errors"
	"net"
	"os"
	"strings"
	"testing"

	"github.com/kkrpc-go/kkrpc"
	"github.com/kkrpc-go/kkrpc/transport/ws"
)

func TestCommandLine(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	for _, row := range []struct {
		name           string
		args           []string
		code           int
		stdout, stderr string // what has to be in it; "" means it has to be empty
	}{
		{"help is asked for", []string{"help"}, 0, "usage: kkrpc <command>", ""},
		{"help lists dev", []string{"help"}, 0, "\n  dev       run a Go program again and write its TypeScript types whenever it changes\n", ""},
		{"version", []string{"version"}, 0, "kkrpc ", ""},
		{"no command", nil, 2, "", "usage: kkrpc <command>"},
		{"unknown command", []string{"dance"}, 2, "", "kkrpc: unknown command \"dance\"\n\nkkrpc: Go and"},
		{"help of a command", []string{"demo", "-h"}, 0, "", "-addr"},
		{"unknown option", []string{"demo", "--port", "1"}, 2, "", "flag provided but not defined"},
		{"argument too many", []string{"demo", "8080"}, 2, "", "unexpected argument \"8080\"\n"},
		{"address without port", []string{"demo", "--addr", "localhost"}, 1, "", "kkrpc demo: cannot listen on localhost: missing port in address\n"},
		{"port that is none", []string{"demo", "--addr", ":http:x"}, 1, "", "kkrpc demo: cannot listen on :http:x: too many colons in address\n"},
		{"port out of range", []string{"demo", "--addr", ":99999"}, 1, "", "kkrpc demo: cannot listen on :99999: invalid port\n"},
		{"port that is a word", []string{"demo", "--addr", ":nonsense"}, 1, "", "kkrpc demo: cannot listen on :nonsense: unknown port\n"},
		{"taken address", []string{"demo", "--addr", taken.Addr().String()}, 1, "",
			"kkrpc demo: cannot listen on " + taken.Addr().String() + ": address already in use\n"},
	} {
		t.Run(row.name, func(t *testing.T) {
			var stdout, stderr bytes.Buffer
			if code := run(t.Context(), row.args, &stdout, &stderr); code != row.code {
				t.Errorf("exit code %d, want %d", code, row.code)
			}
			check(t, "stdout", stdout.String(), row.stdout)
			check(t, "stderr", stderr.String(), row.stderr)
			if row.code == 1 && strings.Count(stderr.String(), "\n") != 1 {
				t.Errorf("the error is not one line:\n%s", stderr.String())
			}
		})
	}
}

func check(t *testing.T, name, got, want string) {
	t.Helper()
	if want == "" && got != "" || !strings.Contains(got, want) {
		t.Errorf("%s is\n%s\nwant in it: %q", name, got, want)
	}
}

func readFile(t *testing.T, path string) []byte {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func TestInterruptEndsTheDemo(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	out, demo := start(t, ctx)
	url := out.url()
	cancel()
	if code := demo.wait(); code != 0 {
		t.Errorf("exit code %d, want 0; log:\n%s", code, demo.log())
	}
	if conn, err := net.Dial("tcp", strings.TrimSuffix(strings.TrimPrefix(url, "ws://"), "/ws")); err == nil {
		conn.Close()
		t.Error("it still listens")
	}
}

// TestInterruptAnswers has a call under way when the demo is interrupted.
func TestInterruptAnswers(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	out, demo := start(t, ctx)
	asked, release := make(chan struct{}), make(chan struct{})
	ch, err := ws.Dial(t.Context(), out.url(), &ws.DialOptions{RPC: kkrpc.Options{Expose: kkrpc.Object{"getClientInfo": func() clientInfo {
		close(asked)
		<-release
		return clientInfo{Type: "test", Version: "2"}
	}}}})
	if err != nil {
		t.Fatal(err)
	}
	defer ch.Close()
	answered := make(chan error, 1)
	go func() { answered <- ch.Call(t.Context(), nil, "whoAreYou") }()
	<-asked
	cancel()
	var refused *kkrpc.Error
	for refused == nil || refused.Name != "RPCUnavailableError" { // the server stops soon
		if err := ch.Call(t.Context(), nil, "add", 1, 2); err != nil && !errors.As(err, &refused) {
			t.Fatal(err)
		}
	}
	close(release)
	if err := <-answered; err != nil {
		t.Errorf("the call under way: %v", err)
	}
	if code := demo.wait(); code != 0 {
		t.Errorf("exit code %d, want 0; log:\n%s", code, demo.log())
	}
}
