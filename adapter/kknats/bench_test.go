package kknats_test

import (
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/kkrpc-go/kkrpc/adapter/kknats"
	"github.com/kkrpc-go/kkrpc/adapter/kknats/embedded"
	"github.com/kkrpc-go/kkrpc/rooms"
)

// BenchmarkAppend appends messages of 200 bytes to 100 logs, from one goroutine and from 64. All nodes follow all logs.
func BenchmarkAppend(b *testing.B) {
	for _, servers := range []int{1, 3} {
		for _, unsynced := range []bool{false, true} {
			running := benchCluster(b, servers, unsynced)
			backplanes := nodes(b, running, servers, kknats.Options{})
			var got atomic.Int64
			for _, node := range backplanes {
				for log := range 100 {
					stop, err := node.Follow(within(b), fmt.Sprint("log", log), 0, rooms.Follower{Entry: func(rooms.Entry) { got.Add(1) }, Lost: func(err error) { b.Error(err) }})
					if err != nil {
						b.Fatal(err)
					}
					b.Cleanup(stop)
				}
			}
			for _, senders := range []int{1, 64} {
				name := fmt.Sprintf("servers=%d/synced=%v/senders=%d", servers, !unsynced, senders)
				b.Run(name, func(b *testing.B) { benchAppend(b, backplanes, senders) })
			}
		}
	}
}

func benchCluster(b *testing.B, n int, unsynced bool) []*embedded.Server {
	addrs := freeAddrs(b, n)
	var servers []*embedded.Server
	for i := range n {
		opts := &embedded.Options{Store: b.TempDir(), Unsynced: unsynced}
		if n > 1 {
			opts.Listen, opts.Nodes = addrs[i], addrs
		}
		servers = append(servers, start(b, opts))
	}
	return servers
}

func benchAppend(b *testing.B, backplanes []rooms.Backplane, senders int) {
	data := make([]byte, 200)
	var (
		sent  atomic.Int64
		mu    sync.Mutex
		times []time.Duration
		all   sync.WaitGroup
	)
	work := make(chan struct{})
	for s := range senders {
		all.Go(func() {
			var own []time.Duration
			for range work {
				began := time.Now()
				if _, err := backplanes[s%len(backplanes)].Append(b.Context(), fmt.Sprint("log", sent.Add(1)%100), "", data); err != nil {
					b.Error(err)
				}
				own = append(own, time.Since(began))
			}
			mu.Lock()
			defer mu.Unlock()
			times = append(times, own...)
		})
	}
	b.ReportAllocs()
	for b.Loop() {
		work <- struct{}{}
	}
	close(work)
	all.Wait()
	slices.Sort(times)
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "messages/s")
	b.ReportMetric(float64(times[len(times)/2].Microseconds()), "p50-µs")
	b.ReportMetric(float64(times[len(times)*99/100].Microseconds()), "p99-µs")
}

// BenchmarkFollow opens logs, which stay open: what Bounds and Follow take for a room with 10 messages.
func BenchmarkFollow(b *testing.B) {
	for _, servers := range []int{1, 3} {
		b.Run(fmt.Sprintf("servers=%d", servers), func(b *testing.B) {
			node := nodes(b, benchCluster(b, servers, true), 1, kknats.Options{})[0]
			const logs = 100
			for n := range 10 * logs {
				if _, err := node.Append(within(b), fmt.Sprint("log", n%logs), "", make([]byte, 200)); err != nil {
					b.Fatal(err)
				}
			}
			var stops []func()
			b.ReportAllocs()
			for b.Loop() {
				log := fmt.Sprint("log", len(stops)%logs)
				if _, err := node.Bounds(b.Context(), log); err != nil {
					b.Fatal(err)
				}
				stop, err := node.Follow(b.Context(), log, 0, rooms.Follower{Entry: func(rooms.Entry) {}, Lost: func(err error) { b.Error(err) }})
				if err != nil {
					b.Fatal(err)
				}
				stops = append(stops, stop)
			}
			for _, stop := range stops {
				stop()
			}
		})
	}
}
