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

// generator is a stream of this side that says what it did.
type generator struct {
	produced atomic.Int64
	ended    atomic.Int64
}

func (g *generator) seq(n int) iter.Seq[int] {
	return func(yield func(int) bool) {
		defer g.ended.Add(1)
		for i := range n {
			g.produced.Add(1)
			if !yield(i + 1) {
				return
			}
		}
	}
}

const (
	openStream  = `{"t":"q","id":"q","op":"call","p":["open"],"a":[]}`
	openedFirst = `{"t":"r","id":"q","v":{"__kkrpc_next_stream__":"async-iterable","id":"s1"}}`
)

func pull(n any) string { return fmt.Sprintf(`{"t":"sq","id":"p","sid":"s1","op":"pull","n":%v}`, n) }

// withoutID is an item of a stream without its id, which is for nobody.
func withoutID(item string) string {
	before, rest, ok := strings.Cut(item, `"id":"`)
	if !ok || !strings.HasPrefix(item, `{"t":"sr"`) {
		return item
	}
	_, after, _ := strings.Cut(rest, `",`)
	return before + after
}

func wantItems(t *testing.T, from kkrpc.Transport, first, last int) {
	t.Helper()
	for i := first; i <= last; i++ {
		want := fmt.Sprintf(`{"t":"sr","sid":"s1","d":false,"v":%d}`, i)
		if got := withoutID(read(t, from)); got != want {
			t.Fatalf("item %d: %s", i, got)
		}
	}
}

func TestContextLivesAsLongAsTheStream(t *testing.T) {
	for _, d := range dialects {
		for _, end := range []string{"read", "left", "closed"} {
			t.Run(d.String()+"/"+end, func(t *testing.T) {
				bubble(t, func(t *testing.T) {
					ended := make(chan error, 1)
					alive := 0
					server := kkrpc.Object{"open": func(ctx context.Context) iter.Seq[int] {
						context.AfterFunc(ctx, func() { ended <- ctx.Err() })
						return func(yield func(int) bool) {
							for i := range 3 {
								time.Sleep(time.Millisecond)
								if ctx.Err() == nil {
									alive++
								}
								if !yield(i) {
									return
								}
							}
							if end == "closed" {
								<-ctx.Done()
							}
						}
					}}
					s, c := pair(t, kkrpc.Options{Expose: server}, kkrpc.Options{Dialect: d})
					seen := 0
					for _, err := range kkrpc.Stream[int](t.Context(), c, "open") {
						if seen++; seen == 2 && end == "left" {
							break
						}
						if seen == 3 && end == "closed" {
							s.Close()
						}
						if err != nil && (end != "closed" || !errors.Is(err, kkrpc.ErrClosed)) {
							t.Error(err)
						}
					}
					if err := <-ended; err == nil {
						t.Error("ctx.Err() is nil after the stream")
					}
					time.Sleep(time.Second) // the code may still be in its own
					if alive < 2 {
						t.Errorf("the context had ended before item %d", alive+1)
					}
				})
			})
		}
	}
}

func TestStreamsThatFail(t *testing.T) {
	server := kkrpc.Object{
		"error": func() iter.Seq2[int, error] {
			return func(yield func(int, error) bool) {
				_ = yield(1, nil) && yield(0, &kkrpc.Error{Name: "RangeError", Message: "failed", Fields: map[string]any{"code": "E"}})
			}
		},
		"plain": func() iter.Seq2[pointItem, error] {
			return func(yield func(pointItem, error) bool) { yield(pointItem{}, errors.New("boom")) }
		},
		"deaf": func() iter.Seq2[int, error] {
			return func(yield func(int, error) bool) {
				yield(1, nil)
				yield(0, errors.New("first"))
				yield(2, nil)
				yield(0, errors.New("second"))
			}
		},
		"panic": func() iter.Seq[int] {
			return func(yield func(int) bool) { yield(1); panic("secret") }
		},
		"exit": func() iter.Seq[int] {
			return func(yield func(int) bool) { yield(1); runtime.Goexit() }
		},
		"unencodable": func() iter.Seq[any] {
			return func(yield func(any) bool) { _ = yield(1) && yield(map[string]any{"f": make(chan int)}) }
		},
		"nested": func() iter.Seq[any] {
			return func(yield func(any) bool) { _ = yield(1) && yield(upTo(3)) }
		},
	}
	for _, d := range dialects {
		t.Run(d.String(), func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				var reported atomic.Int64
				_, c := pair(t, kkrpc.Options{Expose: server, OnError: func(error) { reported.Add(1) }}, kkrpc.Options{Dialect: d})
				classic := d == kkrpc.Classic || d == kkrpc.ClassicSuperJSON
				for _, test := range []struct {
					path     string
					items    int
					want     string
					reported int64
				}{
					{"error", 1, "RangeError: failed", 0},
					{"plain", 0, "boom", 0},
					{"deaf", 1, "first", 0},
					{"panic", 1, "InternalError: internal error", 1},
					{"exit", 1, "InternalError: internal error", 1},
					{"unencodable", 1, "item 2 of unencodable cannot be sent", 1},
					{"nested", 1, "item 2 of nested cannot be sent", 1},
				} {
					reported.Store(0)
					items, err := collect(kkrpc.Stream[any](t.Context(), c, test.path))
					if len(items) != test.items || err == nil || !strings.Contains(err.Error(), test.want) || strings.Contains(err.Error(), "secret") {
						t.Errorf("%s: %v, %v", test.path, items, err)
					}
					if n := reported.Load(); n != test.reported {
						t.Errorf("%s: %d errors reported", test.path, n)
					}
					if e, ok := errors.AsType[*kkrpc.Error](err); test.path == "error" && (!ok || classic != (e.Name == "RangeError" && e.Fields["code"] == "E")) {
						t.Errorf("%s: %#v", test.path, e)
					}
				}
			})
		})
	}
}

// The original sends String(error), which begins with the name even where that is Error.
func TestCompactStreamErrorIsText(t *testing.T) {
	bubble(t, func(t *testing.T) {
		server := kkrpc.Object{"open": func() iter.Seq2[int, error] {
			return func(yield func(int, error) bool) { yield(0, errors.New("immediate")) }
		}}
		_, peer := raw(t, kkrpc.Options{Expose: server})
		write(t, peer, openStream, pull(32))
		read(t, peer)
		if got := withoutID(read(t, peer)); got != `{"t":"sr","sid":"s1","e":{"n":"Error","m":"Error: immediate"}}` {
			t.Error(got)
		}
	})
}

func TestStreamInsideDataSaysWhere(t *testing.T) {
	bubble(t, func(t *testing.T) {
		server := kkrpc.Object{"f": func() any { return map[string]any{"list": []any{1, upTo(3)}} }}
		_, c := pair(t, kkrpc.Options{Expose: server}, kkrpc.Options{})
		_, err := kkrpc.Call[any](t.Context(), c, "f")
		if err == nil || !strings.Contains(err.Error(), "list[1]") {
			t.Errorf("as a result: %v", err)
		}
		err = c.Call(t.Context(), nil, "f", map[string]any{"list": []any{1, upTo(3)}})
		if err == nil || !strings.Contains(err.Error(), "argument 1") || !strings.Contains(err.Error(), "list[1]") {
			t.Errorf("as an argument: %v", err)
		}
	})
}

func TestChannelProducerStopsReceiving(t *testing.T) {
	for _, d := range []kkrpc.Dialect{kkrpc.Compact, kkrpc.Classic} {
		t.Run(d.String(), func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				numbers, others := make(chan int), make(chan int32)
				server := kkrpc.Object{"fast": func() <-chan int { return numbers }, "reflected": func() <-chan int32 { return others }}
				_, c := pair(t, kkrpc.Options{Expose: server}, kkrpc.Options{Dialect: d})
				go func() { numbers <- 1; others <- 1 }()
				for _, path := range []string{"fast", "reflected"} {
					for v, err := range kkrpc.Stream[int](t.Context(), c, path) {
						if v != 1 || err != nil {
							t.Error(v, err)
						}
						break
					}
				}
				synctest.Wait()
				select {
				case numbers <- 2:
					t.Error("it goes on receiving")
				case others <- 2:
					t.Error("it goes on receiving by reflection")
				default:
				}
			})
		})
	}
}

func TestPeerThatDoesNotReadHoldsTheProducer(t *testing.T) {
	for _, test := range []struct{ name, request string }{
		{"compact", openStream},
		{"classic", `{"id":"q","method":"open","args":[],"type":"request","version":"json"}` + "\n"},
	} {
		t.Run(test.name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				var produced, ended atomic.Int64
				server := kkrpc.Object{"open": func() iter.Seq[string] {
					return func(yield func(string) bool) {
						defer ended.Add(1)
						for produced.Add(1); yield(strings.Repeat("x", 1000)); produced.Add(1) {
						}
					}
				}}
				ch, peer := raw(t, kkrpc.Options{Expose: server, Limits: kkrpc.Limits{Outbound: 1 << 20, StreamCredit: 1 << 30}})
				write(t, peer, test.request, pull(1<<29))
				synctest.Wait()
				// The pipe holds 1 MiB, one batch is under way, and half of the outbound limit waits.
				if n := produced.Load(); n < 500 || n > 3500 {
					t.Errorf("%d items of 1 KB were produced for nobody", n)
				}
				if ch.Err() != nil {
					t.Error(ch.Err())
				}
				ch.Close()
				synctest.Wait()
				if ended.Load() != 1 {
					t.Error("the close did not end the iterator")
				}
			})
		})
	}
}

func TestClassicStreamOnTheWire(t *testing.T) {
	bubble(t, func(t *testing.T) {
		more := make(chan int)
		server := kkrpc.Object{"open": func() <-chan int { return more }}
		_, peer := raw(t, kkrpc.Options{Expose: server})
		request := `{"id":"q1","method":"open","args":[],"type":"request","version":"json"}` + "\n"
		write(t, peer, `{"id":"unknown","method":"","args":{},"type":"stream-cancel","version":"json"}`+"\n", request)
		if got := read(t, peer); got != `{"id":"q1","method":"","args":{"result":{"__stream":true}},"type":"response","version":"json"}`+"\n" {
			t.Error(got)
		}
		more <- 7
		if got := read(t, peer); got != `{"id":"q1","method":"","args":{"value":7},"type":"stream-chunk","version":"json"}`+"\n" {
			t.Error(got)
		}
		write(t, peer, request)
		if got := read(t, peer); !strings.Contains(got, "another stream answers a request with the same id") {
			t.Error(got)
		}
		write(t, peer, `{"id":"q1","method":"","args":{},"type":"stream-cancel","version":"json"}`+"\n")
		synctest.Wait()
		select {
		case more <- 8:
			t.Error("it goes on after stream-cancel")
		default:
		}
		write(t, peer, request)
		if got := read(t, peer); !strings.Contains(got, `"__stream":true`) {
			t.Error("the id cannot be used again:", got)
		}
		close(more)
		if got := read(t, peer); got != `{"id":"q1","method":"","args":{},"type":"stream-end","version":"json"}`+"\n" {
			t.Error(got)
		}
	})
}

func TestArgumentStreamIsUnsupportedOnClassic(t *testing.T) {
	for _, d := range dialects[2:] {
		bubble(t, func(t *testing.T) {
			_, c := pair(t, kkrpc.Options{Expose: kkrpc.Object{"f": func(any) {}}}, kkrpc.Options{Dialect: d})
			if err := c.Call(t.Context(), nil, "f", upTo(3)); !errors.Is(err, kkrpc.ErrUnsupported) || !strings.Contains(err.Error(), "argument 1") {
				t.Errorf("%v: %v", d, err)
			}
			if err := kkrpc.Set(t.Context(), c, "f", upTo(3)); !errors.Is(err, kkrpc.ErrUnsupported) {
				t.Errorf("%v: set: %v", d, err)
			}
		})
	}
}

func TestOwnStreamLimit(t *testing.T) {
	bubble(t, func(t *testing.T) {
		server := kkrpc.Object{"first": func(in iter.Seq2[int, error]) int {
			for v := range in {
				return v
			}
			return 0
		}}
		_, c := pair(t, kkrpc.Options{Expose: server}, kkrpc.Options{Limits: kkrpc.Limits{Streams: 2}})
		for range 10 {
			if got, err := kkrpc.Call[int](t.Context(), c, "first", upTo(5)); got != 1 || err != nil {
				t.Fatalf("%d, %v", got, err)
			}
		}
		for range 10 { // none is left over from calls that were never sent
			if err := c.Call(t.Context(), nil, "first", upTo(1), upTo(2), upTo(3)); !errors.Is(err, kkrpc.ErrLimit) {
				t.Fatal(err)
			}
			if err := c.Call(t.Context(), nil, "first", upTo(1), make(chan int)); errors.Is(err, kkrpc.ErrLimit) || err == nil {
				t.Fatal(err)
			}
		}
	})
}
