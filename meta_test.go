package kkrpc_test

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"reflect"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/kkrpc-go/kkrpc"
)

// seenMetadata is an API whose function answers with the metadata of its request.
var seenMetadata = kkrpc.Object{"meta": func(ctx context.Context) any {
	if m := kkrpc.MetadataFrom(ctx); m != nil {
		return m
	}
	return nil
}}

func TestMetadataReachesTheHandler(t *testing.T) {
	type m = map[string]any
	perChannel := func(context.Context) map[string]any { return m{"app": "go", "tenant": "a"} }
	for _, test := range []struct {
		name    string
		channel func(context.Context) map[string]any
		calls   []map[string]any
		want    any
	}{
		{name: "none", want: nil},
		{name: "empty", calls: []map[string]any{{}}, want: nil},
		{name: "empty of the channel", channel: func(context.Context) map[string]any { return m{} }, want: nil},
		{name: "per call", calls: []map[string]any{{"id": "r1", "deep": m{"list": []any{1, nil, "x"}}}},
			want: m{"id": "r1", "deep": m{"list": []any{1.0, nil, "x"}}}},
		{name: "per channel", channel: perChannel, want: m{"app": "go", "tenant": "a"}},
		{name: "the call wins by key", channel: perChannel, calls: []map[string]any{{"tenant": "b"}}, want: m{"app": "go", "tenant": "b"}},
		{name: "the inner of two wins", calls: []map[string]any{{"a": 1, "b": 1}, {"b": 2}}, want: m{"a": 1.0, "b": 2.0}},
	} {
		for _, d := range dialects {
			t.Run(test.name+"/"+d.String(), func(t *testing.T) {
				bubble(t, func(t *testing.T) {
					_, c := pair(t, kkrpc.Options{Expose: seenMetadata}, kkrpc.Options{Dialect: d, Metadata: test.channel})
					ctx := context.Background()
					for _, given := range test.calls {
						ctx = kkrpc.WithMetadata(ctx, given)
					}
					got, err := kkrpc.Call[any](ctx, c, "meta")
					if err != nil {
						t.Fatal(err)
					}
					want := test.want
					if d == kkrpc.Classic || d == kkrpc.ClassicSuperJSON {
						want = nil
					}
					if !reflect.DeepEqual(got, want) {
						t.Errorf("got %v, want %v", got, want)
					}
				})
			})
		}
	}
}

func TestMetadataOnTheWire(t *testing.T) {
	year := time.Date(2024, 2, 29, 12, 34, 56, 789e6, time.UTC)
	for _, test := range []struct {
		name    string
		dialect kkrpc.Dialect
		call    func(ctx context.Context, ch *kkrpc.Channel) error
		want    string
	}{
		{"call", kkrpc.Compact, func(ctx context.Context, ch *kkrpc.Channel) error { return ch.Call(ctx, nil, "f", 1) },
			`{"t":"q","id":"1","op":"call","p":["f"],"a":[{"__kkrpc_next_arg__":"value","v":1}],"meta":{"k":"v"}}`},
		{"get", kkrpc.Compact, func(ctx context.Context, ch *kkrpc.Channel) error {
			_, err := kkrpc.Get[any](ctx, ch, "p")
			return err
		}, `{"t":"q","id":"1","op":"get","p":["p"],"meta":{"k":"v"}}`},
		{"set", kkrpc.Compact, func(ctx context.Context, ch *kkrpc.Channel) error { return kkrpc.Set(ctx, ch, "p", 2) },
			`{"t":"q","id":"1","op":"set","p":["p"],"v":2,"meta":{"k":"v"}}`},
		{"new", kkrpc.Compact, func(ctx context.Context, ch *kkrpc.Channel) error {
			_, err := kkrpc.Construct[any](ctx, ch, "C")
			return err
		}, `{"t":"q","id":"1","op":"new","p":["C"],"a":[],"meta":{"k":"v"}}`},
		{"annotated", kkrpc.CompactSuperJSON, func(ctx context.Context, ch *kkrpc.Channel) error {
			return ch.Call(kkrpc.WithMetadata(ctx, map[string]any{"at": year}), nil, "f", year)
		}, `{"json":{"t":"q","id":"1","op":"call","p":["f"],"a":[{"__kkrpc_next_arg__":"value","v":"2024-02-29T12:34:56.789Z"}],` +
			`"meta":{"at":"2024-02-29T12:34:56.789Z","k":"v"}},"meta":{"values":{"a.0.v":["Date"],"meta.at":["Date"]},"v":1}}`},
		{"a deadline alone", kkrpc.Compact, func(_ context.Context, ch *kkrpc.Channel) error {
			ctx, cancel := context.WithTimeout(context.Background(), 1500*time.Millisecond)
			defer cancel()
			return ch.Call(ctx, nil, "f")
		}, `{"t":"q","id":"1","op":"call","p":["f"],"a":[],"meta":{"timeout":1500}}`},
		{"a deadline beside metadata", kkrpc.Compact, func(ctx context.Context, ch *kkrpc.Channel) error {
			ctx, cancel := context.WithTimeout(ctx, 20*time.Microsecond)
			defer cancel()
			return ch.Call(ctx, nil, "f")
		}, `{"t":"q","id":"1","op":"call","p":["f"],"a":[],"meta":{"k":"v","timeout":1}}`},
		{"a timeout that was set", kkrpc.Compact, func(ctx context.Context, ch *kkrpc.Channel) error {
			ctx, cancel := context.WithTimeout(kkrpc.WithMetadata(ctx, map[string]any{"timeout": 7}), time.Second)
			defer cancel()
			return ch.Call(ctx, nil, "f")
		}, `{"t":"q","id":"1","op":"call","p":["f"],"a":[],"meta":{"k":"v","timeout":7}}`},
		{"CallTimeout alone", kkrpc.Compact, func(_ context.Context, ch *kkrpc.Channel) error {
			return ch.Call(context.Background(), nil, "f")
		}, `{"t":"q","id":"1","op":"call","p":["f"],"a":[]}`},
	} {
		t.Run(test.name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				ch, peer := raw(t, kkrpc.Options{Dialect: test.dialect, CallTimeout: time.Minute})
				go test.call(kkrpc.WithMetadata(context.Background(), map[string]any{"k": "v"}), ch) // ends with the channel
				if got := read(t, peer); got != test.want {
					t.Errorf("got  %s\nwant %s", got, test.want)
				}
				ch.Close()
			})
		})
	}
}

func TestMetadataThatCannotBeSentFailsTheCall(t *testing.T) {
	_, c := pair(t, kkrpc.Options{Expose: seenMetadata}, kkrpc.Options{})
	_, err := kkrpc.Call[any](kkrpc.WithMetadata(t.Context(), map[string]any{"f": func() {}}), c, "meta")
	if err == nil || !strings.Contains(err.Error(), "metadata: ") {
		t.Errorf("got %v", err)
	}
	if got, err := kkrpc.Call[any](t.Context(), c, "meta"); got != nil || err != nil {
		t.Errorf("the next call: %v, %v", got, err)
	}
}

func TestMetadataOfWrongTypesIsNone(t *testing.T) {
	for _, meta := range []string{`null`, `5`, `"x"`, `[1]`, `true`} {
		t.Run(meta, func(t *testing.T) {
			_, peer := raw(t, kkrpc.Options{Expose: seenMetadata})
			write(t, peer, `{"t":"q","id":"a","op":"call","p":["meta"],"meta":`+meta+`}`)
			if got := read(t, peer); got != `{"t":"r","id":"a","v":null}` {
				t.Error(got)
			}
		})
	}
}

func TestAnnotatedMetadata(t *testing.T) {
	type seen struct{ Date, Missing, Broken string }
	got := make(chan seen, 1)
	_, peer := raw(t, kkrpc.Options{Expose: kkrpc.Object{"meta": func(ctx context.Context) {
		m := kkrpc.MetadataFrom(ctx)
		got <- seen{fmt.Sprintf("%T", m["date"]), fmt.Sprintf("%T", m["missing"]), fmt.Sprintf("%T", m["broken"])}
	}}})
	write(t, peer, `{"json":{"t":"q","id":"a","op":"call","p":["meta"],"a":[],"meta":{"date":"2024-02-29T12:34:56.789Z","missing":null}},`+
		`"meta":{"values":{"meta.date":["Date"],"meta.missing":["undefined"]},"v":1}}`)
	if want := (seen{"time.Time", "superjson.UndefinedType", "<nil>"}); <-got != want {
		t.Errorf("want %v", want)
	}
	write(t, peer, `{"json":{"t":"q","id":"a","op":"call","p":["meta"],"a":[],"meta":{"broken":"x"}},"meta":{"values":{"meta.broken":["bigint"]},"v":1}}`)
	if want := (seen{"<nil>", "<nil>", "<nil>"}); <-got != want {
		t.Errorf("want %v", want)
	}
}

func TestMetadataIsBounded(t *testing.T) {
	_, peer := raw(t, kkrpc.Options{Expose: seenMetadata, Limits: kkrpc.Limits{Metadata: 20}})
	write(t, peer, `{"t":"q","id":"a","op":"call","p":["meta"],"meta":{"k":"123456789012"}}`,
		`{"t":"q","id":"b","op":"call","p":["meta"],"meta":{"k":"1234567890123"}}`)
	if got := read(t, peer); got != `{"t":"r","id":"a","v":{"k":"123456789012"}}` {
		t.Error(got)
	}
	if got := read(t, peer); !strings.Contains(got, `"n":"RPCLimitError"`) || !strings.Contains(got, "21 bytes, at most 20") {
		t.Error(got)
	}
}

func TestInboundTimeoutEndsTheContext(t *testing.T) {
	for _, test := range []struct {
		name, meta string
		want       time.Duration // 0: no deadline
	}{
		{"integer", `{"timeout":1000}`, time.Second},
		{"fraction", `{"timeout":0.5}`, 500 * time.Microsecond},
		{"exponent", `{"timeout":1e3}`, time.Second},
		{"the last of two", `{"timeout":5,"timeout":1000}`, time.Second},
		{"an escaped name", `{"\u0074imeout":1000}`, time.Second},
		{"behind others", `{"a":{"timeout":1},"b":[1],"timeout":1000}`, time.Second},
		{"nested only", `{"a":{"timeout":1}}`, 0},
		{"zero", `{"timeout":0}`, 0},
		{"negative", `{"timeout":-5}`, 0},
		{"infinite", `{"timeout":1e999}`, 0},
		{"longer than any wait", `{"timeout":1e15}`, 0},
		{"text", `{"timeout":"5"}`, 0},
		{"null", `{"timeout":null}`, 0},
		{"list", `{"timeout":[5]}`, 0},
	} {
		t.Run(test.name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				type seen struct {
					left  time.Duration
					after time.Duration
					err   error
				}
				got := make(chan seen, 1)
				_, peer := raw(t, kkrpc.Options{Expose: kkrpc.Object{"wait": func(ctx context.Context) {
					start := time.Now()
					var s seen
					if d, ok := ctx.Deadline(); ok {
						s.left = d.Sub(start)
					}
					select {
					case <-ctx.Done():
					case <-time.After(time.Hour):
					}
					s.after, s.err = time.Since(start), ctx.Err()
					got <- s
				}}})
				write(t, peer, `{"t":"q","id":"a","op":"call","p":["wait"],"meta":`+test.meta+`}`)
				s := <-got
				want := seen{test.want, test.want, context.DeadlineExceeded}
				if test.want == 0 {
					want = seen{0, time.Hour, nil}
				}
				if s != want {
					t.Errorf("got %+v, want %+v", s, want)
				}
				read(t, peer)
			})
		})
	}
}

func TestInboundTimeoutWithoutWaiting(t *testing.T) {
	for _, test := range []struct {
		name string
		ask  func(ctx context.Context) error
	}{
		{"Err", func(ctx context.Context) error {
			time.Sleep(time.Second)
			return ctx.Err()
		}},
		{"a derived context", func(ctx context.Context) error {
			ctx, cancel := context.WithCancel(ctx)
			defer cancel()
			<-ctx.Done()
			return context.Cause(ctx)
		}},
		{"AfterFunc", func(ctx context.Context) error {
			fired := make(chan struct{})
			context.AfterFunc(ctx, func() { close(fired) })
			<-fired
			return ctx.Err()
		}},
		{"its own AfterFunc", func(ctx context.Context) error {
			fired := make(chan struct{})
			ctx.(interface{ AfterFunc(func()) func() bool }).AfterFunc(func() { close(fired) })
			<-fired
			return ctx.Err()
		}},
		{"AfterFunc when it is over", func(ctx context.Context) error {
			time.Sleep(time.Second)
			fired := make(chan struct{})
			context.AfterFunc(ctx, func() { close(fired) })
			<-fired
			return ctx.Err()
		}},
		{"Done when it is over", func(ctx context.Context) error {
			time.Sleep(time.Second)
			<-ctx.Done()
			return ctx.Err()
		}},
		{"Err before Done", func(ctx context.Context) error {
			done := ctx.Done()
			for ctx.Err() == nil {
				time.Sleep(time.Millisecond)
			}
			<-done
			return ctx.Err()
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				_, c := pair(t, kkrpc.Options{Expose: kkrpc.Object{"f": func(ctx context.Context) string {
					return fmt.Sprint(test.ask(ctx))
				}}}, kkrpc.Options{})
				got, err := kkrpc.Call[string](kkrpc.WithMetadata(t.Context(), map[string]any{"timeout": 100}), c, "f")
				if got != context.DeadlineExceeded.Error() || err != nil {
					t.Errorf("got %q, %v", got, err)
				}
			})
		})
	}
}

func TestRequestWhoseTimeoutEndsInTheQueueIsNotRun(t *testing.T) {
	bubble(t, func(t *testing.T) {
		ran := false
		_, peer := raw(t, kkrpc.Options{Limits: kkrpc.Limits{Running: 1}, Expose: kkrpc.Object{
			"slow":  func() { time.Sleep(time.Second) },
			"other": func() { ran = true },
		}})
		write(t, peer, `{"t":"q","id":"a","op":"call","p":["slow"]}`, `{"t":"q","id":"b","op":"call","p":["other"],"meta":{"timeout":500}}`)
		read(t, peer)
		if got := read(t, peer); !strings.Contains(got, `"id":"b"`) || !strings.Contains(got, `"n":"RPCTimeoutError"`) || ran {
			t.Errorf("%s, ran: %v", got, ran)
		}
	})
}

func TestDeadlineTravelsOn(t *testing.T) {
	bubble(t, func(t *testing.T) {
		server := kkrpc.Object{"relay": func(ctx context.Context) (any, error) {
			time.Sleep(100 * time.Millisecond)
			return kkrpc.Call[any](ctx, kkrpc.FromContext(ctx), "meta")
		}}
		_, c := pair(t, kkrpc.Options{Expose: server}, kkrpc.Options{Expose: seenMetadata})
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		got, err := kkrpc.Call[any](ctx, c, "relay")
		if want := any(map[string]any{"timeout": 900.0}); !reflect.DeepEqual(got, want) || err != nil {
			t.Errorf("got %v, %v, want %v", got, err, want)
		}
	})
}

func TestTraceTravelsOn(t *testing.T) {
	const parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
	const other = "00-11111111111111111111111111111111-2222222222222222-00"
	type m = map[string]any
	for _, test := range []struct {
		name   string
		inner  map[string]any // given to the call of the handler
		inside map[string]any // what the request brings
		want   any
	}{
		{"parent and state", nil, m{"traceparent": parent, "tracestate": "a=1", "requestId": 5}, m{"traceparent": parent, "tracestate": "a=1"}},
		{"beside other metadata", m{"k": 1}, m{"traceparent": parent}, m{"traceparent": parent, "k": 1.0}},
		{"set explicitly", m{"traceparent": other}, m{"traceparent": parent, "tracestate": "a=1"}, m{"traceparent": other}},
		{"state set explicitly", m{"tracestate": "b=2"}, m{"traceparent": parent, "tracestate": "a=1"}, m{"traceparent": parent, "tracestate": "b=2"}},
		{"a later version", nil, m{"traceparent": "cc" + parent[2:] + "-more"}, m{"traceparent": "cc" + parent[2:] + "-more"}},
		{"state alone", nil, m{"tracestate": "a=1"}, nil},
		{"a later version with a line break", nil, m{"traceparent": "cc" + parent[2:] + "-a\r\nX-Admin: 1"}, nil},
		{"upper case", nil, m{"traceparent": strings.ToUpper(parent)}, nil},
		{"version ff", nil, m{"traceparent": "ff" + parent[2:]}, nil},
		{"no trace id", nil, m{"traceparent": "00-00000000000000000000000000000000-b7ad6b7169203331-01"}, nil},
		{"no parent id", nil, m{"traceparent": "00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01"}, nil},
		{"too long for version 00", nil, m{"traceparent": parent + "-more"}, nil},
		{"a number", nil, m{"traceparent": 5}, nil},
		{"a state that is no text", nil, m{"traceparent": parent, "tracestate": []int{1}}, m{"traceparent": parent}},
		{"a state with a line break", nil, m{"traceparent": parent, "tracestate": "a\nb"}, m{"traceparent": parent}},
		{"a state that is too long", nil, m{"traceparent": parent, "tracestate": strings.Repeat("a", 513)}, m{"traceparent": parent}},
	} {
		t.Run(test.name, func(t *testing.T) {
			server := kkrpc.Object{"relay": func(ctx context.Context) (any, error) {
				return kkrpc.Call[any](kkrpc.WithMetadata(ctx, test.inner), kkrpc.FromContext(ctx), "meta")
			}}
			_, c := pair(t, kkrpc.Options{Expose: server}, kkrpc.Options{Expose: seenMetadata})
			got, err := kkrpc.Call[any](kkrpc.WithMetadata(t.Context(), test.inside), c, "relay")
			if !reflect.DeepEqual(got, test.want) || err != nil {
				t.Errorf("got %v, %v, want %v", got, err, test.want)
			}
		})
	}
}

// A handler that ends before its deadline must not leave a timer behind that ends something else later.
func TestDeadlineAfterTheHandler(t *testing.T) {
	bubble(t, func(t *testing.T) {
		var kept context.Context
		_, c := pair(t, kkrpc.Options{Expose: kkrpc.Object{"f": func(ctx context.Context) { kept = ctx; ctx.Done() }}}, kkrpc.Options{})
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := c.Call(ctx, nil, "f"); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		time.Sleep(time.Minute)
		<-kept.Done()
		if !errors.Is(kept.Err(), context.Canceled) {
			t.Error(kept.Err())
		}
	})
}

func TestDeadlineThatIsFarAway(t *testing.T) {
	for _, year := range []int{2100, 9999} {
		t.Run(fmt.Sprint(year), func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				_, c := pair(t, kkrpc.Options{Expose: seenMetadata}, kkrpc.Options{})
				ctx, cancel := context.WithDeadline(t.Context(), time.Date(year, 1, 1, 0, 0, 0, 0, time.UTC))
				defer cancel()
				if got, err := kkrpc.Call[any](ctx, c, "meta"); got != nil || err != nil {
					t.Errorf("got %v, %v, want no timeout", got, err)
				}
			})
		})
	}
}

// clock returns a stream of 3 items, one a second, which ends early when ended says so of its ctx.
func clock(ended func(ctx context.Context, second <-chan time.Time) bool) kkrpc.Object {
	return kkrpc.Object{"clock": func(ctx context.Context) iter.Seq[int] {
		return func(yield func(int) bool) {
			for i := range 3 {
				if ended(ctx, time.After(time.Second)) || !yield(i) {
					return
				}
			}
		}
	}}
}

// Both ways in which a function can look at its ctx.
var lookingAtCtx = map[string]func(ctx context.Context, second <-chan time.Time) bool{
	"Done": func(ctx context.Context, second <-chan time.Time) bool {
		select {
		case <-ctx.Done():
			return true
		case <-second:
			return false
		}
	},
	"Err": func(ctx context.Context, second <-chan time.Time) bool { <-second; return ctx.Err() != nil },
}

// The timeout is for the answer: who reads the stream ends it.
func TestTimeoutOfACallDoesNotBoundItsStream(t *testing.T) {
	for name, ended := range lookingAtCtx {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				_, c := pair(t, kkrpc.Options{Expose: clock(ended)}, kkrpc.Options{})
				n := 0
				for _, err := range kkrpc.Stream[int](kkrpc.WithMetadata(t.Context(), map[string]any{"timeout": 1500}), c, "clock") {
					if err != nil {
						t.Fatal(err)
					}
					n++
				}
				if n != 3 {
					t.Errorf("%d items came, want 3", n)
				}
			})
		})
	}
}

func TestInterceptorsTimeoutDoesNotBoundTheItemsAtThePeer(t *testing.T) {
	for name, ended := range lookingAtCtx {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				short := func(ctx context.Context, r *kkrpc.Request, next kkrpc.Handler) (any, error) {
					ctx, cancel := context.WithTimeout(ctx, 1500*time.Millisecond)
					defer cancel()
					return next(ctx, r)
				}
				_, c := pair(t, kkrpc.Options{Expose: clock(ended)}, kkrpc.Options{Outbound: []kkrpc.Interceptor{short}})
				n := 0
				for _, err := range kkrpc.Stream[int](t.Context(), c, "clock") {
					if err != nil {
						t.Fatal(err)
					}
					n++
				}
				if n != 3 {
					t.Errorf("%d items came, want 3", n)
				}
			})
		})
	}
}

// late is a ctx whose deadline has come, but whose timer has not fired yet, as on a busy machine.
type late struct{ context.Context }

func (late) Deadline() (time.Time, bool) { return time.Now().Add(-time.Millisecond), true }

func TestDeadlineIsTheCallersEvenIfThePeerSpeaksFirst(t *testing.T) {
	_, c := pair(t, kkrpc.Options{Expose: kkrpc.Object{"work": func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() }}}, kkrpc.Options{})
	if err := c.Call(late{t.Context()}, nil, "work"); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v, want the caller's own deadline", err)
	}
}
