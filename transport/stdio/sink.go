package stdio

import (
	"io"
	"os"
	"time"
)

// sink is a writer with a write timeout.
type sink interface {
	// write writes all of p. Past timeout the error is os.ErrDeadlineExceeded, and p may still be read.
	write(p []byte, timeout time.Duration) error
	// close unblocks write and closes the writer, if it can be closed. It is called once.
	close()
}

func newSink(w io.Writer) sink {
	if d, ok := w.(deadlineWriter); ok && d.SetWriteDeadline(noDeadline) == nil {
		return timed{d}
	}
	return &handed{w: w, work: make(chan []byte), result: make(chan error, 1), done: make(chan struct{})}
}

type deadlineWriter interface {
	io.WriteCloser
	SetWriteDeadline(time.Time) error
}

// timed is a sink over a writer with deadlines.
type timed struct{ deadlineWriter }

func (s timed) write(p []byte, timeout time.Duration) error {
	if err := s.SetWriteDeadline(time.Now().Add(timeout)); err != nil {
		return err
	}
	_, err := s.Write(p)
	return err
}

func (s timed) close() { _ = s.Close() }

// handed is a sink over any writer. Another goroutine writes, and is left behind when it takes too long.
type handed struct {
	w      io.Writer
	work   chan []byte
	result chan error // has room for one
	done   chan struct{}

	started bool // owned by who writes
}

func (s *handed) write(p []byte, timeout time.Duration) error {
	if !s.started {
		s.started = true
		go s.run() // ends with close, or when its last Write returns after it
	}
	select {
	case s.work <- p:
	case <-s.done:
		return io.ErrClosedPipe
	}
	limit := time.NewTimer(timeout)
	defer limit.Stop()
	select {
	case err := <-s.result:
		return err
	case <-limit.C:
		return os.ErrDeadlineExceeded
	case <-s.done:
		return io.ErrClosedPipe
	}
}

func (s *handed) run() {
	for {
		select {
		case p := <-s.work:
			_, err := s.w.Write(p)
			s.result <- err
		case <-s.done:
			return
		}
	}
}

func (s *handed) close() {
	close(s.done)
	if c, ok := s.w.(io.Closer); ok {
		go c.Close() // it may wait for the Write
	}
}
