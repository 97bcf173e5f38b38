package replay

import (
	"context"
	"errors"
	"iter"
	"math"
	"sync"
	"time"

	"github.com/kkrpc-go/kkrpc"
	"github.com/kkrpc-go/kkrpc/superjson"
)

// production counts what the generators of one recorded server did.
type production struct {
	mu    sync.Mutex
	stats statistics
}

type statistics struct {
	Produced  int `json:"produced"`
	Finalized int `json:"finalized"`
	Returned  int `json:"returned"` // of iterators written by hand, which have no equal
}

func (p *production) produced(i int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.stats.Produced = i
}

func (p *production) finalized() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.stats.Finalized++
}

// generate yields 1 to n, waiting ms before each. What a JavaScript generator returns at the end has no equal.
func (p *production) generate(n, ms int) iter.Seq[int] {
	return func(yield func(int) bool) {
		defer p.finalized()
		for i := 1; i <= n; i++ {
			p.produced(i)
			if ms > 0 {
				sleep(ms)
			}
			if !yield(i) {
				return
			}
		}
	}
}

// streaming is the API of the scenarios about streams.
func streaming(r *recording) any {
	p := &production{}
	return kkrpc.Object{
		"stats": func() statistics {
			p.mu.Lock()
			defer p.mu.Unlock()
			return p.stats
		},
		"countTo":    func(n int) iter.Seq[int] { return p.generate(n, 0) },
		"countSlow":  func(n, ms int) iter.Seq[int] { return p.generate(n, ms) },
		"asyncCount": func(n int) (iter.Seq[int], error) { return p.generate(n, 0), nil },
		"empty":      func() iter.Seq[int] { return p.generate(0, 0) },
		"failAfter": func(n int) iter.Seq2[int, error] {
			return failAtEnd(n, &kkrpc.Error{Name: "RangeError", Message: "stream failed", Fields: map[string]any{"code": "E_STREAM"}})
		},
		"failNow":     func() iter.Seq2[int, error] { return failAtEnd(0, &kkrpc.Error{Message: "immediate"}) },
		"throwsPlain": func() iter.Seq2[int, error] { return failAtEnd(1, errors.New("plain string")) },
		"values":      func() iter.Seq[any] { return each(streamedValues(r)...) },
		"custom":      func() iter.Seq[any] { return each(0, 1, 2) },
		// A stream inside data, and an iterator that is not asynchronous, are objects with nothing in them.
		"nested":       func() any { return map[string]any{"inner": struct{}{}} },
		"syncIter":     func() any { return struct{}{} },
		"infinite":     p.infinite,
		"interactive":  p.interactive,
		"echoStream":   echoStream,
		"sumStream":    sumStream,
		"firstOf":      firstOf,
		"ignoreStream": func(iter.Seq2[any, error]) string { return "ignored" },
		"failWithStream": func(iter.Seq2[any, error]) error {
			return errors.New("rejects stream call")
		},
		"cbAndStream": func(cb func(string)) iter.Seq[int] {
			cb("started")
			return p.generate(2, 0)
		},
	}
}

// infinite yields at every turn of the test's clock, like one that waits for a timer of 0 ms.
func (p *production) infinite() iter.Seq[int] {
	return func(yield func(int) bool) {
		defer p.finalized()
		for i := 0; ; i++ {
			p.produced(i)
			if !yield(i) {
				return
			}
			time.Sleep(time.Millisecond)
		}
	}
}

// interactive is told nothing by its consumer, and so says what the recorded one said then.
func (p *production) interactive() iter.Seq[any] {
	return func(yield func(any) bool) {
		defer p.finalized()
		each("first", []any{"got", nil}, "third")(yield)
	}
}

func each(items ...any) iter.Seq[any] {
	return func(yield func(any) bool) {
		for _, item := range items {
			if !yield(item) {
				return
			}
		}
	}
}

// failAtEnd yields 1 to n and then err.
func failAtEnd(n int, err error) iter.Seq2[int, error] {
	return func(yield func(int, error) bool) {
		for i := range n {
			if !yield(i+1, nil) {
				return
			}
		}
		yield(0, err)
	}
}

func streamedValues(r *recording) []any {
	last := any(math.NaN())
	if !r.server.superJSON {
		last = nil // what JSON makes of it
	}
	return []any{
		superjson.Undefined, nil, map[string]any{"a": []any{1, superjson.Undefined}}, time.Unix(0, 0), "text", last,
	}
}

func echoStream(source iter.Seq2[float64, error]) iter.Seq2[float64, error] {
	return func(yield func(float64, error) bool) {
		for v, err := range source {
			if !yield(v*10, err) {
				return
			}
		}
	}
}

func sumStream(source iter.Seq2[float64, error]) (sum float64, err error) {
	for v, err := range source {
		if err != nil {
			return 0, err
		}
		sum += v
	}
	return sum, nil
}

func firstOf(source iter.Seq2[any, error]) (any, error) {
	for v, err := range source {
		return v, err
	}
	return superjson.Undefined, nil
}

// ticking has a stream that is a property.
func ticking(*recording) any {
	return kkrpc.Object{"ticks": kkrpc.ReadOnly[iter.Seq[any]](func(context.Context) (iter.Seq[any], error) {
		return each("t1", "t2"), nil
	})}
}

// silent has a stream that says nothing.
func silent(*recording) any {
	return kkrpc.Object{"noAnswer": func(ctx context.Context) iter.Seq[any] {
		return func(func(any) bool) { <-ctx.Done() }
	}}
}
