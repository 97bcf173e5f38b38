//go:build !(js && wasm)

package wasm

import (
	"errors"
	"fmt"

	"github.com/kkrpc-go/kkrpc/superjson"
	"github.com/kkrpc-go/kkrpc/wasm/internal/testhost"
)

func init() {
	testhost.Attach = func(request any, h testhost.Host) {
		t := &testHost{answers: h}
		t.server, _ = newServer(t, nil, nil) // it fails for malformed options alone
		r := request.(*Request)
		r.server, r.conn = t.server, newConn(t, 1, t.server.opts.RPC.Limits)
	}
}

// testHost is the host of one connection, whose values come from package wasmtest.
type testHost struct {
	answers testhost.Host
	server  *server
}

func (t *testHost) send(int32, []byte) int   { return 0 }
func (t *testHost) buffered(int32) int       { return 0 }
func (t *testHost) close(int32, int, string) {}

// The reasons are those of the real host.
const (
	noVariable = "no middleware before createHonoWebSocketHandler(c) has called c.set with this name"
	noneOfName = "the server has none of this name"
)

func (t *testHost) value(_ int32, kind valueKind, name string, most int) []byte {
	text, ok, err := t.answers.Value(kind == environment, name)
	reason := noVariable
	if kind == environment {
		reason = noneOfName
	}
	return testAnswer(answerValue, text, ok, err, reason, most)
}

func (t *testHost) ask(_, token int32, text, blob []byte, most int) (ok bool) {
	go func() { // ends when the test's function does
		answer := t.run(text, blob, most)
		t.server.answered(token, func() []byte { return answer })
	}()
	return true
}

// run takes apart what Binding.encode has written.
func (t *testHost) run(text, blob []byte, most int) []byte {
	var chain []any
	if err := superjson.Decode(superjson.ModeJSON, text, nil, &chain); err != nil {
		return testAnswer(answerFailed, nil, false, err, "", most)
	}
	name, calls := chain[0].(string), []testhost.Call(nil)
	for _, entry := range chain[1:] {
		call := entry.([]any)
		c := testhost.Call{Method: call[0].(string)}
		for _, arg := range call[1:] {
			var value any
			if size, ok := arg.([]any); ok {
				n := int(size[0].(float64))
				value, blob = blob[:n:n], blob[n:]
			} else if err := superjson.Decode(superjson.ModeJSON, []byte(arg.(string)), nil, &value); err != nil {
				return testAnswer(answerFailed, nil, false, err, "", most)
			}
			c.Args = append(c.Args, value)
		}
		calls = append(calls, c)
	}
	if len(calls) == 0 {
		return testAnswer(answerFailed, nil, false, errors.New("no method is called"), "", most)
	}
	result, isBytes, ok, err := t.answers.Do(name, calls)
	status := byte(answerValue)
	if isBytes {
		status = answerBytes
	}
	return testAnswer(status, result, ok, err, noneOfName, most)
}

// testAnswer is an answer as the real host writes it.
func testAnswer(status byte, text []byte, ok bool, err error, unset string, most int) []byte {
	switch {
	case errors.Is(err, ErrNotSet):
		status, text = answerUnset, []byte(err.Error())
	case err != nil:
		status, text = answerFailed, []byte(err.Error())
	case !ok:
		status, text = answerUnset, []byte(unset)
	case len(text) > most:
		what := "bytes of JSON"
		if status == answerBytes {
			what = "bytes"
		}
		status, text = answerFailed, fmt.Appendf(nil, "the value has %d %s, over the limit of %d (MaxValue in wasm.Options)", len(text), what, most)
	}
	return append([]byte{status}, text...)
}
