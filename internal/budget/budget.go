// Package budget bounds the memory that the peers of a server make it hold, over all of its connections.
//
// Each connection has an Account, to which the parts of the connection add what they hold. A Budget sums up the accounts
// of a server. When the sum is over its limit, the worst accounts are evicted: those with the most bytes × age.
//
// A connection that is evicted, or closed for another reason, holds its memory until its goroutines have noticed. Its account
// goes on counting, apart from the others. While such memory is more than a sixteenth of the limit, the others have less: at
// most an eighth less, since evicting more of them would not make it go faster.
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
	// yields is the part of the limit that connections yield at most to those that are closing.
	yields = 8
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
	turns turns

	mu      sync.Mutex // a leaf; guards what follows
	used    int64
	leaving int64      // bytes of accounts that are closed, not in used
	heavy   []*Account // that hold something worth counting, in no order
	evicted uint64
}

// Init sets the limit in bytes. It is called once, before all other methods.
func (b *Budget) Init(limit int64) {
	b.limit = limit
	b.turns.init()
}

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
	told   atomic.Int64 // of held, what the budget has counted in used or leaving; changed with budget.mu

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

// Close notes that the connection is closed. It is no longer evicted, and its parts are to count until they hold nothing. See
// Linger for functions that go on.
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
	b.used += int64(n)
	b.boundLocked()
}

// boundLocked evicts accounts if there is too much in use.
func (b *Budget) boundLocked() {
	limit := b.limit - min(max(b.leaving-b.limit/slack, 0), b.limit/yields)
	if b.used > limit {
		b.evictLocked(time.Now(), limit)
	}
}

// settle learns what a holds now.
func (b *Budget) settle(a *Account) {
	b.mu.Lock()
	defer b.mu.Unlock()
	held := a.held.Load()
	if held < step/2 {
		held = 0
	}
	if a.closed {
		b.leaving += held - a.told.Swap(held)
	} else {
		b.tellLocked(a, held)
	}
	b.boundLocked()
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
	if a.closed {
		return
	}
	told := a.told.Load()
	b.tellLocked(a, 0)
	b.leaving += told
	a.told.Store(told)
	a.closed = true
}

// evictLocked evicts accounts, the worst first, until there is room below limit again.
func (b *Budget) evictLocked(now time.Time, limit int64) {
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
		if b.used <= limit-b.limit/slack {
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
