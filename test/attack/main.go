// Command attack attacks a server of transport/ws on loopback in every known way at once, while honest clients call it.
// It fails if the server holds more memory than its budget and a fifth, or if honest clients have to wait.
//
// The server is a child process. A quiet run comes first, so that both runs are of one pair of processes.
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/kkrpc-go/kkrpc"
	"github.com/kkrpc-go/kkrpc/transport/ws"
)

func main() {
	memory := flag.Int64("memory", 256<<20, "budget of the server in bytes")
	length := flag.Duration("time", time.Minute, "length of the attack")
	slower := flag.Float64("slower", 3, "how many times longer honest clients may wait than without the attack; 0: any time")
	only := flag.String("only", "", "run the attacks whose names contain this")
	if isServer() {
		return
	}
	flag.Parse()
	r, err := run(*memory, *length, *only)
	if err == nil {
		fmt.Println(r)
		err = r.check(*slower)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// serverMemory is the environment variable that makes this program the server; its value is the budget in bytes.
const serverMemory = "KKRPC_ATTACK_SERVER"

// isServer runs the server if this is its process, and reports whether it is.
func isServer() bool {
	memory, err := strconv.ParseInt(os.Getenv(serverMemory), 10, 64)
	if err != nil {
		return false
	}
	if err := serve(memory); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	return true
}

// result is what a run has shown.
type result struct {
	memory          int64
	quiet, attacked time.Duration // p99 of honest calls
	calls           int           // of honest clients under attack
	refused         int           // of these
	most            sample        // the largest of each
	conns           int64         // connections of attackers
}

func (r result) String() string {
	const mib = 1 << 20
	return fmt.Sprintf("budget %d MiB, live heap %d MiB at most, counted %d MiB at most\n%d connections of attackers, %d evicted\n"+
		"%d honest calls, %d failed; p99 %v, without the attack %v",
		r.memory/mib, r.most.Live/mib, r.most.Used/mib, r.conns, r.most.Evicted, r.calls, r.refused, r.attacked, r.quiet)
}

// check reports what must not be.
func (r result) check(slower float64) error {
	var errs []error
	if limit := r.memory + r.memory/5; r.most.Live > limit {
		errs = append(errs, fmt.Errorf("the live heap of %d bytes is over the budget and a fifth, %d", r.most.Live, limit))
	}
	if r.refused > 0 {
		errs = append(errs, fmt.Errorf("%d honest calls have failed", r.refused))
	}
	if limit := time.Duration(slower * float64(r.quiet)); slower > 0 && r.attacked > limit {
		errs = append(errs, fmt.Errorf("p99 of honest calls is %v, more than %v", r.attacked, limit))
	}
	return errors.Join(errs...)
}

func run(memory int64, length time.Duration, only string) (r result, err error) {
	server := exec.Command(os.Args[0])
	server.Env = append(os.Environ(), fmt.Sprintf("%s=%d", serverMemory, memory))
	server.Stderr = os.Stderr
	stop, err := server.StdinPipe()
	if err != nil {
		return r, err
	}
	out, err := server.StdoutPipe()
	if err != nil {
		return r, err
	}
	if err := server.Start(); err != nil {
		return r, err
	}
	defer func() {
		stop.Close()
		err = errors.Join(err, server.Wait())
	}()
	lines := bufio.NewScanner(out)
	if !lines.Scan() {
		return r, errors.New("the server prints no address")
	}
	addr := lines.Text()

	r.memory = memory
	quiet := honest(addr, min(length/4, 10*time.Second), nil)
	r.quiet = quiet.p99()

	var watched sync.WaitGroup
	var ended atomic.Bool
	watched.Go(func() { // ends with the attack
		for !ended.Load() && lines.Scan() {
			var s sample
			if json.Unmarshal(lines.Bytes(), &s) == nil {
				r.most.Live, r.most.Used, r.most.Evicted = max(r.most.Live, s.Live), max(r.most.Used, s.Used), s.Evicted
			}
		}
	})
	ctx, cancel := context.WithTimeout(context.Background(), length)
	defer cancel()
	var attackers sync.WaitGroup
	var conns atomic.Int64
	for _, a := range attacks {
		if !strings.Contains(a.name, only) {
			continue
		}
		for range a.conns {
			attackers.Go(func() { // ends with ctx
				for ctx.Err() == nil {
					conns.Add(1)
					a.run(ctx, addr)
					select {
					case <-ctx.Done():
					case <-time.After(200 * time.Millisecond):
					}
				}
			})
		}
	}
	attacked := honest(addr, length, ctx.Done())
	ended.Store(true)
	stop.Close() // ends the server, and with it the attackers
	watched.Wait()
	attackers.Wait()
	r.attacked, r.calls, r.refused, r.conns = attacked.p99(), len(attacked.took), attacked.failed, conns.Load()
	return r, nil
}

// latencies are those of honest calls.
type latencies struct {
	took   []time.Duration
	failed int
}

func (l *latencies) p99() time.Duration {
	slices.Sort(l.took)
	if len(l.took) == 0 {
		return 0
	}
	return l.took[len(l.took)*99/100]
}

const honestClients = 8

// honest makes calls as programs do, for so long or until done is closed: small ones, with some time between them.
func honest(addr string, length time.Duration, done <-chan struct{}) *latencies {
	var mu sync.Mutex
	all := &latencies{}
	end := time.After(length)
	stop := make(chan struct{})
	go func() {
		select {
		case <-end:
		case <-done:
		}
		close(stop)
	}()
	var clients sync.WaitGroup
	text := strings.Repeat("x", 1<<10)
	for range honestClients {
		clients.Go(func() {
			ch, err := ws.Dial(context.Background(), "ws://"+addr, nil)
			if err != nil {
				mu.Lock()
				all.failed++
				mu.Unlock()
				return
			}
			defer ch.Close()
			for n := 0; ; n++ {
				select {
				case <-stop:
					return
				case <-time.After(5 * time.Millisecond):
				}
				began := time.Now()
				if n%2 == 0 {
					_, err = kkrpc.Call[float64](context.Background(), ch, "add", 1.0, 2.0)
				} else {
					_, err = kkrpc.Call[string](context.Background(), ch, "echo", text)
				}
				took := time.Since(began)
				mu.Lock()
				if all.took = append(all.took, took); err != nil {
					all.failed++
				}
				mu.Unlock()
				if err != nil {
					return
				}
			}
		})
	}
	clients.Wait()
	return all
}
