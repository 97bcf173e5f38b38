//go:build !js

package ws

import "time"

// turnTime is for how long a connection may read without a wait before other connections get a turn. 15 busy ones then
// delay the next by no more than 2 ms, unless other goroutines of the program are busy too.
const turnTime = 100 * time.Microsecond

// freeReads is how many reads in a row may find data before the clock is looked at. So many bytes as a small buffer holds
// count as a read.
const freeReads = 2

// epoch is the start from which turns count. time.Since costs half as much as time.Now.
var epoch = time.Now()

// turn is how long a connection has been reading without a wait.
type turn struct {
	reads int           // in a row that found data
	bytes int           // of frames since the last one
	since time.Duration // of the last one of freeReads, since epoch
}

// waited is called when a read had to wait. Others had a turn.
func (t *turn) waited() { t.reads = 0 }

// next is called before a read that may find data. Where many connections always have data, nobody would ask the kernel
// which of the others have some: Go does that when nothing else is left to do, or after 10 ms.
func (t *turn) next() {
	t.reads++
	t.bytes = 0
	switch {
	case t.reads < freeReads:
	case t.reads == freeReads:
		t.since = time.Since(epoch)
	case time.Since(epoch)-t.since >= turnTime:
		t.reads = 0
		yield()
	}
}

// frame is called for each frame of n bytes.
func (t *turn) frame(n int) {
	if t.bytes += n; t.bytes >= smallBuffer {
		t.next()
	}
}

// Yield lets other connections run for which there is data.
func (c *conn) Yield() { yield() }

// longRead is how long a read that finds data takes at most, where nothing else tells whether it had to wait.
const longRead = 50 * time.Microsecond

// timed is waited for a read that began at since.
func (t *turn) timed(since time.Duration) {
	if time.Since(epoch)-since > longRead {
		t.waited()
	}
}
