package kkrpc_test

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/kkrpc-go/kkrpc"
)

// onReference does one operation on ref.
type onReference struct {
	name string
	do   func(ctx context.Context, ref *kkrpc.Ref) (any, error)
	want string // operation, path, arguments, result or error
}

var onObject = []onReference{
	{"call", func(ctx context.Context, ref *kkrpc.Ref) (any, error) {
		return kkrpc.Call[int](ctx, ref, "increment", 2)
	}, "call increment 2: 2"},
	{"get", func(ctx context.Context, ref *kkrpc.Ref) (any, error) { return kkrpc.Get[int](ctx, ref, "value") }, "get value: 2"},
	{"get of the object itself", func(ctx context.Context, ref *kkrpc.Ref) (any, error) {
		same, err := kkrpc.Get[*kkrpc.Ref](ctx, ref, "")
		return same == ref, err
	}, "get : itself"},
	{"set", func(ctx context.Context, ref *kkrpc.Ref) (any, error) { return nil, kkrpc.Set(ctx, ref, "value", 7) }, "set value 7: true"},
	{"an error", func(ctx context.Context, ref *kkrpc.Ref) (any, error) {
		_, err := kkrpc.Call[int](ctx, ref, "increment", 1000)
		if err == nil {
			err = errors.New("no error")
		} else {
			err = nil
		}
		return nil, err
	}, "call increment 1000: RangeError: too much"},
}

// watcher writes down what it sees of operations on references, and which reference that was.
type watcher struct {
	journal
	ref *kkrpc.Ref
}

func (w *watcher) intercept(ctx context.Context, r *kkrpc.Request, next kkrpc.Handler) (any, error) {
	result, err := next(ctx, r)
	if r.Ref == nil {
		return result, err
	}
	w.ref = r.Ref
	line := strings.TrimSuffix(fmt.Sprintf("%s %s %v", r.Operation, r.Path, plain(r.Args)), " ")
	shown := result
	if ref, ok := result.(*kkrpc.Ref); ok && ref == r.Ref {
		shown = "itself"
	}
	if e := (*kkrpc.Error)(nil); errors.As(err, &e) {
		shown = e
	}
	w.add("%s: %v", line, shown)
	return result, err
}

// plain writes args without what tells a pointer to a value from the value, which inbound and outbound differ in.
func plain(args []any) string {
	texts := make([]string, len(args))
	for i, arg := range args {
		texts[i] = fmt.Sprint(reflect.Indirect(reflect.ValueOf(arg)))
	}
	return strings.Join(texts, " ")
}

func TestInterceptorsSeeOperationsOnReferences(t *testing.T) {
	needsMethods(t)
	for _, direction := range []string{"inbound", "outbound"} {
		t.Run(direction, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				own := kkrpc.Proxy(&counter{limit: 100})
				add := kkrpc.Proxy(func(a, b int) int { return a + b })
				var w watcher
				server := kkrpc.Options{Expose: kkrpc.Object{"object": func() *kkrpc.Ref { return own }, "function": func() *kkrpc.Ref { return add }}}
				client := kkrpc.Options{}
				if direction == "inbound" {
					server.Inbound = []kkrpc.Interceptor{w.intercept}
				} else {
					client.Outbound = []kkrpc.Interceptor{w.intercept}
				}
				_, ch := pair(t, server, client)
				ctx := t.Context()
				expect := func(name string, ref, owned *kkrpc.Ref, want string) {
					t.Helper()
					seen := owned
					if direction == "outbound" {
						seen = ref
						want = strings.Replace(want, ": true", ": <nil>", 1) // a Set asks for no result
					}
					if len(w.lines) != 1 || w.lines[0] != want || w.ref != seen {
						t.Errorf("%s: got %q, its own reference %v, want %q", name, w.lines, w.ref == seen, want)
					}
					w.lines, w.ref = nil, nil
				}
				object, err := kkrpc.Call[*kkrpc.Ref](ctx, ch, "object")
				if err != nil {
					t.Fatal(err)
				}
				for _, test := range onObject {
					if _, err := test.do(ctx, object); err != nil {
						t.Errorf("%s: %v", test.name, err)
					}
					expect(test.name, object, own, test.want)
				}
				function, err := kkrpc.Call[*kkrpc.Ref](ctx, ch, "function")
				if err != nil {
					t.Fatal(err)
				}
				if err := function.Apply(ctx, new(int), 1, 2); err != nil {
					t.Error(err)
				}
				expect("apply", function, add, "apply  1 2: 3")
				if _, err := kkrpc.Call[int](ctx, function, "", 3, 4); err != nil {
					t.Error(err)
				}
				expect("call of a function", function, add, "apply  3 4: 7")

				if err := object.Release(ctx); err != nil {
					t.Error(err)
				}
				if err := kkrpc.Release(function); err != nil {
					t.Error(err)
				}
				synctest.Wait()
				if len(w.lines) != 0 {
					t.Errorf("a release was intercepted: %q", w.lines)
				}
			})
		})
	}
}

func TestInterceptorRefusesAnOperationOnAReference(t *testing.T) {
	refuse := func(_ context.Context, r *kkrpc.Request, next kkrpc.Handler) (any, error) {
		if r.Ref == nil {
			return next(context.Background(), r)
		}
		return nil, errors.New("not you")
	}
	bubble(t, func(t *testing.T) {
		api := kkrpc.Object{"f": func() *kkrpc.Ref {
			return kkrpc.Proxy(func() { t.Error("it was called") })
		}}
		for _, opts := range [][2]kkrpc.Options{
			{{Expose: api, Inbound: []kkrpc.Interceptor{refuse}}, {}},
			{{Expose: api}, {Outbound: []kkrpc.Interceptor{refuse}}},
		} {
			_, ch := pair(t, opts[0], opts[1])
			ref, err := kkrpc.Call[*kkrpc.Ref](t.Context(), ch, "f")
			if err != nil {
				t.Fatal(err)
			}
			if err := ref.Apply(t.Context(), nil); err == nil || !strings.Contains(err.Error(), "apply reference: not you") {
				t.Errorf("apply: %v", err)
			}
			if err := ref.Release(t.Context()); err != nil {
				t.Errorf("a release was refused: %v", err)
			}
		}
	})
}

// A peer may write anything behind apply, so that an interceptor must not take it for a path.
func TestPathBehindApply(t *testing.T) {
	var j journal
	_, peer := raw(t, kkrpc.Options{Inbound: []kkrpc.Interceptor{j.interceptor("in")},
		Expose: kkrpc.Object{"f": kkrpc.ReadOnly[*kkrpc.Ref](func(context.Context) (*kkrpc.Ref, error) { return kkrpc.Proxy(func() int { return 5 }), nil })}})
	write(t, peer, `{"t":"q","id":"a","op":"get","p":["f"]}`)
	id := read(t, peer)
	id = id[strings.Index(id, `,"id":"`)+len(`,"id":"`):]
	id = id[strings.Index(id, `"id":"`)+len(`"id":"`):]
	id = id[:strings.Index(id, `"`)]
	write(t, peer, `{"t":"q","id":"b","op":"ref","p":["`+id+`","apply","admin","delete"]}`)
	if got := read(t, peer); !strings.Contains(got, `"v":5`) {
		t.Errorf("got %s", got)
	}
	if want := "in: apply  []"; len(j.lines) != 4 || j.lines[2] != want {
		t.Errorf("got %q, want %q", j.lines, want)
	}
}

func TestNextAfterTheInterceptorHasReturned(t *testing.T) {
	bubble(t, func(t *testing.T) {
		late := make(chan error, 1)
		_, ch := pair(t, kkrpc.Options{Expose: kkrpc.Object{"f": func(int) { t.Error("it ran") }}, Inbound: []kkrpc.Interceptor{
			func(ctx context.Context, r *kkrpc.Request, next kkrpc.Handler) (any, error) {
				go func() {
					<-ctx.Done()
					_, err := next(ctx, r)
					late <- err
				}()
				return nil, errors.New("given up")
			}}}, kkrpc.Options{})
		if err := ch.Call(t.Context(), nil, "f", 1); err == nil || !strings.Contains(err.Error(), "given up") {
			t.Error(err)
		}
		if err := <-late; err == nil || !strings.Contains(err.Error(), "after it had returned") {
			t.Errorf("got %v", err)
		}
	})
}

func TestInterceptorThatEndsItsGoroutine(t *testing.T) {
	bubble(t, func(t *testing.T) {
		_, ch := pair(t, kkrpc.Options{Expose: kkrpc.Object{"f": func() int { return 1 }}, Limits: kkrpc.Limits{Running: 1}, Inbound: []kkrpc.Interceptor{
			func(ctx context.Context, r *kkrpc.Request, next kkrpc.Handler) (any, error) {
				result, err := next(ctx, r)
				if kkrpc.MetadataFrom(ctx)["end"] == true {
					runtime.Goexit()
				}
				return result, err
			}}}, kkrpc.Options{})
		for range 3 {
			err := ch.Call(kkrpc.WithMetadata(t.Context(), map[string]any{"end": true}), nil, "f")
			if e := (*kkrpc.Error)(nil); !errors.As(err, &e) || e.Name != "InternalError" {
				t.Errorf("got %v", err)
			}
			if n, err := kkrpc.Call[int](t.Context(), ch, "f"); n != 1 || err != nil {
				t.Errorf("the next call: %v, %v", n, err)
			}
		}
	})
}
