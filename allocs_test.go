package kkrpc_test

import (
	"context"
	"reflect"
	"testing"

	"github.com/kkrpc-go/kkrpc"
)

// turns is a transport for one request at a time: serve gives the channel a request and returns when it has been answered.
type turns struct {
	requests chan []byte
	answered chan struct{}
	closed   chan struct{}
}

func (s *turns) ReadFrame(buf []byte) ([]byte, bool, error) {
	select {
	case request := <-s.requests:
		return append(buf[:0], request...), false, nil
	case <-s.closed:
		return nil, false, context.Canceled
	}
}

func (s *turns) TryWriteFrames([][]byte) (bool, error) {
	s.answered <- struct{}{}
	return true, nil
}

func (s *turns) WriteFrames([][]byte) error { return nil }

func (s *turns) Close(int, string) error {
	close(s.closed)
	return nil
}

// Allocations are what a change is most likely to make worse without anybody noticing, and unlike times they are the same in
// every run. More than a row says is a regression; fewer are for the row to follow.
func TestAllocationsForARequest(t *testing.T) {
	skipUnlessExact(t)
	type number float64
	type point struct{ X, Y float64 }
	// What reflect takes for two results: 3 where they come in registers, 2 elsewhere, such as on 386.
	pair := reflect.ValueOf(func() (float32, error) { return 0, nil })
	two := testing.AllocsPerRun(100, func() { pair.Call(nil) })
	for _, r := range []struct {
		name string
		fn   any
		args string
		want float64
	}{
		{"typed", func(a, b float64) float64 { return a + b }, "1,2", 0},
		{"typed, with an error", func(a, b float64) (float64, error) { return a + b, nil }, "1,2", 0},
		{"named", func(a, b number) number { return a + b }, "1,2", 0},
		{"context", func(_ context.Context, a, b float64) (float64, error) { return a + b, nil }, "1,2", 0}, // an eighth: contexts are made eight at a time
		{"reflected", func(a, b float32) float32 { return a + b }, "1,2", 2},                                // reflect: the results and one of them
		{"reflected with a context", func(_ context.Context, a, b float32) (float32, error) { return a + b, nil }, "1,2", two},
		{"struct", func(_ context.Context, p point) (point, error) { return point{p.Y, p.X}, nil }, `{"X":1,"Y":2}`, two},    // likewise
		{"string", func(_ context.Context, s string) (string, error) { return s, nil }, `"text that is somewhat longer"`, 1}, // the string
		{"callback that is not called", func(a float64, _ func()) float64 { return a }, `1,{"__kkrpc_next_arg__":"callback","id":"c"}`, 2},
	} {
		t.Run(r.name, func(t *testing.T) {
			s := &turns{make(chan []byte), make(chan struct{}), make(chan struct{})}
			ch, err := kkrpc.New(context.Background(), s, &kkrpc.Options{Expose: kkrpc.Object{"f": r.fn}})
			if err != nil {
				t.Fatal(err)
			}
			defer ch.Close()
			request := []byte(`{"t":"q","id":"dcd7065b-6b28-49ee-8b34-c0d1a7964054","op":"call","p":["f"],"a":[` + r.args + `]}`)
			if got := testing.AllocsPerRun(1000, func() { s.requests <- request; <-s.answered }); got != r.want {
				t.Errorf("%v allocations, want %v", got, r.want)
			}
		})
	}
}

// The peer's allocations count too, so it has none: an answer takes the id of the request, which begins behind {"t":"q","id":.
func TestAllocationsForACall(t *testing.T) {
	skipUnlessExact(t)
	s := &answering{answers: make(chan []byte, 1), closed: make(chan struct{})}
	ch, err := kkrpc.New(context.Background(), s, &kkrpc.Options{Dialect: kkrpc.Compact})
	if err != nil {
		t.Fatal(err)
	}
	defer ch.Close()
	for _, r := range []struct {
		name string
		call func() error
		want float64
	}{
		{"without arguments and result", func() error { return ch.Call(context.Background(), nil, "f") }, 0},
		{"with two numbers and a result", func() error {
			sum, err := kkrpc.Call[float64](context.Background(), ch, "math.add", 1, 2)
			if sum != 3 {
				t.Errorf("got %v", sum)
			}
			return err
		}, 0},
	} {
		t.Run(r.name, func(t *testing.T) {
			if got := testing.AllocsPerRun(1000, func() {
				if err := r.call(); err != nil {
					t.Error(err)
				}
			}); got != r.want {
				t.Errorf("%v allocations, want %v", got, r.want)
			}
		})
	}
}

// answering is a transport whose peer answers each request with 3.
type answering struct {
	answers chan []byte
	closed  chan struct{}
	answer  []byte
}

func (s *answering) ReadFrame(buf []byte) ([]byte, bool, error) {
	select {
	case answer := <-s.answers:
		return append(buf[:0], answer...), false, nil
	case <-s.closed:
		return nil, false, context.Canceled
	}
}

func (s *answering) TryWriteFrames(msgs [][]byte) (bool, error) { return true, s.WriteFrames(msgs) }

func (s *answering) WriteFrames(msgs [][]byte) error {
	const before = `{"t":"q","id":`
	rest := msgs[0][len(before):]
	end := 1
	for rest[end] != '"' {
		end++
	}
	s.answer = append(append(append(s.answer[:0], `{"t":"r","id":`...), rest[:end+1]...), `,"v":3}`...)
	s.answers <- s.answer
	return nil
}

func (s *answering) Close(int, string) error {
	close(s.closed)
	return nil
}
