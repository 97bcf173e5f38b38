package replay

import (
	"io"
	"sync"
	"testing/synctest"
	"time"

	"github.com/kkrpc-go/kkrpc"
)

// script is the transport of a channel under test: the replay puts in what the recorded peer sent and takes out what
// the channel writes.
type script struct {
	inbox *kkrpc.Inbox

	mu      sync.Mutex
	written []string
	closed  bool
	code    int
}

func newScript() *script { return &script{inbox: kkrpc.NewInbox(0)} }

func (s *script) ReadFrame(buf []byte) ([]byte, bool, error) { return s.inbox.ReadFrame(buf) }

func (s *script) WriteFrames(msgs [][]byte) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return io.ErrClosedPipe
	}
	for _, m := range msgs {
		s.written = append(s.written, string(m))
	}
	return nil
}

func (s *script) Close(code int, _ string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.closed {
		s.closed, s.code = true, code
	}
	s.inbox.Close(io.ErrClosedPipe)
	return nil
}

// send delivers one frame of the peer and waits until the channel has dealt with it as far as it can.
func (s *script) send(text string) {
	s.inbox.Push([]byte(text)) // a closed inbox is what a closed socket is: the frame is lost
	synctest.Wait()
}

// hangUp is the peer closing the connection. A channel whose reader is in a slow handler hears of it a little later.
func (s *script) hangUp() {
	s.inbox.Close(nil)
	time.Sleep(10 * time.Millisecond)
	synctest.Wait()
}

// take returns the next frame that the channel writes. It lets time pass until there is one, and gives up after a
// while of the test's own clock.
func (s *script) take() (string, bool) {
	for range 2000 {
		synctest.Wait()
		s.mu.Lock()
		if len(s.written) > 0 {
			text := s.written[0]
			s.written = s.written[1:]
			s.mu.Unlock()
			return text, true
		}
		s.mu.Unlock()
		time.Sleep(time.Millisecond)
	}
	return "", false
}

func (s *script) isClosed() (bool, int) {
	synctest.Wait()
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.closed, s.code
}

// finish closes a channel and gives its handlers the time to return: a bubble must not be left before its goroutines.
func finish(ch *kkrpc.Channel) {
	ch.Close()
	time.Sleep(time.Minute)
}
