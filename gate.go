package kkrpc

import "time"

// gate decides which tasks run: at most limit at a time, further ones in order of arrival. A task that waits for the
// peer steps out, which lets another one in. When it comes back it goes before those that have not started. The zero
// limit lets nothing in. Everything is guarded by Channel.mu.
//
// Tasks begin in order of arrival, although several goroutines begin them. A goroutine takes a task from the queue only
// when it can run it at once. No later task begins until that one has returned, has stepped out, or has had a while
// (slowInterval) to reach its function. The leader of a channel treats requests that need not wait in the same way.
type gate struct {
	limit   int
	running int
	away    int // tasks that have stepped out
	maxAway int // further ones keep their place while they wait, so that a peer cannot start any number of tasks
	stalled int // running tasks whose results wait for room; until they have it, no task begins
	queued  int // bytes that the queue stands for
	queue   []task
	fresh   any             // holder of a task that left the queue and may not have reached its function yet; nil: none
	settles bool            // a timer will clear fresh
	back    []chan struct{} // tasks that wait to step in again
	moved   chan struct{}   // closed when a task has left or the queue is dropped; nil while nobody waits for that
	next    *gate           // of the same channel
}

// slowInterval is after what time the next task may begin although this one has not returned. With slow tasks alone, each
// start costs this long. A shorter one would risk that the next task begins before this one. It also replaces
// watchInterval for a method that was slow lately.
const slowInterval = 100 * time.Microsecond

// task is a unit of work that a gate starts.
type task interface {
	beginLocked() (holder any) // directly before run; holder is what leaves the gate for it
	run() (next task)          // may block; retires the task and returns one that has begun, or nil
	size() int                 // bytes it holds while it waits
	dropLocked()               // it will never run, as the channel has closed
}

// enterLocked lets a task in or queues it, and reports whether it is in.
func (g *gate) enterLocked(t task) bool {
	if g.running < g.limit && len(g.queue) == 0 && g.fresh == nil && g.stalled == 0 {
		g.running++
		return true
	}
	g.queue = append(g.queue, t)
	g.queued += t.size()
	return false
}

// leaveLocked gives up the place of a task. If ready is true, its caller sees to it that takeLocked is called.
func (g *gate) leaveLocked(holder any) (ready bool) {
	g.running--
	if g.fresh == holder {
		g.fresh = nil
	}
	g.tellMovedLocked()
	if g.running >= g.limit {
		return false
	}
	if len(g.back) > 0 {
		g.running++
		close(g.back[0])
		g.back = g.back[1:]
		return false
	}
	return len(g.queue) > 0 && g.fresh == nil && g.stalled == 0
}

// heldUpLocked reports whether the queue waits for nothing but fresh.
func (g *gate) heldUpLocked() bool { return g.fresh != nil && g.running < g.limit && len(g.queue) > 0 }

// takeLocked takes the next task from the queue and begins it. Its caller runs it at once. It is nil if none may begin.
func (g *gate) takeLocked() task {
	if g.running >= g.limit || len(g.queue) == 0 || g.fresh != nil || g.stalled > 0 {
		return nil
	}
	t := g.queue[0]
	g.queue[0] = nil
	if g.queue = g.queue[1:]; len(g.queue) == 0 {
		g.queue = nil
	}
	g.queued -= t.size()
	g.running++
	g.fresh = t.beginLocked()
	return t
}

// movedLocked returns a channel that is closed when a task leaves, also one that steps out. The queue may be shorter then.
func (g *gate) movedLocked() <-chan struct{} {
	if g.moved == nil {
		g.moved = make(chan struct{})
	}
	return g.moved
}

func (g *gate) tellMovedLocked() {
	if g.moved != nil {
		close(g.moved)
		g.moved = nil
	}
}

// returnLocked is for a task that stepped out. It returns nil if the task is in again, else a channel to wait for.
func (g *gate) returnLocked() <-chan struct{} {
	if g.running < g.limit {
		g.running++
		return nil
	}
	c := make(chan struct{})
	g.back = append(g.back, c)
	return c
}

// clearLocked drops the tasks that wait to start. Those that run or come back are not touched.
func (g *gate) clearLocked() {
	for _, t := range g.queue {
		t.dropLocked()
	}
	g.queue, g.queued = nil, 0
	g.tellMovedLocked()
}

// runTasks runs t and then what takes its place, on one goroutine.
func runTasks(t task) {
	for t != nil {
		t = t.run()
	}
}
