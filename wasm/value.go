package wasm

import (
	"context"
	"errors"
	"fmt"
	"reflect"

	"github.com/kkrpc-go/kkrpc/superjson"
)

// ErrNotSet is wrapped by the errors of Var, Env and Do for a name without a value. undefined is no value, null is one.
var ErrNotSet = errors.New("not set")

// Var returns a variable of the connection's Hono context, which middleware has set by c.set(name, value). For example,
// Hono's jwt middleware sets "jwtPayload". ctx is that of a function, or Request.Context.
//
// The variables are those at the time of createHonoWebSocketHandler(c). Only code of the server sets them, so a client
// cannot. A value is encoded as JSON when Var is called, and decoded as the arguments of a function are. Var makes a new
// copy with each call. It returns the zero value and an error in these cases:
//   - The variable is not set: the error wraps ErrNotSet.
//   - The value does not fit T. The error says what was expected, and wraps a *superjson.TypeError.
//   - The value has no JSON, such as a function, a Map, a bigint or a cycle.
//   - Its JSON has more bytes than Options.MaxValue.
//   - The connection has ended.
//
// In a Durable Object, these are the variables of the object's own Hono app, and those that the Worker has passed on by
// forward of index.mjs.
func Var[T any](ctx context.Context, name string) (T, error) {
	return value[T](ctx, variable, name)
}

// Env returns an environment variable of the JavaScript server, as env(c) of hono/adapter does. On Bun, Deno and Node.js
// it is a string of the process. On Cloudflare Workers it is a variable, a secret or a JSON value of c.env.
//
// A string that is no T is decoded as JSON. So a Worker's JSON value and the same JSON as text in other runtimes are read
// alike, and Env[int] reads "3000". The errors are those of Var. They do not show the value, unless an UnmarshalText or
// UnmarshalJSON of T does. Deno needs --allow-env, at least for this name. Other bindings of Workers, such as KV namespaces,
// are no values and give an error: Do calls them.
func Env[T any](ctx context.Context, name string) (T, error) {
	return value[T](ctx, environment, name)
}

// valueKind says where the host looks for a value.
type valueKind int32

const (
	variable    valueKind = 0
	environment valueKind = 1
)

func (k valueKind) String() string {
	if k == variable {
		return "variable"
	}
	return "environment variable"
}

// The first byte of the host's answer. What follows is a reason, the JSON of the value, what is wrong with it, or the bytes
// that the value is.
const (
	answerUnset  = 0
	answerValue  = 1
	answerFailed = 2
	answerBytes  = 3 // to Do alone
)

func value[T any](ctx context.Context, kind valueKind, name string) (T, error) {
	var v T
	if err := read(ctx, kind, name, &v); err != nil {
		var zero T // v may have a part
		return zero, fmt.Errorf("wasm: %v %q: %w", kind, name, err)
	}
	return v, nil
}

// read decodes the value into v, a pointer.
func read(ctx context.Context, kind valueKind, name string, v any) error {
	r := RequestFromContext(ctx)
	if r == nil || r.conn == nil {
		return errNoConnection
	}
	answer := r.server.host.value(r.conn.id, kind, name, r.server.opts.MaxValue)
	err := decodeAnswer(answer, v)
	if err != nil && kind == environment && len(answer) > 0 && answer[0] == answerValue && decodeText(answer[1:], v) {
		return nil
	}
	return err
}

// decodeAnswer decodes what the host has answered into v, a pointer.
func decodeAnswer(answer []byte, v any) error {
	if len(answer) == 0 {
		return errEnded
	}
	text := answer[1:]
	switch answer[0] {
	case answerUnset:
		return fmt.Errorf("%w: %s", ErrNotSet, text)
	case answerValue:
		return superjson.Decode(superjson.ModeJSON, text, nil, v)
	case answerBytes:
		return fmt.Errorf("it is %d bytes: want a []byte, not a %T", len(text), v)
	default:
		return errors.New(string(text))
	}
}

// decodeText decodes the JSON in a JSON string into v. It fails without a reason, which would show a part of a secret.
func decodeText(text []byte, v any) bool {
	var inner string
	if superjson.Decode(superjson.ModeJSON, text, nil, &inner) != nil {
		return false
	}
	reflect.ValueOf(v).Elem().SetZero() // of what the first attempt has read
	return superjson.Decode(superjson.ModeJSON, []byte(inner), nil, v) == nil
}
