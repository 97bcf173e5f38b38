package wasm

import (
	"sync"
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// fakeHost is a JavaScript server as this package sees one: sockets that take what they are given, and say how much of it
// the peer has not read.
type fakeHost struct {
	mu      sync.Mutex
	sockets map[int32]*fakeSocket
	values  func(id int32, kind valueKind, name string, most int) (answer []byte) // nil: every connection has ended
	asks    func(token int32, text, blob string) (ok bool)                        // likewise
}

func (h *fakeHost) value(id int32, kind valueKind, name string, most int) (answer []byte) {
	if h.values == nil {
		return nil
	}
	return h.values(id, kind, name, most)
}

// fakeSocket is one of them.
type fakeSocket struct {
	to func(msg []byte) // takes what the peer reads; nil for a peer that does not read

	queue  [][]byte
	unsent int
	over   bool
	code   int // of the close
	reason string
	wake   chan struct{} // has room for one: something changed
	closed chan struct{} // closed with the socket, after all that was sent
}

func newFakeHost() *fakeHost { return &fakeHost{sockets: map[int32]*fakeSocket{}} }

func (h *fakeHost) ask(_, token int32, text, blob []byte, _ int) (ok bool) {
	return h.asks != nil && h.asks(token, string(text), string(blob))
}

// open adds a socket whose peer reads with to.
func (h *fakeHost) open(id int32, to func(msg []byte)) *fakeSocket {
	s := &fakeSocket{to: to, wake: make(chan struct{}, 1), closed: make(chan struct{})}
	h.mu.Lock()
	h.sockets[id] = s
	h.mu.Unlock()
	if to != nil {
		go h.pump(s)
	}
	return s
}

func (h *fakeHost) pump(s *fakeSocket) {
	for range s.wake {
		for {
			h.mu.Lock()
			if len(s.queue) == 0 {
				over := s.over
				h.mu.Unlock()
				if over {
					close(s.closed)
					return
				}
				break
			}
			msg := s.queue[0]
			s.queue = s.queue[1:]
			h.mu.Unlock()
			s.to(msg)
			h.mu.Lock()
			s.unsent -= len(msg)
			h.mu.Unlock()
		}
	}
}

func (h *fakeHost) send(id int32, msg []byte) int {
	h.mu.Lock()
	defer h.mu.Unlock()
	s := h.sockets[id]
	if s == nil || s.over {
		return 0
	}
	s.queue = append(s.queue, append([]byte(nil), msg...))
	s.unsent += len(msg)
	s.signal()
	return s.unsent
}

func (h *fakeHost) buffered(id int32) int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.sockets[id].unsent
}

func (h *fakeHost) close(id int32, code int, reason string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if s := h.sockets[id]; s != nil && !s.over {
		s.over, s.code, s.reason = true, code, reason
		s.signal()
	}
}

func (s *fakeSocket) signal() {
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// closedWith returns how this side closed the socket, 0 if it has not.
func (h *fakeHost) closedWith(id int32) (code int, reason string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	s := h.sockets[id]
	return s.code, s.reason
}
