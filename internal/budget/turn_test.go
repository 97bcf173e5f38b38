package budget_test

import (
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

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

// There is no wait while a turn is free, and none without an end: the holder may wait for something.
func TestWaitForATurn(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(4))
	synctest.Test(t, func(t *testing.T) {
		a := newServer(mib).open("a")
		held := a.Turn(budget.Large)
		took := func() time.Duration {
			began := time.Now()
			a.Turn(budget.Large)()
			return time.Since(began)
		}
		for range 3 {
			if d := took(); d != 0 {
				t.Errorf("waited %v although a turn is free", d)
			}
		}
		other := a.Turn(budget.Large)
		if d := took(); d <= 0 || d > time.Second {
			t.Errorf("waited %v for turns that are not given back", d)
		}
		other()
		if d := took(); d != 0 {
			t.Errorf("waited %v for the turn that was given back", d)
		}
		held()
	})
}

// An account that counts nothing has no turns to wait for.
func TestTurnsOfNobody(t *testing.T) {
	var nobody *budget.Account
	for range 8 {
		nobody.Turn(budget.Large)
		new(budget.Account).Turn(budget.Large)
	}
}
