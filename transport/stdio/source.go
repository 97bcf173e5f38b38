package stdio

import (
	"errors"
	"io"
	"os"
	"time"
)

// source is a reader whose blocked Read can be ended.
type source interface {
	Read(p []byte) (int, error)
	// interrupt makes a Read that blocks, or the next one, return an error that is os.ErrDeadlineExceeded.
	interrupt()
	// resume takes an interrupt back. It is not called during a Read.
	resume()
	// close ends the use of the reader, and closes it if it can be closed. It is not called during a Read.
	close()
}

var (
	noDeadline = time.Time{}
	longAgo    = time.Unix(1, 0) // a deadline that makes whoever waits return
)

func newSource(r io.Reader) source {
	if d, ok := r.(deadlineReader); ok && d.SetReadDeadline(noDeadline) == nil {
		return polled{d}
	}
	s := &pumped{
		r:      r,
		chunks: make(chan []byte, pumpChunks),
		free:   make(chan []byte, pumpChunks),
		wake:   make(chan struct{}, 1),
		done:   make(chan struct{}),
	}
	for range pumpChunks {
		s.free <- nil
	}
	go s.pump() // ends with the reader, or when its last Read returns after close
	return s
}

type deadlineReader interface {
	io.ReadCloser
	SetReadDeadline(time.Time) error
}

// polled is a source over a reader with deadlines: pipes to children on Unix, and connections.
type polled struct{ deadlineReader }

func (s polled) interrupt() { _ = s.SetReadDeadline(longAgo) }
func (s polled) resume()    { _ = s.SetReadDeadline(noDeadline) }
func (s polled) close()     { _ = s.Close() }

const (
	pumpBytes  = 32 << 10 // how much a pump reads at a time
	pumpChunks = 4        // how many times that it reads ahead, as the pipes of the system do
)

// pumped is a source over any reader. Another goroutine reads, and may stay blocked after the source has ended.
type pumped struct {
	r      io.Reader
	chunks chan []byte   // from the pump; closed behind the last
	free   chan []byte   // buffers to the pump; nil for one not made yet
	wake   chan struct{} // has room for one: an interrupt
	done   chan struct{} // closed by close

	err error // of the reader; set before chunks is closed

	chunk, rest []byte // owned by who reads: a chunk, and what is left of it
}

func (s *pumped) Read(p []byte) (int, error) {
	if len(s.rest) == 0 {
		select {
		case <-s.wake:
			return 0, os.ErrDeadlineExceeded
		case chunk, ok := <-s.chunks:
			if !ok {
				return 0, s.err
			}
			s.chunk, s.rest = chunk, chunk
		}
	}
	n := copy(p, s.rest)
	if s.rest = s.rest[n:]; len(s.rest) == 0 {
		s.free <- s.chunk // there is room for all
		s.chunk = nil
	}
	return n, nil
}

func (s *pumped) pump() {
	defer close(s.chunks)
	for idle := 0; ; {
		var buf []byte
		select {
		case buf = <-s.free:
		case <-s.done:
			return
		}
		if buf == nil {
			buf = make([]byte, pumpBytes)
		}
		n, err := s.r.Read(buf[:pumpBytes])
		if n > 0 {
			idle = 0
			s.chunks <- buf[:n] // there is room for all
		} else {
			idle++
			s.free <- buf
		}
		if err == nil && idle > 100 {
			err = io.ErrNoProgress
		}
		if err != nil {
			if errors.Is(err, os.ErrDeadlineExceeded) {
				err = errors.New(err.Error()) // it is not an interrupt of ours
			}
			s.err = err
			return
		}
	}
}

func (s *pumped) interrupt() {
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

func (s *pumped) resume() {
	select {
	case <-s.wake:
	default:
	}
}

func (s *pumped) close() {
	close(s.done)
	if c, ok := s.r.(io.Closer); ok {
		go c.Close() // it may wait for the Read
	}
}
