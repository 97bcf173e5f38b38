package kknats_test

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"
)

var (
	chaosTime = flag.Duration("chaos", 2*time.Minute, "how long TestKilledNodes kills nodes; a short test does for 10 s")
	chaosSeed = flag.Uint64("seed", uint64(time.Now().UnixNano()), "of the random times of TestKilledNodes")
)

var chaosLogs = []string{"kitchen", "a.b *>", "hall"}

// TestKilledNodes kills nodes at random times while all of them write and follow.
func TestKilledNodes(t *testing.T) {
	t.Parallel()
	duration := *chaosTime
	if testing.Short() {
		duration = 10 * time.Second
	}
	random := rand.New(rand.NewPCG(*chaosSeed, 0))
	t.Logf("-seed %d", *chaosSeed)
	w, lives := population(t, 3, chaosLogs, func(int, *nodeConfig) {})
	kills := 0
	wait := func(most time.Duration) { <-time.After(time.Duration(random.Int64N(int64(most)))) }
	for began := time.Now(); time.Since(began) < duration; kills++ {
		wait(6 * time.Second)
		l := lives[random.IntN(len(lives))]
		w.mu.Lock()
		ready := w.ready[l.index]
		w.mu.Unlock()
		if random.IntN(4) == 0 {
			l.end()
		} else {
			l.kill()
		}
		wait(8 * time.Second)
		l.begin()
		w.until(fmt.Sprintf("node %d to be back", l.index), func() bool { return w.ready[l.index] > ready })
	}
	w.settle(lives, chaosLogs)
	w.until("the table", func() bool {
		for _, table := range w.tables {
			for _, l := range lives {
				if !contains(table, fmt.Sprintf("%d.%d", l.index, l.lives)) {
					return false
				}
			}
			if len(table) != len(lives) {
				return false
			}
		}
		return true
	})
	t.Logf("%d nodes were ended", kills)
}

func contains(table map[string]string, value string) bool {
	for _, v := range table {
		if v == value {
			return true
		}
	}
	return false
}

// TestRestartOfAll kills all nodes at once and starts them on their stores.
func TestRestartOfAll(t *testing.T) {
	t.Parallel()
	w, lives := population(t, 3, chaosLogs, func(int, *nodeConfig) {})
	some := func(n int) {
		t.Helper()
		w.until("messages", func() bool { return len(w.acked[chaosLogs[0]]) >= n })
	}
	some(50)
	for _, l := range lives {
		l.kill()
	}
	w.mu.Lock()
	acked := len(w.acked[chaosLogs[0]])
	w.mu.Unlock()
	for _, l := range lives {
		l.begin()
	}
	some(acked + 50)
	w.settle(lives, chaosLogs)
}

// TestRejoin has a node miss many messages.
func TestRejoin(t *testing.T) {
	t.Parallel()
	missed := 2000
	if testing.Short() {
		missed = 300
	}
	w, lives := population(t, 3, chaosLogs, func(i int, c *nodeConfig) { c.Every = 4 * time.Millisecond })
	w.until("messages", func() bool { return len(w.acked[chaosLogs[0]]) >= 50 })
	lives[1].kill()
	w.mu.Lock()
	acked := len(w.acked[chaosLogs[0]])
	w.mu.Unlock()
	w.until("many messages", func() bool { return len(w.acked[chaosLogs[0]]) >= acked+missed })
	lives[1].begin()
	w.until("the node to be back", func() bool { return w.ready[1] == 2 })
	w.settle(lives, chaosLogs)
}
