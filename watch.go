package kkrpc

import (
	"sync"
	"time"
)

// watchdog looks after the channels of one API whose leader may be in a handler: it takes reading from a leader that is
// in the same handler at two ticks in a row. A channel enlists itself when it starts to run handlers and is dropped
// at the first tick that finds it idle, so a quiet process has no timer and a busy channel pays one atomic load.
//
// It belongs to the API and not to the process so that channels made under testing/synctest are watched in its time.
type watchdog struct {
	mu      sync.Mutex
	watched []watchedChannel
	armed   bool
}

type watchedChannel struct {
	ch   *Channel
	seen uint64 // role at the last tick
}

// add enlists ch unless it is. Storing role comes before asking watched, and in watchTick the other way round, so one of
// the two sees the other.
func (w *watchdog) add(ch *Channel) {
	if !ch.watched.CompareAndSwap(false, true) {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.watched = append(w.watched, watchedChannel{ch, 0})
	if !w.armed {
		w.armed = true
		time.AfterFunc(watchInterval, w.tick)
	}
}

func (w *watchdog) tick() {
	w.mu.Lock()
	current := w.watched
	w.watched = nil
	w.mu.Unlock()

	keep := current[:0]
	for _, e := range current {
		seen, again := e.ch.watchTick(e.seen)
		if again {
			keep = append(keep, watchedChannel{e.ch, seen})
		}
	}
	clear(current[len(keep):])

	w.mu.Lock()
	defer w.mu.Unlock()
	w.watched = append(keep, w.watched...)
	w.armed = len(w.watched) > 0
	if w.armed {
		time.AfterFunc(watchInterval, w.tick)
	}
}
