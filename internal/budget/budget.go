// Package budget bounds the memory that the peers of a server make it hold, over all of its connections.
//
// Each connection has an Account, to which the parts of the connection add what they hold. A Budget sums up the accounts
// of a server. When the sum is over its limit, the worst accounts are evicted: those with the most bytes × age.
//
// # Cost
//
// Connections share no memory while they are small. A Budget learns of an Account in steps of 16 KiB, and an Account of
// its parts in steps of 4 KiB. So a connection may hold 16 KiB and a few steps of 4 KiB that are not counted.
//
// # Concurrency
//
// All methods may be called from any goroutine, also with locks held: a Budget calls owners on goroutines of their own.
// A Meter is guarded by the lock of its holder.
package budget

import (
	"cmp"
	"errors"
	"math"
	"runtime/debug"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

const (
	// step is by how many bytes an Account moves before its Budget learns of it.
	step = 16 << 10
	// meterStep is by how many bytes a Meter moves before its Account learns of it.
	meterStep = 4 << 10
	// slack is the part of the limit that evictions free, so that not every further byte has to look at all accounts.
	slack = 16
	// oldest is from what age on accounts are equally old. Otherwise a small one would be the worst after some hours.
	oldest = time.Minute
	// youngest is the age of an account that has just begun to hold something.
	youngest = 100 * time.Millisecond
	// few is the part of the limit below which an account is evicted last, however old it is: it frees little.
	few = 1024

	fallback = 1 << 30
)

// Limit is the limit in bytes that an option stands for: 0 means a quarter of the memory limit of the process
// (GOMEMLIMIT), or 1 GiB if there is none. A negative option means no limit.
func Limit(option int64) int64 {
	switch {
	case option > 0:
		return option
	case option < 0:
		return math.MaxInt64
	}
	if all := debug.SetMemoryLimit(-1); all < math.MaxInt64 {
		return max(all/4, 1)
	}
	return fallback
}

// ErrEvicted is a part of the error of a connection that Owner.Evict has closed.
var ErrEvicted = errors.New("evicted")

// Budget is what the connections of a server may hold together. The zero Budget needs Init.
type Budget struct {
	limit int64

	mu      sync.Mutex // a leaf; guards what follows
	used    int64
	heavy   []*Account // that hold something worth counting, in no order
	evicted uint64
}

// Init sets the limit in bytes. It is called once, before all other methods.
func (b *Budget) Init(limit int64) { b.limit = limit }

// Usage is the state of a Budget.
type Usage struct {
	Used, Limit int64
	Evicted     uint64 // accounts so far
}

// Usage returns the state of b.
func (b *Budget) Usage() Usage {
	b.mu.Lock()
	defer b.mu.Unlock()
	return Usage{b.used, b.limit, b.evicted}
}

// Owner is the connection to which an Account belongs.
type Owner interface {
	// Evict is to close the connection, which holds held bytes. It is called once at most, on a goroutine of its own.
	Evict(held, limit int64)
}

// Account is what one connection holds. A nil or zero Account counts nothing.
type Account struct {
	budget *Budget // immutable
	owner  Owner   // immutable
	held   atomic.Int64
	told   atomic.Int64 // of held, what the budget has counted; changed with budget.mu

	// Guarded by budget.mu.
	since  time.Time // told has been more than 0
	place  int       // in budget.heavy, while told is more than 0
	closed bool
}

// Open begins to count for b. It is called once, before all other methods.
func (a *Account) Open(b *Budget, owner Owner) { a.budget, a.owner = b, owner }

// Add counts n more bytes, or less if n is negative.
func (a *Account) Add(n int) {
	if a == nil || a.budget == nil || n == 0 {
		return
	}
	held, told := a.held.Add(int64(n)), a.told.Load()
	if held-told >= step || told > 0 && (told-held >= step || held < step/2) {
		a.budget.settle(a)
	}
}

// Close ends the counting: the connection is closed, and its buffers are garbage or will be soon. See Linger for the rest.
func (a *Account) Close() {
	if a.budget == nil {
		return
	}
	a.budget.mu.Lock()
	defer a.budget.mu.Unlock()
	a.budget.removeLocked(a)
}

// Linger counts n more bytes, or less if n is negative, that functions hold whose connections are closed. Nobody can be
// evicted for them.
func (b *Budget) Linger(n int) {
	if n == 0 {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.used += int64(n); b.used > b.limit {
		b.evictLocked(time.Now())
	}
}

// settle learns what a holds now.
func (b *Budget) settle(a *Account) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if a.closed {
		return
	}
	held := a.held.Load()
	if held < step/2 {
		held = 0
	}
	b.tellLocked(a, held)
	if b.used > b.limit {
		b.evictLocked(time.Now())
	}
}

// tellLocked makes held what b counts for a.
func (b *Budget) tellLocked(a *Account, held int64) {
	told := a.told.Load()
	switch {
	case told == 0 && held > 0:
		a.since, a.place = time.Now(), len(b.heavy)
		b.heavy = append(b.heavy, a)
	case told > 0 && held == 0:
		last := b.heavy[len(b.heavy)-1]
		b.heavy[a.place], last.place = last, a.place
		b.heavy[len(b.heavy)-1] = nil
		b.heavy = b.heavy[:len(b.heavy)-1]
	}
	b.used += held - told
	a.told.Store(held)
}

func (b *Budget) removeLocked(a *Account) {
	b.tellLocked(a, 0)
	a.closed = true
}

// evictLocked evicts accounts, the worst first, until there is room again.
func (b *Budget) evictLocked(now time.Time) {
	badness := func(a *Account) float64 {
		age := min(max(now.Sub(a.since), youngest), oldest)
		return float64(a.told.Load()) * age.Seconds()
	}
	large := func(a *Account) int {
		if a.told.Load() >= b.limit/few {
			return 1
		}
		return 0
	}
	worst := slices.SortedFunc(slices.Values(b.heavy), func(x, y *Account) int {
		return cmp.Or(cmp.Compare(large(y), large(x)), cmp.Compare(badness(y), badness(x)))
	})
	for _, a := range worst {
		if b.used <= b.limit-b.limit/slack {
			return
		}
		held := a.told.Load()
		b.removeLocked(a)
		b.evicted++
		go a.owner.Evict(held, b.limit) // ends as the owner does
	}
}

// Meter tells an Account what one part of a connection holds. The zero Meter holds nothing.
type Meter struct{ told int }

// Set makes held what the part holds now, in bytes.
func (m *Meter) Set(a *Account, held int) {
	if d := held - m.told; d >= meterStep || d <= -meterStep || held == 0 && d != 0 {
		m.told = held
		a.Add(d)
	}
}
