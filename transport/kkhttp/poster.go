package kkhttp

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"sync"

	kkrpc "github.com/kkrpc-go/kkrpc"
	"github.com/kkrpc-go/kkrpc/internal/wire"
)

// poster is the transport of a client's channel. It posts each request and gives the channel exactly one response: the
// server's, or its own with an error.
type poster struct {
	// Immutable.
	url, where string // where is url as far as errors may show it
	http       *http.Client
	own        *http.Transport // of http, if nobody else uses it; else nil
	header     func(ctx context.Context) (http.Header, error)
	codec      wire.Codec
	frame      int // limit of an answer, in bytes
	depth      int
	maxQueued  int // bytes
	maxActive  int
	answers    chan []byte
	ctx        context.Context // ends with the transport
	stop       context.CancelFunc

	mu        sync.Mutex // guards what follows
	m         wire.Message
	active    int                 // goroutines that post
	queue     []*post             // what they post next
	queued    int                 // bytes in queue
	room      chan struct{}       // closed when queued falls; nil while nobody waits
	posts     map[string]*post    // queued or under way, by id
	cancelled map[string]struct{} // not to be posted
	failures  map[string]error    // of posts that were answered here, until the channel asks
}

// ownBytes is the number of bytes by which a response of this side may exceed the longest answer.
const ownBytes = 1 << 10

// maxCancelled bounds the ids of requests that were cancelled before they arrived here, because some never arrive. If
// an id is forgotten, its request is posted in vain.
const maxCancelled = 1024

// post is one request.
type post struct {
	id     string
	rawID  []byte
	body   []byte
	ctx    context.Context
	cancel context.CancelFunc
}

// CheckRequest refuses requests that need more than HTTP has.
func (t *poster) CheckRequest(msg []byte) error {
	var m wire.Message
	if err := t.codec.Parse(msg, &m, 0); err != nil {
		return err
	}
	if reason := impossible(&m); reason != "" {
		return fmt.Errorf("%w: %s", kkrpc.ErrUnsupported, reason)
	}
	return nil
}

// TryWriteFrames queues all requests. done is false if the queue is now too long.
func (t *poster) TryWriteFrames(msgs [][]byte) (done bool, err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.ctx.Err() != nil {
		return false, io.ErrClosedPipe
	}
	for _, msg := range msgs {
		t.addLocked(msg)
	}
	return t.queued <= t.maxQueued, nil
}

// WriteFrames blocks until the queue is short enough.
func (t *poster) WriteFrames(msgs [][]byte) error {
	done, err := t.TryWriteFrames(msgs)
	for !done && err == nil {
		t.mu.Lock()
		if t.room == nil {
			t.room = make(chan struct{})
		}
		room := t.room
		done = t.queued <= t.maxQueued
		t.mu.Unlock()
		if done {
			break
		}
		select {
		case <-room:
		case <-t.ctx.Done():
			return io.ErrClosedPipe
		}
	}
	return err
}

// addLocked posts a copy of msg as soon as fewer than maxActive are under way. What is no request has no way to go.
func (t *poster) addLocked(msg []byte) {
	if err := t.codec.Parse(msg, &t.m, 0); err != nil || !wire.IsString(t.m.ID) {
		return
	}
	switch t.m.Kind {
	case wire.Call, wire.Get, wire.Set, wire.New:
	default:
		return
	}
	p := &post{rawID: append([]byte(nil), t.m.ID...)}
	p.id = string(p.rawID[1 : len(p.rawID)-1])
	if _, gone := t.cancelled[p.id]; gone {
		delete(t.cancelled, p.id)
		return
	}
	p.body = append([]byte(nil), msg...)
	p.ctx, p.cancel = context.WithCancel(t.ctx)
	t.posts[p.id] = p
	if t.active < t.maxActive {
		t.active++
		go t.work(p) // ends when nothing is left to post, or after Close
		return
	}
	t.queue = append(t.queue, p)
	t.queued += len(p.body)
}

// work posts p and what waits then.
func (t *poster) work(p *post) {
	for p != nil {
		if answer, err := t.exchange(p); err != nil {
			t.fail(p, err)
		} else if t.finish(p, nil) {
			t.deliver(answer)
		}
		p.cancel()
		p = t.next()
	}
}

func (t *poster) next() *post {
	t.mu.Lock()
	defer t.mu.Unlock()
	for len(t.queue) > 0 {
		p := t.queue[0]
		t.queue[0] = nil
		t.queue = t.queue[1:]
		t.queued -= len(p.body)
		if t.room != nil && t.queued <= t.maxQueued {
			close(t.room)
			t.room = nil
		}
		if p.ctx.Err() == nil {
			return p
		}
	}
	t.active--
	if t.own != nil && t.ctx.Err() != nil {
		t.own.CloseIdleConnections() // this one's may have become idle after Close
	}
	return nil
}

// finish forgets p and notes its failure. It reports whether somebody still waits for it.
func (t *poster) finish(p *post, failure error) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.posts[p.id] != p {
		return false
	}
	delete(t.posts, p.id)
	if failure != nil {
		t.failures[p.id] = failure
	}
	return true
}

// fail answers p here.
func (t *poster) fail(p *post, err error) {
	if t.finish(p, err) {
		// The caller gets err itself, from RequestFailure.
		t.deliver(appendFailure(t.codec, p.rawID, "Error", "no answer", false))
	}
}

func (t *poster) deliver(answer []byte) {
	select {
	case t.answers <- answer:
	case <-t.ctx.Done():
	}
}

// RequestFailure returns the original error for the caller.
func (t *poster) RequestFailure(id string) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	err := t.failures[id]
	delete(t.failures, id)
	return err
}

// CancelRequest aborts a request, or removes it before it is posted.
func (t *poster) CancelRequest(id string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	p := t.posts[id]
	_, failed := t.failures[id]
	switch {
	case p != nil:
		delete(t.posts, id)
		p.cancel()
	case failed:
		delete(t.failures, id)
	default: // still on its way here, or answered at this moment
		if len(t.cancelled) == maxCancelled {
			clear(t.cancelled)
		}
		t.cancelled[id] = struct{}{}
	}
}

// Undelivered ignores messages after the end, because no caller waits for them.
func (t *poster) Undelivered([]byte) {}

// ReadFrame returns the next response.
func (t *poster) ReadFrame(buf []byte) (msg []byte, more bool, err error) {
	select {
	case answer := <-t.answers:
		return answer, false, nil
	case <-t.ctx.Done():
		return nil, false, io.ErrClosedPipe
	}
}

// Close aborts all requests.
func (t *poster) Close(int, string) error {
	t.stop()
	if t.own != nil {
		t.own.CloseIdleConnections()
	}
	return nil
}
