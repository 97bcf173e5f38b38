package outbox_test

import (
	"errors"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/kkrpc-go/kkrpc/internal/budget"
	"github.com/kkrpc-go/kkrpc/internal/outbox"
)

// line is both the transport of an Outbox and its owner.
type line struct {
	outbox.Outbox
	batcher outbox.Batcher
	reader  atomic.Uint64
	closed  chan struct{}

	mu      sync.Mutex
	written []string // messages, in order
	writes  int      // calls of the transport that had messages
	blocked chan struct{}
	broken  error
	overrun []int
	lost    []error
}

const limit = 100

func newLine() *line {
	l := &line{closed: make(chan struct{})}
	l.Init(outbox.Config{Writer: l, Owner: l, Batcher: &l.batcher, Reader: &l.reader, Closed: l.closed, Limit: limit, Drain: time.Minute})
	return l
}

func (l *line) TryWriteFrames(msgs [][]byte) (bool, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.record(msgs)
	return l.blocked == nil, l.broken
}

func (l *line) WriteFrames(msgs [][]byte) error {
	l.mu.Lock()
	blocked := l.blocked
	l.mu.Unlock()
	if blocked != nil {
		<-blocked
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.record(msgs)
	return l.broken
}

func (l *line) record(msgs [][]byte) {
	for _, m := range msgs {
		l.written = append(l.written, string(m))
	}
	if len(msgs) > 0 {
		l.writes++
	}
}

func (l *line) Overrun(waiting int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.overrun = append(l.overrun, waiting)
}
func (l *line) Lost(err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.lost = append(l.lost, err)
}

func message(text string) *outbox.Buffer {
	b := outbox.NewBuffer()
	b.Bytes = append(b.Bytes, text...)
	return b
}

// block makes the transport take one batch and no more until the returned function is called.
func (l *line) block() (unblock func()) {
	blocked := make(chan struct{})
	l.mu.Lock()
	l.blocked = blocked
	l.mu.Unlock()
	return func() {
		l.mu.Lock()
		l.blocked = nil
		l.mu.Unlock()
		close(blocked)
	}
}

func TestQueuedMessagesAreOneWrite(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLine()
		for _, text := range []string{"a", "b", "c"} {
			l.Queue(message(text))
		}
		if len(l.written) != 0 || l.Waiting() != 3 {
			t.Errorf("before the flush %q are written, %d bytes wait", l.written, l.Waiting())
		}
		l.Flush()
		if !slices.Equal(l.written, []string{"a", "b", "c"}) || l.writes != 1 || l.Waiting() != 0 {
			t.Errorf("%q in %d writes, %d bytes wait", l.written, l.writes, l.Waiting())
		}
	})
}

// The transport blocks: nobody who queues or sends does, and order is kept.
func TestSlowTransportBlocksNoSender(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLine()
		unblock := l.block()
		l.Send(message("1"))
		l.Send(message("2"))
		l.SendLater(message("3"))
		l.Queue(message("4"))
		l.Flush()
		synctest.Wait()
		if !slices.Equal(l.written, []string{"1"}) {
			t.Errorf("%q are written while the transport blocks", l.written)
		}
		unblock()
		synctest.Wait()
		if !slices.Equal(l.written, []string{"1", "2", "3", "4"}) || l.Waiting() != 0 {
			t.Errorf("%q are written, %d bytes wait", l.written, l.Waiting())
		}
	})
}

func TestRoom(t *testing.T) {
	half := strings.Repeat("x", limit/2)
	for _, test := range []struct {
		name  string
		first string // is being written while the transport blocks
		full  bool
	}{
		{"half of the limit leaves room", half, false},
		{"more than half does not", half + "x", true},
		{"a message over the limit goes alone", strings.Repeat("x", 3*limit), true},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				l := newLine()
				unblock := l.block()
				if full := l.Submit(message(test.first)); full != nil {
					t.Fatal("there is no room in an empty outbox")
				}
				crowded, next := l.Crowded(), message("next")
				full := l.Submit(next)
				if (full != nil) != test.full || crowded != test.full {
					t.Errorf("full %v, crowded %v", full != nil, crowded)
				}
				if l.overrun != nil {
					t.Errorf("submitted messages are held against the peer: %v", l.overrun)
				}
				unblock()
				if full != nil {
					<-full
					if l.Submit(next) != nil {
						t.Error("there is no room after it was announced")
					}
				}
				synctest.Wait()
				if last := l.written[len(l.written)-1]; last != "next" || l.Waiting() != 0 || l.Crowded() {
					t.Errorf("the last message is %.9q, %d bytes wait, crowded %v", last, l.Waiting(), l.Crowded())
				}
			})
		})
	}
}

func TestReservedRoomIsCountedOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLine()
		unblock := l.block()
		b := message(strings.Repeat("x", 2*limit))
		l.Admit(b)
		if n := l.Waiting(); n != 2*limit {
			t.Errorf("%d bytes are reserved", n)
		}
		l.Send(b)
		if n := l.Waiting(); n != 2*limit {
			t.Errorf("%d bytes wait", n)
		}
		l.Queue(message("y"))
		if l.overrun != nil {
			t.Errorf("a message that had waited for room is held against the peer: %v", l.overrun)
		}
		unblock()
		synctest.Wait()
		if n := l.Waiting(); n != 0 {
			t.Errorf("%d bytes are left", n)
		}
	})
}

func TestOnlyMessagesWithoutExcuseOverrun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLine()
		unblock := l.block()
		defer unblock()
		l.Queue(message(strings.Repeat("x", 3*limit))) // alone, however large, it is within the limit
		for range 3 {
			b := message(strings.Repeat("x", limit))
			b.Excuse()
			l.Queue(b)
		}
		if l.overrun != nil {
			t.Errorf("overrun by %v", l.overrun)
		}
		l.Queue(message("y"))
		synctest.Wait()
		if !slices.Equal(l.overrun, []int{6*limit + 1}) {
			t.Errorf("overrun by %v", l.overrun)
		}
		l.Flush()
	})
}

func TestFinishWaitsForWhatWasAccepted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLine()
		unblock := l.block()
		l.Queue(message("1"))
		l.Flush()
		l.Queue(message("2"))
		finished := make(chan struct{})
		go func() { l.Finish(); close(finished) }()
		synctest.Wait()
		l.Queue(message("too late"))
		select {
		case <-finished:
			t.Error("Finish returned before everything was written")
		default:
		}
		unblock()
		<-finished
		if !slices.Equal(l.written, []string{"1", "2"}) {
			t.Errorf("%q are written", l.written)
		}
	})
}

func TestFinishEnds(t *testing.T) {
	for name, end := range map[string]func(l *line) time.Duration{
		"after Config.Drain":            func(*line) time.Duration { return time.Minute },
		"when the connection closes":    func(l *line) time.Duration { close(l.closed); return 0 },
		"at once when it has been shut": func(l *line) time.Duration { l.Shut(); return 0 },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				l := newLine()
				unblock := l.block()
				defer unblock()
				l.Send(message("1"))
				l.Send(message("2"))
				want, begin := end(l), time.Now()
				l.Finish()
				if took := time.Since(begin); took != want {
					t.Errorf("it took %v, want %v", took, want)
				}
			})
		})
	}
}

func TestShutDropsAndMakesRoom(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLine()
		l.Add(message(strings.Repeat("x", limit)))
		full := l.Reserve(message("y"))
		if full == nil {
			synctest.Wait() // Reserve has flushed
			full = l.Reserve(message("y"))
		}
		l.Shut()
		if full != nil {
			<-full
		}
		l.Send(message("z"))
		if slices.Contains(l.written, "z") {
			t.Errorf("%q are written", l.written)
		}
	})
}

func TestErrorOfTheTransportIsReported(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLine()
		l.broken = errors.New("reset")
		l.Send(message("1"))
		synctest.Wait()
		if len(l.lost) != 1 || l.lost[0] != l.broken {
			t.Errorf("lost: %v", l.lost)
		}
	})
}

// A lone posted message is written by its sender. Those of a burst go together, each as a frame of its own, unless the
// system lets the writer run in the middle of the burst.
func TestPostedMessagesOfABurstShareAWrite(t *testing.T) {
	const attempts = 100
	for range attempts {
		writes := 0
		synctest.Test(t, func(t *testing.T) {
			l := newLine()
			l.Post(message("alone"))
			if l.writes != 1 {
				t.Fatalf("a lone message took %d writes", l.writes)
			}
			for _, text := range []string{"1", "22", "333"} {
				l.Post(message(text))
			}
			synctest.Wait()
			if !slices.Equal(l.written, []string{"alone", "1", "22", "333"}) || l.Waiting() != 0 {
				t.Fatalf("%q are written, %d bytes wait", l.written, l.Waiting())
			}
			writes = l.writes
		})
		if writes == 2 {
			return
		}
	}
	t.Errorf("none of %d bursts shared a write", attempts)
}

func TestPostedMessagesWaitForTheReader(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLine()
		l.reader.Store(1)
		l.Post(message("1"))
		synctest.Wait()
		if l.writes != 0 {
			t.Error("written while the reading goroutine is in a handler and will flush")
		}
		l.Flush()
		if !slices.Equal(l.written, []string{"1"}) {
			t.Errorf("%q are written", l.written)
		}
	})
}

func TestPostNowHasABoundOfItsOwn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLine()
		unblock := l.block()
		l.Send(message(strings.Repeat("x", 3*limit))) // no room for others, and no backlog
		const backlog = 10
		for i, want := range []outbox.Verdict{outbox.Posted, outbox.Posted, outbox.Full} {
			b := message("55555")
			if got := l.PostNow(b, backlog); got != want {
				t.Errorf("message %d: %d, want %d", i, got, want)
			}
		}
		if l.overrun != nil {
			t.Errorf("overrun by %v", l.overrun)
		}
		unblock()
		synctest.Wait()
		if n := l.Waiting(); n != 0 || len(l.written) != 3 {
			t.Errorf("%d bytes are left, %d messages are written", n, len(l.written))
		}
		if got := l.PostNow(message(strings.Repeat("y", 5*backlog)), backlog); got != outbox.Posted {
			t.Errorf("a large message alone: %d", got)
		}
		synctest.Wait()
		if got := l.PostNow(message("z"), backlog); got != outbox.Posted {
			t.Errorf("after it: %d", got)
		}
		l.Shut()
		if got := l.PostNow(message("z"), backlog); got != outbox.Closing {
			t.Errorf("after the end: %d", got)
		}
	})
}

// evicted counts the evictions of an account.
type evicted chan int64

func (e evicted) Evict(held, _ int64) { e <- held }

// Messages count for the budget of the server from the moment on that their senders wait for room.
func TestBudgetCountsWhatWaitsForRoom(t *testing.T) {
	const size = 100 << 10
	for name, wait := range map[string]func(l *line, b *outbox.Buffer){
		"Admit": func(l *line, b *outbox.Buffer) { go l.Admit(b) },
		"Block": func(l *line, b *outbox.Buffer) {
			if l.Reserve(b) != nil {
				l.Block(b)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var b budget.Budget
				var account budget.Account
				gone := make(evicted, 1)
				b.Init(12 * size)
				account.Open(&b, gone)
				l := newLine()
				l.Account = &account
				unblock := l.block()
				defer unblock()
				defer close(l.closed)
				l.Send(message(strings.Repeat("x", size)))
				for n := range 11 {
					wait(l, message(strings.Repeat("x", size)))
					synctest.Wait()
					if used := b.Usage().Used; used < int64(n+2)*size-8<<10 {
						t.Fatalf("%d bytes are counted while %d messages wait", used, n+2)
					}
				}
				if l.Waiting() != 12*size || len(gone) > 0 {
					t.Errorf("%d bytes wait, %d evictions", l.Waiting(), len(gone))
				}
				wait(l, message(strings.Repeat("x", size)))
				synctest.Wait()
				if len(gone) != 1 {
					t.Fatal("over the limit nothing happens")
				}
			})
		})
	}
}

func TestBudgetIsGivenBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var b budget.Budget
		var account budget.Account
		b.Init(1 << 30)
		account.Open(&b, nil)
		l := newLine()
		l.Account = &account
		unblock := l.block()
		for range 3 {
			go func() {
				m := message(strings.Repeat("x", 100<<10))
				l.Admit(m)
				l.Send(m)
			}()
		}
		synctest.Wait()
		if used := b.Usage().Used; used < 290<<10 {
			t.Errorf("%d bytes are counted", used)
		}
		unblock()
		synctest.Wait()
		if used := b.Usage().Used; used != 0 || l.Waiting() != 0 {
			t.Errorf("%d bytes are counted, %d wait", used, l.Waiting())
		}
	})
}

// pen is a transport whose writer can be seen.
type pen struct {
	line
	write func(msgs [][]byte)
}

func (p *pen) TryWriteFrames(msgs [][]byte) (bool, error) {
	p.write(msgs)
	return true, nil
}

// A sender that yields must not keep the reading goroutine from writing: nobody knows when it is scheduled again.
func TestReaderWritesWhileSenderYields(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1)) // what yields waits for this goroutine
	for name, send := range map[string]func(p *pen, b *outbox.Buffer){
		"Submit":    func(p *pen, b *outbox.Buffer) { p.Submit(b) },
		"Send":      func(p *pen, b *outbox.Buffer) { p.Send(b) },
		"FlushSoon": func(p *pen, b *outbox.Buffer) { p.Add(b); p.FlushSoon() },
	} {
		t.Run(name, func(t *testing.T) {
			var log []string
			p := &pen{line: line{closed: make(chan struct{})}}
			p.write = func(msgs [][]byte) {
				for _, m := range msgs {
					log = append(log, string(m))
				}
			}
			p.Init(outbox.Config{Writer: p, Owner: p, Batcher: &p.batcher, Reader: &p.reader, Closed: p.closed, Limit: limit, Drain: time.Minute})
			done := make(chan struct{})
			go func() { // as the reading goroutine: it runs when the sender yields
				p.Queue(message("answer"))
				p.Flush()
				log = append(log, "reader has flushed")
				close(done)
			}()
			send(p, message("call"))
			<-done
			if want := []string{"call", "answer", "reader has flushed"}; !slices.Equal(log, want) {
				t.Errorf("%q, want %q", log, want)
			}
		})
	}
}

// Overrun may close a connection, and tell a program that waits for a lock which the sender holds.
func TestSenderDoesNotCallTheOwner(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLine()
		unblock := l.block()
		defer unblock()
		l.mu.Lock() // what Overrun wants
		for range 3 {
			l.Add(message(strings.Repeat("x", limit)))
		}
		l.mu.Unlock()
		synctest.Wait()
		if len(l.overrun) != 1 {
			t.Errorf("overrun by %v", l.overrun)
		}
	})
}

// When the connection has ended, nothing counts any more, however it was held.
func TestNothingCountsAfterTheEnd(t *testing.T) {
	const size = 100 << 10
	big := func() *outbox.Buffer { return message(strings.Repeat("x", size)) }
	for name, end := range map[string]func(l *line){
		"waiting": func(l *line) { l.Add(big()); l.Shut() },
		"reserved": func(l *line) {
			m := big()
			l.Reserve(m)
			l.Shut()
			l.Send(m)
		},
		"tried": func(l *line) {
			l.broken = errors.New("reset")
			l.Send(big())
		},
		"kept by the transport": func(l *line) {
			unblock := l.block()
			l.Send(big())
			synctest.Wait()
			l.mu.Lock()
			l.broken = errors.New("reset")
			l.mu.Unlock()
			unblock()
		},
		"being written": func(l *line) {
			unblock := l.block()
			l.Send(big())
			l.Send(big())
			synctest.Wait()
			l.Shut()
			l.mu.Lock()
			l.broken = errors.New("closed")
			l.mu.Unlock()
			unblock()
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var b budget.Budget
				var account budget.Account
				b.Init(1 << 30)
				account.Open(&b, nil)
				l := newLine()
				l.Account = &account
				end(l)
				synctest.Wait()
				if used := b.Usage().Used; used != 0 || l.Waiting() != 0 {
					t.Errorf("%d bytes are counted, %d wait", used, l.Waiting())
				}
			})
		})
	}
}

// Any number of callers that wait for the same room have one channel.
func TestAboveIsShared(t *testing.T) {
	w := &blocking{begin: make(chan struct{})}
	var o outbox.Outbox
	closed := make(chan struct{})
	defer close(closed)
	o.Init(outbox.Config{Writer: w, Batcher: &outbox.Batcher{}, Reader: new(atomic.Uint64), Closed: closed, Limit: 1 << 20, Drain: time.Second})
	b := outbox.NewBuffer()
	b.Bytes = append(b.Bytes, "twelve bytes"...)
	o.SendLater(b)
	first, second, other := o.Above(4), o.Above(4), o.Above(5)
	if first == nil || first != second || first == other {
		t.Errorf("the channels are %v, %v and %v", first, second, other)
	}
	close(w.begin)
	<-first
	<-other
	if o.Above(4) != nil {
		t.Error("something waits")
	}
}

// blocking is a Writer that waits before it writes.
type blocking struct{ begin chan struct{} }

func (b *blocking) WriteFrames([][]byte) error { <-b.begin; return nil }
