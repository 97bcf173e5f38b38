package kkrpc_test

import (
	"testing"
	"testing/synctest"

	"github.com/kkrpc-go/kkrpc"
)

// A function that AfterClose gets while the channel closes is called after Options.OnClose too.
func TestAfterCloseComesAfterOnClose(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		near, far := kkrpc.Pipe()
		defer near.Close(1000, "")
		var order []string
		var p *closesSlowly
		var ch *kkrpc.Channel
		p = &closesSlowly{far, func() { ch.AfterClose(func() { order = append(order, "AfterClose") }) }}
		ch, err := kkrpc.New(t.Context(), p, &kkrpc.Options{Dialect: kkrpc.Compact, OnClose: func(*kkrpc.Channel, error) { order = append(order, "OnClose") }})
		if err != nil {
			t.Fatal(err)
		}
		ch.Close()
		synctest.Wait()
		if len(order) != 2 || order[0] != "OnClose" {
			t.Errorf("the order is %v", order)
		}
	})
}

// closesSlowly is a transport during whose Close another goroutine (here: this one) calls AfterClose.
type closesSlowly struct {
	kkrpc.Transport
	during func()
}

func (c *closesSlowly) Close(code int, reason string) error {
	c.during()
	return c.Transport.Close(code, reason)
}

// The channel of Unsent is closed when few enough bytes wait, while others go
// on sending.
func TestUnsentWhileOthersSend(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		near, far := kkrpc.Pipe()
		_ = near
		w := &busy{Transport: far, begin: make(chan struct{})}
		ch, err := kkrpc.New(t.Context(), w, &kkrpc.Options{Dialect: kkrpc.Compact})
		if err != nil {
			t.Fatal(err)
		}
		defer near.Close(1000, "")
		defer ch.Close()
		if err := ch.Notify("x", "the first"); err != nil {
			t.Fatal(err)
		}
		var wait <-chan struct{}
		for range 100 {
			if err := ch.Notify("x", "1234567890"); err != nil {
				t.Fatal(err)
			}
		}
		synctest.Wait()
		wait = ch.Unsent(100)
		if wait == nil {
			t.Fatal("nothing waits")
		}
		done := false
		w.more = func(n int) {
			select {
			case <-wait:
				done = true
			default:
			}
			if n < 1000 && !done {
				_ = ch.Notify("x", "another") // at most one message waits from here on
			}
			w.writes = n
		}
		close(w.begin)
		synctest.Wait()
		if w.writes > 10 {
			t.Errorf("the channel of Unsent was closed after %d writes; what waited then was in the first two", w.writes)
		}
	})
}

type busy struct {
	kkrpc.Transport
	begin  chan struct{}
	more   func(n int)
	n      int
	writes int
}

func (b *busy) WriteFrames(frames [][]byte) error {
	<-b.begin
	b.n++
	if b.more != nil {
		b.more(b.n)
	}
	return nil
}

func TestAfterCloseIsUndone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		near, far := kkrpc.Pipe()
		defer near.Close(1000, "")
		ch, err := kkrpc.New(t.Context(), far, &kkrpc.Options{Dialect: kkrpc.Compact})
		if err != nil {
			t.Fatal(err)
		}
		var called []string
		stop := ch.AfterClose(func() { called = append(called, "undone") })
		kept := ch.AfterClose(func() { called = append(called, "kept") })
		if !stop() || stop() {
			t.Error("stop says that it came too late, or that it came twice in time")
		}
		ch.Close()
		synctest.Wait()
		late := ch.AfterClose(func() { called = append(called, "late") })
		if kept() || late() {
			t.Error("stop says that it undid what has been called")
		}
		if len(called) != 2 || called[0] != "kept" || called[1] != "late" {
			t.Errorf("called: %v", called)
		}
		if ch = nil; ch.AfterClose(func() { called = append(called, "nil") })() || len(called) != 3 {
			t.Errorf("called: %v", called)
		}
	})
}
