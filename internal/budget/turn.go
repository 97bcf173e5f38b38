package budget

import (
	"runtime"
	"time"
)

// Large is from how many bytes on the work on a message is large: it takes a millisecond and more.
const Large = 64 << 10

// patience is how long large work waits for a turn. A turn is a matter of fairness, and nothing depends on it: the holder may
// be a type's own unmarshaling, which waits for something.
const patience = 100 * time.Millisecond

// turns are taken for large work, such as decoding a message or moving it to a larger buffer. At most half of the
// processors do such work for the connections of a server. Otherwise the scheduler, which takes goroutines in order, would
// have a small request wait for all large ones before it.
type turns struct {
	taken chan struct{} // an element for each turn that is taken
	end   func()
}

func (t *turns) init() {
	t.taken = make(chan struct{}, max(1, runtime.GOMAXPROCS(0)/2))
	t.end = func() { <-t.taken }
}

// Turn waits for a turn to work on n bytes, for at most patience, and returns a function that ends it. There is no wait if
// n is less than Large.
func (a *Account) Turn(n int) (end func()) {
	if n < Large || a == nil || a.budget == nil {
		return noTurn
	}
	t := &a.budget.turns
	select {
	case t.taken <- struct{}{}:
		return t.end
	default:
	}
	timer := time.NewTimer(patience)
	defer timer.Stop()
	select {
	case t.taken <- struct{}{}:
		runtime.Gosched() // the scheduler would run this goroutine before those that have waited longer
		return t.end
	case <-timer.C:
		return noTurn
	}
}

func noTurn() {}
