package wasm

import (
	"errors"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/kkrpc-go/kkrpc"
)

// TestInboxIsForAllConnections has several peers send faster than the program reads: the one whose messages hold most is
// closed, and the others are served when the program reads on.
func TestInboxIsForAllConnections(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const size = 1000 // of the budget, in messages of 100 bytes each with what they cost beside
		reads := make(chan struct{})
		ended := make(chan error, 4)
		s := start(func(*Request) (any, error) {
			<-reads
			return kkrpc.Object{"greet": func(name string) string { return name }}, nil
		}, &Options{Inbox: size * 100, OnClose: func(_ *kkrpc.Channel, _ *Request, err error) { ended <- err }})
		msg := func(text string) []byte {
			m := []byte(`{"t":"q","id":"1","op":"call","p":["greet"],"a":["` + text + `"]}`)
			if pad := 100 - waitCost - len(m); pad > 0 {
				return append(m, strings.Repeat(" ", pad)...)
			}
			return m
		}
		for id := range int32(4) {
			s.connect(id+1, "")
		}
		for id, n := range []int{1, 300, 500, 100} {
			for range n {
				s.message(int32(id)+1, msg("a"), true)
			}
		}
		closed := func(id int32) bool { code, _ := s.host.closedWith(id); return code != 0 }
		for range 99 {
			s.message(4, msg("b"), true)
		}
		for id := range int32(4) {
			if closed(id + 1) {
				t.Fatalf("connection %d was closed within the budget", id+1)
			}
		}
		s.message(1, msg("over"), true) // not the one that holds most
		if code, reason := s.host.closedWith(3); code != closeTryLater || !strings.Contains(reason, "wait to be read") {
			t.Errorf("the one that holds most was closed with %d %q, want %d", code, reason, closeTryLater)
		}
		for range 499 { // what it held is free again
			s.message(4, msg("c"), true)
		}
		if closed(1) || closed(2) || closed(4) {
			t.Error("another connection was closed within the budget")
		}
		close(reads)
		for id, want := range []int{2, 300, 0, 698} {
			if got := s.answers(int32(id) + 1); len(got) != want {
				t.Errorf("connection %d got %d answers, want %d", id+1, len(got), want)
			}
		}
		if err := <-ended; !errors.Is(err, kkrpc.ErrLimit) || !strings.Contains(err.Error(), "too many messages wait to be read") || len(ended) > 0 {
			t.Errorf("a channel ended with %v, want a limit, and %d others", err, len(ended))
		}
		for id := range int32(4) {
			s.hangUp(id+1, closeNormal)
		}
		synctest.Wait()
		if s.waiting != 0 || len(s.reading) != 0 {
			t.Errorf("%d bytes of %d connections are still counted", s.waiting, len(s.reading))
		}
	})
}

// TestMessageLargerThanTheInbox is read if no other waits.
func TestMessageLargerThanTheInbox(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := start(nil, &Options{Inbox: 10})
		s.connect(1, "")
		s.answers(1)
		s.message(1, []byte(greet), true)
		if got := s.answers(1); len(got) != 1 {
			t.Errorf("answered %q", got)
		}
		s.hangUp(1, closeNormal)
	})
}

// TestInboxOfThoseThatLeft has peers send, close, and connect again while the program does not read.
func TestInboxOfThoseThatLeft(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		reads := make(chan struct{})
		s := start(func(*Request) (any, error) { <-reads; return kkrpc.Object{}, nil }, &Options{Inbox: 10_000})
		for id := range int32(100) {
			s.connect(id+1, "")
			s.message(id+1, make([]byte, 1000), true)
			s.hangUp(id+1, closeNormal)
			synctest.Wait()
			if s.waiting > 10_000 {
				t.Fatalf("%d bytes wait after %d connections, want at most 10000", s.waiting, id+1)
			}
		}
		close(reads)
		synctest.Wait()
		if s.waiting != 0 || len(s.reading) != 0 {
			t.Errorf("%d bytes of %d connections are still counted", s.waiting, len(s.reading))
		}
	})
}

// One count decides which messages are too many. A second one would drop messages that the first has let in.
func TestOneCountOfWhatWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		reads := make(chan struct{})
		s := start(func(*Request) (any, error) { <-reads; return kkrpc.Object{}, nil }, &Options{Inbox: 1000})
		s.connect(1, "")
		synctest.Wait()
		for range 3 {
			if err := s.conns[1].in.Push(make([]byte, 900)); err != nil {
				t.Error(err)
			}
		}
		close(reads)
		s.hangUp(1, closeNormal)
	})
}
