//go:build unix

package interop_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"net"
	"net/http"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/kkrpc-go/kkrpc"
	"github.com/kkrpc-go/kkrpc/transport/ws"
)

// The parts of the test binary in TestStoppedGoProcess and TestStoppedNodeProcess, as its first argument. The second one is
// the interval of pings, or default. The client gets the URL of the server besides.
const (
	stoppedServer = "kkrpc-stopped-server"
	stoppedClient = "kkrpc-stopped-client"
)

func init() {
	if len(os.Args) < 3 || os.Args[1] != stoppedServer && os.Args[1] != stoppedClient {
		return
	}
	ping, err := time.Duration(0), error(nil)
	if os.Args[2] != "default" {
		ping, err = time.ParseDuration(os.Args[2])
	}
	switch {
	case err != nil:
	case os.Args[1] == stoppedServer:
		err = serveWork(ping)
	default:
		err = work(ping, os.Args[3])
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(0)
}

// workTime bounds everything: longer than a process is stopped and a session kept.
const workTime = 2 * time.Minute

// workStats is what a server has seen.
type workStats struct {
	Opened  uint64 `json:"opened"`  // sessions
	Resumed uint64 `json:"resumed"` // how often
	Calls   int64  `json:"calls"`   // of next
	Holds   int64  `json:"holds"`   // calls of hold
}

// serveWork serves until its input ends, and prints its URL.
func serveWork(ping time.Duration) error {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	var server *ws.Server
	var calls, holds atomic.Int64
	finish := make(chan struct{})
	server = ws.Handler(kkrpc.Object{
		"next": func() int64 { return calls.Add(1) },
		"hold": func() int64 {
			n := holds.Add(1)
			<-finish
			return n
		},
		"progress": func(report func(int)) int {
			pace := time.NewTicker(20 * time.Millisecond) // what a stopped client misses has to fit into the buffer
			defer pace.Stop()
			for n := 1; ; n++ {
				report(n)
				select {
				case <-finish:
					return n
				case <-pace.C:
				}
			}
		},
		"drive": func(ctx context.Context) (int, error) {
			client := kkrpc.FromContext(ctx)
			ctx, cancel := context.WithTimeout(ctx, workTime)
			defer cancel()
			for n := 1; ; n++ {
				if err := client.Call(ctx, nil, "tick", n); err != nil {
					return n, err
				}
				if over(finish) {
					return n, nil
				}
			}
		},
		"numbers": func() iter.Seq[int] { return until(finish, func(int) {}) },
		"count": func(items iter.Seq2[int, error]) (n int, err error) {
			for v, err := range items {
				if n++; err != nil || v != n {
					return n, fmt.Errorf("item %d is %d, %w", n, v, err)
				}
			}
			return n, nil
		},
		"finish": func() { close(finish) },
		"stats": func() workStats {
			stats := server.Stats()
			return workStats{stats.Opened, stats.Sessions.Resumed, calls.Load(), holds.Load()}
		},
	}, &ws.Options{Session: &ws.SessionOptions{}, Ping: ping, RPC: kkrpc.Options{ErrorText: true}})
	fmt.Printf("ws://%s/\n", ln.Addr())
	go (&http.Server{Handler: server}).Serve(ln) // ends with the process
	_, err = io.Copy(io.Discard, os.Stdin)
	return errors.Join(err, server.Close())
}

// until yields the numbers from 1 on until finish is closed, and tells yielded of each.
func until(finish <-chan struct{}, yielded func(int)) iter.Seq[int] {
	return func(yield func(int) bool) {
		for n := 1; !over(finish) && yield(n); n++ {
			yielded(n)
		}
	}
}

func over(finish <-chan struct{}) bool {
	select {
	case <-finish:
		return true
	default:
		return false
	}
}

// steps counts what goes on.
type steps struct {
	mu    sync.Mutex
	moved sync.Cond
	last  map[string]int
	err   error
}

// step notes number n of what name counts. The numbers begin with 1, and have to come in order.
func (s *steps) step(name string, n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if n != s.last[name]+1 {
		s.err = errors.Join(s.err, fmt.Errorf("%s: %d follows %d", name, n, s.last[name]))
	}
	s.last[name] = n
	s.moved.Broadcast()
}

func (s *steps) fail(name string, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.err = errors.Join(s.err, fmt.Errorf("%s: %w", name, err))
	s.moved.Broadcast()
}

// goOn waits until all of names have counted some more.
func (s *steps) goOn(names ...string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, name := range names {
		for enough := s.last[name] + 20; s.err == nil && s.last[name] < enough; {
			s.moved.Wait()
		}
	}
	return s.err
}

// work has everything under way with a server and prints going. Once its input ends and everything has gone on, it ends what
// is under way, and prints what the server has seen.
func work(ping time.Duration, url string) error {
	s := &steps{last: map[string]int{}}
	s.moved.L = &s.mu
	ctx, cancel := context.WithTimeoutCause(context.Background(), workTime, errors.New("it takes too long"))
	defer cancel()
	defer context.AfterFunc(ctx, func() { s.fail("all", context.Cause(ctx)) })()
	server, err := ws.DialPersistent(ctx, url, &ws.PersistentOptions{
		Dial: ws.DialOptions{
			Session: &ws.SessionOptions{},
			Ping:    ping,
			RPC:     kkrpc.Options{Dialect: kkrpc.Compact, Expose: kkrpc.Object{"tick": func(n int) { s.step("drive", n) }}},
		},
		Backoff: ws.Backoff{Max: time.Second},
	})
	if err != nil {
		return err
	}
	defer server.Close()
	finish := make(chan struct{})
	// Each returns the last number of what it counts, as the server has it.
	tasks := map[string]func() (int, error){
		"hold": func() (int, error) {
			n, err := kkrpc.Call[int](ctx, server, "hold")
			s.step("hold", n)
			return 1, err
		},
		"next": func() (int, error) {
			for {
				n, err := kkrpc.Call[int](ctx, server, "next")
				s.step("next", n)
				if err != nil || over(finish) {
					return n, err
				}
			}
		},
		"progress": func() (int, error) {
			return kkrpc.Call[int](ctx, server, "progress", func(n int) { s.step("progress", n) })
		},
		"drive": func() (int, error) { return kkrpc.Call[int](ctx, server, "drive") },
		"numbers": func() (n int, err error) {
			for n, err = range kkrpc.Stream[int](ctx, server, "numbers") {
				if err != nil {
					break
				}
				s.step("numbers", n)
			}
			return n, err
		},
		"count": func() (int, error) {
			return kkrpc.Call[int](ctx, server, "count", until(finish, func(n int) { s.step("count", n) }))
		},
	}
	var all sync.WaitGroup
	for name, task := range tasks {
		all.Go(func() {
			n, err := task()
			s.mu.Lock()
			last := s.last[name]
			s.mu.Unlock()
			if err != nil || n != last {
				s.fail(name, fmt.Errorf("the server says %d, and here it is %d: %w", n, last, err))
			}
		})
	}
	counts := []string{"next", "progress", "drive", "numbers", "count"}
	if err := s.goOn(counts...); err != nil {
		return err
	}
	fmt.Println("going")
	_, _ = io.Copy(io.Discard, os.Stdin)
	if err := s.goOn(counts...); err != nil {
		return err
	}
	close(finish)
	if err := kkrpc.Do(ctx, server, "finish"); err != nil {
		return err
	}
	all.Wait()
	got, err := kkrpc.Call[workStats](ctx, server, "stats")
	if got.Calls != int64(s.last["next"]) {
		s.fail("next", fmt.Errorf("%d calls have run, %d were made", got.Calls, s.last["next"]))
	}
	if err := errors.Join(err, s.err); err != nil {
		return err
	}
	return json.NewEncoder(os.Stdout).Encode(got)
}
