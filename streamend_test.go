package kkrpc_test

import (
	"context"
	"errors"
	"iter"
	"runtime"
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

// What waits in a stream that the peer has ended is given back when nobody holds it any more.
func TestItemsOfEndedStreamsThatNobodyHoldsDoNotCount(t *testing.T) {
	bubble(t, func(t *testing.T) {
		ch, peer := raw(t, kkrpc.Options{Dialect: kkrpc.Compact, Limits: kkrpc.Limits{StreamBuffer: 10_000}})
		large := item(`"` + strings.Repeat("x", 5000) + `"`)
		open := func() error {
			answered := make(chan error, 1)
			go func() {
				items, err := kkrpc.Call[iter.Seq2[any, error]](t.Context(), ch, "open")
				if err == nil && items == nil {
					err = errors.New("no stream")
				}
				answered <- err
			}()
			_, id, _ := strings.Cut(read(t, peer), `"id":"`)
			id, _, _ = strings.Cut(id, `"`)
			write(t, peer, strings.Replace(opened, `"1"`, `"`+id+`"`, 1))
			return <-answered
		}
		end := func() { write(t, peer, large, `{"t":"sr","id":"x","sid":"theirs","d":true}`) }
		for range 50 { // 250 KB, and 40 KB may wait
			if err := open(); err != nil {
				t.Fatal(err)
			}
			end()
			runtime.GC()
			synctest.Wait()
		}
		for tries := 0; ; tries++ { // the last ones may still be on a stack
			left := reading(peer)
			got := make(chan any, 2)
			go func() {
				for v, err := range kkrpc.Stream[any](t.Context(), ch, "open") {
					if err != nil {
						got <- err
						break
					}
					got <- v
				}
			}()
			synctest.Wait()
			_, id, _ := strings.Cut(<-left, `"id":"`)
			id, _, _ = strings.Cut(id, `"`)
			write(t, peer, strings.Replace(opened, `"1"`, `"`+id+`"`, 1))
			wantControl(t, peer, pulled32)
			end()
			v := <-got
			if _, failed := v.(error); !failed {
				break
			}
			if tries == 100 {
				t.Fatal(v)
			}
			read(t, peer) // it is returned
			runtime.GC()
			synctest.Wait()
		}
		ch.Close()
	})
}
