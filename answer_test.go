package kkrpc_test

import (
	"context"
	"errors"
	"iter"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/kkrpc-go/kkrpc"
)

// lone is an API for requests that come by themselves.
var lone = kkrpc.Object{
	"add":    func(a, b int) int { return a + b },
	"fail":   func() error { return &kkrpc.Error{Name: "RangeError", Message: "no"} },
	"panic":  func() { panic("inside") },
	"wait":   func(ctx context.Context) error { <-ctx.Done(); return context.Cause(ctx) },
	"tenant": func(ctx context.Context) any { return kkrpc.MetadataFrom(ctx)["tenant"] },
	"numbers": func() iter.Seq[int] {
		return func(yield func(int) bool) { yield(1) }
	},
	"ref":    func() *kkrpc.Ref { return kkrpc.Proxy(func() {}) },
	"marked": func() any { return map[string]any{"__kkrpc_next_arg__": "callback"} },
	"ask":    func(ctx context.Context) error { return kkrpc.Set(ctx, kkrpc.FromContext(ctx), "x", 1) },
	"theme":  kkrpc.NewProperty("dark"),
	"channel": func(ctx context.Context) []any {
		ch := kkrpc.FromContext(ctx)
		<-ch.Done()
		return []any{ch == nil, ch.Dialect().String(), ch.Close() != nil, ch.Err() != nil, ch.Dropped(), kkrpc.DialectFrom(ctx).String()}
	},
}

func answer(t *testing.T, ctx context.Context, request string, opts *kkrpc.Options) string {
	t.Helper()
	api, err := kkrpc.Expose(lone)
	if err != nil {
		t.Fatal(err)
	}
	response, err := api.Answer(ctx, []byte(request), opts)
	if err != nil {
		return "error: " + err.Error()
	}
	return string(response)
}

func TestAnswer(t *testing.T) {
	silent := &kkrpc.Options{OnError: func(error) {}}
	call := func(name, args string) string {
		return `{"t":"q","id":"7","op":"call","p":["` + name + `"],"a":[` + args + `]}`
	}
	for _, row := range []struct{ name, request, want string }{
		{"compact", call("add", "1,2"), `{"t":"r","id":"7","v":3}`},
		{"compact under SuperJSON", `{"json":` + call("add", "1,2") + `}`, `{"json":{"t":"r","id":"7","v":3}}`},
		{"classic, without a newline", `{"id":"7","method":"add","args":[1,2],"type":"request","version":"json"}`, `"result":3`},
		{"get", `{"t":"q","id":"7","op":"get","p":["theme"]}`, `"v":"dark"`},
		{"an error", call("fail", ""), `"e":{"n":"RangeError","m":"no"}`},
		{"a panic", call("panic", ""), `"e":{"n":"InternalError","m":"internal error"}`},
		{"metadata", `{"t":"q","id":"7","op":"call","p":["tenant"],"a":[],"meta":{"tenant":"acme"}}`, `"v":"acme"`},
		{"a wrong argument", call("add", `"x",1`), `"n":"TypeError"`},
		{"no function", call("nothing", ""), `is not a function`},
		{"too deep", call("add", strings.Repeat("[", 100)+strings.Repeat("]", 100)), `"n":"RPCLimitError"`},
		{"a stream as the result", call("numbers", ""), `HTTP, carries no streams`},
		{"a reference as the result", call("ref", ""), `HTTP, carries no remote references`},
		{"data that looks like a function", call("marked", ""), `HTTP, carries no functions`},
		{"a function as an argument", call("add", `{"__kkrpc_next_arg__":"callback","id":"c"}`), `HTTP, carries no functions`},
		{"a call back", call("ask", ""), `a server cannot call its client`},
		{"a nil channel", call("channel", ""), `[true,"auto",true,true,0,"compact-json"]`},
		{"nothing", "", "error: it is no whole message"},
		{"no request", `{"t":"r","id":"7","v":3}`, "error: it is a message, but no request"},
		{"two requests", call("add", "1,2") + "\n" + call("add", "1,2"), "error: "},
		{"no JSON", "GET / HTTP/1.1", "error: "},
	} {
		t.Run(row.name, func(t *testing.T) {
			if got := answer(t, t.Context(), row.request, silent); !strings.Contains(got, row.want) {
				t.Errorf("got %s, want %s", got, row.want)
			}
		})
	}
}

func TestAnswerEndsTheContextWithItsOwn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for name, ctx := range map[string]func() (context.Context, context.CancelFunc){
			"later":  func() (context.Context, context.CancelFunc) { return context.WithTimeout(t.Context(), time.Second) },
			"before": func() (context.Context, context.CancelFunc) { return context.WithTimeout(t.Context(), 0) },
		} {
			ended, cancel := ctx()
			begin := time.Now()
			got := answer(t, ended, `{"t":"q","id":"7","op":"call","p":["wait"],"a":[]}`, nil)
			cancel()
			if !strings.Contains(got, "deadline exceeded") || time.Since(begin) > time.Second {
				t.Errorf("%s: got %s after %v", name, got, time.Since(begin))
			}
		}
		got := answer(t, t.Context(), `{"t":"q","id":"7","op":"call","p":["wait"],"a":[],"meta":{"timeout":50}}`, nil)
		if !strings.Contains(got, "deadline exceeded") {
			t.Errorf("the caller's timeout: got %s", got)
		}
	})
}

func TestAnswerRunsInterceptors(t *testing.T) {
	var seen *kkrpc.Request
	opts := &kkrpc.Options{Inbound: []kkrpc.Interceptor{func(ctx context.Context, r *kkrpc.Request, next kkrpc.Handler) (any, error) {
		seen = r
		return next(ctx, r)
	}}}
	if got := answer(t, t.Context(), `{"t":"q","id":"7","op":"call","p":["add"],"a":[1,2]}`, opts); got != `{"t":"r","id":"7","v":3}` {
		t.Errorf("got %s", got)
	}
	if seen == nil || seen.Channel != nil || seen.Path != "add" || len(seen.Args) != 2 {
		t.Errorf("the interceptor saw %+v", seen)
	}
	if got := answer(t, t.Context(), `{}`, &kkrpc.Options{Inbound: []kkrpc.Interceptor{nil}}); !strings.Contains(got, "Options.Inbound[0] is nil") {
		t.Errorf("got %s", got)
	}
}

// unary calls lone by way of Answer.
func unary(t *testing.T, opts *kkrpc.Options) *kkrpc.UnaryCaller {
	t.Helper()
	api, err := kkrpc.Expose(lone)
	if err != nil {
		t.Fatal(err)
	}
	u, err := kkrpc.Unary(func(ctx context.Context, request []byte) ([]byte, error) {
		return api.Answer(ctx, request, &kkrpc.Options{OnError: func(error) {}})
	}, opts)
	if err != nil {
		t.Fatal(err)
	}
	return u
}

func TestUnary(t *testing.T) {
	for _, d := range []kkrpc.Dialect{0, kkrpc.CompactSuperJSON, kkrpc.Classic, kkrpc.ClassicSuperJSON} {
		t.Run(d.String(), func(t *testing.T) {
			u := unary(t, &kkrpc.Options{Dialect: d})
			if n, err := kkrpc.Call[int](t.Context(), u, "add", 1, 2); n != 3 || err != nil {
				t.Errorf("add: %d, %v", n, err)
			}
			if err := kkrpc.Set(t.Context(), u, "theme", "light"); err != nil {
				t.Errorf("set: %v", err)
			}
			theme, err := kkrpc.Get[string](t.Context(), u, "theme")
			if theme != "light" || err != nil {
				t.Errorf("get: %q, %v", theme, err)
			}
			if err := kkrpc.Set(t.Context(), u, "theme", "dark"); err != nil {
				t.Errorf("set: %v", err)
			}
			var thrown *kkrpc.Error
			if err := u.Call(t.Context(), nil, "fail"); !errors.As(err, &thrown) || thrown.Message != "no" {
				t.Errorf("fail: %v", err)
			}
			for name, arg := range map[string]any{"function": func() {}, "stream": iter.Seq[int](func(func(int) bool) {}), "reference": kkrpc.Proxy(func() {})} {
				if err := u.Call(t.Context(), nil, "add", arg); !errors.Is(err, kkrpc.ErrUnsupported) {
					t.Errorf("a %s as an argument: %v", name, err)
				}
			}
		})
	}
}

func TestUnaryEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		u := unary(t, &kkrpc.Options{CallTimeout: time.Second})
		var timeout *kkrpc.Error
		if err := u.Call(t.Context(), nil, "wait"); !errors.As(err, &timeout) || timeout.Name != "RPCTimeoutError" {
			t.Errorf("after CallTimeout: %v", err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
		defer cancel()
		if err := u.Call(ctx, nil, "wait"); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("after the deadline: %v", err)
		}
		if err := u.Call(ctx, nil, "wait"); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("behind the deadline: %v", err)
		}
	})
}

func TestUnaryRefusesResponses(t *testing.T) {
	for _, row := range []struct{ name, response, want string }{
		{"to another request", `{"t":"r","id":"99","v":3}`, "no response to the request"},
		{"no JSON", `<html>`, "no response to the request"},
		{"nothing", ``, "no response to the request"},
		{"too deep", `{"t":"r","id":"1","v":` + strings.Repeat("[", 100) + strings.Repeat("]", 100) + `}`, "limit reached"},
		{"a stream", `{"t":"r","id":"1","v":{"__kkrpc_next_stream__":"async-iterable","id":"s"}}`, "HTTP, carries no streams"},
		{"another type", `{"t":"r","id":"1","v":"x"}`, "expected integer, got string"},
	} {
		t.Run(row.name, func(t *testing.T) {
			u, err := kkrpc.Unary(func(context.Context, []byte) ([]byte, error) { return []byte(row.response), nil }, nil)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := kkrpc.Call[int](t.Context(), u, "add"); err == nil || !strings.Contains(err.Error(), row.want) {
				t.Errorf("got %v", err)
			}
		})
	}
	if _, err := kkrpc.Unary(nil, &kkrpc.Options{Expose: lone}); err == nil {
		t.Error("Options.Expose was accepted")
	}
}

// A nil iterator is null, as it is on a channel.
func TestUnaryPassesNilStreams(t *testing.T) {
	const want = `{"__kkrpc_next_arg__":"value","v":null}]}`
	u, err := kkrpc.Unary(func(_ context.Context, request []byte) ([]byte, error) {
		if !strings.Contains(string(request), want) {
			t.Errorf("got %s, want %s", request, want)
		}
		return []byte(`{"t":"r","id":"1","v":3}`), nil
	}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := u.Call(t.Context(), nil, "add", 1, iter.Seq[int](nil)); err != nil {
		t.Error(err)
	}
}
