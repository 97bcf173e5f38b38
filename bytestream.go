package kkrpc

import (
	"fmt"
	"io"
	"iter"
	"runtime"
	"runtime/debug"
	"sync"
	"sync/atomic"

	"github.com/kkrpc-go/kkrpc/internal/bind"
)

// In the signatures of functions, io.Reader and io.Writer are streams whose items are chunks of bytes.

// chunkSize is the most bytes that an item of such a stream of this side has.
const chunkSize = 32 << 10

// readerProducer is a stream of what an io.Reader reads. A reader that is an io.Closer is closed once.
type readerProducer struct {
	reader io.Reader
	closed sync.Once
}

// close closes the reader for s. A panic in Close must not end the program.
func (p *readerProducer) close(s *outStream) {
	p.closed.Do(func() {
		defer func() {
			if value := recover(); value != nil {
				s.ch.report(fmt.Errorf("kkrpc: panic in Close of the io.Reader of %s: %v\n%s", s.path, value, debug.Stack()))
			}
		}()
		closeReader(p.reader)
	})
}

// closeReader closes v if that is an io.Closer. There is nobody to whom an error of Close could be told.
func closeReader(v any) {
	if c, ok := v.(io.Closer); ok && bind.IsReader(v) {
		_ = c.Close()
	}
}

// release implements releaser.
func (p *readerProducer) release(s *outStream) { go p.close(s) } // ends when Close returns

func (p *readerProducer) run(s *outStream) {
	defer p.close(s)
	if _, ok := p.reader.(io.Closer); ok {
		go func() { // ends with the stream. Read may wait for ever when the consumer has left, unless Close ends it.
			<-s.done
			p.close(s)
		}()
	}
	chunk := make([]byte, chunkSize) // one for all: an item is encoded before the next Read
	for more := true; more; {
		n, err := p.reader.Read(chunk)
		if n > 0 {
			more = s.emitValue(chunk[:n])
		} else {
			more = !s.stopped()
		}
		switch {
		case err == io.EOF:
			return
		case err != nil && more:
			s.failed(err)
			return
		}
	}
}

// written is the stream of what run writes. It implements bind.Values.Written.
func written(run func(io.Writer) error) iter.Seq2[[]byte, error] {
	return func(yield func([]byte, error) bool) {
		w := &streamWriter{yield: yield}
		defer w.end() // also when run panics
		err := run(w)
		if w.end() && err != nil {
			yield(nil, err)
		}
	}
}

// streamWriter makes items of what is written.
type streamWriter struct {
	mu    sync.Mutex               // held while an item waits for the consumer
	yield func([]byte, error) bool // nil: the consumer has left, or the function has returned
}

// Write returns when the consumer has asked for the item behind the last one of p.
func (w *streamWriter) Write(p []byte) (n int, err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for len(p) > 0 && w.yield != nil {
		chunk := p[:min(len(p), chunkSize)]
		if !w.yield(chunk, nil) {
			w.yield = nil
			break
		}
		n += len(chunk)
		p = p[len(chunk):]
	}
	if w.yield == nil {
		return n, io.ErrClosedPipe
	}
	return n, nil
}

// end makes later writes fail. It reports whether the consumer wants to know how the function has ended.
func (w *streamWriter) end() (wanted bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	wanted = w.yield != nil
	w.yield = nil
	return wanted
}

// byteReader reads the items of a stream of the peer one after another. Close may be called while Read waits.
type byteReader struct {
	handle *streamHandle
	closed atomic.Bool

	// Owned by the goroutine that reads.
	begun bool
	rest  []byte // of the last item
	err   error  // behind rest
}

// newByteReader returns an io.ReadCloser.
func newByteReader(s *inStream) any { return &byteReader{handle: s.handle()} }

func (r *byteReader) Read(p []byte) (n int, err error) {
	defer runtime.KeepAlive(r.handle)
	for len(r.rest) == 0 && r.err == nil {
		r.rest, r.err = r.next()
	}
	switch {
	case r.closed.Load():
		return 0, io.ErrClosedPipe
	case len(r.rest) == 0:
		return 0, r.err
	}
	n = copy(p, r.rest)
	r.rest = r.rest[n:]
	return n, nil
}

// next returns the bytes of the next item. At an error the stream has ended.
func (r *byteReader) next() (chunk []byte, err error) {
	s := r.handle.stream
	if !r.begun {
		if err := s.begin(s.ctx, reading); err != nil {
			return nil, streamError("", err)
		}
		r.begun = true
	}
	var item inItem
	more, err := s.next(s.ctx, &item)
	if more {
		if err = s.decodeBytes(&item, &chunk); err == nil {
			return chunk, nil
		}
	}
	s.quit()
	if err == nil {
		return nil, io.EOF
	}
	return nil, streamError("", err)
}

// decodeBytes is decode for an item that has to be bytes, not null.
func (s *inStream) decodeBytes(i *inItem, chunk *[]byte) error {
	if kind := bind.JSONKind(i.raw); kind == "null" || kind == "undefined" {
		return fmt.Errorf("item: expected Uint8Array, got %s", kind)
	}
	return s.decode(i, chunk, bind.RefNever)
}

// Close ends the stream at its producer. Read then returns io.ErrClosedPipe.
func (r *byteReader) Close() error {
	r.closed.Store(true)
	r.handle.stream.drop(io.ErrClosedPipe)
	runtime.KeepAlive(r.handle)
	return nil
}

var _ io.ReadCloser = (*byteReader)(nil)
