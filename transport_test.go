package kkrpc_test

import (
	"errors"
	"io"
	"sync/atomic"
	"testing"

	"github.com/kkrpc-go/kkrpc"
	"github.com/kkrpc-go/kkrpc/transport/transporttest"
)

func TestTransports(t *testing.T) {
	for _, test := range []struct {
		name string
		pair func() (a, b kkrpc.Transport)
	}{
		{"Pipe", kkrpc.Pipe},
		{"the example", func() (a, b kkrpc.Transport) {
			x, y := ports()
			return newPortTransport(x), newPortTransport(y)
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			transporttest.Run(t, func(*testing.T) (a, b kkrpc.Transport) { return test.pair() })
		})
	}
}

func TestInboxRefusesWhenFullOrClosed(t *testing.T) {
	in := kkrpc.NewInbox(100)
	if err := in.Push(make([]byte, 200)); err != nil {
		t.Errorf("one message that is larger than the limit: %v", err)
	}
	if err := in.Push([]byte("x")); !errors.Is(err, kkrpc.ErrLimit) {
		t.Errorf("a second: %v", err)
	}
	in.Close(nil)
	if err := in.Push([]byte("x")); !errors.Is(err, io.ErrClosedPipe) {
		t.Errorf("after Close: %v", err)
	}
	if m, more, err := in.ReadFrame(nil); len(m) != 200 || more || err != nil {
		t.Errorf("what was queued before: %d bytes, %v, %v", len(m), more, err)
	}
	if _, _, err := in.ReadFrame(nil); err != io.EOF {
		t.Errorf("the end: %v", err)
	}
}

// sluggish is a transport that the reading goroutine can write to, but which takes only the first of several messages.
type sluggish struct {
	kkrpc.Transport
	kept   [][]byte
	fail   atomic.Bool
	waited atomic.Int32
}

func (s *sluggish) TryWriteFrames(msgs [][]byte) (bool, error) {
	if s.fail.Load() {
		return false, io.ErrUnexpectedEOF
	}
	for _, m := range msgs {
		s.kept = append(s.kept, append([]byte(nil), m...))
	}
	return false, nil
}

func (s *sluggish) WriteFrames(msgs [][]byte) error {
	if len(msgs) == 0 {
		s.waited.Add(1)
	}
	kept := s.kept
	s.kept = nil
	return s.Transport.WriteFrames(append(kept, msgs...))
}

func TestTransportThatTakesTheRestLater(t *testing.T) {
	bubble(t, func(t *testing.T) {
		a, b := kkrpc.Pipe()
		slow := &sluggish{Transport: a}
		s, err := kkrpc.New(t.Context(), slow, &kkrpc.Options{Expose: kkrpc.Object{"echo": func(s string) string { return s }}})
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		c, err := kkrpc.New(t.Context(), b, &kkrpc.Options{Dialect: kkrpc.Compact})
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		for range 20 {
			if got, err := kkrpc.Call[string](t.Context(), c, "echo", "hello"); got != "hello" || err != nil {
				t.Fatalf("%q, %v", got, err)
			}
		}
		if slow.waited.Load() == 0 {
			t.Error("WriteFrames was never asked for the rest")
		}
		slow.fail.Store(true)
		if err := c.Call(t.Context(), nil, "echo", "x"); !errors.Is(err, kkrpc.ErrClosed) {
			t.Errorf("after a failed write: %v", err)
		}
		if err := s.Err(); !errors.Is(err, io.ErrUnexpectedEOF) {
			t.Errorf("closed with %v", err)
		}
	})
}
