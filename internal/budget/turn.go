package budget

import (
	"runtime"
	"sync"
	"sync/atomic"
)

// Large is from how many bytes on the work on a message is large: it takes a millisecond and more.
const Large = 64 << 10

// turns are taken for large work, such as decoding a message or moving it to a larger buffer. At most half of the
// processors do such work for the connections of a server. Otherwise the scheduler, which takes goroutines in order, would
// have a small request wait for all large ones before it.
type turns struct {
	locks []sync.Mutex
	next  atomic.Uint32
}

func (t *turns) init() { t.locks = make([]sync.Mutex, max(1, runtime.GOMAXPROCS(0)/2)) }

// Turn waits for a turn to work on n bytes, and returns a function that ends it. There is no wait if n is less than Large. The
// holder of a turn must not wait for anything but the processor.
func (a *Account) Turn(n int) (end func()) {
	if n < Large || a == nil || a.budget == nil {
		return noTurn
	}
	t := &a.budget.turns
	m := &t.locks[t.next.Add(1)%uint32(len(t.locks))]
	if !m.TryLock() {
		m.Lock()
		runtime.Gosched() // what waits for the processor goes first
	}
	return m.Unlock
}

func noTurn() {}
