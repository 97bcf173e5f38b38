package kkrpc

import (
	"context"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// restingPipe is a transport that a channel can rest on.
type restingPipe struct {
	*pipeEnd
	interrupt  chan struct{}
	interrupts atomic.Int32
}

func (p *restingPipe) AwaitFrame() (interrupted bool) {
	for {
		p.in.mu.Lock()
		ready := len(p.in.queue) > 0 || p.in.err != nil
		p.in.mu.Unlock()
		if ready {
			return false
		}
		select {
		case <-p.in.wake:
		case <-p.interrupt:
			return true
		}
	}
}

func (p *restingPipe) TryWriteFrames(msgs [][]byte) (done bool, err error) {
	return true, p.WriteFrames(msgs)
}

func (p *restingPipe) Interrupt() {
	p.interrupts.Add(1)
	p.interrupt <- struct{}{}
}

// parkingPipe is one on which nobody of the channel waits.
type parkingPipe struct{ *restingPipe }

func (p parkingPipe) Park(wake func()) bool {
	go func() {
		for p.AwaitFrame() {
		}
		wake()
	}()
	return true
}

func TestRest(t *testing.T) {
	t.Run("waiting", func(t *testing.T) { testRest(t, func(p *restingPipe) Transport { return p }) })
	t.Run("parked", func(t *testing.T) { testRest(t, func(p *restingPipe) Transport { return parkingPipe{p} }) })
}

func testRest(t *testing.T, transport func(*restingPipe) Transport) {
	synctest.Test(t, func(t *testing.T) {
		a, b := Pipe()
		p := &restingPipe{pipeEnd: a.(*pipeEnd), interrupt: make(chan struct{})}
		s, err := New(context.Background(), transport(p), &Options{Expose: Object{"double": func(n int) int { return 2 * n }}})
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		c, err := New(context.Background(), b, &Options{Dialect: Compact})
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		call := func() {
			t.Helper()
			if got, err := Call[int](t.Context(), c, "double", 21); err != nil || got != 42 {
				t.Fatalf("double(21) = %v, %v", got, err)
			}
			synctest.Wait()
		}
		check := func(when string, resting bool, interrupts int32) {
			t.Helper()
			if got := s.resting.Load(); got != resting {
				t.Errorf("%s: resting = %v", when, got)
			}
			if got := p.interrupts.Load(); got != interrupts {
				t.Errorf("%s: %d interrupts, want %d", when, got, interrupts)
			}
			if !resting {
				return
			}
			if s.leading != nil {
				t.Errorf("%s: the channel keeps memory that it does not need", when)
			}
		}
		check("before the first message", false, 0)
		call()
		check("after the first message", true, 0)
		time.Sleep(time.Hour)
		check("for long", true, 0)
		call()
		check("after the second message", false, 0)
		for range 10 {
			time.Sleep(restInterval / 2)
			call()
			check("while there are calls", false, 0)
		}
		time.Sleep(2*restInterval + 10*watchInterval)
		synctest.Wait()
		check("after the last call", true, 1)
		call()
		check("at work again", false, 1)
		time.Sleep(2*restInterval + 10*watchInterval)
		check("after another call", true, 2)
		if err := b.WriteFrames([][]byte{[]byte(`{"t":"x","id":"1"}`)}); err != nil { // as answers are, it is no request
			t.Fatal(err)
		}
		synctest.Wait()
		check("after a message that is no request", false, 2)
		time.Sleep(2*restInterval + 10*watchInterval)
		check("for long after it", true, 3)
	})
}
