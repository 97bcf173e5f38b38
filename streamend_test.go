package kkrpc_test

import (
	"context"
	"iter"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/kkrpc-go/kkrpc"
)

// The timeout in the metadata is how long the caller waits for the answer, which is the stream and not its end.
func TestTimeoutOfTheCallerDoesNotEndTheStream(t *testing.T) {
	bubble(t, func(t *testing.T) {
		server := kkrpc.Object{"open": func(ctx context.Context) iter.Seq2[int, error] {
			ended := ctx.Done()
			return func(yield func(int, error) bool) {
				for i := range 3 {
					select {
					case <-ended:
						yield(0, context.Cause(ctx))
						return
					case <-time.After(time.Second):
					}
					if !yield(i, nil) {
						return
					}
				}
			}
		}}
		hurried := func(ctx context.Context, r *kkrpc.Request, next kkrpc.Handler) (any, error) {
			ctx, cancel := context.WithTimeout(ctx, 1500*time.Millisecond)
			defer cancel()
			return next(ctx, r)
		}
		_, c := pair(t, kkrpc.Options{Expose: server}, kkrpc.Options{Outbound: []kkrpc.Interceptor{hurried}})
		if items, err := collect(kkrpc.Stream[int](t.Context(), c, "open")); len(items) != 3 || err != nil {
			t.Errorf("%v, %v", items, err)
		}
	})
}

// A classic peer asks for nothing: Limits.StreamIdle is not about a stream whose answer waits until the peer reads.
func TestClassicStreamWaitsForItsAnswer(t *testing.T) {
	bubble(t, func(t *testing.T) {
		large := strings.Repeat("x", 1<<20)
		server := kkrpc.Object{
			"large": func() string { return large },
			"open":  func() iter.Seq[int] { return upTo(1) },
		}
		_, peer := raw(t, kkrpc.Options{Expose: server, Limits: kkrpc.Limits{Outbound: 1 << 20, StreamIdle: time.Second}})
		for range 6 {
			write(t, peer, `{"id":"l","method":"large","args":[],"type":"request","version":"json"}`+"\n")
			synctest.Wait()
		}
		write(t, peer, `{"id":"q","method":"open","args":[],"type":"request","version":"json"}`+"\n")
		time.Sleep(10 * time.Second)
		for {
			m := reading(peer)
			synctest.Wait()
			if len(m) == 0 {
				t.Fatal("the stream has not ended")
			}
			if strings.Contains(<-m, `"stream-end"`) {
				return
			}
		}
	})
}

func TestPanicInTheFieldsOfAStreamsError(t *testing.T) {
	bubble(t, func(t *testing.T) {
		server := kkrpc.Object{"open": func() iter.Seq2[int, error] {
			return func(yield func(int, error) bool) {
				yield(0, &kkrpc.Error{Message: "m", Fields: map[string]any{"field": panicking{}}})
			}
		}}
		_, c := pair(t, kkrpc.Options{Expose: server}, kkrpc.Options{Dialect: kkrpc.Classic})
		if _, err := collect(kkrpc.Stream[int](t.Context(), c, "open")); !named(err, "InternalError") {
			t.Error(err)
		}
	})
}

// The references in an item that panics while it is encoded have reached nobody.
func TestPanicInAnItemTakesItsReferencesBack(t *testing.T) {
	bubble(t, func(t *testing.T) {
		type item struct {
			Function any
			Panics   panicking
		}
		server := kkrpc.Object{"open": func(ctx context.Context) iter.Seq[any] {
			return func(yield func(any) bool) { yield(item{Function: kkrpc.Proxy(func() error { return ctx.Err() })}) }
		}}
		_, c := pair(t, kkrpc.Options{Expose: server, References: true, Limits: kkrpc.Limits{References: 3}}, kkrpc.Options{References: true})
		for range 10 {
			if _, err := collect(kkrpc.Stream[any](t.Context(), c, "open")); !named(err, "Error") || !strings.Contains(err.Error(), "InternalError") {
				t.Fatal(err)
			}
		}
	})
}
