package wasmtest_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/kkrpc-go/kkrpc"
	"github.com/kkrpc-go/kkrpc/wasm"
	"github.com/kkrpc-go/kkrpc/wasm/wasmtest"
)

type user struct {
	Name  string   `json:"name"`
	Roles []string `json:"roles"`
}

// TestValues has the errors of the real host, which interop/honovalues_test.go compares with these texts.
func TestValues(t *testing.T) {
	host := &wasmtest.Host{
		Vars: map[string]any{
			"user": map[string]any{"name": "Ada", "roles": []string{"admin"}}, "struct": user{Name: "Eve"}, "nothing": nil, "number": 7,
			"large": strings.Repeat("x", 1<<20), "channel": make(chan int), "bytes": []byte{1, 2, 255},
		},
		Env: map[string]any{"PORT": "80", "LIMITS": map[string]any{"name": "json"}},
	}
	ctx := host.NewRequest("http://localhost/ws").Context()
	for _, row := range []struct {
		name string
		read func() (any, error)
		want any
		err  string // some of it
	}{
		{"a variable", func() (any, error) { return wasm.Var[user](ctx, "user") }, user{"Ada", []string{"admin"}}, ""},
		{"a struct", func() (any, error) { return wasm.Var[map[string]any](ctx, "struct") }, map[string]any{"name": "Eve", "roles": []any{}}, ""},
		{"null", func() (any, error) { return wasm.Var[*user](ctx, "nothing") }, (*user)(nil), ""},
		{"bytes", func() (any, error) { return wasm.Var[[]byte](ctx, "bytes") }, []byte{1, 2, 255}, ""},
		{"not set", func() (any, error) { return wasm.Var[int](ctx, "none") }, 0, `wasm: variable "none": not set: no middleware before createHonoWebSocketHandler(c) has called c.set with this name`},
		{"another type", func() (any, error) { return wasm.Var[string](ctx, "number") }, "", `wasm: variable "number": superjson: expected string, got number`},
		{"over MaxValue", func() (any, error) { return wasm.Var[string](ctx, "large") }, "", "the value has 1048578 bytes of JSON, over the limit of 1048576 (MaxValue in wasm.Options)"},
		{"no JSON", func() (any, error) { return wasm.Var[any](ctx, "channel") }, nil, `wasm: variable "channel": `},
		{"the environment", func() (any, error) { return wasm.Env[int](ctx, "PORT") }, 80, ""},
		{"JSON of a Worker", func() (any, error) { return wasm.Env[user](ctx, "LIMITS") }, user{Name: "json"}, ""},
		{"not in the environment", func() (any, error) { return wasm.Env[string](ctx, "NONE") }, "", `wasm: environment variable "NONE": not set: the server has none of this name`},
		{"no bindings", func() (any, error) { return wasm.Do[string](ctx, wasm.BindingOf("KV").Call("get", "a")) }, "", `wasm: binding "KV": not set: the server has none of this name`},
	} {
		got, err := row.read()
		if diff := cmp.Diff(row.want, got); diff != "" || (err == nil) != (row.err == "") || err != nil && !strings.Contains(err.Error(), row.err) {
			t.Errorf("%s: %v, want %q (-want +got):\n%s", row.name, err, row.err, diff)
		}
		if err != nil && strings.Contains(row.err, "not set") != errors.Is(err, wasm.ErrNotSet) {
			t.Errorf("%s: %v wraps ErrNotSet: %t", row.name, err, errors.Is(err, wasm.ErrNotSet))
		}
	}
	if _, err := wasm.Var[string](t.Context(), "user"); err == nil {
		t.Error("a context of no request has a variable")
	}
}

// TestDo has a function answer for the bindings of a Worker.
func TestDo(t *testing.T) {
	var got []wasmtest.Call
	block := make(chan struct{})
	host := &wasmtest.Host{Do: func(binding string, calls []wasmtest.Call) (any, error) {
		got = calls
		switch binding {
		case "DB":
			return map[string]any{"results": []user{{Name: "Ada"}}}, nil
		case "BUCKET":
			return []byte{0, 255}, nil
		case "KV":
			return nil, nil
		case "BROKEN":
			return nil, errors.New("too far")
		case "SLOW":
			<-block
		}
		return nil, wasm.ErrNotSet
	}}
	ctx := host.NewRequest("http://localhost/ws").Context()

	type found struct {
		Results []user `json:"results"`
	}
	rows, err := wasm.Do[found](ctx, wasm.BindingOf("DB").Call("prepare", "SELECT ?").Call("bind", 7, []byte("a"), nil, []int{1}, "[2]", []byte{}).Call("all"))
	if err != nil || len(rows.Results) != 1 || rows.Results[0].Name != "Ada" {
		t.Errorf("%v, %v", rows, err)
	}
	want := []wasmtest.Call{
		{Method: "prepare", Args: []any{"SELECT ?"}}, {Method: "bind", Args: []any{7.0, []byte("a"), nil, []any{1.0}, "[2]", []byte{}}}, {Method: "all"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("the calls (-want +got):\n%s", diff)
	}
	if got, err := wasm.Do[[]byte](ctx, wasm.BindingOf("BUCKET").Call("get", "a").Call("arrayBuffer")); err != nil || string(got) != "\x00\xff" {
		t.Errorf("bytes: %v, %v", got, err)
	}
	if got, err := wasm.Do[string](ctx, wasm.BindingOf("BUCKET").Call("get", "a")); err == nil {
		t.Errorf("bytes as text: %q", got)
	}
	if got, err := wasm.Do[*string](ctx, wasm.BindingOf("KV").Call("get", "a")); err != nil || got != nil {
		t.Errorf("null: %v, %v", got, err)
	}
	if _, err := wasm.Do[any](ctx, wasm.BindingOf("BROKEN").Call("get")); err == nil || err.Error() != `wasm: binding "BROKEN": too far` {
		t.Errorf("what is thrown: %v", err)
	}
	if _, err := wasm.Do[any](ctx, wasm.BindingOf("NONE").Call("get")); !errors.Is(err, wasm.ErrNotSet) {
		t.Errorf("no binding: %v", err)
	}
	if _, err := wasm.Do[any](ctx, wasm.BindingOf("DB")); err == nil || !strings.Contains(err.Error(), "no method is called") {
		t.Errorf("no call: %v", err)
	}
	ends, cancel := context.WithCancel(ctx)
	cancel()
	if _, err := wasm.Do[any](ends, wasm.BindingOf("SLOW").Call("get")); !errors.Is(err, context.Canceled) {
		t.Errorf("a context that has ended: %v", err)
	}
	close(block)
}

// TestRequest is what a function for ServeFor gets, and the functions of its API.
func TestRequest(t *testing.T) {
	host := &wasmtest.Host{Vars: map[string]any{"name": "Ada"}}
	r := host.NewRequest("http://localhost/ws?lang=en")
	r.Params["room"], r.Header["user-agent"] = "tea", "test"
	server, client := kkrpc.Pipe()
	serving, err := kkrpc.New(r.Context(), server, &kkrpc.Options{Expose: kkrpc.Object{"where": func(ctx context.Context) (string, error) {
		r := wasm.RequestFromContext(ctx)
		name, err := wasm.Var[string](ctx, "name")
		return strings.Join([]string{name, r.Params["room"], r.Header["user-agent"], r.URL.Query().Get("lang")}, " "), err
	}}})
	if err != nil {
		t.Fatal(err)
	}
	defer serving.Close()
	ch, err := kkrpc.New(t.Context(), client, &kkrpc.Options{Dialect: kkrpc.Compact})
	if err != nil {
		t.Fatal(err)
	}
	defer ch.Close()
	if got, err := kkrpc.Call[string](t.Context(), ch, "where"); err != nil || got != "Ada tea test en" {
		t.Errorf("%q, %v", got, err)
	}
	host.Vars["name"] = "Eve"
	if got, err := wasm.Var[string](r.Context(), "name"); err != nil || got != "Eve" {
		t.Errorf("changed: %q, %v", got, err)
	}
}
