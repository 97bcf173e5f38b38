package budget_test

import (
	"runtime"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/kkrpc-go/kkrpc/internal/budget"
)

// Large work leaves half of the processors to others. Small work never waits.
func TestTurns(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(4))
	s := newServer(mib)
	a := s.open("a")
	var working, most atomic.Int32
	var all sync.WaitGroup
	held := make(chan struct{})
	for range 8 {
		all.Go(func() { // ends once held is closed
			defer a.Turn(budget.Large)()
			now := working.Add(1)
			for before := most.Load(); now > before && !most.CompareAndSwap(before, now); before = most.Load() {
			}
			<-held
			working.Add(-1)
		})
	}
	for working.Load() < 2 {
		runtime.Gosched()
	}
	a.Turn(budget.Large - 1)()
	close(held)
	all.Wait()
	if n := most.Load(); n != 2 {
		t.Errorf("%d work at once", n)
	}
}

// An account that counts nothing has no turns to wait for.
func TestTurnsOfNobody(t *testing.T) {
	var nobody *budget.Account
	for range 8 {
		nobody.Turn(budget.Large)
		new(budget.Account).Turn(budget.Large)
	}
}
