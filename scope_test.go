package kkrpc_test

import (
	"context"
	"errors"
	"iter"
	"runtime"
	"sync"
	"testing"
	"weak"

	"github.com/kkrpc-go/kkrpc"
)

// Calls are used again for others, so a context that a handler has kept must not lead to them.
func TestKeptContextsAreNotUsedAgain(t *testing.T) {
	const calls = 200
	var late sync.WaitGroup
	var mu sync.Mutex
	var kept []context.Context
	_, c := pair(t, kkrpc.Options{Expose: kkrpc.Object{
		"keep": func(ctx context.Context, n int) (int, error) {
			mu.Lock()
			defer mu.Unlock()
			kept = append(kept, ctx)
			return n, ctx.Err()
		},
		"back": func(ctx context.Context) (int, error) { return kkrpc.Call[int](ctx, kkrpc.FromContext(ctx), "two") },
	}}, kkrpc.Options{Expose: kkrpc.Object{"two": func() int { return 2 }}})
	for n := range calls {
		ctx := kkrpc.WithMetadata(t.Context(), map[string]any{"n": n})
		if got, err := kkrpc.Call[int](ctx, c, "keep", n); got != n || err != nil {
			t.Fatalf("call %d: %d, %v", n, got, err)
		}
		if got, err := kkrpc.Call[int](t.Context(), c, "back"); got != 2 || err != nil {
			t.Fatalf("back %d: %d, %v", n, got, err)
		}
		mu.Lock()
		old := kept[n/2]
		mu.Unlock()
		late.Go(func() { // while other calls run
			if _, err := kkrpc.Call[int](old, kkrpc.FromContext(old), "two"); !errors.Is(err, context.Canceled) {
				t.Errorf("a call with a context that has ended: %v", err)
			}
		})
	}
	late.Wait()
	for n, ctx := range kept {
		if got := kkrpc.MetadataFrom(ctx)["n"]; got != float64(n) {
			t.Errorf("context %d has the metadata of %v", n, got)
		}
		if !errors.Is(ctx.Err(), context.Canceled) {
			t.Errorf("context %d: %v", n, ctx.Err())
		}
	}
}

// Contexts are made several at a time: one that a handler keeps must not keep what other calls have returned.
func TestKeptContextsKeepNothingOfOtherCalls(t *testing.T) {
	type items [1 << 10]int
	var mu sync.Mutex
	var kept []context.Context
	var returned []weak.Pointer[items]
	_, c := pair(t, kkrpc.Options{Expose: kkrpc.Object{
		"keep": func(ctx context.Context) {
			mu.Lock()
			defer mu.Unlock()
			kept = append(kept, ctx)
		},
		"seq": func(ctx context.Context) iter.Seq[int] {
			list := new(items)
			mu.Lock()
			defer mu.Unlock()
			returned = append(returned, weak.Make(list))
			return func(yield func(int) bool) { yield(list[len(returned)]) }
		},
	}}, kkrpc.Options{})
	for range 20 {
		if _, err := kkrpc.Call[any](t.Context(), c, "keep"); err != nil {
			t.Fatal(err)
		}
		seq, err := kkrpc.Call[iter.Seq2[int, error]](t.Context(), c, "seq")
		if err != nil {
			t.Fatal(err)
		}
		if got, err := collect(seq); len(got) != 1 || err != nil {
			t.Fatal(got, err)
		}
	}
	if _, err := kkrpc.Call[any](t.Context(), c, "keep"); err != nil { // the channel refers to its last call
		t.Fatal(err)
	}
	alive := 0
	for range 10 { // the end of a stream is received before its goroutine has let go of it
		runtime.GC()
		alive = 0
		for _, p := range returned {
			if p.Value() != nil {
				alive++
			}
		}
		if alive == 0 {
			break
		}
	}
	if alive > 0 {
		t.Errorf("%d of %d streams are kept by contexts of other calls", alive, len(returned))
	}
	runtime.KeepAlive(kept)
}
