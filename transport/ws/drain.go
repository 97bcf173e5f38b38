//go:build !js

package ws

import (
	"context"
	"time"

	kkrpc "github.com/kkrpc-go/kkrpc"
)

const (
	// windowShare and mostWindow are what a zero Options.DrainWindow means.
	windowShare = time.Millisecond
	mostWindow  = 2 * time.Second
	// cutTime is how long Shutdown waits for connections that it has cut off.
	cutTime = 200 * time.Millisecond
)

// Shutdown drains the server. It returns nil once all connections are closed and OnClose has returned for each.
//
// New connections get a 503, and Ready is false. Shutdown calls kkrpc.Channel.Shutdown for one open connection after
// another, spread over Options.DrainWindow. That refuses new requests by name, answers those that run, and closes with
// code 1001. A connection works as before until its turn comes.
//
// If ctx ends first, Shutdown cuts off the other connections. It returns the error of ctx at most 200 ms later. Requests
// that run then get an RPCInterruptedError, and their contexts end. Shutdown does not wait for handlers that ignore this.
func (s *Server) Shutdown(ctx context.Context) error {
	go s.drain(ctx, s.stop(ctx)) // ends with ctx, or with the last connection
	select {
	case <-s.drained:
		return nil
	case <-ctx.Done():
	}
	limit := time.NewTimer(cutTime)
	defer limit.Stop()
	select {
	case <-s.drained:
	case <-limit.C:
		s.cut()
	}
	return ctx.Err()
}

// Ready reports whether the server takes connections: neither Shutdown nor Close was called. A probe of a load balancer may
// ask it; see the package documentation.
func (s *Server) Ready() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return !s.closing
}

// drain begins the end of each of the open connections.
func (s *Server) drain(ctx context.Context, open []openChannel) {
	window := s.window(ctx, len(open))
	begin := time.Now()
	turn := time.NewTimer(0)
	defer turn.Stop()
	for i, one := range open {
		turn.Reset(window*time.Duration(i)/time.Duration(len(open)) - time.Since(begin))
		select {
		case <-turn.C:
		case <-ctx.Done(): // the rest at once
		case <-s.drained:
			return
		}
		go one.ch.Shutdown(ctx) // ends soon after ctx
	}
}

// window is over how long the ends of n connections are spread.
func (s *Server) window(ctx context.Context, n int) time.Duration {
	window := s.opts.DrainWindow
	if window == 0 {
		window = min(time.Duration(n)*windowShare, mostWindow)
	}
	if deadline, ok := ctx.Deadline(); ok {
		window = min(window, time.Until(deadline)/2)
	}
	return max(window, 0)
}

// Close refuses new connections with 503 and closes the open ones with code 1001 at once. It waits for nothing.
func (s *Server) Close() error {
	ended, end := context.WithCancel(context.Background())
	end()
	s.stop(ended)
	s.cut()
	return nil
}

type openChannel struct {
	ch   *kkrpc.Channel
	conn kkrpc.Transport
}

// stop refuses connections from now on and returns the open ones. Those that are being opened are drained until ctx ends.
func (s *Server) stop(ctx context.Context) (open []openChannel) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closing, s.draining = true, ctx
	for c := range s.greeting {
		go c.Close(closeGoingAway, goingAway) // ends within the grace of a close
	}
	s.drainedLocked()
	return s.allLocked()
}

func (s *Server) allLocked() (open []openChannel) {
	for ch, session := range s.open {
		open = append(open, openChannel{ch, session.conn})
	}
	return open
}

// cut closes the connections themselves, which ends their channels.
func (s *Server) cut() {
	s.mu.Lock()
	open := s.allLocked()
	s.mu.Unlock()
	for _, one := range open {
		go one.conn.Close(closeGoingAway, goingAway) // ends within the grace of a close; in turn, stuck peers would add up
	}
}
