package wasm

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/google/go-cmp/cmp"
)

// TestBindingsAreAsked has what the host gets of a chain of calls.
func TestBindingsAreAsked(t *testing.T) {
	base := BindingOf("DB").Call("prepare", "SELECT ?")
	one, other := base.Call("bind", 1, []byte{1, 2}, "a\"b", nil, []byte(nil), struct{ N int }{3}), base.Call("all")
	for _, row := range []struct {
		b          Binding
		text, blob string
		err        string
	}{
		{BindingOf("KV"), `["KV"]`, "", ""},
		{base, `["DB",["prepare","\"SELECT ?\""]]`, "", ""},
		{one, `["DB",["prepare","\"SELECT ?\""],["bind","1",[2],"\"a\\\"b\"","null",[0],"{\"N\":3}"]]`, "\x01\x02", ""},
		{other, `["DB",["prepare","\"SELECT ?\""],["all"]]`, "", ""},
		{base.Call("bind", "x", make(chan int)), "", "", "argument 2 of bind: superjson: "},
	} {
		text, blob, err := row.b.encode()
		if string(text) != row.text || string(blob) != row.blob || (err == nil) != (row.err == "") || err != nil && !strings.Contains(err.Error(), row.err) {
			t.Errorf("got %s, %q, %v; want %s, %q and an error with %q", text, blob, err, row.text, row.blob, row.err)
		}
	}
}

// TestBindingsAnswer has answers that come late, in another order, not at all, and for nobody.
func TestBindingsAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := start(nil, nil)
		r := &Request{server: s.server, conn: &conn{}}
		if _, err := Do[int](r.Context(), BindingOf("A").Call("f")); err == nil || !strings.Contains(err.Error(), `wasm: binding "A": the connection has ended`) {
			t.Errorf("of a connection that has ended: %v", err)
		}
		if _, err := Do[int](context.Background(), BindingOf("A").Call("f")); !errors.Is(err, errNoConnection) {
			t.Errorf("of another context: %v", err)
		}
		var tokens []int32
		s.host.asks = func(token int32, _, _ string) bool {
			tokens = append(tokens, token)
			return true
		}
		gave := map[string]string{}
		ask := func(ctx context.Context, name string) {
			go func() {
				text, err := Do[string](ctx, BindingOf(name).Call("f"))
				gave[name] = text
				if err != nil {
					gave[name] = err.Error()
				}
			}()
			synctest.Wait()
		}
		leaves, cancel := context.WithCancelCause(r.Context())
		ask(r.Context(), "A")
		ask(r.Context(), "B")
		ask(leaves, "C")
		cancel(errors.New("enough"))
		synctest.Wait()
		answer := func(token int32, text string) (taken bool) {
			s.answered(token, func() []byte {
				taken = true
				return []byte(text)
			})
			synctest.Wait()
			return taken
		}
		if !answer(tokens[1], "\x01\"b\"") || !answer(tokens[0], "\x02no") || answer(tokens[2], "\x01\"c\"") || answer(tokens[0], "\x01\"again\"") {
			t.Error("an answer was taken that nobody waits for, or not taken")
		}
		want := map[string]string{"A": `wasm: binding "A": no`, "B": "b", "C": `wasm: binding "C": enough`}
		if diff := cmp.Diff(want, gave); diff != "" {
			t.Error(diff)
		}
		if len(s.asked) > 0 {
			t.Errorf("%d questions are kept", len(s.asked))
		}
	})
}
