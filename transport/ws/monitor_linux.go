//go:build linux && !race && !msan && !386 && !s390x

package ws

import (
	"sync/atomic"
	"time"
)

// A raw system call is cheaper than one of package syscall, since the scheduler does not learn of it. The scheduler has a
// monitor that takes the processor from goroutines that compute for too long. The monitor sleeps while the whole process
// waits. It wakes at the next timer, or when the scheduler learns of a system call. Raw calls alone would leave it asleep.
// On one processor, a function that computes would then hold up everything else, timers and the watchdog of channels too.
//
// So raw calls are made only while a timer is set here, which wakes the monitor in time. A process that has been quiet
// begins with ordinary calls. Its timer is set once there are more than a few of them.

const (
	// rawTime is for how long raw calls may be made: as long as the scheduler itself lets a goroutine run.
	rawTime = 10 * time.Millisecond
	// ordinaryCalls is how many calls come before the timer is set. A timer for each call of a quiet process would cost
	// more than it saves.
	ordinaryCalls = 16
)

var monitor monitorTimer

// monitorTimer decides which calls are raw.
type monitorTimer struct {
	set      atomic.Bool   // the timer is set
	used     atomic.Bool   // there was a raw call since
	ordinary atomic.Uint32 // calls since the process began
}

// covers reports whether the call that follows may be raw.
func (m *monitorTimer) covers() bool {
	if m.set.Load() {
		if !m.used.Load() {
			m.used.Store(true)
		}
		return true
	}
	if m.ordinary.Add(1)%ordinaryCalls == 0 && m.set.CompareAndSwap(false, true) {
		time.AfterFunc(rawTime, m.expire) // before the call that wakes the monitor, which then heeds it
	}
	return false
}

// expire lets the timer end if no call has used it. A call that begins meanwhile does no harm. The timer has woken the
// monitor, which does not sleep again while the goroutine of that call runs.
func (m *monitorTimer) expire() {
	if m.used.Swap(false) {
		time.AfterFunc(rawTime, m.expire)
		return
	}
	m.set.Store(false)
}
