package kkrpc_test

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/kkrpc-go/kkrpc"
)

const opened = `{"t":"r","id":"1","v":{"__kkrpc_next_stream__":"async-iterable","id":"theirs"}}`

func item(v any) string { return fmt.Sprintf(`{"t":"sr","id":"x","sid":"theirs","d":false,"v":%v}`, v) }

// consuming is a channel that iterates over a stream of the test, one item for each value sent to next.
type consuming struct {
	ch   *kkrpc.Channel
	peer kkrpc.Transport
	next chan bool // false: leave
	got  chan any  // items, then the error or "done"
}

func consume(t *testing.T, opts kkrpc.Options, ctx context.Context) *consuming {
	t.Helper()
	if opts.Dialect == 0 {
		opts.Dialect = kkrpc.Compact
	}
	ch, peer := raw(t, opts)
	c := &consuming{ch, peer, make(chan bool), make(chan any, 1)}
	go func() {
		for v, err := range kkrpc.Stream[any](ctx, ch, "open") {
			if err != nil {
				c.got <- err
				return
			}
			c.got <- v
			if !<-c.next {
				break
			}
		}
		c.got <- "done"
	}()
	read(t, peer)
	return c
}

func wantControl(t *testing.T, from kkrpc.Transport, want string) {
	t.Helper()
	if got := withoutControlID(read(t, from)); got != want {
		t.Fatalf("got %s, want %s", got, want)
	}
}

func withoutControlID(m string) string {
	before, rest, ok := strings.Cut(m, `"id":"`)
	if !ok || !strings.HasPrefix(m, `{"t":"sq"`) {
		return m
	}
	_, after, _ := strings.Cut(rest, `",`)
	return before + after
}

const (
	pulled32 = `{"t":"sq","sid":"theirs","op":"pull","n":32}`
	pulled16 = `{"t":"sq","sid":"theirs","op":"pull","n":16}`
	returned = `{"t":"sq","sid":"theirs","op":"return"}`
)

func TestConsumerGrantsCreditAsItDelivers(t *testing.T) {
	bubble(t, func(t *testing.T) {
		c := consume(t, kkrpc.Options{}, t.Context())
		write(t, c.peer, opened)
		wantControl(t, c.peer, pulled32)
		for i := range 32 {
			write(t, c.peer, item(i))
		}
		for i := range 32 {
			if got := <-c.got; got != float64(i) {
				t.Fatalf("item %d: %v", i, got)
			}
			if i%16 == 15 { // when it is delivered, not when the loop has dealt with it
				wantControl(t, c.peer, pulled16)
			}
			c.next <- true
		}
		write(t, c.peer, `{"t":"sr","id":"x","sid":"theirs","d":true,"v":"returned"}`, item(99))
		if got := <-c.got; got != "done" {
			t.Error(got)
		}
		if n := c.ch.Dropped(); n != 0 {
			t.Errorf("%d dropped", n)
		}
	})
}

// As in the recording stream-raw-to-client: what has no d, or an odd one, is an item; a few items without credit are taken.
func TestConsumerIsTolerant(t *testing.T) {
	bubble(t, func(t *testing.T) {
		c := consume(t, kkrpc.Options{}, t.Context())
		write(t, c.peer, opened)
		wantControl(t, c.peer, pulled32)
		write(t, c.peer, `{"t":"sr","id":"x1","sid":"theirs"}`, `{"t":"sr","id":"x2","sid":"theirs","d":"yes","v":1}`)
		for i := range 40 {
			write(t, c.peer, item(i))
		}
		write(t, c.peer, `{"t":"sr","id":"e1","sid":"theirs","e":{"n":"MyErr","m":"stream err","code":3}}`, `{"t":"sr","id":"z","sid":"unknown","d":false,"v":1}`)
		want := []any{nil, 1.0}
		for i := range 40 {
			want = append(want, float64(i))
		}
		for _, w := range want {
			if got := <-c.got; got != w {
				t.Fatalf("got %v, want %v", got, w)
			}
			c.next <- true
		}
		err, _ := (<-c.got).(error)
		if e, ok := errors.AsType[*kkrpc.Error](err); !ok || e.Name != "MyErr" || e.Message != "stream err" || e.Fields["code"] != 3.0 {
			t.Errorf("%v", err)
		}
	})
}

func TestLeavingTheLoopTellsThePeerAtOnce(t *testing.T) {
	for _, d := range []kkrpc.Dialect{kkrpc.Compact, kkrpc.Classic} {
		for _, how := range []string{"break", "panic", "context", "item that does not fit"} {
			t.Run(d.String()+"/"+how, func(t *testing.T) {
				bubble(t, func(t *testing.T) {
					ch, peer := raw(t, kkrpc.Options{Dialect: d})
					ctx, cancel := context.WithCancelCause(t.Context())
					result := make(chan any, 1)
					reason := errors.New("enough")
					go func() {
						defer func() {
							if v := recover(); v != nil {
								result <- v
							}
						}()
						for _, err := range kkrpc.Stream[int](ctx, ch, "open") {
							switch {
							case err != nil:
								result <- err
							case how == "break":
								result <- "left"
							case how == "panic":
								panic("oops")
							case how == "context":
								go cancel(reason)
								continue
							default:
								continue
							}
							return
						}
					}()
					read(t, peer)
					leave := returned
					if d == kkrpc.Compact {
						write(t, peer, opened)
						wantControl(t, peer, pulled32)
						write(t, peer, item(1))
						if strings.HasPrefix(how, "item") {
							write(t, peer, item(`"text"`))
						}
					} else {
						leave = `{"id":"1","method":"","args":{},"type":"stream-cancel","version":"json"}` + "\n"
						write(t, peer, `{"id":"1","method":"","args":{"result":{"__stream":true}},"type":"response","version":"json"}`+"\n"+
							`{"id":"1","method":"","args":{"value":1},"type":"stream-chunk","version":"json"}`+"\n")
						if strings.HasPrefix(how, "item") {
							write(t, peer, `{"id":"1","method":"","args":{"value":"text"},"type":"stream-chunk","version":"json"}`+"\n")
						}
					}
					wantControl(t, peer, leave)
					got := <-result
					err, _ := got.(error)
					switch {
					case how == "break" && got == "left", how == "panic" && got == "oops":
					case how == "context" && errors.Is(err, reason):
					case strings.HasPrefix(how, "item") && err != nil && strings.Contains(err.Error(), "item: expected"):
					default:
						t.Errorf("%v", got)
					}
					write(t, peer, item(2)) // under way
					synctest.Wait()
					if ch.Err() != nil {
						t.Error(ch.Err())
					}
				})
			})
		}
	}
}

func TestItemThatNestsTooDeepEndsTheStream(t *testing.T) {
	bubble(t, func(t *testing.T) {
		c := consume(t, kkrpc.Options{Limits: kkrpc.Limits{Depth: 8}}, t.Context())
		write(t, c.peer, opened)
		wantControl(t, c.peer, pulled32)
		write(t, c.peer, item(strings.Repeat("[", 20)+strings.Repeat("]", 20)))
		wantControl(t, c.peer, returned)
		if err, _ := (<-c.got).(error); !errors.Is(err, kkrpc.ErrLimit) {
			t.Errorf("%v", err)
		}
	})
}

func TestCloseEndsTheLoop(t *testing.T) {
	for _, d := range dialects {
		bubble(t, func(t *testing.T) {
			server := kkrpc.Object{"open": func(ctx context.Context) iter.Seq[int] {
				return func(yield func(int) bool) { yield(1); <-ctx.Done() }
			}}
			s, c := pair(t, kkrpc.Options{Expose: server}, kkrpc.Options{Dialect: d})
			go func() { time.Sleep(time.Second); s.Close() }()
			items, err := collect(kkrpc.Stream[int](t.Context(), c, "open"))
			if len(items) != 1 || !errors.Is(err, kkrpc.ErrClosed) || !strings.HasPrefix(err.Error(), "kkrpc: stream open: ") {
				t.Errorf("%v: %v, %v", d, items, err)
			}
		})
	}
}

func TestSlowLoopHoldsTheProducer(t *testing.T) {
	for _, d := range dialects[:2] {
		bubble(t, func(t *testing.T) {
			g := &generator{}
			_, c := pair(t, kkrpc.Options{Expose: kkrpc.Object{"open": func() iter.Seq[int] { return g.seq(1000) }}}, kkrpc.Options{Dialect: d})
			n := 0
			for v, err := range kkrpc.Stream[int](t.Context(), c, "open") {
				n++
				time.Sleep(time.Millisecond)
				synctest.Wait()
				if ahead := int(g.produced.Load()) - n; v != n || err != nil || ahead > 32 {
					t.Fatalf("%v: item %d: %d, %v, %d ahead", d, n, v, err, ahead)
				}
			}
			if n != 1000 {
				t.Error(n)
			}
		})
	}
}

func TestTwoLoopsOverOneStream(t *testing.T) {
	bubble(t, func(t *testing.T) {
		server := kkrpc.Object{"both": func(in iter.Seq2[int, error]) string {
			for range in {
				_, err := collect(in)
				return fmt.Sprint(err)
			}
			return ""
		}}
		_, c := pair(t, kkrpc.Options{Expose: server}, kkrpc.Options{})
		got, err := kkrpc.Call[string](t.Context(), c, "both", upTo(5))
		if !strings.Contains(got, "only once") || err != nil {
			t.Errorf("%s, %v", got, err)
		}
	})
}

// The handlers run with room for one, and inside the goroutine that reads: both have to be given up while they wait.
func TestWaitingForItemsGivesUpThePlace(t *testing.T) {
	for _, d := range dialects[:2] {
		bubble(t, func(t *testing.T) {
			server := kkrpc.Object{
				"sum": func(in iter.Seq2[int, error]) (sum int) {
					for v := range in {
						sum += v
					}
					return sum
				},
				"sumOfTheirs": func(ctx context.Context) (sum int, err error) {
					for v, err := range kkrpc.Stream[int](ctx, kkrpc.FromContext(ctx), "slow") {
						if err != nil {
							return 0, err
						}
						sum += v
					}
					return sum, nil
				},
				"ping": func() string { return "pong" },
			}
			slow := func() iter.Seq[int] {
				return func(yield func(int) bool) {
					for v := range upTo(50) {
						time.Sleep(time.Minute)
						if !yield(v) {
							return
						}
					}
				}
			}
			_, c := pair(t, kkrpc.Options{Expose: server, Limits: kkrpc.Limits{Running: 1}, CallTimeout: -1},
				kkrpc.Options{Expose: kkrpc.Object{"slow": slow}, Dialect: d, CallTimeout: -1})
			sums := make(chan any, 2)
			go func() {
				sum, err := kkrpc.Call[int](t.Context(), c, "sum", slow())
				sums <- fmt.Sprint(sum, err)
			}()
			go func() {
				sum, err := kkrpc.Call[int](t.Context(), c, "sumOfTheirs")
				sums <- fmt.Sprint(sum, err)
			}()
			time.Sleep(90 * time.Second)
			if got, err := kkrpc.Call[string](t.Context(), c, "ping"); got != "pong" || err != nil {
				t.Errorf("meanwhile: %q, %v", got, err)
			}
			for range 2 {
				if sum := <-sums; sum != "1275 <nil>" {
					t.Error(sum)
				}
			}
		})
	}
}

func TestAnswerThatIsNoStreamAndStreamThatIsNotWanted(t *testing.T) {
	server := kkrpc.Object{"number": func() int { return 5 }, "nothing": func() {}, "open": func() iter.Seq[int] { return upTo(3) }, "nil": func() iter.Seq[int] { return nil }}
	for _, d := range dialects {
		bubble(t, func(t *testing.T) {
			var ended atomic.Int64
			server["context"] = func(ctx context.Context) iter.Seq[int] {
				context.AfterFunc(ctx, func() { ended.Add(1) })
				return func(yield func(int) bool) { <-ctx.Done() }
			}
			_, c := pair(t, kkrpc.Options{Expose: server}, kkrpc.Options{Dialect: d})
			for path, want := range map[string]string{"number": "got number", "nothing": "got undefined", "nil": "got null"} {
				if _, err := collect(kkrpc.Stream[int](t.Context(), c, path)); err == nil || !strings.Contains(err.Error(), "result: expected stream, "+want) {
					t.Errorf("%v: Stream of %s: %v", d, path, err)
				}
				if _, err := kkrpc.Call[iter.Seq2[pointItem, error]](t.Context(), c, path); err == nil || !strings.Contains(err.Error(), "expected stream, "+want) {
					t.Errorf("%v: Call of %s: %v", d, path, err)
				}
			}
			if n, err := kkrpc.Call[int](t.Context(), c, "context"); err == nil {
				t.Errorf("%v: an int: %d", d, n)
			}
			if err := c.Call(t.Context(), nil, "context"); err != nil {
				t.Error(err)
			}
			synctest.Wait()
			if n := ended.Load(); n != 2 {
				t.Errorf("%v: %d of 2 streams that nobody wants have ended", d, n)
			}
		})
	}
}

func TestAnswerThatComesTooLateIsReturned(t *testing.T) {
	bubble(t, func(t *testing.T) {
		c := consume(t, kkrpc.Options{CallTimeout: time.Second}, t.Context())
		if err, _ := (<-c.got).(error); !named(err, "RPCTimeoutError") {
			t.Fatal(err)
		}
		if got := read(t, c.peer); got != `{"t":"qc","id":"1"}` {
			t.Error(got)
		}
		write(t, c.peer, opened)
		wantControl(t, c.peer, returned)
	})
}

func TestCollectedStreamsAreReturned(t *testing.T) {
	bubble(t, func(t *testing.T) {
		var ended atomic.Int64
		server := kkrpc.Object{"open": func(ctx context.Context) iter.Seq[int] {
			context.AfterFunc(ctx, func() { ended.Add(1) })
			return upTo(3)
		}}
		_, c := pair(t, kkrpc.Options{Expose: server, Limits: kkrpc.Limits{StreamIdle: 1000 * time.Hour}}, kkrpc.Options{})
		for range 100 {
			if _, err := kkrpc.Call[iter.Seq2[int, error]](t.Context(), c, "open"); err != nil {
				t.Fatal(err)
			}
		}
		for tries := 0; ended.Load() < 90; tries++ { // the last ones may still be on a stack
			if tries == 1000 {
				t.Fatalf("%d of 100 streams that nobody holds were returned", ended.Load())
			}
			runtime.GC()
			time.Sleep(time.Minute) // of the bubble
			synctest.Wait()
		}
	})
}
