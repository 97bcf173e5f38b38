//go:build linux && !race && !msan && !386 && !s390x

package ws

import (
	"sync/atomic"
	"time"
)

// While all of a process waits, the scheduler's monitor sleeps: until the next timer that was set by then, or until it is
// told of a system call. It is what takes the processor from a goroutine that does not let go of it. If no read told it, a
// function that computes would keep all others waiting where there is one processor, timers and the watchdog of
// channels included, for as long as it likes.
//
// So calls go untold only while a timer is set here, which wakes the monitor in time. What awakes after a quiet moment
// begins with told calls, as long as it is not known to be more than a call now and then.

const (
	// untoldTime is for how long calls may be made untold: as long as the scheduler itself lets a goroutine run.
	untoldTime = 10 * time.Millisecond
	// toldCalls is how many are told before: a timer for each call of a quiet process would cost more than telling.
	toldCalls = 16
)

var monitor monitorTimer

// monitorTimer decides which calls are made without telling the scheduler.
type monitorTimer struct {
	set  atomic.Bool   // the timer is
	used atomic.Bool   // a call went untold since
	told atomic.Uint32 // calls, since the process began
}

// covers reports whether the call that follows may go untold.
func (m *monitorTimer) covers() bool {
	if m.set.Load() {
		if !m.used.Load() {
			m.used.Store(true)
		}
		return true
	}
	if m.told.Add(1)%toldCalls == 0 && m.set.CompareAndSwap(false, true) {
		time.AfterFunc(untoldTime, m.expire) // before the call that wakes the monitor, which then heeds it
	}
	return false
}

// expire lets the timer end when no call has used it. A call that is just about to is no harm, since the timer has woken
// the monitor, and it does not sleep again while that call's goroutine runs.
func (m *monitorTimer) expire() {
	if m.used.Swap(false) {
		time.AfterFunc(untoldTime, m.expire)
		return
	}
	m.set.Store(false)
}
