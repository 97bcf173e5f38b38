package kkrpc_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"testing"
	"time"

	"github.com/kkrpc-go/kkrpc"
	"github.com/kkrpc-go/kkrpc/superjson"
)

// Calls whose result is a scalar take a way of their own if they are made on a channel, and the general one otherwise. The
// request and what comes of the answer must not differ.
func TestScalarCallsAreLikeOthers(t *testing.T) {
	number := callFor[float64]
	for _, r := range []struct {
		name   string
		call   func(ctx context.Context, c kkrpc.Caller, path string, args ...any) (any, error)
		path   string
		args   []any
		answer string // what follows the id
		meta   string // under SuperJSON
	}{
		{"a number", number, "math.add", []any{1, 2.0}, `"v":3`, ""},
		{"a string", callFor[string], "f", []any{"text", "ünicode \"\\ \n </script>"}, `"v":"a\u00e9\n"`, ""},
		{"a bool", callFor[bool], "f", []any{true, false}, `"v":true`, ""},
		{"an integer with an exponent", callFor[int], "f", nil, `"v":1e2`, ""},
		{"an integer with a fraction", callFor[int64], "f", nil, `"v":1.5`, ""},
		{"undefined", number, "f", nil, ``, ""},
		{"null", callFor[string], "f", nil, `"v":null`, ""},
		{"another type", callFor[bool], "f", nil, `"v":"yes"`, ""},
		{"an object", callFor[int], "f", nil, `"v":{"a":1}`, ""},
		{"a stream", number, "f", nil, `"v":{"__kkrpc_next_stream__":true,"id":"s"}`, ""},
		{"an error", number, "f", nil, `"e":{"name":"RangeError","message":"no"}`, ""},
		{"not a number", number, "f", nil, `"v":"NaN"`, `{"values":{"v":["number"]},"v":1}`},
		{"numbers that dialects write differently", number, "f", []any{0.5, math.Copysign(0, -1), 1e300, -7}, `"v":0`, ""},
		{"an integer that is too large", number, "f", []any{int64(1 << 53)}, "", ""},
		{"arguments of other types", number, "f", []any{1, []int{2}, nil, superjson.Undefined, struct{ A int }{3}, time.Unix(0, 0)}, `"v":0`, ""},
		{"an argument that cannot be sent", number, "f", []any{1, make(chan<- int)}, "", ""},
		{"a path with escapes", number, `a\.b.c\\d."e"`, []any{1}, `"v":0`, ""},
		{"a path that is wrong", number, `a\b`, []any{1}, "", ""},
		{"an empty path", number, ``, []any{1}, `"v":0`, ""},
		{"no result", func(ctx context.Context, c kkrpc.Caller, path string, args ...any) (any, error) {
			if ch, ok := c.(*kkrpc.Channel); ok {
				return nil, ch.Call(ctx, nil, path, args...)
			}
			_, err := kkrpc.Call[any](ctx, c, path, args...)
			return nil, err
		}, "f", []any{1}, `"v":{"a":1}`, ""},
	} {
		for _, d := range []kkrpc.Dialect{kkrpc.Compact, kkrpc.CompactSuperJSON} {
			for _, deadline := range []bool{false, true} {
				t.Run(fmt.Sprintf("%s/%v/deadline %v", r.name, d, deadline), func(t *testing.T) {
					bubble(t, func(t *testing.T) {
						ctx := t.Context()
						if deadline {
							var cancel context.CancelFunc
							ctx, cancel = context.WithTimeout(ctx, time.Minute)
							defer cancel()
						}
						answer := `{"t":"r","id":"1"}`
						if r.answer != "" {
							answer = `{"t":"r","id":"1",` + r.answer + `}`
						}
						if d == kkrpc.CompactSuperJSON && r.meta != "" {
							answer = `{"json":` + answer + `,"meta":` + r.meta + `}`
						} else if d == kkrpc.CompactSuperJSON {
							answer = `{"json":` + answer + `}`
						}
						special := callOnce(t, d, answer, func(ch *kkrpc.Channel) (any, error) {
							return r.call(ctx, ch, r.path, r.args...)
						})
						general := callOnce(t, d, answer, func(ch *kkrpc.Channel) (any, error) {
							return r.call(ctx, kkrpc.Via(func(context.Context) (*kkrpc.Channel, error) { return ch, nil }), r.path, r.args...)
						})
						if special != general {
							t.Errorf("on a channel %s\notherwise    %s", special, general)
						}
					})
				})
			}
		}
	}
}

func callFor[T any](ctx context.Context, c kkrpc.Caller, path string, args ...any) (any, error) {
	return kkrpc.Call[T](ctx, c, path, args...)
}

// callOnce answers the first request of a channel and returns it, beside what call returned.
func callOnce(t *testing.T, d kkrpc.Dialect, answer string, call func(ch *kkrpc.Channel) (any, error)) string {
	t.Helper()
	ch, peer := raw(t, kkrpc.Options{Dialect: d})
	outcome := make(chan string, 1)
	go func() {
		got, err := call(ch)
		var e *kkrpc.Error
		outcome <- fmt.Sprintf("%#v, %v, %t", got, err, errors.As(err, &e))
		ch.Close()
	}()
	request, _, err := peer.ReadFrame(nil)
	if err == nil { // otherwise it has failed without being sent
		write(t, peer, answer)
	}
	return string(request) + " " + <-outcome
}
