//go:build !js

package ws

import (
	"errors"
	"io"
	"net"
	"net/http"

	"github.com/gobwas/ws"

	kkrpc "github.com/kkrpc-go/kkrpc"
	"github.com/kkrpc-go/kkrpc/internal/admission"
	"github.com/kkrpc-go/kkrpc/internal/budget"
)

// Stats returns what the server has done and holds. It takes about a microsecond for each open connection.
func (s *Server) Stats() Stats {
	s.mu.Lock()
	stats := s.stats
	stats.Open = s.count
	stats.Sessions.Paused = int(s.paused.Load())
	channels := make([]*kkrpc.Channel, 0, len(s.open))
	for ch := range s.open {
		channels = append(channels, ch)
	}
	s.mu.Unlock()
	for _, ch := range channels {
		stats.Channels.Add(ch.Stats())
	}
	return stats
}

// counter picks what one event is counted in.
type counter func(*Stats) *uint64

func (s *Server) countEvent(of counter) {
	s.mu.Lock()
	*of(&s.stats)++
	s.mu.Unlock()
}

// Reasons for which a request does not become a connection.
var (
	refusedForbidden counter = func(s *Stats) *uint64 { return &s.Refused.Forbidden }
	refusedMalformed counter = func(s *Stats) *uint64 { return &s.Refused.Malformed }
	refusedAPI       counter = func(s *Stats) *uint64 { return &s.Refused.API }
	refusedFailed    counter = func(s *Stats) *uint64 { return &s.Refused.Failed }
)

// Events of sessions.
var (
	sessionResumed counter = func(s *Stats) *uint64 { return &s.Sessions.Resumed }
	sessionRefused counter = func(s *Stats) *uint64 { return &s.Sessions.Refused }
	sessionExpired counter = func(s *Stats) *uint64 { return &s.Sessions.Expired }
)

// refusalOf tells why check refuses a request.
func refusalOf(r *admission.Rejection) counter {
	if r.Status == http.StatusForbidden {
		return refusedForbidden
	}
	return refusedMalformed
}

// reason is why a connection has ended.
type reason struct {
	name string // in the log
	of   counter
}

var (
	endedPeer     = reason{"peer", func(s *Stats) *uint64 { return &s.Closed.Peer }}
	endedLost     = reason{"lost", func(s *Stats) *uint64 { return &s.Closed.Lost }}
	endedSelf     = reason{"self", func(s *Stats) *uint64 { return &s.Closed.Self }}
	endedShutdown = reason{"shutdown", func(s *Stats) *uint64 { return &s.Closed.Shutdown }}
	endedPing     = reason{"ping", func(s *Stats) *uint64 { return &s.Closed.Ping }}
	endedSlow     = reason{"slow", func(s *Stats) *uint64 { return &s.Closed.Slow }}
	endedLimit    = reason{"limit", func(s *Stats) *uint64 { return &s.Closed.Limit }}
	endedProtocol = reason{"protocol", func(s *Stats) *uint64 { return &s.Closed.Protocol }}
	endedEvicted  = reason{"evicted", func(s *Stats) *uint64 { return &s.Closed.Evicted }}
)

// reasonOf tells why a channel has closed, by what its Err returns. stopping: the server is.
func reasonOf(err error, stopping bool) reason {
	verdict, decided := errors.AsType[*CloseError](err)
	switch {
	case errors.Is(err, budget.ErrEvicted):
		return endedEvicted
	case errors.Is(err, ErrSessionLost):
		return endedLost
	case isTimeout(err), errors.Is(err, kkrpc.ErrSlowConsumer):
		return endedSlow
	case errors.Is(err, io.EOF), decided && !verdict.Sent:
		return endedPeer
	case decided:
		switch ws.StatusCode(verdict.Code) {
		case ws.StatusPolicyViolation, ws.StatusMessageTooBig:
			return endedLimit
		}
		return endedProtocol
	case errors.Is(err, errNoPong):
		return endedPing
	case errors.Is(err, kkrpc.ErrLimit):
		return endedLimit
	case errors.Is(err, kkrpc.ErrUnsupported): // a dialect that is not accepted
		return endedProtocol
	case errors.Is(err, net.ErrClosed), errors.Unwrap(err) == kkrpc.ErrClosed: // this side, without any other cause
		if stopping {
			return endedShutdown
		}
		return endedSelf
	}
	return endedLost
}

// goneLocked notes the end of a channel and tells why it has closed.
func (s *Server) goneLocked(ch *kkrpc.Channel, err error) reason {
	delete(s.open, ch)
	s.stats.Channels.Add(ch.Stats())
	why := reasonOf(err, s.closing)
	*why.of(&s.stats)++
	return why
}
