//go:build linux && !race && !msan && !386 && !s390x

package ws

import (
	"testing"
	"testing/synctest"
	"time"
)

// Calls are told until a timer watches over those that are not, and again when it has found none for its time.
func TestMonitorTimer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var m monitorTimer
		calls := func(n int, want bool) {
			t.Helper()
			for i := range n {
				if m.covers() != want {
					t.Fatalf("after %v call %d is raw: %v", time.Since(time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)), i, !want)
				}
			}
		}
		pass := func(d time.Duration) {
			time.Sleep(d)
			synctest.Wait()
		}
		calls(ordinaryCalls, false)
		calls(3, true)
		pass(rawTime) // the timer has found calls and begins again
		calls(1, true)
		pass(rawTime)
		pass(rawTime)
		calls(ordinaryCalls, false)
		calls(1, true)
		pass(3 * rawTime)
	})
}
