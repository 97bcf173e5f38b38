package kkrpc

import (
	"runtime"
	"sync"
	"time"

	"github.com/kkrpc-go/kkrpc/internal/budget"
	"github.com/kkrpc-go/kkrpc/internal/outbox"
	"github.com/kkrpc-go/kkrpc/internal/wire"
	"github.com/kkrpc-go/kkrpc/internal/wire/codecs"
)

// inlined is a request whose handler the leader runs.
type inlined interface {
	countLocked() // it is no longer the leader's own
	tooSlow()     // the watchdog has taken reading from its leader
}

// leading holds the buffers and the parser of a leader. A channel borrows it from a pool until it is parked.
type leading struct {
	in         wire.Inbound
	msg        wire.Message
	readBuf    []byte
	large      bool        // the last frames, which readBuf and msg may refer to, were larger than idleBuffer
	unreadable error       // why msg cannot be served, for a lone channel
	more       bool        // the transport has another message already
	turn       int         // bytes of messages read and answered since other goroutines had a turn
	line       *time.Timer // nil unless a classic line is incomplete
	inline     inlined     // the request that the leader runs, while role is odd
	request    request
	scopes     spareScopes
	memory     budget.Meter // the classic line that is incomplete, and the message that is being decoded
}

var leadings = sync.Pool{New: func() any { return new(leading) }}

func (ch *Channel) newLeading(d wire.Dialect) *leading {
	l := leadings.Get().(*leading)
	l.in = *wire.NewInbound(codecs.Of, d, ch.limits.Frame, ch.limits.Depth)
	_, checked := ch.transport.(TextValidator)
	l.in.Trust(checked)
	l.in.Accept(ch.accepts)
	if ch.byteMark != nil {
		l.in.AllowBinary()
	}
	return l
}

// free returns l to the pool. No message in l may be incomplete.
func (l *leading) free() {
	l.msg.Forget()
	*l = leading{msg: l.msg, readBuf: l.readBuf}
	leadings.Put(l)
}

// yield lets others run.
func (ch *Channel) yield() {
	if y, ok := ch.transport.(Yielder); ok {
		y.Yield()
		return
	}
	runtime.Gosched()
}

// Grown counts the spent bytes that decoding has allocated so far. It ends decoding once the channel has closed. Decoding
// that takes long lets others run.
func (r *request) Grown(spent int) error {
	runtime.Gosched() // not yield: the goroutine may hold a turn for large work
	r.ch.memory.Set(&r.ch.account, r.ch.in.Held()+spent)
	if r.ch.closed.Load() {
		return ErrClosed
	}
	return nil
}

// handOver takes reading from the leader if the leader still runs the handler of seq, a value of role. It returns the
// request of that handler. It returns nil if the handler has returned.
func (ch *Channel) handOver(seq uint64) inlined {
	if seq&1 == 0 {
		return nil
	}
	ch.mu.Lock()
	if !ch.role.CompareAndSwap(seq, seq+1) {
		ch.mu.Unlock()
		return nil
	}
	c := ch.inline
	c.countLocked()
	ch.mu.Unlock()
	ch.out.Flush()
	go ch.next() // ends like the leader that New started
	return c
}

// stepOut frees the place of a function that is about to wait for the peer. If the function runs on the leader, another
// goroutine takes over reading first, because only reading can end the wait.
func (s *scope) stepOut() {
	s.ch.handOver(s.seq)
	ready := false
	s.ch.mu.Lock()
	s.waits++
	if g := s.gate; s.waits == 1 && s.place == placed && g.away < g.maxAway {
		s.place = away
		g.away++
		ready = g.leaveLocked(s)
		s.ch.settleLocked(g)
	}
	s.ch.mu.Unlock()
	if ready {
		go s.ch.runQueue(s.gate) // ends with the queue of the gate
	}
}

// stepIn takes the place again. It waits while the gate is full.
func (s *scope) stepIn() {
	s.ch.mu.Lock()
	var turn <-chan struct{}
	if s.waits--; s.waits == 0 && s.place == away {
		s.place = placed
		s.gate.away--
		turn = s.gate.returnLocked()
	}
	s.ch.mu.Unlock()
	if turn != nil {
		select {
		case <-turn:
		case <-s.ch.done:
		}
	}
}

// watchTick is called by the watchdog with the role of one tick ago. It reports whether to look again.
func (ch *Channel) watchTick(seen uint64) (now uint64, again bool) {
	now = ch.role.Load()
	if now != seen {
		ch.out.Flush() // a leader that always has more to read does not come to it
		return now, true
	}
	if now&1 == 1 {
		if c := ch.handOver(now); c != nil {
			c.tooSlow()
		}
		return now, true
	}
	ch.watched.Store(false)
	if ch.role.Load() != now && ch.watched.CompareAndSwap(false, true) {
		return ch.role.Load(), true
	}
	return now, false
}

const (
	watchInterval = time.Millisecond
	// slowCalls is for how many calls a method is known as slow; each quick one among them counts down.
	slowCalls = 64
)

// Group is shared by the channels of one server. It has a memory budget, a timer that finds slow handlers, and goroutines
// that write bursts of one-way messages. Each server of package transport/ws has a Group, also if each connection has an
// API of its own. The zero Group is ready for use. It must not be copied after first use.
type Group struct {
	// Memory bounds the bytes that the peers of all channels of the group can make this side hold. Messages count
	// that have arrived in part or wait to be sent. So do requests that wait or run, waiting callbacks and stream items,
	// and the item that a loop works on. 0 means a quarter of the memory limit of the process (GOMEMLIMIT), or 1 GiB
	// without one. Negative means no bound. Over the bound, the channels with the most bytes × age close first. Their
	// close code is 1013, their error wraps ErrLimit. A channel counts once it holds 16 KiB. Channels that are closing
	// count until their memory is free. They take at most an eighth of the bound from the others. Memory must not
	// change once the group has a channel.
	Memory int64

	watch   watchdog
	batcher outbox.Batcher

	counts sync.Once
	budget *budget.Budget
}

// memory returns the budget that the channels of the group share. The first call makes it.
func (g *Group) memory() *budget.Budget {
	g.counts.Do(func() {
		g.budget = new(budget.Budget)
		g.budget.Init(budget.Limit(g.Memory))
	})
	return g.budget
}

// MemoryUsage is the memory that the channels of a Group hold for their peers.
type MemoryUsage struct {
	Used    int64  // bytes that open channels hold; what closed ones still hold may take up to an eighth of Limit beside it
	Limit   int64  // the bound in bytes; math.MaxInt64 for none
	Evicted uint64 // channels that were closed because of it
}

// MemoryUsage returns the use of the budget now. Channels that hold less than 16 KiB do not count.
func (g *Group) MemoryUsage() MemoryUsage { return MemoryUsage(g.memory().Usage()) }

// watchdog watches the channels of one group whose leaders may run a handler. It takes reading from a leader that runs
// one handler at two ticks in a row. A channel enlists itself when it starts to run handlers. The first tick that finds
// the channel idle drops it. A quiet process thus has no timer, and a busy channel pays one atomic load.
//
// Each group has a watchdog of its own. Channels made under testing/synctest are thus watched in the time of their bubble.
type watchdog struct {
	mu      sync.Mutex
	watched []watchedChannel
	armed   bool
}

type watchedChannel struct {
	ch   *Channel
	seen uint64 // role at the last tick
}

// add enlists ch unless it is enlisted. The leader stores role before it loads watched. watchTick stores watched before
// it loads role. So one of them sees the other.
func (w *watchdog) add(ch *Channel) {
	if !ch.watched.CompareAndSwap(false, true) {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.watched = append(w.watched, watchedChannel{ch, 0})
	if !w.armed {
		w.armed = true
		time.AfterFunc(watchInterval, w.tick)
	}
}

func (w *watchdog) tick() {
	w.mu.Lock()
	current := w.watched
	w.watched = nil
	w.mu.Unlock()

	keep := current[:0]
	for _, e := range current {
		seen, again := e.ch.watchTick(e.seen)
		if again {
			keep = append(keep, watchedChannel{e.ch, seen})
		}
	}
	clear(current[len(keep):])

	w.mu.Lock()
	defer w.mu.Unlock()
	w.watched = append(keep, w.watched...)
	w.armed = len(w.watched) > 0
	if w.armed {
		time.AfterFunc(watchInterval, w.tick)
	}
}
