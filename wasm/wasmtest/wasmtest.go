// Package wasmtest gives handlers of package wasm their request and values without a JavaScript server, in tests that `go test`
// builds for the machine itself.
//
//	func TestGreet(t *testing.T) {
//		host := &wasmtest.Host{Vars: map[string]any{"jwtPayload": map[string]any{"sub": "Ada"}}}
//		r := host.NewRequest("http://localhost/ws?lang=en")
//		got, err := greet(r.Context())
//		…
//	}
//
// A function that ServeFor is given takes the request itself. To call an API as a client does, give the context to the channel
// of the server, over a pipe in memory:
//
//	server, client := kkrpc.Pipe()
//	kkrpc.New(r.Context(), server, &kkrpc.Options{Expose: api})
//	ch, err := kkrpc.New(ctx, client, &kkrpc.Options{Dialect: kkrpc.Compact})
package wasmtest

import (
	"fmt"
	"net/url"

	"github.com/kkrpc-go/kkrpc/superjson"
	"github.com/kkrpc-go/kkrpc/wasm"
	"github.com/kkrpc-go/kkrpc/wasm/internal/testhost"
)

// Host has what handlers find by wasm.Var, wasm.Env and wasm.Do. Its zero value has nothing. A test may change it between calls
// of handlers, and not during them.
type Host struct {
	// Vars are the variables that middleware has set by c.set, for wasm.Var. A value may be of any type that kkrpc sends; nil
	// is null.
	Vars map[string]any

	// Env is the environment, for wasm.Env: strings, or what a Worker has as JSON.
	Env map[string]any

	// Do returns the result of calls of a binding, for wasm.Do. A []byte is bytes. An error that wraps wasm.ErrNotSet says
	// that there is no such binding, as the real host does; other errors are what JavaScript has thrown. Calls run on
	// goroutines of their own. Nil is a server without bindings.
	Do func(binding string, calls []Call) (result any, err error)
}

// Call is one of the calls of a wasm.Binding.
type Call struct {
	Method string
	// Args are []byte, and what JSON has: string, float64, bool, nil, []any and map[string]any.
	Args []any
}

// NewRequest returns a request for a URL, of a connection that finds what h has. The test may set its Params and Header, with
// names in lower case. A malformed URL panics.
func (h *Host) NewRequest(target string) *wasm.Request {
	u, err := url.Parse(target)
	if err != nil {
		panic(fmt.Sprintf("wasmtest: NewRequest: %v", err))
	}
	if testhost.Attach == nil {
		panic("wasmtest: NewRequest is not for programs for js/wasm")
	}
	r := &wasm.Request{URL: u, Params: map[string]string{}, Header: map[string]string{}}
	testhost.Attach(r, answers{h})
	return r
}

// answers has the answers of a Host as package wasm takes them.
type answers struct{ h *Host }

func (a answers) Value(environment bool, name string) (text []byte, ok bool, err error) {
	values := a.h.Vars
	if environment {
		values = a.h.Env
	}
	v, ok := values[name]
	if !ok {
		return nil, false, nil
	}
	text, err = encode(v)
	return text, true, err
}

func (a answers) Do(binding string, calls []testhost.Call) (result []byte, isBytes, ok bool, err error) {
	if a.h.Do == nil {
		return nil, false, false, nil
	}
	own := make([]Call, len(calls))
	for i, c := range calls {
		own[i] = Call(c)
	}
	v, err := a.h.Do(binding, own)
	if err != nil {
		return nil, false, true, err
	}
	if bytes, ok := v.([]byte); ok {
		return bytes, true, true, nil
	}
	result, err = encode(v)
	return result, false, true, err
}

func encode(v any) ([]byte, error) {
	return superjson.NewEncoder(superjson.ModeJSON).Append(nil, "", v)
}
