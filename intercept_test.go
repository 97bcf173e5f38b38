package kkrpc_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"reflect"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/kkrpc-go/kkrpc"
)

type point struct{ X, Y int }

// journal writes down what passes.
type journal struct {
	mu    sync.Mutex
	lines []string
}

func (j *journal) add(format string, args ...any) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.lines = append(j.lines, fmt.Sprintf(format, args...))
}

func (j *journal) interceptor(name string) kkrpc.Interceptor {
	return func(ctx context.Context, r *kkrpc.Request, next kkrpc.Handler) (any, error) {
		j.add("%s: %s %s %v", name, r.Operation, r.Path, r.Args)
		result, err := next(ctx, r)
		j.add("%s: %v %v", name, result, err)
		return result, err
	}
}

func TestInterceptorsStandAroundEachOther(t *testing.T) {
	for _, d := range dialects {
		t.Run(d.String(), func(t *testing.T) {
			var j journal
			api := kkrpc.Object{"math": kkrpc.Object{"add": func(a, b float64) float64 {
				j.add("add")
				return a + b
			}}}
			_, c := pair(t, kkrpc.Options{Expose: api, Inbound: []kkrpc.Interceptor{j.interceptor("in 1"), j.interceptor("in 2"), j.interceptor("in 3")}},
				kkrpc.Options{Dialect: d, Outbound: []kkrpc.Interceptor{j.interceptor("out 1"), j.interceptor("out 2")}})
			sum, err := kkrpc.Call[float64](t.Context(), c, "math.add", 1, 2)
			if sum != 3 || err != nil {
				t.Errorf("got %v, %v", sum, err)
			}
			want := []string{"out 1: call math.add [1 2]", "out 2: call math.add [1 2]",
				"in 1: call math.add [1 2]", "in 2: call math.add [1 2]", "in 3: call math.add [1 2]", "add",
				"in 3: 3 <nil>", "in 2: 3 <nil>", "in 1: 3 <nil>", "out 2: 3 <nil>", "out 1: 3 <nil>"}
			if !reflect.DeepEqual(j.lines, want) {
				t.Errorf("got  %q\nwant %q", j.lines, want)
			}
		})
	}
}

func TestInterceptorsSeeWhatIsAskedFor(t *testing.T) {
	api := kkrpc.Object{
		"none":   func() string { return "r" },
		"one":    func(s string) string { return s },
		"two":    func(a, b int) int { return a + b },
		"struct": func(ctx context.Context, p point, q *point) *point { return &p },
		"rest":   func(s string, rest ...int) int { return len(rest) },
		"void":   func(x any) {},
		"call":   func(f func(int)) { f(1) },
		"a.b":    kkrpc.Object{`c\d`: func() int { return 1 }},
		"ns":     kkrpc.Object{"x": 1, "f": func() {}},
		"p":      kkrpc.NewProperty(point{1, 2}),
		"Point":  kkrpc.Constructor(func(x, y int) point { return point{x, y} }),
	}
	type seen struct {
		Operation, Path string
		Args            []any
		Result          any
	}
	for _, test := range []struct {
		name string
		ask  func(ctx context.Context, ch *kkrpc.Channel) error
		want seen
	}{
		{"no argument", call("none"), seen{"call", "none", nil, "r"}},
		{"one scalar", call("one", "s"), seen{"call", "one", []any{"s"}, "s"}},
		{"two scalars", call("two", 1, 2), seen{"call", "two", []any{1, 2}, 3}},
		{"typed by the function", call("struct", map[string]int{"X": 1, "Y": 2}), seen{"call", "struct", []any{point{1, 2}, (*point)(nil)}, &point{1, 2}}},
		{"variadic", call("rest", "a", 1, 2), seen{"call", "rest", []any{"a", 1, 2}, 2}},
		{"variadic without", call("rest", "a"), seen{"call", "rest", []any{"a"}, 0}},
		{"no result", call("void", nil), seen{"call", "void", []any{nil}, nil}},
		{"dots and backslashes", call(`a\.b.c\\d`), seen{"call", `a\.b.c\\d`, nil, 1}},
		{"get", func(ctx context.Context, ch *kkrpc.Channel) error {
			_, err := kkrpc.Get[point](ctx, ch, "p")
			return err
		}, seen{"get", "p", nil, point{1, 2}}},
		{"get of a namespace", func(ctx context.Context, ch *kkrpc.Channel) error {
			_, err := kkrpc.Get[any](ctx, ch, "ns")
			return err
		}, seen{"get", "ns", nil, map[string]any{"x": 1}}},
		{"set", func(ctx context.Context, ch *kkrpc.Channel) error { return kkrpc.Set(ctx, ch, "p", point{3, 4}) },
			seen{"set", "p", []any{point{3, 4}}, true}},
		{"new", func(ctx context.Context, ch *kkrpc.Channel) error {
			_, err := kkrpc.Construct[point](ctx, ch, "Point", 5, 6)
			return err
		}, seen{"new", "Point", []any{5, 6}, point{5, 6}}},
	} {
		t.Run(test.name, func(t *testing.T) {
			var got seen
			var s *kkrpc.Channel
			s, c := pair(t, kkrpc.Options{Expose: api, Inbound: []kkrpc.Interceptor{
				func(ctx context.Context, r *kkrpc.Request, next kkrpc.Handler) (any, error) {
					got.Operation, got.Path, got.Args = r.Operation, r.Path, r.Args
					if r.Channel != kkrpc.FromContext(ctx) || !r.Inbound {
						t.Errorf("channel %p, inbound %v", r.Channel, r.Inbound)
					}
					result, err := next(ctx, r)
					got.Result = result
					return result, err
				}}}, kkrpc.Options{})
			if err := test.ask(t.Context(), c); err != nil {
				t.Fatal(err)
			}
			if len(got.Args) == 0 {
				got.Args = nil
			}
			if !reflect.DeepEqual(got, test.want) {
				t.Errorf("got  %#v\nwant %#v", got, test.want)
			}
			_ = s
		})
	}
	t.Run("a callback", func(t *testing.T) {
		args := make(chan []any, 1)
		_, c := pair(t, kkrpc.Options{Expose: api, Inbound: []kkrpc.Interceptor{
			func(ctx context.Context, r *kkrpc.Request, next kkrpc.Handler) (any, error) {
				args <- r.Args
				return next(ctx, r)
			}}}, kkrpc.Options{})
		called := make(chan int, 1)
		if err := c.Call(t.Context(), nil, "call", func(n int) { called <- n }); err != nil || <-called != 1 {
			t.Error(err)
		}
		if a := <-args; reflect.TypeOf(a[0]) != reflect.TypeFor[func(int)]() {
			t.Errorf("got %T", a[0])
		}
	})
}

// call asks for a result of any type.
func call(path string, args ...any) func(context.Context, *kkrpc.Channel) error {
	return func(ctx context.Context, ch *kkrpc.Channel) error { return ch.Call(ctx, nil, path, args...) }
}

func TestInboundInterceptorDecidesTheAnswer(t *testing.T) {
	handler := fmt.Errorf("of the handler: %w", io.ErrUnexpectedEOF)
	type next = kkrpc.Handler
	for _, test := range []struct {
		name string
		in   func(ctx context.Context, r *kkrpc.Request, next kkrpc.Handler) (any, error)
		path string
		want string
	}{
		{"as it is", func(ctx context.Context, r *kkrpc.Request, next next) (any, error) { return next(ctx, r) }, "five", `"v":5`},
		{"another result", func(ctx context.Context, r *kkrpc.Request, next next) (any, error) {
			n, err := next(ctx, r)
			return map[string]any{"was": n}, err
		}, "five", `"v":{"was":5}`},
		{"null instead", func(context.Context, *kkrpc.Request, next) (any, error) { return nil, nil }, "five", `"v":null`},
		{"undefined stays undefined", func(ctx context.Context, r *kkrpc.Request, next next) (any, error) { return next(ctx, r) }, "void", `{"t":"r","id":"a"}`},
		{"a result for one without", func(context.Context, *kkrpc.Request, next) (any, error) { return "x", nil }, "void", `"v":"x"`},
		{"refused", func(context.Context, *kkrpc.Request, next) (any, error) {
			return nil, &kkrpc.Error{Name: "Forbidden", Message: "not you"}
		}, "never", `"e":{"n":"Forbidden","m":"not you"}`},
		{"the handler's own error", func(ctx context.Context, r *kkrpc.Request, next next) (any, error) {
			result, err := next(ctx, r)
			if err == handler && errors.Is(err, io.ErrUnexpectedEOF) && result == nil {
				return "seen", nil
			}
			return nil, errors.New("another error")
		}, "fail", `"v":"seen"`},
		{"a result that cannot be sent", func(context.Context, *kkrpc.Request, next) (any, error) { return make(chan int), nil }, "five", `"n":"TypeError","m":"five: result cannot be sent`},
		{"a panic", func(context.Context, *kkrpc.Request, next) (any, error) { panic("of the interceptor") }, "five", `"e":{"n":"InternalError","m":"internal error"}`},
		{"a panic of the handler is seen", func(ctx context.Context, r *kkrpc.Request, next next) (_ any, err error) {
			defer func() { err = fmt.Errorf("recovered %v", recover()) }()
			return next(ctx, r)
		}, "panic", `"m":"recovered of the handler"`},
		{"next twice", func(ctx context.Context, r *kkrpc.Request, next next) (any, error) {
			next(ctx, r)
			return next(ctx, r)
		}, "five", `"m":"an inbound interceptor called next twice"`},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, peer := raw(t, kkrpc.Options{Inbound: []kkrpc.Interceptor{test.in}, Expose: kkrpc.Object{
				"five":  func() int { return 5 },
				"void":  func() {},
				"never": func() { t.Error("the handler ran") },
				"fail":  func() (string, error) { return "", handler },
				"panic": func() { panic("of the handler") },
			}})
			write(t, peer, `{"t":"q","id":"a","op":"call","p":["`+test.path+`"]}`)
			if got := read(t, peer); !strings.Contains(got, test.want) {
				t.Errorf("got %s, want %s in it", got, test.want)
			}
		})
	}
}

func TestRefusedRequestsDoNotReachInterceptors(t *testing.T) {
	_, peer := raw(t, kkrpc.Options{Expose: kkrpc.Object{"f": func(int) {}}, Inbound: []kkrpc.Interceptor{
		func(context.Context, *kkrpc.Request, kkrpc.Handler) (any, error) {
			t.Error("intercepted")
			return nil, nil
		}}})
	write(t, peer, `{"t":"q","id":"a","op":"call","p":["g"]}`, `{"t":"q","id":"a","op":"call","p":["f"],"a":["x"]}`)
	for range 2 {
		if got := read(t, peer); !strings.Contains(got, `"e":`) {
			t.Error(got)
		}
	}
}

func TestInterceptorMayTakeItsTime(t *testing.T) {
	bubble(t, func(t *testing.T) {
		slow := func(ctx context.Context, r *kkrpc.Request, next kkrpc.Handler) (any, error) {
			if r.Path == "slow" {
				time.Sleep(time.Second)
			}
			return next(ctx, r)
		}
		_, c := pair(t, kkrpc.Options{Inbound: []kkrpc.Interceptor{slow}, Expose: kkrpc.Object{
			"slow": func() {}, "quick": func() {},
		}}, kkrpc.Options{})
		done := make(chan error, 1)
		go func() { done <- c.Call(context.Background(), nil, "slow") }()
		synctest.Wait()
		start := time.Now()
		if err := c.Call(t.Context(), nil, "quick"); err != nil {
			t.Fatal(err)
		}
		if d := time.Since(start); d > 100*time.Millisecond {
			t.Errorf("the next call took %v", d)
		}
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
}

func TestInterceptorMayCallThePeer(t *testing.T) {
	bubble(t, func(t *testing.T) {
		ask := func(ctx context.Context, r *kkrpc.Request, next kkrpc.Handler) (any, error) {
			user, err := kkrpc.Call[string](ctx, r.Channel, "whoAreYou")
			if err != nil {
				return nil, err
			}
			return next(context.WithValue(ctx, userKey{}, user), r)
		}
		_, c := pair(t, kkrpc.Options{Limits: kkrpc.Limits{Running: 1}, Inbound: []kkrpc.Interceptor{ask}, Expose: kkrpc.Object{
			"hello": func(ctx context.Context) string { return fmt.Sprint("hello ", ctx.Value(userKey{})) },
		}}, kkrpc.Options{Expose: kkrpc.Object{"whoAreYou": func() string { return "ann" }}})
		var calls sync.WaitGroup
		for range 20 {
			calls.Go(func() {
				got, err := kkrpc.Call[string](t.Context(), c, "hello")
				if got != "hello ann" || err != nil {
					t.Errorf("got %q, %v", got, err)
				}
			})
		}
		calls.Wait()
	})
}

type userKey struct{}

// The cells of plain functions are used again; a context that an interceptor keeps must not come to be another call's.
func TestContextThatAnInterceptorKeeps(t *testing.T) {
	bubble(t, func(t *testing.T) {
		var kept []context.Context
		keep := func(ctx context.Context, r *kkrpc.Request, next kkrpc.Handler) (any, error) {
			ctx.Done()
			kept = append(kept, ctx)
			return next(ctx, r)
		}
		_, c := pair(t, kkrpc.Options{Inbound: []kkrpc.Interceptor{keep}, Expose: kkrpc.Object{"f": func(n int) int { return n }}}, kkrpc.Options{})
		for n := range 3 {
			ctx := kkrpc.WithMetadata(t.Context(), map[string]any{"n": n})
			if got, err := kkrpc.Call[int](ctx, c, "f", n); got != n || err != nil {
				t.Fatal(got, err)
			}
		}
		synctest.Wait()
		for n, ctx := range kept {
			if got := kkrpc.MetadataFrom(ctx)["n"]; got != float64(n) || ctx.Err() == nil {
				t.Errorf("context %d: metadata %v, %v", n, got, ctx.Err())
			}
		}
	})
}

func TestOutboundInterceptor(t *testing.T) {
	flaky := 0
	server := kkrpc.Object{
		"point": func() point { return point{1, 2} },
		"void":  func() {},
		"meta":  seenMetadata["meta"],
		"flaky": func() (map[string]int, error) {
			if flaky++; flaky < 3 {
				return nil, &kkrpc.Error{Name: "TryAgain", Message: "later"}
			}
			return map[string]int{"n": flaky}, nil
		},
	}
	type next = kkrpc.Handler
	for _, test := range []struct {
		name string
		out  func(ctx context.Context, r *kkrpc.Request, next kkrpc.Handler) (any, error)
		ask  func(ctx context.Context, ch *kkrpc.Channel) (any, error)
		want any
		err  string
	}{
		{"sees the decoded result", func(ctx context.Context, r *kkrpc.Request, next next) (any, error) {
			result, err := next(ctx, r)
			p := result.(point)
			p.X = 10
			return p, err
		}, ask[point]("point"), point{10, 2}, ""},
		{"adds metadata", func(ctx context.Context, r *kkrpc.Request, next next) (any, error) {
			if r.Inbound || r.Metadata["given"] != true {
				return nil, fmt.Errorf("inbound %v, metadata %v", r.Inbound, r.Metadata)
			}
			return next(kkrpc.WithMetadata(ctx, map[string]any{"added": true}), r)
		}, func(ctx context.Context, ch *kkrpc.Channel) (any, error) {
			return kkrpc.Call[any](kkrpc.WithMetadata(ctx, map[string]any{"given": true}), ch, "meta")
		}, map[string]any{"given": true, "added": true}, ""},
		{"answers alone", func(context.Context, *kkrpc.Request, next) (any, error) { return point{7, 7}, nil }, ask[point]("nothing"), point{7, 7}, ""},
		{"answers nil", func(context.Context, *kkrpc.Request, next) (any, error) { return nil, nil }, ask[*point]("nothing"), (*point)(nil), ""},
		{"answers nil for a struct", func(context.Context, *kkrpc.Request, next) (any, error) { return nil, nil }, ask[point]("nothing"), point{}, "returned <nil> as the result, the caller wants kkrpc_test.point"},
		{"answers another type", func(context.Context, *kkrpc.Request, next) (any, error) { return "x", nil }, ask[point]("nothing"), point{}, "returned string as the result, the caller wants kkrpc_test.point"},
		{"refuses", func(context.Context, *kkrpc.Request, next) (any, error) { return nil, errors.New("not now") }, ask[point]("point"), point{}, "kkrpc: call point: not now"},
		{"tries again", func(ctx context.Context, r *kkrpc.Request, next next) (any, error) {
			for {
				result, err := next(ctx, r)
				if e, ok := errors.AsType[*kkrpc.Error](err); !ok || e.Name != "TryAgain" {
					return result, err
				}
			}
		}, ask[map[string]int]("flaky"), map[string]int{"n": 3}, ""},
		{"ignored result", func(ctx context.Context, r *kkrpc.Request, next next) (any, error) {
			result, err := next(ctx, r)
			if result != nil {
				return nil, fmt.Errorf("got %v", result)
			}
			return "dropped", err
		}, func(ctx context.Context, ch *kkrpc.Channel) (any, error) { return nil, ch.Call(ctx, nil, "point") }, nil, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, c := pair(t, kkrpc.Options{Expose: server}, kkrpc.Options{Outbound: []kkrpc.Interceptor{test.out}})
			got, err := test.ask(t.Context(), c)
			if !reflect.DeepEqual(got, test.want) || fmt.Sprint(err) != "<nil>" && (test.err == "" || !strings.Contains(err.Error(), test.err)) || err == nil && test.err != "" {
				t.Errorf("got %#v, %v", got, err)
			}
		})
	}
}

func ask[T any](path string) func(context.Context, *kkrpc.Channel) (any, error) {
	return func(ctx context.Context, ch *kkrpc.Channel) (any, error) { return kkrpc.Call[T](ctx, ch, path) }
}

// Without interceptors, members that the peer does not send stay as they are.
func TestOutboundInterceptorKeepsWhatTheResultHad(t *testing.T) {
	through := func(ctx context.Context, r *kkrpc.Request, next kkrpc.Handler) (any, error) { return next(ctx, r) }
	for _, out := range [][]kkrpc.Interceptor{nil, {through}} {
		_, c := pair(t, kkrpc.Options{Expose: kkrpc.Object{"y": func() map[string]int { return map[string]int{"Y": 2} }}}, kkrpc.Options{Outbound: out})
		p := point{X: 9, Y: 9}
		if err := c.Call(t.Context(), &p, "y"); err != nil || p != (point{9, 2}) {
			t.Errorf("with %d interceptors: %v, %v", len(out), p, err)
		}
	}
}

func TestNilInterceptorIsRefused(t *testing.T) {
	a, _ := kkrpc.Pipe()
	_, err := kkrpc.New(t.Context(), a, &kkrpc.Options{Outbound: []kkrpc.Interceptor{nil}})
	if err == nil || !strings.Contains(err.Error(), "Options.Outbound[0] is nil") {
		t.Errorf("got %v", err)
	}
}
