package guide_test

import (
	"context"
	"reflect"
	"strings"
	"testing"

	"github.com/kkrpc-go/kkrpc"
	"github.com/kkrpc-go/kkrpc/transport/ws"
)

// TestGoPeers runs every Go program against a peer in Go, so that they are checked where there is no JavaScript.
func TestGoPeers(t *testing.T) {
	for _, f := range features {
		t.Run(f.name, f.peer)
	}
}

// dial starts the server of a feature and connects to it as a peer of kkrpc 2 that exposes api.
func dial(t *testing.T, name, path string, api any) (context.Context, *kkrpc.Channel, *process) {
	t.Helper()
	server, address := serve(t, program(t, name))
	return t.Context(), connect(t, kkrpc.Compact, "ws://"+address+path, api), server
}

func connect(t *testing.T, dialect kkrpc.Dialect, url string, api any) *kkrpc.Channel {
	t.Helper()
	ch, err := ws.Dial(t.Context(), url, &ws.DialOptions{RPC: kkrpc.Options{Expose: api, Dialect: dialect}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = ch.Close() })
	return ch
}

// want returns a function that takes the results of a call.
func want[T any](t *testing.T, want T) func(got T, err error) {
	t.Helper()
	return func(got T, err error) {
		t.Helper()
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("got %v (%v), want %v", got, err, want)
		}
	}
}

func succeeds(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Error(err)
	}
}

func fails(t *testing.T, err error, text string) {
	t.Helper()
	if err == nil || !strings.Contains(err.Error(), text) {
		t.Errorf("the error is %v, want one with %q", err, text)
	}
}
