package main

import (
	"testing"

	"github.com/kkrpc-go/kkrpc"
	"github.com/kkrpc-go/kkrpc/wasm/wasmtest"
)

func TestRegion(t *testing.T) {
	host := &wasmtest.Host{Env: map[string]any{"REGION": "Zurich"}}
	got, err := region(host.NewRequest("http://localhost/ws").Context())
	if err != nil || got != "Zurich" {
		t.Errorf("region: %q, %v", got, err)
	}
}

func TestOpen(t *testing.T) {
	host := &wasmtest.Host{Vars: map[string]any{"jwtPayload": map[string]any{"sub": "Ada"}}}
	api, err := open(host.NewRequest("http://localhost/ws"))
	if err != nil {
		t.Fatal(err)
	}
	if got := api.(kkrpc.Object)["greet"].(func() string)(); got != "Hello, Ada!" {
		t.Errorf("greet: %q", got)
	}
	if _, err := open((&wasmtest.Host{}).NewRequest("http://localhost/ws")); err == nil {
		t.Error("a connection without a token was opened")
	}
}
