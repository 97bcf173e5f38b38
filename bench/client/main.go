// Command client calls math.add of a kkrpc server with this project's client, in a closed loop, and checks the results:
//
//	go run ./bench/client -addr 127.0.0.1:3000 -inflight 64
//
// It prints {"event":"begin"} when it starts to measure, {"event":"end","calls":N} and {"event":"times"} with durations
// in ns.
package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/kkrpc-go/kkrpc"
	"github.com/kkrpc-go/kkrpc/transport/ws"
)

func main() {
	addr := flag.String("addr", "127.0.0.1:3000", "`HOST:PORT` of the server")
	inFlight := flag.Int("inflight", 64, "calls in flight")
	window := flag.Duration("time", 2*time.Second, "how long to measure, after warming up for half of that")
	var dialect kkrpc.Dialect
	flag.TextVar(&dialect, "dialect", kkrpc.Compact, "`DIALECT` to speak")
	flag.Parse()
	if err := run("ws://"+*addr+"/ws", dialect, *inFlight, *window); err != nil {
		fmt.Fprintln(os.Stderr, "client:", err)
		os.Exit(1)
	}
}

func run(url string, dialect kkrpc.Dialect, inFlight int, window time.Duration) error {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	ch, err := ws.Dial(ctx, url, &ws.DialOptions{RPC: kkrpc.Options{Dialect: dialect}})
	if err != nil {
		return err
	}
	defer ch.Close()
	var (
		measuring, stopping atomic.Bool
		calls               atomic.Int64
		wg                  sync.WaitGroup
		mu                  sync.Mutex
		failed              error
		times               []time.Duration
	)
	for i := range inFlight {
		wg.Go(func() {
			own, err := loop(ctx, ch, i, &measuring, &stopping, &calls)
			mu.Lock()
			defer mu.Unlock()
			if times = append(times, own...); err != nil {
				stopping.Store(true)
				failed = err
			}
		})
	}
	encoder := json.NewEncoder(os.Stdout)
	time.Sleep(window / 2)
	measuring.Store(true)
	if err := encoder.Encode(map[string]any{"event": "begin"}); err != nil {
		return err
	}
	time.Sleep(window)
	measuring.Store(false)
	if err := encoder.Encode(map[string]any{"event": "end", "calls": calls.Load()}); err != nil {
		return err
	}
	stopping.Store(true)
	wg.Wait()
	if failed != nil {
		return failed
	}
	slices.Sort(times)
	return encoder.Encode(map[string]any{"event": "times", "p50": at(times, 0.5), "p99": at(times, 0.99)})
}

// sampled is how many calls there are for each whose duration is taken: asking for the time costs too.
const sampled = 16

func loop(ctx context.Context, ch *kkrpc.Channel, first int, measuring, stopping *atomic.Bool, calls *atomic.Int64) (times []time.Duration, err error) {
	for n := first; !stopping.Load(); n++ {
		var start time.Time
		if n%sampled == 0 {
			start = time.Now()
		}
		a, b := float64(1000+n%1000), float64(3000+n%997)
		got, err := kkrpc.Call[float64](ctx, ch, "math.add", a, b)
		if err == nil && got != a+b {
			err = fmt.Errorf("%v + %v = %v", a, b, got)
		}
		if err != nil {
			return times, err
		}
		if measuring.Load() {
			calls.Add(1)
			if !start.IsZero() {
				times = append(times, time.Since(start))
			}
		}
	}
	return times, nil
}

func at(sorted []time.Duration, q float64) time.Duration {
	if len(sorted) == 0 {
		return 0
	}
	return sorted[min(len(sorted)-1, int(q*float64(len(sorted))))]
}
