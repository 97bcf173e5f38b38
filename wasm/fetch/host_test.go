package fetch

import (
	"slices"
	"strings"
	"sync"
	"testing"
)

// fakeHost is a host whose events the test makes.
type fakeHost struct {
	client *client

	mu       sync.Mutex
	refuses  bool // no connection is open
	requests map[int32][]string
	bodies   map[int32]string // sent as a whole
	kinds    map[int32]int32
	parts    map[int32][]byte // of the response, to be read
	done     map[int32]bool   // there are no more of these
	written  chan string      // parts of a request's body; "" ends it
	ended    []int32
	started  chan int32
}

// newHost returns a client without a runtime.
func newHost(t *testing.T) (*client, *fakeHost) {
	t.Helper()
	h := &fakeHost{
		requests: map[int32][]string{}, bodies: map[int32]string{}, kinds: map[int32]int32{}, parts: map[int32][]byte{}, done: map[int32]bool{},
		written: make(chan string, 100), started: make(chan int32, 100),
	}
	c := &client{host: h, running: map[int32]*exchange{}}
	h.client = c
	t.Cleanup(func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		if len(c.running) > 0 {
			t.Errorf("%d exchanges are left", len(c.running))
		}
	})
	return c, h
}

func (h *fakeHost) start(id, _ int32, request string, kind int32, body []byte) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.refuses {
		return false
	}
	h.requests[id], h.kinds[id], h.bodies[id] = strings.Split(request, "\x00"), kind, string(body)
	h.started <- id
	return true
}

func (h *fakeHost) read(id int32, p []byte) int {
	h.mu.Lock()
	defer h.mu.Unlock()
	n := copy(p, h.parts[id])
	h.parts[id] = h.parts[id][n:]
	switch {
	case n > 0:
		return n
	case h.done[id]:
		return readDone
	}
	return readWait
}

func (h *fakeHost) write(_ int32, part []byte) { h.written <- string(part) }

func (h *fakeHost) end(id int32) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.ended = append(h.ended, id)
}

// hasEnded tells whether the program has ended the fetch.
func (h *fakeHost) hasEnded(id int32) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return slices.Contains(h.ended, id)
}

// respond delivers the head of a response.
func (h *fakeHost) respond(id int32, words ...string) {
	h.client.deliver(id, eventHead, []byte(strings.Join(words, "\x00")))
}

// send delivers a part of a response's body, or its end.
func (h *fakeHost) send(id int32, part string) {
	h.mu.Lock()
	h.parts[id] = append(h.parts[id], part...)
	h.done[id] = part == ""
	h.mu.Unlock()
	h.client.deliver(id, eventReadable, nil)
}
