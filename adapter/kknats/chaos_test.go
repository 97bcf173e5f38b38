package kknats_test

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"
)

var (
	chaosTime = flag.Duration("chaos", 2*time.Minute, "how long TestKilledNodes kills nodes")
	chaosSeed = flag.Uint64("seed", uint64(time.Now().UnixNano()), "of what TestKilledNodes and TestPartition do at random")
)

var chaosLogs = []string{"kitchen", "a.b *>", "hall"}

// long skips a test whose time is mostly that of real clusters.
func long(t *testing.T) {
	t.Helper()
	if testing.Short() {
		t.Skip("takes long with real clusters: not under -short")
	}
}

// TestKilledNodes kills nodes at random times while all of them write and follow.
func TestKilledNodes(t *testing.T) {
	t.Parallel()
	long(t)
	duration := *chaosTime
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
	long(t)
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
	long(t)
	missed := 2000
	w, lives := population(t, 3, chaosLogs, func(i int, c *nodeConfig) { c.Every = 4 * time.Millisecond })
	w.until("messages", func() bool { return len(w.acked[chaosLogs[0]]) >= 50 })
	lives[1].kill()
	w.mu.Lock()
	acked := len(w.acked[chaosLogs[0]])
	w.mu.Unlock()
	w.until("many messages", func() bool { return len(w.acked[chaosLogs[0]]) >= acked+missed })
	lives[1].begin()
	w.until("the node to be back", func() bool { return w.ready[1] == 2 })
	w.ask(lives, "heal", w.healthy)
	w.settle(lives, chaosLogs)
}

// TestPartition cuts a node off from the others, again and again, without closing a connection. Nodes reach each other
// through proxies only.
func TestPartition(t *testing.T) {
	t.Parallel()
	long(t)
	rounds := 3
	const n = 3
	addrs := freeAddrs(t, n)
	var proxies [n][n]*proxy // from one to another
	w, lives := population(t, n, chaosLogs, func(i int, c *nodeConfig) {
		c.Server.Listen = addrs[i]
		c.Server.Nodes = nil
		for j := range n {
			if j != i {
				proxies[i][j] = newProxy(t, addrs[j])
				c.Server.Nodes = append(c.Server.Nodes, proxies[i][j].addr)
			}
		}
		c.Server.Advertise = "127.0.0.1:1" // where nobody listens, so that nobody passes by the proxies
	})
	both := func(cutOff int, do func(*proxy)) {
		for other := range n {
			if other != cutOff {
				do(proxies[cutOff][other])
				do(proxies[other][cutOff])
			}
		}
	}
	acked := func(node int) int { // with the lock
		count := 0
		for text := range w.acked[chaosLogs[0]] {
			if text[0] == '0'+byte(node) {
				count++
			}
		}
		return count
	}
	// One node for all rounds: if another were cut off while the first has not caught up, there would be no majority.
	cutOff := rand.New(rand.NewPCG(*chaosSeed, 1)).IntN(n)
	t.Logf("-seed %d", *chaosSeed)
	for round := range rounds {
		w.until("all to write", func() bool { return acked(0) > 20*(round+1) && acked(1) > 20*(round+1) && acked(2) > 20*(round+1) })
		w.mu.Lock()
		failures := w.failures
		w.mu.Unlock()
		both(cutOff, (*proxy).cut)
		w.until("the node that is cut off to notice", func() bool { return w.failures >= failures+2*len(chaosLogs) })
		w.mu.Lock()
		lonely, others := acked(cutOff), acked((cutOff+1)%n)
		w.mu.Unlock()
		w.until("the others to go on", func() bool { return acked((cutOff+1)%n) > others+50 })
		w.mu.Lock()
		if got := acked(cutOff); got != lonely {
			t.Errorf("%d messages were acknowledged to a node that was cut off", got-lonely)
		}
		w.mu.Unlock()
		healed := time.Now()
		both(cutOff, (*proxy).heal)
		w.until("the node to go on", func() bool { return acked(cutOff) > lonely })
		t.Logf("node %d goes on %v after the network", cutOff, time.Since(healed).Round(time.Millisecond))
	}
	w.settle(lives, chaosLogs)
}
