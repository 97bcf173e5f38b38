//go:build !js

package ws_test

import (
	"bufio"
	"context"
	"fmt"
	"net/http/httptest"
	"os"
	"os/exec"
	"sync/atomic"
	"testing"
	"time"

	"github.com/kkrpc-go/kkrpc"
	"github.com/kkrpc-go/kkrpc/transport/ws"
)

// spinServer in the environment makes TestComputingStarvesNobody the server that it calls.
const spinServer = "KKRPC_TEST_SPIN_SERVER"

// patience is how long nothing else may run: several times what the scheduler needs.
const patience = 250 * time.Millisecond

// A function that computes after a moment in which the process slept does not keep the only processor from other
// connections, nor from the next request on its own: the scheduler's monitor has woken too.
func TestComputingStarvesNobody(t *testing.T) {
	if os.Getenv(spinServer) != "" {
		serveSpinning()
		return
	}
	// A process of its own, in which nothing but the connections happens.
	cmd := exec.Command(os.Args[0], "-test.run", "^TestComputingStarvesNobody$")
	cmd.Env = append(os.Environ(), spinServer+"=1", "GOMAXPROCS=1")
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	}()
	url, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	url = url[:len(url)-1]

	const rounds = 10
	starved := 0
	a, b := dial(t, url, nil), dial(t, url, nil)
	for round := range rounds {
		other := a
		if round%2 == 0 {
			other = b
		}
		for _, ch := range []*kkrpc.Channel{a, b} {
			if err := ch.Call(t.Context(), nil, "nothing"); err != nil {
				t.Fatal(err)
			}
		}
		time.Sleep(20 * time.Millisecond) // the quiet that the test is about
		spun := make(chan error, 1)
		go func() {
			alone, err := kkrpc.Call[bool](context.Background(), a, "spinUntil", round+1)
			if alone {
				starved++
			}
			spun <- err
		}()
		time.Sleep(time.Millisecond) // that the other call comes second makes the test sharper, but it passes without
		if err := other.Call(t.Context(), nil, "count"); err != nil {
			t.Fatal(err)
		}
		if err := <-spun; err != nil {
			t.Fatal(err)
		}
	}
	if starved > rounds/5 { // fewer may be the machine's doing
		t.Errorf("nothing else ran for %v in %d of %d rounds", patience, starved, rounds)
	}
}

// serveSpinning ends when it is killed.
func serveSpinning() {
	var count atomic.Int64
	s := httptest.NewServer(ws.Handler(kkrpc.Object{
		"nothing": func() {},
		"count":   func() { count.Add(1) },
		"spinUntil": func(n int) (alone bool) {
			for start := time.Now(); count.Load() < int64(n); {
				if time.Since(start) > patience {
					return true
				}
			}
			return false
		},
	}, nil))
	fmt.Println("ws" + s.URL[len("http"):])
	select {}
}
