package kkrpc

import (
	"context"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// parkingPipe is a transport that can park.
type parkingPipe struct {
	*pipeEnd
	parked atomic.Bool
}

func (p *parkingPipe) Park(patience time.Duration, wake func()) bool {
	if p.await(time.After(patience)) {
		return false
	}
	p.parked.Store(true)
	go func() {
		p.await(nil)
		p.parked.Store(false)
		wake()
	}()
	return true
}

// await reports whether ReadFrame has something to do, for which it waits until late.
func (p *parkingPipe) await(late <-chan time.Time) bool {
	for {
		p.in.mu.Lock()
		ready := len(p.in.queue) > 0 || p.in.err != nil
		p.in.mu.Unlock()
		if ready {
			return true
		}
		select {
		case <-p.in.wake:
		case <-late:
			return false
		}
	}
}

func (p *parkingPipe) TryWriteFrames(msgs [][]byte) (done bool, err error) {
	return true, p.WriteFrames(msgs)
}

func TestPark(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := Pipe()
		p := &parkingPipe{pipeEnd: a.(*pipeEnd)}
		s, err := New(context.Background(), p, &Options{Expose: Object{"double": func(n int) int { return 2 * n }}})
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
			if got, err := Call[int](t.Context(), c, "double", 21); err != nil || got != 42 {
				t.Fatalf("double(21) = %v, %v", got, err)
			}
		}
		cancel := func() { // arrives as answers do: it is no request
			if err := b.WriteFrames([][]byte{[]byte(`{"t":"x","id":"1"}`)}); err != nil {
				t.Fatal(err)
			}
		}
		for _, step := range []struct {
			when   string
			after  time.Duration
			do     func()
			parked bool
		}{
			{"before the first message", time.Hour, func() {}, false},
			{"after the first message", 0, call, true},
			{"for an hour", time.Hour, func() {}, true},
			{"after the second message", 0, call, false},
			{"soon after it", parkPatience / 2, func() {}, false},
			{"after the third message", 0, call, false},
			{"when nothing more has arrived", parkPatience, func() {}, true},
			{"after a message that is no request", 0, cancel, false},
			{"when nothing has followed it", parkPatience, func() {}, true},
		} {
			time.Sleep(step.after)
			step.do()
			synctest.Wait()
			if got := p.parked.Load(); got != step.parked {
				t.Fatalf("%s: parked = %v", step.when, got)
			}
			if step.parked && (s.leading != nil || s.out.batch != nil || s.out.frames != nil) {
				t.Errorf("%s: the channel keeps memory that it does not need", step.when)
			}
		}
	})
}
