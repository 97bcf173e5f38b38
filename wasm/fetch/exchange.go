package fetch

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"

	"github.com/kkrpc-go/kkrpc/wasm/internal/owner"
)

// The events of a fetch, which the host tells; npm/fetch.mjs has the same.
const (
	eventHead     = 1 // with the head of the response
	eventFailed   = 2 // with the reason
	eventReadable = 3 // read returns something now
	eventWanted   = 4 // the next part of the body can be sent
	eventLeft     = 5 // the connection to which the fetch belonged has closed
)

// Kinds of bodies of requests.
const (
	bodyNone   = 0
	bodyBytes  = 1
	bodyStream = 2
)

// What host.read returns instead of a number of bytes.
const (
	readWait = 0 // eventReadable follows
	readDone = -1
)

// chunk is the size in bytes of what is asked at once of a reader that is a request's body.
const chunk = 64 << 10

// host is the JavaScript side. It never calls back before its functions have returned.
type host interface {
	// start starts a fetch for a connection, 0 for none. It returns false if no connection is open in a plain Worker.
	start(id, connection int32, request string, kind int32, body []byte) bool
	// read puts some of the response into p.
	read(id int32, p []byte) int
	// write sends a part of the request's body, which must have been wanted; none ends the body.
	write(id int32, part []byte)
	// end aborts the fetch, if it is not over, and forgets it.
	end(id int32)
}

// client has the fetches that run.
type client struct {
	host host // nil outside of a JavaScript server

	mu      sync.Mutex
	last    int32
	running map[int32]*exchange
}

// exchange is a request with its response.
type exchange struct {
	client   *client
	id       int32
	method   string
	url      string // as errors name it
	redirect Redirect
	request  string // as the host reads it
	kind     int32
	body     []byte    // of bodyBytes
	stream   io.Reader // the body that has to be read, or closed

	head     chan []byte   // holds that of the response when it has come
	readable chan struct{} // holds one after eventReadable
	wanted   chan struct{} // holds one after eventWanted
	done     chan struct{} // closed by end

	closing sync.Once

	mu   sync.Mutex
	stop func() bool // stops waiting for the end of ctx
	over bool
	err  error // what Read returns after done: io.EOF, or an *Error
	left bool  // the host has forgotten it
}

func (c *client) do(ctx context.Context, r *Request) (*Response, error) {
	x, err := newExchange(r)
	x.client = c
	if err == nil {
		err = c.start(ctx, x)
	}
	if err != nil {
		x.closeBody()
		return nil, x.failure(err)
	}
	var head []byte
	select {
	case head = <-x.head:
	case <-x.done:
		return nil, x.err
	}
	response, err := x.response(head)
	if err != nil {
		x.end(x.failure(err))
		return nil, x.err
	}
	return response, nil
}

// start starts the fetch and what ends it.
func (c *client) start(ctx context.Context, x *exchange) error {
	if ctx.Err() != nil {
		return ended(ctx)
	}
	if c.host == nil {
		return errors.New("this program is not in a JavaScript server: build it with `kkrpc build hono`")
	}
	c.mu.Lock()
	for c.last++; c.last <= 0 || c.running[c.last] != nil; c.last++ {
		c.last = max(c.last, 0)
	}
	x.id = c.last
	c.running[x.id] = x
	c.mu.Unlock()
	if !c.host.start(x.id, owner.ID(ctx), x.request, x.kind, x.body) {
		c.forget(x.id)
		return fmt.Errorf("no connection is open: %w", ErrConnection)
	}
	x.request, x.body = "", nil // the host has copied them
	stop := context.AfterFunc(ctx, func() { x.end(x.failure(ended(ctx))) })
	x.mu.Lock()
	x.stop = stop
	over := x.over
	x.mu.Unlock()
	if over {
		stop()
	}
	if x.kind == bodyStream {
		go x.upload() // ends with the body, or with the exchange
	}
	return nil
}

func (c *client) forget(id int32) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.running, id)
}

// deliver takes an event of the host. It does not block.
func (c *client) deliver(id, event int32, data []byte) {
	c.mu.Lock()
	x := c.running[id]
	c.mu.Unlock()
	if x == nil {
		return // it has ended meanwhile
	}
	switch event {
	case eventHead:
		x.head <- data
	case eventReadable:
		signal(x.readable)
	case eventWanted:
		signal(x.wanted)
	case eventFailed:
		x.lose(errors.New(string(data)))
	case eventLeft:
		x.lose(fmt.Errorf("the connection has closed: %w", ErrConnection))
	}
}

func signal(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// failure is the error of the request.
func (x *exchange) failure(err error) error { return &Error{Method: x.method, URL: x.url, Err: err} }

// lose ends an exchange that the host has ended.
func (x *exchange) lose(err error) {
	x.mu.Lock()
	x.left = true
	x.mu.Unlock()
	x.end(x.failure(err))
}

// end ends the exchange, unless it has ended. Read returns err from now on.
func (x *exchange) end(err error) {
	x.mu.Lock()
	if x.over {
		x.mu.Unlock()
		return
	}
	x.over, x.err = true, err
	stop, left := x.stop, x.left
	x.mu.Unlock()
	if stop != nil {
		stop()
	}
	x.client.forget(x.id)
	if !left {
		x.client.host.end(x.id)
	}
	close(x.done)
	if x.kind == bodyStream {
		go x.closeBody() // it may wait for whoever writes
	}
}

func (x *exchange) closeBody() {
	if closer, ok := x.stream.(io.Closer); ok {
		x.closing.Do(func() { _ = closer.Close() }) // the request has ended either way
	}
}

// upload sends the body part by part, each when the host wants it.
func (x *exchange) upload() {
	part := make([]byte, chunk)
	for {
		select {
		case <-x.wanted:
		case <-x.done:
			return
		}
		n, err := readSome(x.stream, part)
		if n > 0 {
			x.client.host.write(x.id, part[:n])
		}
		if errors.Is(err, io.EOF) {
			x.client.host.write(x.id, nil)
			x.closeBody()
			return
		}
		if err != nil {
			x.end(x.failure(fmt.Errorf("read the request body: %w", err)))
			return
		}
	}
}

// idle is how many times a reader may return nothing.
const idle = 100

// readSome reads at least a byte, or returns an error.
func readSome(r io.Reader, p []byte) (n int, err error) {
	for range idle {
		if n, err = r.Read(p); n > 0 || err != nil {
			return n, err
		}
	}
	return 0, io.ErrNoProgress
}

// body is that of a response.
type body struct{ x *exchange }

func (b *body) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	x := b.x
	for {
		select {
		case <-x.done:
			return 0, x.err
		default:
		}
		switch n := x.client.host.read(x.id, p); n {
		case readWait:
		case readDone:
			x.end(io.EOF)
			return 0, x.err
		default:
			return n, nil
		}
		select {
		case <-x.readable:
		case <-x.done:
		}
	}
}

// Close aborts the exchange, if the body was not read to its end. It returns nil.
func (b *body) Close() error {
	b.x.end(b.x.failure(errClosed))
	return nil
}
