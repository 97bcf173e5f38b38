//go:build !js

package ws

import (
	"crypto/rand"
	"encoding/base64"
	"fmt"
	"net"
	"net/http"
	"time"

	"github.com/gobwas/ws"

	kkrpc "github.com/kkrpc-go/kkrpc"
)

// sessionOwner is what the requests of a session have in common.
type sessionOwner struct{ origin, identity string }

// greet exchanges the first frames of a socket that is to have a session. It either begins a session and its channel, or
// gives the socket to a session that is there.
func (s *Server) greet(nc net.Conn, early []byte, cfg config, rpc *kkrpc.Options, r *http.Request, ends *ends, owner sessionOwner, spare bool) {
	limit := cfg.limit
	cfg.limit = maxControl
	c := newConn(nc, early, cfg)
	begun := false
	defer func() {
		if !begun {
			defer s.unreserve(spare)
			ends.run()
		}
	}()
	first, err := s.firstFrame(c)
	if err != nil {
		_ = c.Close(int(ws.StatusProtocolError), err.Error())
		return
	}
	if first.kind == controlResume {
		s.resume(c, owner, first)
		return
	}
	if spare {
		_ = c.Close(int(statusTryAgainLater), fullText)
		return
	}
	begun = true
	s.begin(c, owner, limit, rpc, r, ends)
}

const fullText = "the server has as many connections as it takes"

// turnAway closes a connection that becomes no channel, such as one that had a place only for a session that it could resume.
func (s *Server) turnAway(c *conn, ends *ends, spare bool, code int, reason string) {
	defer s.unreserve(spare)
	defer ends.run()
	_ = c.Close(code, reason)
}

// firstFrame reads the first frame of a client within the time of a handshake.
func (s *Server) firstFrame(c *conn) (f controlFrame, err error) {
	s.mu.Lock()
	if s.closing {
		s.mu.Unlock()
		_ = c.Close(closeGoingAway, goingAway)
		return f, c.closedErr()
	}
	s.greeting[c] = struct{}{}
	s.mu.Unlock()
	defer func() {
		s.mu.Lock()
		delete(s.greeting, c)
		s.mu.Unlock()
	}()
	limit := handshakeTime(s.opts.RPC.Limits)
	late := time.AfterFunc(limit, func() {
		c.reject(refuse(ws.StatusPolicyViolation, "no first frame of a session within %v", limit))
	})
	defer late.Stop()
	p, _, err := c.LendFrame()
	if err != nil {
		return f, err
	}
	if f, err = parseControl(p); err == nil && f.kind != controlOpen && f.kind != controlResume {
		err = errControl
	}
	if err != nil {
		return f, fmt.Errorf("session: the first frame is neither #open nor #resume: %w", err)
	}
	return f, nil
}

// ownerOf returns to whom a session of r belongs.
func (s *Server) ownerOf(r *http.Request) sessionOwner {
	o := sessionOwner{origin: r.Header.Get("Origin")}
	if s.opts.Session.Identity != nil {
		o.identity = s.opts.Session.Identity(r)
	}
	return o
}

// begin starts a session.
func (s *Server) begin(c *conn, owner sessionOwner, limit int, rpc *kkrpc.Options, r *http.Request, ends *ends) {
	l := newLink(newSessionID(), s.opts.Session, rpc.Limits.Write, limit)
	l.server, l.owner, l.keep, l.bytes = s, owner, s.opts.Session.keep(), c.bytes
	s.mu.Lock()
	s.sessions[l.id] = l // until it ends
	s.mu.Unlock()
	ch := s.channel(l, rpc, r, ends)
	if ch == nil {
		_ = c.Close(closeInternal, "")
		return
	}
	err := l.attach(c, 0, func(uint64) controlFrame {
		return controlFrame{kind: controlSession, id: l.id, keep: uint64(l.keep.Milliseconds()), buffer: uint64(l.ledger.bound)}
	})
	if err != nil { // the client may know the session all the same, and even have another socket
		_ = c.Close(closeGoingAway, "")
		l.awaitSocket(err)
	}
	l.setChannel(ch)
	s.tellOpen(ch, r)
}

// resume gives c to the session that it asks for.
func (s *Server) resume(c *conn, owner sessionOwner, first controlFrame) {
	s.mu.Lock()
	l := s.sessions[first.id]
	s.mu.Unlock()
	refused := controlFrame{kind: controlRefused, reason: "unknown", text: "there is no such session"}
	if l != nil && l.owner == owner && l.bytes == c.bytes {
		err := l.attach(c, first.n, func(received uint64) controlFrame {
			return controlFrame{kind: controlResumed, n: received}
		})
		switch err {
		case nil:
			s.countEvent(sessionResumed)
			return
		case errNewer:
			_ = c.Close(closeReplaced, "the session goes on over a newer socket")
			return
		case errBehind:
			refused.reason, refused.text = "behind", err.Error()
		}
	}
	s.countEvent(sessionRefused)
	_ = c.WriteFrames([][]byte{refused.append(nil)})
	_ = c.Close(closeSessionGone, refused.text)
}

// forget drops a session that has ended.
func (s *Server) forget(l *link) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.sessions, l.id)
}

// newSessionID returns an id that nobody can guess.
func newSessionID() string {
	var id [32]byte
	_, _ = rand.Read(id[:]) // it never fails
	return base64.RawURLEncoding.EncodeToString(id[:])
}
