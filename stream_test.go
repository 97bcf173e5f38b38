package kkrpc_test

import (
	"context"
	"fmt"
	"iter"
	"slices"
	"testing"
	"time"

	"github.com/kkrpc-go/kkrpc"
)

// collect drains seq.
func collect[T any](seq iter.Seq2[T, error]) (items []T, err error) {
	for v, e := range seq {
		if e != nil {
			return items, e
		}
		items = append(items, v)
	}
	return items, nil
}

func upTo(n int) iter.Seq[int] {
	return func(yield func(int) bool) {
		for i := range n {
			if !yield(i + 1) {
				return
			}
		}
	}
}

func ints(n int) []int { return slices.Collect(upTo(n)) }

type pointItem struct{ X, Y int }

func TestStreamsOfEveryShape(t *testing.T) {
	server := kkrpc.Object{
		"seq":    func(n int) iter.Seq[int] { return upTo(n) },
		"seqErr": func(n int) (iter.Seq[int], error) { return upTo(n), nil },
		"seq2": func(n int) iter.Seq2[int, error] {
			return func(yield func(int, error) bool) {
				for i := range upTo(n) {
					if !yield(i, nil) {
						return
					}
				}
			}
		},
		"plain": func(n int) func(func(int) bool) { return upTo(n) },
		"chan": func(n int) <-chan int {
			ch := make(chan int, n)
			for i := range upTo(n) {
				ch <- i
			}
			close(ch)
			return ch
		},
		"reflected": func(n int) iter.Seq[int32] {
			return func(yield func(int32) bool) {
				for i := range upTo(n) {
					if !yield(int32(i)) {
						return
					}
				}
			}
		},
		"reflectedChan": func(n int) <-chan int32 {
			ch := make(chan int32, n)
			for i := range upTo(n) {
				ch <- int32(i)
			}
			close(ch)
			return ch
		},
		"any": func(n int) any { return upTo(n) },
	}
	for _, d := range dialects {
		t.Run(d.String(), func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				_, c := pair(t, kkrpc.Options{Expose: server}, kkrpc.Options{Dialect: d})
				for name := range server {
					for _, n := range []int{0, 1, 15, 16, 31, 32, 33, 48, 200} {
						got, err := collect(kkrpc.Stream[int](t.Context(), c, name, n))
						if err != nil || !slices.Equal(got, ints(n)) {
							t.Errorf("%s(%d) = %v, %v", name, n, got, err)
						}
					}
				}
				if n := c.Dropped(); n != 0 {
					t.Errorf("%d messages dropped", n)
				}
			})
		})
	}
}

func TestStreamsIntoOtherResults(t *testing.T) {
	server := kkrpc.Object{"points": func() iter.Seq[pointItem] {
		return func(yield func(pointItem) bool) { _ = yield(pointItem{1, 2}) && yield(pointItem{3, 4}) }
	}}
	for _, d := range dialects {
		t.Run(d.String(), func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				_, c := pair(t, kkrpc.Options{Expose: server}, kkrpc.Options{Dialect: d})
				seq, err := kkrpc.Call[iter.Seq2[pointItem, error]](t.Context(), c, "points")
				if err != nil {
					t.Fatal(err)
				}
				got, err := collect(seq)
				if want := []pointItem{{1, 2}, {3, 4}}; err != nil || !slices.Equal(got, want) {
					t.Errorf("Call = %v, %v", got, err)
				}
				if again, err := collect(seq); len(again) != 0 || err == nil {
					t.Errorf("a second iteration: %v, %v", again, err)
				}
				v, err := kkrpc.Call[any](t.Context(), c, "points")
				if err != nil {
					t.Fatal(err)
				}
				anySeq, ok := v.(iter.Seq2[any, error])
				if !ok {
					t.Fatalf("any is a %T", v)
				}
				if items, err := collect(anySeq); fmt.Sprint(items) != "[map[X:1 Y:2] map[X:3 Y:4]]" || err != nil {
					t.Errorf("any: %v, %v", items, err)
				}
				remote := kkrpc.Remote[struct {
					Points func(ctx context.Context) iter.Seq2[pointItem, error]
					Both   func(ctx context.Context) (iter.Seq2[pointItem, error], error) `kkrpc:"points"`
				}](c)
				for range 2 {
					if got, err := collect(remote.Points(t.Context())); len(got) != 2 || err != nil {
						t.Errorf("Remote: %v, %v", got, err)
					}
				}
				both, err := remote.Both(t.Context())
				if err != nil {
					t.Fatal(err)
				}
				if got, err := collect(both); len(got) != 2 || err != nil {
					t.Errorf("Remote with an error: %v, %v", got, err)
				}
			})
		})
	}
}

func TestStreamsAsArguments(t *testing.T) {
	server := kkrpc.Object{
		"sum": func(ctx context.Context, in iter.Seq2[int, error]) (int, error) {
			total := 0
			for v, err := range in {
				if err != nil {
					return 0, err
				}
				total += v
			}
			return total, nil
		},
		"sumWithoutContext": func(in iter.Seq2[int, error]) (total int, err error) {
			for v, err := range in {
				if err != nil {
					return 0, err
				}
				total += v
			}
			return total, nil
		},
		"tenfold": func(in iter.Seq2[int32, error]) iter.Seq2[int32, error] {
			return func(yield func(int32, error) bool) {
				for v, err := range in {
					if !yield(v*10, err) {
						return
					}
				}
			}
		},
	}
	for _, d := range dialects[:2] {
		t.Run(d.String(), func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				_, c := pair(t, kkrpc.Options{Expose: server}, kkrpc.Options{Dialect: d})
				for _, name := range []string{"sum", "sumWithoutContext"} {
					numbers := make(chan int, 100)
					for i := range upTo(100) {
						numbers <- i
					}
					close(numbers)
					for _, arg := range []any{upTo(100), (<-chan int)(numbers)} {
						if got, err := kkrpc.Call[int](t.Context(), c, name, arg); got != 5050 || err != nil {
							t.Errorf("%s(%T) = %v, %v", name, arg, got, err)
						}
					}
				}
				got, err := collect(kkrpc.Stream[int](t.Context(), c, "tenfold", upTo(50)))
				if len(got) != 50 || got[49] != 500 || err != nil {
					t.Errorf("tenfold = %v, %v", got, err)
				}
			})
		})
	}
}

func TestSeveralStreamsAtOnce(t *testing.T) {
	for _, d := range dialects {
		bubble(t, func(t *testing.T) {
			_, c := pair(t, kkrpc.Options{Expose: kkrpc.Object{"open": func(n int) iter.Seq[int] { return upTo(n) }}}, kkrpc.Options{Dialect: d})
			results := make(chan error, 20)
			for i := range 20 {
				go func() {
					items, err := collect(kkrpc.Stream[int](t.Context(), c, "open", i*10))
					if err == nil && len(items) != i*10 {
						err = fmt.Errorf("%d items of %d", len(items), i*10)
					}
					results <- err
				}()
			}
			for range 20 {
				if err := <-results; err != nil {
					t.Errorf("%v: %v", d, err)
				}
			}
		})
	}
}

func TestCallTimeoutDoesNotBoundTheItems(t *testing.T) {
	bubble(t, func(t *testing.T) {
		server := kkrpc.Object{"open": func() iter.Seq[int] {
			return func(yield func(int) bool) {
				for v := range upTo(3) {
					time.Sleep(time.Hour)
					if !yield(v) {
						return
					}
				}
			}
		}}
		_, c := pair(t, kkrpc.Options{Expose: server}, kkrpc.Options{CallTimeout: time.Second})
		if items, err := collect(kkrpc.Stream[int](t.Context(), c, "open")); len(items) != 3 || err != nil {
			t.Error(items, err)
		}
	})
}

func TestStreamThroughVia(t *testing.T) {
	bubble(t, func(t *testing.T) {
		_, c := pair(t, kkrpc.Options{Expose: kkrpc.Object{"open": func(n int) iter.Seq[int] { return upTo(n) }}}, kkrpc.Options{})
		caller := kkrpc.Via(func(context.Context) (*kkrpc.Channel, error) { return c, nil })
		if items, err := collect(kkrpc.Stream[int](t.Context(), caller, "open", 40)); len(items) != 40 || err != nil {
			t.Error(items, err)
		}
	})
}
