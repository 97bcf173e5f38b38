package kkrpc_test

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"runtime"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/kkrpc-go/kkrpc"
)

func TestStreamArgumentsThatNobodyTakes(t *testing.T) {
	const arg = `{"__kkrpc_next_arg__":"value","v":{"__kkrpc_next_stream__":"async-iterable","id":"theirs"}}`
	server := kkrpc.Object{
		"ignore": func(iter.Seq2[int, error]) string { return "ignored" },
		"any":    func(v any) string { return fmt.Sprintf("%T", v) },
		"fail":   func(iter.Seq2[int, error]) error { return errors.New("no") },
		"panic":  func(iter.Seq2[int, error]) { panic("no") },
		"number": func(int) {},
		"second": func(iter.Seq2[int, error], int) {},
		"none":   func() {},
	}
	for _, test := range []struct{ path, args, want string }{
		{"ignore", arg, `"v":"ignored"`},
		{"any", arg, `"v":"iter.Seq2[interface {},error]"`},
		{"fail", arg, `"m":"no"`},
		{"panic", arg, `"m":"internal error"`},
		{"number", arg, `argument 1: expected integer, got object`},
		{"second", arg + `,"x"`, `argument 2: expected integer, got string`},
		{"none", arg, `expected at most 0 arguments, got 1`},
		{"missing", arg, `missing is not a function`},
	} {
		t.Run(test.path, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				ch, peer := raw(t, kkrpc.Options{Expose: server})
				write(t, peer, fmt.Sprintf(`{"t":"q","id":"q","op":"call","p":["%s"],"a":[%s]}`, test.path, test.args))
				wantControl(t, peer, returned)
				if got := read(t, peer); !strings.Contains(got, test.want) {
					t.Error(got)
				}
				ch.Close()
			})
		})
	}
	t.Run("again with the same id", func(t *testing.T) {
		_, peer := raw(t, kkrpc.Options{Expose: server})
		for range 3 {
			write(t, peer, `{"t":"q","id":"q","op":"call","p":["ignore"],"a":[`+arg+`]}`)
			wantControl(t, peer, returned)
			read(t, peer)
		}
		write(t, peer, `{"t":"q","id":"q","op":"call","p":["any"],"a":[{"__kkrpc_next_stream__":"async-iterable","id":"theirs","more":1}]}`)
		if got := read(t, peer); !strings.Contains(got, "map[string]interface") {
			t.Error("what only looks like a stream:", got)
		}
	})
	t.Run("twice", func(t *testing.T) {
		_, peer := raw(t, kkrpc.Options{Expose: kkrpc.Object{"two": func(a, b iter.Seq2[int, error]) {}}})
		write(t, peer, `{"t":"q","id":"q","op":"call","p":["two"],"a":[`+arg+`,`+arg+`]}`)
		wantControl(t, peer, returned)
		if got := read(t, peer); !strings.Contains(got, "argument 2: a stream with the same id is open already") {
			t.Error(got)
		}
	})
}

// An argument that the result goes through lives as long as the result.
func TestStreamArgumentOfAStream(t *testing.T) {
	bubble(t, func(t *testing.T) {
		server := kkrpc.Object{"relay": func(in iter.Seq2[int, error]) iter.Seq2[int, error] {
			return func(yield func(int, error) bool) {
				for v, err := range in {
					if !yield(v, err) {
						return
					}
				}
			}
		}}
		_, peer := raw(t, kkrpc.Options{Expose: server})
		request := `{"t":"q","id":"q","op":"call","p":["relay"],"a":[{"__kkrpc_next_arg__":"value","v":{"__kkrpc_next_stream__":"async-iterable","id":"theirs"}}]}`
		for _, pulled := range []bool{false, true} {
			write(t, peer, request)
			_, sid, _ := strings.Cut(read(t, peer), `"async-iterable","id":"`)
			sid = strings.TrimSuffix(sid, `"}}`)
			if pulled {
				write(t, peer, fmt.Sprintf(`{"t":"sq","id":"p","sid":"%s","op":"pull","n":32}`, sid))
				wantControl(t, peer, pulled32)
			}
			write(t, peer, fmt.Sprintf(`{"t":"sq","id":"c","sid":"%s","op":"return"}`, sid))
			var got []string
			if pulled { // the loop over the argument cannot see it before there is an item
				write(t, peer, item(1))
			}
			for range 2 {
				got = append(got, withoutControlID(read(t, peer)))
			}
			answer := fmt.Sprintf(`{"t":"sr","id":"c","sid":"%s","d":true}`, sid)
			if !slices.Contains(got, returned) || !slices.Contains(got, answer) {
				t.Errorf("pulled %v: %s", pulled, got)
			}
		}
	})
}

func TestStreamArgumentOutlivesTheHandlerThatTookIt(t *testing.T) {
	for _, d := range dialects[:2] {
		bubble(t, func(t *testing.T) {
			sum, late := make(chan int, 1), make(chan error, 1)
			var ignored iter.Seq2[int, error]
			server := kkrpc.Object{
				"background": func(in iter.Seq2[int, error]) {
					taken := make(chan bool)
					go func() {
						total := 0
						for v := range in {
							if total == 0 {
								close(taken)
							}
							total += v
						}
						sum <- total
					}()
					<-taken
				},
				"keep": func(in iter.Seq2[int, error]) { ignored = in },
			}
			_, c := pair(t, kkrpc.Options{Expose: server}, kkrpc.Options{Dialect: d})
			if err := c.Call(t.Context(), nil, "background", upTo(100)); err != nil {
				t.Error(err)
			}
			if got := <-sum; got != 5050 {
				t.Error(got)
			}
			if err := c.Call(t.Context(), nil, "keep", upTo(100)); err != nil {
				t.Error(err)
			}
			_, err := collect(ignored)
			late <- err
			if err := <-late; !errors.Is(err, kkrpc.ErrReleased) {
				t.Errorf("after its handler: %v", err)
			}
		})
	}
}

func TestStreamsOfThePeerAreLimited(t *testing.T) {
	bubble(t, func(t *testing.T) {
		release := make(chan struct{})
		server := kkrpc.Object{"wait": func(ctx context.Context, in iter.Seq2[int, error]) { <-release }}
		_, c := pair(t, kkrpc.Options{Expose: server, Limits: kkrpc.Limits{Streams: 3}}, kkrpc.Options{})
		errs := make(chan error, 10)
		for range 10 {
			go func() { errs <- c.Call(t.Context(), nil, "wait", upTo(3)) }()
		}
		for range 7 {
			if err := <-errs; !named(err, "RPCLimitError") {
				t.Error(err)
			}
		}
		close(release)
		for range 3 {
			if err := <-errs; err != nil {
				t.Error(err)
			}
		}
		ch, peer := raw(t, kkrpc.Options{Dialect: kkrpc.Compact, Limits: kkrpc.Limits{Streams: 1}})
		results := make(chan error, 2)
		for i := range 2 {
			go func() {
				_, err := kkrpc.Call[iter.Seq2[int, error]](t.Context(), ch, "open")
				results <- err
			}()
			read(t, peer)
			write(t, peer, fmt.Sprintf(`{"t":"r","id":"%d","v":{"__kkrpc_next_stream__":"async-iterable","id":"s%d"}}`, i+1, i))
			err := <-results
			if i == 0 && err != nil || i == 1 && !errors.Is(err, kkrpc.ErrLimit) {
				t.Errorf("stream %d: %v", i, err)
			}
		}
		wantControl(t, peer, `{"t":"sq","sid":"s1","op":"return"}`)
	})
}

func TestStreamsAsProperties(t *testing.T) {
	for _, d := range dialects {
		bubble(t, func(t *testing.T) {
			source := kkrpc.NewProperty[iter.Seq2[int, error]](nil)
			server := kkrpc.Object{
				"computed": kkrpc.ReadOnly[iter.Seq[int]](func(context.Context) (iter.Seq[int], error) { return upTo(3), nil }),
				"constant": upTo(3),
				"source":   source,
				"version":  "1",
			}
			_, c := pair(t, kkrpc.Options{Expose: server}, kkrpc.Options{Dialect: d})
			for _, path := range []string{"computed", "constant", "constant"} {
				seq, err := kkrpc.Get[iter.Seq2[int, error]](t.Context(), c, path)
				if err != nil {
					t.Fatal(err)
				}
				if items, err := collect(seq); len(items) != 3 || err != nil {
					t.Errorf("%v: %s = %v, %v", d, path, items, err)
				}
			}
			if d == kkrpc.Compact || d == kkrpc.CompactSuperJSON {
				if all, err := kkrpc.Get[map[string]any](t.Context(), c, ""); fmt.Sprint(all) != "map[version:1]" || err != nil {
					t.Errorf("%v: the API = %v, %v", d, all, err)
				}
				if err := kkrpc.Set(t.Context(), c, "source", upTo(40)); err != nil {
					t.Fatal(err)
				}
				if items, err := collect(source.Get()); len(items) != 40 || err != nil {
					t.Errorf("%v: source = %v, %v", d, items, err)
				}
			}
		})
	}
}

func TestStreamsInCallbacks(t *testing.T) {
	for _, d := range dialects[:2] {
		bubble(t, func(t *testing.T) {
			server := kkrpc.Object{"give": func(to func(in iter.Seq[int]) error) error { return to(upTo(50)) }}
			_, c := pair(t, kkrpc.Options{Expose: server}, kkrpc.Options{Dialect: d})
			got := make(chan []int, 1)
			err := c.Call(t.Context(), nil, "give", func(in iter.Seq2[int, error]) error {
				items, err := collect(in)
				got <- items
				return err
			})
			if items := <-got; len(items) != 50 || err != nil {
				t.Errorf("%v: %v, %v", d, items, err)
			}
		})
	}
}

func TestStreamsThatCannotBeExposed(t *testing.T) {
	for _, r := range []struct {
		name string
		fn   any
		want string
	}{
		{"parameter without errors", func(iter.Seq[int]) {}, "parameter 1: iter.Seq[int] cannot say that the stream has failed; use iter.Seq2[int, error]"},
		{"channel parameter", func(<-chan int) {}, "parameter 1: <-chan int cannot say that the stream has failed; use iter.Seq2[int, error]"},
		{"pairs", func() iter.Seq2[int, string] { return nil }, "use iter.Seq2[T, error]"},
		{"sending channel", func() chan<- int { return nil }, "result: chan<- int cannot cross the connection; a stream is a <-chan int"},
		{"items", func() iter.Seq[time.Duration] { return nil }, "result items: time.Duration has no unit"},
		{"items of a parameter", func(iter.Seq2[struct{ D []time.Duration }, error]) {}, "parameter 1 items.D[]: time.Duration has no unit"},
		{"stream of streams", func() iter.Seq[iter.Seq[int]] { return nil }, "result items: iter.Seq[int]: a stream can only be a result, a parameter or a property itself"},
		{"in data", func() struct{ A []<-chan int } { return struct{ A []<-chan int }{} }, "result.A[]: <-chan int: a stream can only be"},
		{"in an argument", func(struct{ S iter.Seq2[int, error] }) {}, "parameter 1.S: iter.Seq2[int,error]: a stream can only be"},
		{"constructor", kkrpc.Constructor(func() iter.Seq[int] { return nil }), "constructor: func() iter.Seq[int] returns a stream"},
		{"settable property", kkrpc.NewProperty[iter.Seq[int]](nil), "iter.Seq[int] cannot say that the stream has failed"},
	} {
		t.Run(r.name, func(t *testing.T) {
			if _, err := kkrpc.Expose(kkrpc.Object{"f": r.fn}); err == nil || !strings.Contains(err.Error(), r.want) {
				t.Errorf("%v", err)
			}
		})
	}
}

func TestStreamsThroughInterceptors(t *testing.T) {
	for _, d := range dialects {
		bubble(t, func(t *testing.T) {
			var ended atomic.Int64
			var seen []string
			server := kkrpc.Object{"open": func(ctx context.Context, n int) iter.Seq[int] {
				context.AfterFunc(ctx, func() { ended.Add(1) })
				return upTo(n)
			}}
			inbound := func(ctx context.Context, r *kkrpc.Request, next kkrpc.Handler) (any, error) {
				result, err := next(ctx, r)
				seen = append(seen, fmt.Sprintf("%T", result))
				return result, err
			}
			twice := func(ctx context.Context, r *kkrpc.Request, next kkrpc.Handler) (any, error) {
				ctx, cancel := context.WithCancel(ctx)
				defer cancel() // must not end the items
				if _, err := next(ctx, r); err != nil {
					return nil, err
				}
				return next(ctx, r)
			}
			_, c := pair(t, kkrpc.Options{Expose: server, Inbound: []kkrpc.Interceptor{inbound}, Limits: kkrpc.Limits{StreamIdle: 1000 * time.Hour}},
				kkrpc.Options{Dialect: d, Outbound: []kkrpc.Interceptor{twice}})
			if items, err := collect(kkrpc.Stream[int](t.Context(), c, "open", 100)); len(items) != 100 || err != nil {
				t.Errorf("%v: Stream: %d items, %v", d, len(items), err)
			}
			seq, err := kkrpc.Call[iter.Seq2[int, error]](t.Context(), c, "open", 100)
			if err != nil {
				t.Fatal(err)
			}
			if items, err := collect(seq); len(items) != 100 || err != nil {
				t.Errorf("%v: Call: %d items, %v", d, len(items), err)
			}
			if fmt.Sprint(seen) != "[iter.Seq[int] iter.Seq[int] iter.Seq[int] iter.Seq[int]]" {
				t.Errorf("%v: inbound saw %v", d, seen)
			}
			for tries := 0; ended.Load() < 4; tries++ { // the first attempts' streams, which nobody holds
				if tries == 1000 {
					t.Fatalf("%v: %d of 4 streams have ended", d, ended.Load())
				}
				runtime.GC()
				time.Sleep(time.Minute)
				synctest.Wait()
			}
		})
	}
}

func TestReferencesInStreams(t *testing.T) {
	for _, d := range dialects[:2] {
		bubble(t, func(t *testing.T) {
			server := kkrpc.Object{"functions": func() iter.Seq[*kkrpc.Ref] {
				return func(yield func(*kkrpc.Ref) bool) {
					for i := range 3 {
						if !yield(kkrpc.Proxy(func(n int) int { return i * n })) {
							return
						}
					}
				}
			}}
			_, c := pair(t, kkrpc.Options{Expose: server}, kkrpc.Options{Dialect: d})
			i := 0
			for f, err := range kkrpc.Stream[*kkrpc.Ref](t.Context(), c, "functions") {
				var product int
				if err == nil {
					err = f.Apply(t.Context(), &product, 10)
				}
				if err != nil || product != i*10 {
					t.Errorf("%v: function %d: %d, %v", d, i, product, err)
				}
				i++
			}
			object := kkrpc.Proxy(kkrpc.Object{"count": func(n int) iter.Seq[int] { return upTo(n) }})
			client := kkrpc.Object{"object": func() *kkrpc.Ref { return object }}
			_, c = pair(t, kkrpc.Options{Expose: client}, kkrpc.Options{Dialect: d})
			ref, err := kkrpc.Call[*kkrpc.Ref](t.Context(), c, "object")
			if err != nil {
				t.Fatal(err)
			}
			if items, err := collect(kkrpc.Stream[int](t.Context(), ref, "count", 50)); len(items) != 50 || err != nil || i != 3 {
				t.Errorf("%v: a stream of a reference: %d items, %v", d, len(items), err)
			}
		})
	}
}

// A request that is refused must not take the streams of the one before it.
func TestRefusedRequestDropsOnlyItsOwnStreams(t *testing.T) {
	bubble(t, func(t *testing.T) {
		goOn := make(chan bool)
		server := kkrpc.Object{"first": func(in iter.Seq2[int, error]) (int, error) {
			<-goOn
			for v, err := range in {
				return v, err
			}
			return 0, nil
		}}
		ch, peer := raw(t, kkrpc.Options{Expose: server, Limits: kkrpc.Limits{Depth: 8}})
		const arg = `{"__kkrpc_next_arg__":"value","v":{"__kkrpc_next_stream__":"async-iterable","id":"theirs"}}`
		write(t, peer, `{"t":"q","id":"q","op":"call","p":["first"],"a":[`+arg+`]}`)
		time.Sleep(time.Second) // another goroutine reads
		write(t, peer, `{"t":"q","id":"deep","op":"call","p":["first"],"a":[`+strings.Repeat("[", 20)+strings.Repeat("]", 20)+`]}`)
		if got := read(t, peer); !strings.Contains(got, "RPCLimitError") {
			t.Fatal(got)
		}
		close(goOn)
		wantControl(t, peer, pulled32)
		write(t, peer, item(7))
		wantControl(t, peer, returned)
		if got := read(t, peer); got != `{"t":"r","id":"q","v":7}` {
			t.Error(got)
		}
		ch.Close()
	})
}

// A stream that somebody iterates over is not cancelled because another message names it too.
func TestStreamThatIsNamedAgainStays(t *testing.T) {
	bubble(t, func(t *testing.T) {
		server := kkrpc.Object{"first": func(in iter.Seq2[int, error]) (int, error) {
			for v, err := range in {
				return v, err
			}
			return 0, nil
		}}
		ch, peer := raw(t, kkrpc.Options{Expose: server})
		const arg = `{"__kkrpc_next_arg__":"value","v":{"__kkrpc_next_stream__":"async-iterable","id":"theirs"}}`
		write(t, peer, `{"t":"q","id":"q","op":"call","p":["first"],"a":[`+arg+`]}`)
		wantControl(t, peer, pulled32)
		write(t, peer, opened)
		for _, again := range []string{"first", "missing"} {
			write(t, peer, `{"t":"q","id":"again","op":"call","p":["`+again+`"],"a":[`+arg+`]}`)
			if got := read(t, peer); !strings.Contains(got, `"id":"again"`) || !strings.Contains(got, `"e":{`) {
				t.Fatal(got)
			}
		}
		write(t, peer, item(7))
		wantControl(t, peer, returned)
		if got := read(t, peer); got != `{"t":"r","id":"q","v":7}` {
			t.Error(got)
		}
		ch.Close()
	})
}

func TestCallbackThatIgnoresItsStream(t *testing.T) {
	bubble(t, func(t *testing.T) {
		ch, peer := raw(t, kkrpc.Options{Dialect: kkrpc.Compact})
		go ch.Call(context.Background(), nil, "x", func(iter.Seq2[int, error]) {}) // ends with the channel
		read(t, peer)
		for range 3 {
			write(t, peer, `{"t":"cb","id":"f1","a":[{"__kkrpc_next_stream__":"async-iterable","id":"theirs"}]}`)
			wantControl(t, peer, returned)
		}
		write(t, peer, `{"t":"cb","id":"f1","a":[{"__kkrpc_next_stream__":"async-iterable","id":"theirs"},1]}`)
		wantControl(t, peer, returned)
		ch.Close()
	})
}

// The response waits for the callback of its call, and meanwhile the caller gives up.
func TestStreamThatAnswersTooLateBehindACallback(t *testing.T) {
	bubble(t, func(t *testing.T) {
		ch, peer := raw(t, kkrpc.Options{Dialect: kkrpc.Compact})
		ctx, cancel := context.WithCancel(t.Context())
		goOn, failed := make(chan bool), make(chan error)
		go func() {
			_, err := kkrpc.Call[iter.Seq2[int, error]](ctx, ch, "open", func() { <-goOn })
			failed <- err
		}()
		read(t, peer)
		write(t, peer, `{"t":"cb","id":"f1","a":[]}`, opened)
		synctest.Wait()
		cancel()
		if err := <-failed; !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
		if got := read(t, peer); got != `{"t":"qc","id":"1"}` {
			t.Error(got)
		}
		close(goOn)
		wantControl(t, peer, returned)
		ch.Close()
	})
}

func TestStreamOfACallThatFoundNoRoom(t *testing.T) {
	bubble(t, func(t *testing.T) {
		a, _ := kkrpc.Pipe() // nobody reads
		ch, err := kkrpc.New(context.Background(), a, &kkrpc.Options{Dialect: kkrpc.Compact, CallTimeout: -1, Limits: kkrpc.Limits{Streams: 5, Outbound: 1 << 20}})
		if err != nil {
			t.Fatal(err)
		}
		defer ch.Close()
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		for range 100 {
			go ch.Call(ctx, nil, "x", strings.Repeat("x", 100_000))
		}
		synctest.Wait()
		for range 10 {
			short, cancel := context.WithTimeout(ctx, time.Second)
			if err := ch.Call(short, nil, "x", upTo(3)); !errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), "Limits.Outbound") {
				t.Fatal(err)
			}
			cancel()
		}
	})
}
