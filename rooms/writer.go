package rooms

import (
	"context"
	"fmt"
	"sync"
	"time"
)

// A writer puts values into tables in the background, and tries again until that succeeds or the hub is closed. Of several
// values for one key it may leave out all but the last.
type writer struct {
	hub *core

	mu      sync.Mutex // guards what follows
	values  map[place][]byte
	queue   []place        // keys of values, but those that are being written
	writing map[place]bool // being written
	workers int
	failing bool          // the last write failed
	idle    chan struct{} // closed when nothing is left to write; nil while nobody waits
}

// place is a key of a table.
type place struct{ table, key string }

const (
	mostWriters = 8
	writeTime   = 10 * time.Second // that one Put may take
)

// put has value put. It does not wait.
func (w *writer) put(table, key string, value []byte) {
	w.mu.Lock()
	defer w.mu.Unlock()
	at := place{table, key}
	_, queued := w.values[at]
	w.values[at] = value
	if queued || w.writing[at] {
		return
	}
	w.queueLocked(at)
}

func (w *writer) queueLocked(at place) {
	w.queue = append(w.queue, at)
	if w.workers < mostWriters {
		w.workers++
		w.hub.do(w.work) // ends when nothing is queued, or with the hub
	}
}

// drain waits until everything is written, as long as that succeeds, and at most for writeTime.
func (w *writer) drain() {
	w.mu.Lock()
	if len(w.queue) == 0 && len(w.writing) == 0 || w.failing {
		w.mu.Unlock()
		return
	}
	w.idle = make(chan struct{})
	idle := w.idle
	w.mu.Unlock()
	limit := time.NewTimer(writeTime)
	defer limit.Stop()
	select {
	case <-idle:
	case <-limit.C:
	}
}

func (w *writer) work() {
	for {
		at, value, ok := w.next()
		if !ok {
			return
		}
		ctx, cancel := context.WithTimeout(w.hub.ctx, writeTime)
		err := w.hub.backplane.Put(ctx, at.table, at.key, value)
		cancel()
		w.wrote(at, value, err)
		if err == nil || w.hub.ctx.Err() != nil {
			continue
		}
		w.hub.report(fmt.Errorf("rooms: table %q: %w", at.table, err))
		select {
		case <-time.After(w.hub.ping / 10): // as the Backplane cannot be reached
		case <-w.hub.ctx.Done():
		}
	}
}

// next returns what its caller is to write next.
func (w *writer) next() (at place, value []byte, ok bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.queue) == 0 || w.hub.ctx.Err() != nil {
		w.workers--
		return at, nil, false
	}
	at, w.queue = w.queue[0], w.queue[1:]
	value = w.values[at]
	delete(w.values, at)
	w.writing[at] = true
	return at, value, true
}

// wrote notes that a value was written, or that it was not, for the reason err.
func (w *writer) wrote(at place, value []byte, err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	delete(w.writing, at)
	w.failing = err != nil
	_, newer := w.values[at]
	if !newer && err != nil {
		w.values[at] = value
	}
	if newer || err != nil {
		w.queueLocked(at)
	}
	if w.idle != nil && (w.failing || len(w.queue) == 0 && len(w.writing) == 0) {
		close(w.idle)
		w.idle = nil
	}
}
