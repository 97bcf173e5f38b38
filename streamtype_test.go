package kkrpc_test

import (
	"errors"
	"fmt"
	"iter"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/kkrpc-go/kkrpc"
)

// streamedType checks that items of one type cross, in every Go form of a stream, into every form.
func streamedType[T any](t *testing.T, want ...T) {
	t.Run(reflect.TypeFor[T]().String(), func(t *testing.T) {
		failure := errors.New("after the items")
		server := kkrpc.Object{
			"seq": func() iter.Seq[T] {
				return func(yield func(T) bool) {
					for _, v := range want {
						if !yield(v) {
							return
						}
					}
				}
			},
			"chan": func() <-chan T {
				c := make(chan T, len(want))
				for _, v := range want {
					c <- v
				}
				close(c)
				return c
			},
			"fails": func() func(func(T, error) bool) {
				return func(yield func(T, error) bool) {
					for _, v := range want {
						if !yield(v, nil) {
							return
						}
					}
					yield(*new(T), failure)
				}
			},
			"send": func(in iter.Seq2[T, error]) (int, error) {
				got, err := collect(in)
				if err == nil && !reflect.DeepEqual(got, want) {
					err = fmt.Errorf("got %v", got)
				}
				return len(got), err
			},
		}
		for _, d := range dialects {
			bubble(t, func(t *testing.T) {
				_, c := pair(t, kkrpc.Options{Expose: server}, kkrpc.Options{Dialect: d})
				for _, path := range []string{"seq", "chan", "fails"} {
					results := map[string]iter.Seq2[T, error]{"Stream": kkrpc.Stream[T](t.Context(), c, path)}
					var err error
					if results["Call"], err = kkrpc.Call[iter.Seq2[T, error]](t.Context(), c, path); err != nil {
						t.Fatal(err)
					}
					if results["plain Call"], err = kkrpc.Call[func(func(T, error) bool)](t.Context(), c, path); err != nil {
						t.Fatal(err)
					}
					for how, seq := range results {
						got, err := collect(seq)
						if !reflect.DeepEqual(got, want) || (err != nil) != (path == "fails") || err != nil && !strings.Contains(err.Error(), failure.Error()) {
							t.Errorf("%v: %s of %s = %v, %v", d, how, path, got, err)
						}
						seq, _ = kkrpc.Call[iter.Seq2[T, error]](t.Context(), c, path)
						for range seq { // leaving early, however the iterator is made
							break
						}
					}
				}
				if d == kkrpc.Compact || d == kkrpc.CompactSuperJSON {
					if n, err := kkrpc.Call[int](t.Context(), c, "send", server["seq"].(func() iter.Seq[T])()); n != len(want) || err != nil {
						t.Errorf("%v: as an argument: %d, %v", d, n, err)
					}
				}
			})
		}
	})
}

func TestItemsOfEveryType(t *testing.T) {
	type named string
	type nested struct {
		Name string
		List []int
		Next *nested
	}
	streamedType(t, "", "text", "äö\x00\"")
	streamedType(t, 0, -1, 1<<31-1)
	streamedType(t, int64(0), -1, 1<<53-1)
	streamedType(t, uint8(0), 255)
	streamedType(t, 0.5, -1e300, 0)
	streamedType(t, true, false)
	streamedType(t, []byte("bytes"), []byte{}, []byte{0, 255})
	streamedType(t, map[string]any{"a": 1.0}, map[string]any{}, map[string]any{"b": map[string]any{"c": "d"}})
	streamedType[any](t, "text", 1.0, nil, true, []any{1.0, "x"}, map[string]any{"a": nil})
	streamedType(t, named("x"), "y")
	streamedType(t, nested{"a", []int{1, 2}, nil}, nested{"b", []int{}, &nested{"c", []int{3}, nil}})
	streamedType(t, &nested{"a", []int{1}, nil}, nil)
	streamedType(t, []string{"a", "b"}, []string{})
	streamedType(t, time.UnixMilli(0).UTC(), time.UnixMilli(1700000000123).UTC())
	streamedType(t, [2]int{1, 2}, [2]int{3, 4})
}

// One item must not show in the next, although they are decoded into the same place.
func TestItemsAreDecodedFromNothing(t *testing.T) {
	type item struct {
		A, B *int
		M    map[string]int
	}
	for _, d := range dialects {
		bubble(t, func(t *testing.T) {
			server := kkrpc.Object{"open": func() iter.Seq[any] {
				return func(yield func(any) bool) {
					_ = yield(map[string]any{"A": 1, "M": map[string]int{"x": 1}}) && yield(map[string]any{"B": 2, "M": map[string]int{"y": 2}})
				}
			}}
			_, c := pair(t, kkrpc.Options{Expose: server}, kkrpc.Options{Dialect: d})
			items, err := collect(kkrpc.Stream[item](t.Context(), c, "open"))
			if err != nil || len(items) != 2 {
				t.Fatal(items, err)
			}
			if a, b := items[0], items[1]; *a.A != 1 || a.B != nil || len(a.M) != 1 || b.A != nil || *b.B != 2 || b.M["y"] != 2 || len(b.M) != 1 {
				t.Errorf("%v: %+v, %+v", d, a, b)
			}
		})
	}
}

func TestArgumentsThatOnlyLookLikeStreams(t *testing.T) {
	bubble(t, func(t *testing.T) {
		_, c := pair(t, kkrpc.Options{Expose: kkrpc.Object{"f": func(any) {}, "s": func(iter.Seq2[int, error]) {}}}, kkrpc.Options{})
		pairs := iter.Seq2[int, string](func(func(int, string) bool) {})
		for _, test := range []struct {
			arg  any
			want string
		}{
			{pairs, "argument 1: iter.Seq2[int,string]: a stream of pairs cannot cross; use iter.Seq2[T, error]"},
			{make(chan int), "argument 1"},
			{make(chan<- int), "argument 1"},
		} {
			if err := c.Call(t.Context(), nil, "f", test.arg); err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("%T: %v", test.arg, err)
			}
		}
		for _, arg := range []any{nil, 5, "text", []int{1}, func() {}, iter.Seq[int](nil)} {
			if err := c.Call(t.Context(), nil, "s", arg); err == nil || !strings.Contains(err.Error(), "argument 1: expected stream, got ") {
				t.Errorf("%T: %v", arg, err)
			}
		}
		if err := c.Call(t.Context(), nil, "s"); err == nil || !strings.Contains(err.Error(), "argument 1: expected stream, got undefined") {
			t.Errorf("nothing: %v", err)
		}
		var released bool
		for range 3 { // a nil context of an argument's iterator, and one that is left
			err := c.Call(t.Context(), nil, "f", func(yield func(int) bool) { released = true })
			if err != nil || released {
				t.Errorf("%v, run: %v", err, released)
			}
		}
	})
}
