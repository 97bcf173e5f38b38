package kkhttp

import (
	"fmt"
	"io"
	"sync"

	kkrpc "github.com/kkrpc-go/kkrpc"
	"github.com/kkrpc-go/kkrpc/internal/wire"
	"github.com/kkrpc-go/kkrpc/internal/wire/codecs"
)

// exchange is the transport of a channel that serves one request. The first response that the channel sends is the
// answer. Nothing else is sent.
type exchange struct {
	request []byte
	codec   wire.Codec
	text    bool          // errors are text
	reading chan struct{} // closed when the channel reads on: the request has been taken up
	closed  chan struct{}
	answer  chan []byte // has room for one

	read     bool // owned by ReadFrame
	close    sync.Once
	mu       sync.Mutex // guards what follows
	answered bool
	m        wire.Message
}

// newExchange keeps request, whose parsed form is m.
func newExchange(request []byte, m *wire.Message, rpc *kkrpc.Options) *exchange {
	return &exchange{
		request: request,
		codec:   codecs.Of(wire.Dialect(rpc.Dialect)),
		text:    m.TextErrors || rpc.ErrorText && rpc.Dialect == kkrpc.Classic,
		reading: make(chan struct{}),
		closed:  make(chan struct{}),
		answer:  make(chan []byte, 1),
	}
}

// ReadFrame returns the request and then blocks until the channel closes. The channel reads again once the function has
// returned or runs on another goroutine.
func (e *exchange) ReadFrame([]byte) ([]byte, bool, error) {
	if !e.read {
		e.read = true
		return e.request, false, nil
	}
	close(e.reading)
	<-e.closed
	return nil, false, io.EOF
}

// TryWriteFrames saves the channel a goroutine for WriteFrames.
func (e *exchange) TryWriteFrames(msgs [][]byte) (done bool, err error) {
	for _, msg := range msgs {
		e.take(msg)
	}
	return true, nil
}

func (e *exchange) WriteFrames(msgs [][]byte) error {
	_, err := e.TryWriteFrames(msgs)
	return err
}

// Undelivered gets the response of a function that returned after its channel was closed.
func (e *exchange) Undelivered(msg []byte) { e.take(msg) }

func (e *exchange) Close(int, string) error {
	e.close.Do(func() { close(e.closed) })
	return nil
}

// end ends the context of the function, once the channel has taken up the request: then it is answered in any case.
func (e *exchange) end(ch *kkrpc.Channel) {
	<-e.reading
	ch.Close()
}

// take keeps a copy of msg if that is the answer, or an error in its place if HTTP cannot carry it.
func (e *exchange) take(msg []byte) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.answered {
		return
	}
	err := e.codec.Parse(msg, &e.m, 0)
	if e.m.Kind != wire.Response {
		return
	}
	e.answered = true
	if err == nil {
		if reason := impossible(&e.m); reason != "" {
			e.answer <- e.failure(e.m.ID, "Error", reason)
			return
		}
	}
	e.answer <- append([]byte(nil), msg...)
}

// failure is a response to the request.
func (e *exchange) failure(id []byte, name, text string) []byte {
	return appendFailure(e.codec, id, name, text, e.text)
}

// CheckRequest refuses calls of the function to its caller.
func (e *exchange) CheckRequest([]byte) error {
	return fmt.Errorf("%w: over HTTP a server cannot call its client; use a WebSocket", kkrpc.ErrUnsupported)
}

// CancelRequest and RequestFailure are about requests, of which there are none.

func (e *exchange) CancelRequest(string) {}

func (e *exchange) RequestFailure(string) error { return nil }
