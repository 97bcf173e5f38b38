package kkrpc

// gate decides which tasks run: at most limit at a time, further ones in order of arrival. A task that waits for the
// peer steps out, which lets another one in. When it comes back it goes before those that have not started. The zero
// limit lets nothing in. Everything is guarded by Channel.mu.
type gate struct {
	limit   int
	running int
	away    int // tasks that have stepped out
	maxAway int // further ones keep their place while they wait, so that a peer cannot start any number of tasks
	queued  int // bytes that the queue stands for
	queue   []task
	back    []chan struct{} // tasks that wait to step in again
	moved   chan struct{}   // closed when a task has left or the queue is dropped; nil while nobody waits for that
	next    *gate           // of the same channel
}

// task is a unit of work that a gate starts.
type task interface {
	run() (next task) // may block; retires the task and returns the one that took its place, or nil
	size() int        // bytes it holds while it waits
	dropLocked()      // it will never run, as the channel has closed
}

// enterLocked lets a task in or queues it, and reports whether it is in.
func (g *gate) enterLocked(t task) bool {
	if g.running < g.limit && len(g.queue) == 0 {
		g.running++
		return true
	}
	g.queue = append(g.queue, t)
	g.queued += t.size()
	return false
}

// leaveLocked retires one running task. It returns the task that takes its place, which the caller runs, or nil.
func (g *gate) leaveLocked() task {
	g.running--
	g.tellMovedLocked()
	if g.running >= g.limit {
		return nil
	}
	if len(g.back) > 0 {
		g.running++
		close(g.back[0])
		g.back = g.back[1:]
		return nil
	}
	if len(g.queue) == 0 {
		return nil
	}
	t := g.queue[0]
	g.queue[0] = nil
	if g.queue = g.queue[1:]; len(g.queue) == 0 {
		g.queue = nil
	}
	g.queued -= t.size()
	g.running++
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

// runTasks runs t and then whatever took its place, on one goroutine.
func runTasks(t task) {
	for t != nil {
		t = t.run()
	}
}
