package main

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/kkrpc-go/kkrpc"
	"github.com/kkrpc-go/kkrpc/transport/ws"
)

// metrics counts calls, and writes them with the counters of a server in Prometheus' text format.
type metrics struct {
	stats func() ws.Stats

	mu    sync.Mutex
	calls map[string]*calls // by operation and path
}

type calls struct {
	failed, count uint64
	elapsed       time.Duration
}

// observe is for interceptor.Timing. Only functions of the API get here, so that clients cannot invent paths.
func (m *metrics) observe(_ context.Context, r *kkrpc.Request, elapsed time.Duration, err error) {
	path := r.Path
	if r.Ref != nil {
		path = "(reference)"
	}
	labels := fmt.Sprintf("operation=%q,path=%q", r.Operation, path)
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.calls == nil {
		m.calls = map[string]*calls{}
	}
	c := m.calls[labels]
	if c == nil {
		c = &calls{}
		m.calls[labels] = c
	}
	c.count++
	c.elapsed += elapsed
	if err != nil {
		c.failed++
	}
}

func (m *metrics) ServeHTTP(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/plain; version=0.0.4")
	s := m.stats()
	fmt.Fprintf(w, "# TYPE kkrpc_connections gauge\nkkrpc_connections %d\n", s.Open)
	fmt.Fprintf(w, "# TYPE kkrpc_running gauge\nkkrpc_running %d\n", s.Channels.Running)
	fmt.Fprintf(w, "# TYPE kkrpc_queued gauge\nkkrpc_queued %d\n", s.Channels.Queued)
	fmt.Fprintf(w, "# TYPE kkrpc_bytes_out gauge\nkkrpc_bytes_out %d\n", s.Channels.BytesOut)
	fmt.Fprint(w, "# TYPE kkrpc_closed_total counter\n")
	for _, c := range []struct {
		reason string
		n      uint64
	}{
		{"peer", s.Closed.Peer}, {"lost", s.Closed.Lost}, {"self", s.Closed.Self}, {"shutdown", s.Closed.Shutdown},
		{"ping", s.Closed.Ping}, {"slow", s.Closed.Slow}, {"limit", s.Closed.Limit},
		{"protocol", s.Closed.Protocol}, {"evicted", s.Closed.Evicted},
	} {
		fmt.Fprintf(w, "kkrpc_closed_total{reason=%q} %d\n", c.reason, c.n)
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	labels := slices.Sorted(maps.Keys(m.calls))
	fmt.Fprint(w, "# TYPE kkrpc_calls_failed_total counter\n")
	for _, l := range labels {
		fmt.Fprintf(w, "kkrpc_calls_failed_total{%s} %d\n", l, m.calls[l].failed)
	}
	fmt.Fprint(w, "# TYPE kkrpc_call_seconds summary\n")
	for _, l := range labels {
		fmt.Fprintf(w, "kkrpc_call_seconds_sum{%s} %g\nkkrpc_call_seconds_count{%s} %d\n", l, m.calls[l].elapsed.Seconds(), l, m.calls[l].count)
	}
}
