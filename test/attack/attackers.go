package main

import (
	"context"
	"encoding/json"
	"os"
	"strings"
	"time"
)

// again is after how long an attacker whose connection was closed comes back.
const again = 500 * time.Millisecond

// done is what one attack has done.
type done struct {
	Name  string
	Conns int64 // handshakes that succeeded
	Sent  int64 // bytes behind the handshakes
}

// chosen are the attacks whose names contain only.
func chosen(only string) (some []attack) {
	for _, a := range attacks() {
		if strings.Contains(a.name, only) {
			some = append(some, a)
		}
	}
	return some
}

// runAttackers attacks addr until ctx ends. It does not wait for the attackers, which end with the process: some are writing.
func runAttackers(ctx context.Context, addr, only string) (all []done) {
	some := chosen(only)
	tallies := make([]tally, len(some))
	for i, a := range some {
		for range a.conns {
			go func() { // ends with the process
				for ctx.Err() == nil {
					a.run(ctx, addr, &tallies[i])
					sleep(ctx, again)
				}
			}()
		}
	}
	<-ctx.Done()
	for i, a := range some {
		all = append(all, done{a.name, tallies[i].conns.Load(), tallies[i].sent.Load()})
	}
	return all
}

// attackUntilStopped is the process of the attackers. It prints what they have done when its parent closes its standard input.
func attackUntilStopped(r role) error {
	ctx, cancel := context.WithCancel(context.Background())
	go func() { // ends with the process
		_, _ = os.Stdin.Read(make([]byte, 1))
		cancel()
	}()
	return json.NewEncoder(os.Stdout).Encode(runAttackers(ctx, r.Addr, r.Only))
}
