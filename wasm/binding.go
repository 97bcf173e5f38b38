package wasm

import (
	"context"
	"errors"
	"fmt"
	"strconv"

	"github.com/kkrpc-go/kkrpc/superjson"
)

// Binding is a chain of method calls on a binding of a Cloudflare Worker, an object of c.env such as a KV namespace, a D1
// database, an R2 bucket or a service. Do runs it. A Binding has no state in JavaScript, and may be kept and used again.
type Binding struct {
	name  string
	calls []bindingCall
}

type bindingCall struct {
	method string
	args   []any
}

// BindingOf returns the binding of c.env with this name, without calls.
//
//	text, err := wasm.Do[*string](ctx, wasm.BindingOf("KV").Call("get", "greeting"))
//
//	user := wasm.BindingOf("DB").Call("prepare", "SELECT * FROM users WHERE id = ?").Call("bind", 7).Call("all")
//	rows, err := wasm.Do[rows](ctx, user)
func BindingOf(name string) Binding { return Binding{name: name} }

// Call returns b with another call, on the result of those before it. Do encodes the arguments as JSON. An argument that is
// a []byte becomes a Uint8Array; its elements must not change before Do returns. The program has to choose the method, and
// not a peer. Methods that all objects have, such as constructor, are refused.
func (b Binding) Call(method string, args ...any) Binding {
	calls := append(b.calls[:len(b.calls):len(b.calls)], bindingCall{method, args})
	return Binding{b.name, calls}
}

// Do runs the calls of b, each when the promise of the one before it has been fulfilled, and returns the last result. That
// is decoded as by Var. An ArrayBuffer and its views are a []byte, and undefined is null. The connection is that of ctx, as
// for Var. If ctx ends, Do returns at once, and JavaScript goes on alone.
//
// The errors are those of Var for the result, and what JavaScript has thrown. The error wraps ErrNotSet if c.env has no such
// binding, and if a call before the last has returned null, as R2's get does for a key without an object. On Bun, Deno and
// Node.js there are no bindings.
func Do[T any](ctx context.Context, b Binding) (T, error) {
	var v T
	if err := do(ctx, b, &v); err != nil {
		var zero T // v may have a part
		return zero, fmt.Errorf("wasm: binding %q: %w", b.name, err)
	}
	return v, nil
}

func do(ctx context.Context, b Binding, v any) error {
	r := RequestFromContext(ctx)
	if r == nil || r.conn == nil {
		return errNoConnection
	}
	text, blob, err := b.encode()
	if err != nil {
		return err
	}
	answer, err := r.server.ask(ctx, r.conn.id, text, blob)
	if err != nil {
		return err
	}
	if bytes, ok := v.(*[]byte); ok && len(answer) > 0 && answer[0] == answerBytes {
		*bytes = answer[1:]
		return nil
	}
	return decodeAnswer(answer, v)
}

// encode writes the chain as JSON: ["name",["method",args…],…]. A []byte among the arguments stands in blob, and as its
// length in a list in the JSON. Any other argument is text with its JSON, so that the two cannot be mistaken.
func (b Binding) encode() (text, blob []byte, err error) {
	enc := superjson.NewEncoder(superjson.ModeJSON)
	put := func(v any) {
		if err == nil {
			text, err = enc.Append(text, "", v)
		}
	}
	text = append(text, '[')
	put(b.name)
	for _, c := range b.calls {
		text = append(text, ",["...)
		put(c.method)
		for i, arg := range c.args {
			text = append(text, ',')
			if bytes, ok := arg.([]byte); ok {
				text = append(strconv.AppendInt(append(text, '['), int64(len(bytes)), 10), ']')
				blob = append(blob, bytes...)
				continue
			}
			value, fails := enc.Append(nil, "", arg)
			if fails != nil {
				return nil, nil, fmt.Errorf("argument %d of %s: %w", i+1, c.method, fails)
			}
			put(string(value))
		}
		text = append(text, ']')
	}
	return append(text, ']'), blob, err
}

// ask has the host run a chain, and waits for its answer or the end of ctx.
func (s *server) ask(ctx context.Context, id int32, text, blob []byte) (answer []byte, err error) {
	answers := make(chan []byte, 1)
	s.mu.Lock()
	s.lastAsk++
	token := s.lastAsk
	s.asked[token] = answers
	s.mu.Unlock()
	defer func() {
		s.mu.Lock()
		delete(s.asked, token)
		s.mu.Unlock()
	}()
	if !s.host.ask(id, token, text, blob, s.opts.MaxValue) {
		return nil, errEnded
	}
	select {
	case answer := <-answers:
		return answer, nil
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}

// answered takes the answer to what was asked with the token. take is called if somebody waits for it.
func (s *server) answered(token int32, take func() []byte) {
	s.mu.Lock()
	answers := s.asked[token]
	delete(s.asked, token)
	s.mu.Unlock()
	if answers != nil {
		answers <- take()
	}
}

var (
	errNoConnection = errors.New("the context is of no connection in Hono: want that of a function, or Request.Context")
	errEnded        = errors.New("the connection has ended")
)
