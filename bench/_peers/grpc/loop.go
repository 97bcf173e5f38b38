package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// caller is a connection.
type caller interface {
	Add(ctx context.Context, a, b int) (float64, error)
	Echo(ctx context.Context, text string) (string, error)
}

// loop calls in a closed loop, with gRPC's own client, and checks the results. It prints {"event":"begin"} when it
// starts to measure, after warming up for half of the time, and {"event":"end"} with the result.
type loop struct {
	conns, inFlight, echo int
	time                  time.Duration
}

// flags defines the flags of a command that is a client if addr is set.
func (l *loop) flags() (addr *string) {
	flag.IntVar(&l.conns, "conns", 1, "connections")
	flag.IntVar(&l.inFlight, "inflight", 1, "calls in flight on each")
	flag.IntVar(&l.echo, "echo", 0, "echo `BYTES` instead of adding")
	flag.DurationVar(&l.time, "time", 2*time.Second, "how long to measure")
	return flag.String("load", "", "call the server at `ADDR`")
}

// run calls on connections that dial makes.
func (l *loop) run(dial func() (caller, error)) error {
	var (
		measuring, stopping atomic.Bool
		calls               atomic.Int64
		wg                  sync.WaitGroup
		mu                  sync.Mutex
		failed              error
		times               []time.Duration
	)
	for i := range l.conns {
		c, err := dial()
		if err != nil {
			return err
		}
		for j := range l.inFlight {
			first := i*100 + j
			wg.Go(func() {
				var own []time.Duration
				for n := first; !stopping.Load(); n++ {
					start := time.Now()
					if err := l.call(c, n); err != nil {
						stopping.Store(true)
						mu.Lock()
						defer mu.Unlock()
						failed = err
						return
					}
					if measuring.Load() {
						calls.Add(1)
						own = append(own, time.Since(start))
					}
				}
				mu.Lock()
				defer mu.Unlock()
				times = append(times, own...)
			})
		}
	}
	encoder := json.NewEncoder(os.Stdout)
	time.Sleep(l.time / 2)
	measuring.Store(true)
	if err := encoder.Encode(map[string]string{"event": "begin"}); err != nil {
		return err
	}
	time.Sleep(l.time)
	measuring.Store(false)
	done := calls.Load()
	fmt.Printf("{\"event\":\"end\",\"calls\":%d}\n", done)
	stopping.Store(true)
	wg.Wait()
	if failed != nil {
		return failed
	}
	slices.Sort(times)
	return encoder.Encode(map[string]any{"event": "times", "p50": at(times, 0.5), "p99": at(times, 0.99)})
}

func (l *loop) call(c caller, n int) error {
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	if l.echo > 0 {
		text := fmt.Sprintf("%016x", n)
		text += strings.Repeat("x", l.echo-len(text))
		got, err := c.Echo(ctx, text)
		if err == nil && got != text {
			err = fmt.Errorf("echo returned %.40q, want %.40q", got, text)
		}
		return err
	}
	a, b := 1000+n%1000, 3000+n%997
	got, err := c.Add(ctx, a, b)
	if err == nil && got != float64(a+b) {
		err = fmt.Errorf("%d + %d = %v", a, b, got)
	}
	return err
}

func at(sorted []time.Duration, q float64) time.Duration {
	if len(sorted) == 0 {
		return 0
	}
	return sorted[min(len(sorted)-1, int(q*float64(len(sorted))))]
}
