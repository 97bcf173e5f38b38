//go:build !js

package ws_test

import (
	"context"
	"errors"
	"io"
	"log"
	"math"
	"math/rand/v2"
	"net"
	"net/http"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	kkrpc "github.com/kkrpc-go/kkrpc"
	"github.com/kkrpc-go/kkrpc/transport/ws"
)

// herd is many sessions of one server, whose clients have the default Backoff.
type herd struct {
	server *ws.Server
	chans  []*kkrpc.Channel
	ended  chan error

	mu      sync.Mutex
	resumed []time.Time
	all     chan struct{} // closed when all have resumed
}

// newHerd returns a herd and its http.Server, which has to be served.
func newHerd() (*herd, *http.Server) {
	h := &herd{ended: make(chan error, 1000), all: make(chan struct{})}
	h.server = ws.Handler(greeter, &ws.Options{Session: &ws.SessionOptions{}, Ping: -1, Logger: silent})
	return h, &http.Server{Handler: h.server, ErrorLog: log.New(io.Discard, "", 0)}
}

// open begins n sessions. dial is for DialOptions.NetDial, or nil.
func (h *herd) open(t *testing.T, n int, url string, dial func(context.Context, string, string) (net.Conn, error)) {
	t.Helper()
	for range n {
		ch, err := ws.Dial(t.Context(), url, &ws.DialOptions{
			NetDial: dial,
			Ping:    -1,
			Session: &ws.SessionOptions{OnEvent: func(_ *kkrpc.Channel, e ws.SessionEvent) {
				switch e.Kind {
				case ws.SessionResumed:
					h.mu.Lock()
					defer h.mu.Unlock()
					if h.resumed = append(h.resumed, time.Now()); len(h.resumed) == n {
						close(h.all)
					}
				case ws.SessionEnded:
					h.ended <- e.Err
				}
			}},
		})
		if err != nil {
			t.Fatal(err)
		}
		h.chans = append(h.chans, ch)
	}
}

// close ends all sessions.
func (h *herd) close() {
	for _, ch := range h.chans {
		_ = ch.Close()
	}
	_ = h.server.Close()
}

// check waits until all have resumed, calls something on each, and returns when each has resumed, as time since up.
func (h *herd) check(t *testing.T, up time.Time) (spread []time.Duration) {
	t.Helper()
	select {
	case <-h.all:
	case err := <-h.ended:
		t.Fatalf("a session has ended: %v", err)
	case <-time.After(time.Minute):
		t.Fatalf("only %d of %d have resumed", len(h.resumed), len(h.chans))
	}
	for _, ch := range h.chans {
		if got, err := kkrpc.Call[string](t.Context(), ch, "echo", "x"); got != "x" || err != nil {
			t.Fatalf("%q, %v", got, err)
		}
	}
	n := uint64(len(h.chans))
	if stats := h.server.Stats(); stats.Opened != n || stats.Sessions != (ws.SessionStats{Resumed: n}) {
		t.Errorf("%+v", stats)
	}
	for _, at := range h.resumed {
		spread = append(spread, at.Sub(up))
	}
	slices.Sort(spread)
	return spread
}

const herdWindow = 100 * time.Millisecond

// mostTogether is the largest number of sorted times within herdWindow.
func mostTogether(times []time.Duration) (most int) {
	first := 0
	for i, at := range times {
		for at-times[first] >= herdWindow {
			first++
		}
		most = max(most, i-first+1)
	}
	return most
}

// modelSpread is when n clients come back after an outage, as Backoff has it for sessions that are kept for 30 s: after a
// random time up to 1 s, then up to 2 s, 4 s, and so on up to 7.5 s.
func modelSpread(n int, outage time.Duration) (spread []time.Duration) {
	rnd := rand.New(rand.NewPCG(1, 1))
	for range n {
		at := time.Duration(0)
		for bound := time.Second; at <= outage; bound = min(2*bound, 7500*time.Millisecond) {
			at += time.Duration(rnd.Int64N(int64(bound)))
		}
		spread = append(spread, at-outage)
	}
	slices.Sort(spread)
	return spread
}

// logSpread logs the spread of a herd beside that of the model. It returns the share that the model has in herdWindow at most.
func logSpread(t *testing.T, outage time.Duration, spread []time.Duration) (share float64) {
	t.Helper()
	model := modelSpread(100_000, outage)
	share = float64(mostTogether(model)) / float64(len(model))
	percentile := func(times []time.Duration, p float64) time.Duration {
		return times[int(p*float64(len(times)-1))].Round(time.Millisecond)
	}
	for _, p := range []float64{0, .1, .5, .9, .99, 1} {
		t.Logf("%3.0f %% back after %v, by the model after %v", 100*p, percentile(spread, p), percentile(model, p))
	}
	t.Logf("at most %d of %d within %v, by the model %.1f %%", mostTogether(spread), len(spread), herdWindow, 100*share)
	return share
}

// 1,000 sessions whose sockets end at once come back after an outage of any length that leaves the last attempt its time,
// and as far apart as their waits have it. Time runs under synctest, so that the figures are exact.
func TestSessionsComeBackApart(t *testing.T) {
	n := 1000
	if testing.Short() {
		n = 200
	}
	for _, outage := range []time.Duration{0, time.Second, 5 * time.Second, 15 * time.Second, 22 * time.Second} {
		t.Run(outage.String(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h, server := newHerd()
				ln := make(pipeListener)
				go server.Serve(ln) // ends with Close
				defer server.Close()
				defer h.close()
				var mu sync.Mutex
				var conns []net.Conn
				down := false
				h.open(t, n, "ws://host.example", func(ctx context.Context, network, addr string) (net.Conn, error) {
					mu.Lock()
					defer mu.Unlock()
					if down {
						return nil, errors.New("connection refused")
					}
					nc, err := ln.dial(ctx, network, addr)
					conns = append(conns, nc)
					return nc, err
				})
				mu.Lock()
				down = true
				for _, nc := range conns {
					nc.Close()
				}
				mu.Unlock()
				time.Sleep(outage)
				mu.Lock()
				down = false
				mu.Unlock()
				spread := h.check(t, time.Now())
				share := logSpread(t, outage, spread)
				mean := share * float64(n)
				if most, limit := mostTogether(spread), int(mean+7*math.Sqrt(mean)); most > limit { // by seven standard deviations
					t.Errorf("%d sessions within %v, more than %d", most, herdWindow, limit)
				}
				if last := spread[n-1]; last > 7500*time.Millisecond {
					t.Errorf("the last one after %v", last)
				}
			})
		})
	}
}

// 1,000 sessions lose a listener with all its sockets for 5 s, and come back without a thundering herd. A machine that
// stands still for half a second makes the others of that time come together, so this is less strict than under synctest.
func TestSessionsSurviveTheListener(t *testing.T) {
	if testing.Short() {
		t.Skip("takes 15 s")
	}
	t.Parallel()
	const n, outage = 1000, 5 * time.Second
	h, server := newHerd()
	defer h.close()
	var mu sync.Mutex
	var conns []net.Conn
	listen := func(addr string) net.Listener {
		ln, err := net.Listen("tcp", addr)
		if err != nil {
			t.Fatal(err)
		}
		go server.Serve(acceptFunc{ln, func(nc net.Conn) { // ends with ln
			mu.Lock()
			defer mu.Unlock()
			conns = append(conns, nc)
		}})
		return ln
	}
	ln := listen("127.0.0.1:0")
	addr := ln.Addr().String()
	h.open(t, n, "ws://"+addr, nil)
	ln.Close()
	mu.Lock()
	for _, nc := range conns {
		nc.Close()
	}
	mu.Unlock()
	time.Sleep(outage)
	ln = listen(addr)
	defer ln.Close()
	spread := h.check(t, time.Now())
	logSpread(t, outage, spread)
	buckets := make([]int, spread[n-1]/herdWindow+1)
	for _, at := range spread {
		buckets[at/herdWindow]++
	}
	t.Logf("sessions that resumed in each %v: %v", herdWindow, buckets)
	if most := mostTogether(spread); most > n/5 {
		t.Errorf("%d sessions within %v", most, herdWindow)
	}
}

// acceptFunc is a listener that shows its connections.
type acceptFunc struct {
	net.Listener
	accepted func(net.Conn)
}

func (ln acceptFunc) Accept() (net.Conn, error) {
	nc, err := ln.Listener.Accept()
	if err == nil {
		ln.accepted(nc)
	}
	return nc, err
}
