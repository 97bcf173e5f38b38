package main

import (
	"context"
	"encoding/json"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/kkrpc-go/kkrpc"
	"github.com/kkrpc-go/kkrpc/transport/ws"
)

// latencies are those of honest calls.
type latencies struct {
	P50, P99 time.Duration
	Calls    int
	Failed   int
	Error    string // of the first call that failed
}

const honestClients = 8

// callHonestly is the process of the honest clients. They make calls as programs do: small ones, with some time between them.
func callHonestly(r role) error {
	var mu sync.Mutex
	var all latencies
	var took []time.Duration
	fail := func(err error) {
		mu.Lock()
		defer mu.Unlock()
		if all.Failed++; all.Error == "" {
			all.Error = err.Error()
		}
	}
	ctx, cancel := context.WithTimeout(context.Background(), r.Length)
	defer cancel()
	var clients sync.WaitGroup
	text := strings.Repeat("x", 1<<10)
	for range honestClients {
		clients.Go(func() { // ends with ctx
			ch, err := ws.Dial(context.Background(), "ws://"+r.Addr, nil)
			if err != nil {
				fail(err)
				return
			}
			defer ch.Close()
			for n := 0; sleep(ctx, 5*time.Millisecond); n++ {
				began := time.Now()
				if n%2 == 0 {
					_, err = kkrpc.Call[float64](context.Background(), ch, "add", 1.0, 2.0)
				} else {
					_, err = kkrpc.Call[string](context.Background(), ch, "echo", text)
				}
				if err != nil {
					fail(err)
					return
				}
				mu.Lock()
				took = append(took, time.Since(began))
				mu.Unlock()
			}
		})
	}
	clients.Wait()
	if all.Calls = len(took); all.Calls > 0 {
		slices.Sort(took)
		all.P50, all.P99 = took[len(took)/2], took[len(took)*99/100]
	}
	return json.NewEncoder(os.Stdout).Encode(all)
}
