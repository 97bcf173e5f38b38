//go:build !js

package ws_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"iter"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	kkrpc "github.com/kkrpc-go/kkrpc"
	"github.com/kkrpc-go/kkrpc/transport/ws"
)

// Directions of a cutter.
const (
	up   = iota // to the server
	down        // to the client
)

// cutter is a TCP proxy that cuts its connections.
type cutter struct {
	ln     net.Listener
	scheme string
	target string
	done   sync.WaitGroup

	mu    sync.Mutex
	conns map[net.Conn]bool
	count [2]int        // bytes behind handshakes
	fired chan struct{} // gets a value at each cut
	left  [2]int        // such bytes until all connections are cut; negative: never
	reset bool          // cut with a reset, which discards what has not been read
	run   int           // connections of an earlier run are not counted
}

func newCutter(t testing.TB, url string) *cutter {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	scheme, target, _ := strings.Cut(url, "://")
	c := &cutter{ln: ln, scheme: scheme, target: target, conns: map[net.Conn]bool{}, left: [2]int{-1, -1}, fired: make(chan struct{}, 1)}
	c.done.Go(func() {
		for {
			client, err := ln.Accept()
			if err != nil {
				return
			}
			c.done.Go(func() { c.serve(client) })
		}
	})
	t.Cleanup(func() {
		ln.Close()
		c.cut()
		c.done.Wait()
	})
	return c
}

func (c *cutter) url() string { return c.scheme + "://" + c.ln.Addr().String() }

func (c *cutter) serve(client net.Conn) {
	server, err := net.Dial("tcp", c.target)
	if err != nil {
		client.Close()
		return
	}
	c.mu.Lock()
	c.conns[client], c.conns[server] = true, true
	run := c.run
	c.mu.Unlock()
	var both sync.WaitGroup
	both.Go(func() { c.copy(server, client, up, run) })
	both.Go(func() { c.copy(client, server, down, run) })
	both.Wait()
	c.mu.Lock()
	delete(c.conns, client)
	delete(c.conns, server)
	c.mu.Unlock()
}

func (c *cutter) copy(to, from net.Conn, way, run int) {
	defer to.Close()
	defer from.Close()
	buf := make([]byte, 32<<10)
	var head []byte                    // until the handshake is over
	for over := c.scheme == "wss"; ; { // whose handshake cannot be told
		n, err := from.Read(buf)
		p := buf[:n]
		if !over {
			head = append(head, p...)
			if end := bytes.Index(head, []byte("\r\n\r\n")); end >= 0 {
				end += 4 - (len(head) - n)
				_, _ = to.Write(p[:end])
				over, p = true, p[end:]
			}
		}
		if over {
			allowed, cut := c.allow(way, run, len(p))
			_, werr := to.Write(p[:allowed])
			if cut {
				c.cut()
				return
			}
			if werr != nil {
				return
			}
		} else if _, werr := to.Write(p); werr != nil {
			return
		}
		if err != nil {
			return
		}
	}
}

// allow counts n more bytes. It returns how many of them pass, and whether all connections are to be cut then.
func (c *cutter) allow(way, run, n int) (allowed int, cut bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if run != c.run {
		return n, false
	}
	if left := c.left[way]; left >= 0 && n >= left {
		c.left[way] = -1
		n, cut = left, true
		select {
		case c.fired <- struct{}{}:
		default: // nobody waits for it
		}
	} else if left >= 0 {
		c.left[way] -= n
	}
	c.count[way] += n
	return n, cut
}

// begin starts a run that is cut after left bytes of one way; negative: not at all.
func (c *cutter) begin(way, left int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.run++
	c.count = [2]int{}
	c.armLocked(way, left)
}

// arm has the connections cut after left more bytes of one way.
func (c *cutter) arm(way, left int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.armLocked(way, left)
}

func (c *cutter) armLocked(way, left int) {
	c.left = [2]int{-1, -1}
	c.left[way], c.reset = left, left%2 == 1
}

func (c *cutter) counts() [2]int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.count
}

// cut cuts all connections.
func (c *cutter) cut() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for conn := range c.conns {
		if c.reset {
			_ = conn.(*net.TCPConn).SetLinger(0)
		}
		conn.Close()
	}
}

// firstFrames is more than what the first frames of a session take in either direction.
const firstFrames = 100

// transcript is what has run, on one side each, in order.
type transcript struct {
	mu    sync.Mutex
	lines [2][]string
}

func (l *transcript) note(side int, format string, args ...any) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.lines[side] = append(l.lines[side], fmt.Sprintf(format, args...))
}

type counter struct {
	log *transcript
	n   int
}

func (c *counter) Add(n int) int {
	c.n += n
	c.log.note(up, "count %d", c.n)
	return c.n
}

// talkative is an API with whatever crosses a connection.
func talkative(log *transcript) kkrpc.Object {
	return kkrpc.Object{
		"add": func(a, b int) int {
			log.note(up, "add %d %d", a, b)
			return a + b
		},
		"each": func(n int, f func(int)) {
			for i := range n {
				log.note(up, "callback %d", i)
				f(i)
			}
		},
		"count": func(n int) iter.Seq[int] {
			return func(yield func(int) bool) {
				for i := range n {
					log.note(up, "yield %d", i)
					if !yield(i) {
						return
					}
				}
			}
		},
		"sum": func(items iter.Seq2[int, error]) (int, error) {
			sum := 0
			for v, err := range items {
				if err != nil {
					return 0, err
				}
				log.note(up, "item %d", v)
				sum += v
			}
			return sum, nil
		},
		"reverse": func(b []byte) []byte {
			log.note(up, "reverse %x", b)
			slices.Reverse(b)
			return b
		},
		"counter": func() *kkrpc.Ref { return kkrpc.Proxy(&counter{log: log}) },
		"fail":    func() error { return errors.New("as expected") },
	}
}

// converse calls whatever a talkative API has.
func converse(ctx context.Context, c kkrpc.Caller, log *transcript) error {
	for i := range 3 {
		sum, err := kkrpc.Call[int](ctx, c, "add", i, 10)
		if err != nil {
			return err
		}
		log.note(down, "sum %d", sum)
	}
	if _, err := kkrpc.Call[any](ctx, c, "fail"); err == nil || !strings.Contains(err.Error(), "as expected") {
		return fmt.Errorf("fail: %v", err)
	}
	_, err := kkrpc.Call[any](ctx, c, "each", 3, func(i int) { log.note(down, "called %d", i) })
	if err != nil {
		return err
	}
	for v, err := range kkrpc.Stream[int](ctx, c, "count", 5) {
		if err != nil {
			return err
		}
		log.note(down, "item %d", v)
	}
	sum, err := kkrpc.Call[int](ctx, c, "sum", iter.Seq[int](func(yield func(int) bool) {
		for i := range 5 {
			log.note(down, "yield %d", i)
			if !yield(i) {
				return
			}
		}
	}))
	if err != nil {
		return err
	}
	log.note(down, "sum of stream %d", sum)
	reversed, err := kkrpc.Call[[]byte](ctx, c, "reverse", []byte{1, 0xff, '"'})
	if err != nil {
		return err
	}
	log.note(down, "reversed %x", reversed)
	ref, err := kkrpc.Call[*kkrpc.Ref](ctx, c, "counter")
	if err != nil {
		return err
	}
	for i := range 3 {
		n, err := kkrpc.Call[int](ctx, ref, "add", i)
		if err != nil {
			return err
		}
		log.note(down, "counted %d", n)
	}
	return nil
}

// sessionOptions are those of tests.
func sessionOptions(s *ws.SessionOptions) *ws.PersistentOptions {
	return &ws.PersistentOptions{
		Dial:    ws.DialOptions{Session: s},
		Backoff: ws.Backoff{Min: time.Millisecond, Max: 5 * time.Millisecond},
		Logger:  silent,
	}
}

func openPersistent(t testing.TB, url string, opts *ws.PersistentOptions) *ws.Persistent {
	t.Helper()
	p, err := ws.DialPersistent(testContext(t), url, opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = p.Close()
		<-p.Done()
	})
	return p
}

// rig runs conversations over a cutter.
type rig struct {
	cutter *cutter
	opened atomic.Int32
	log    *transcript
}

func newRig(t *testing.T) *rig {
	r := new(rig)
	server := ws.HandlerFor(func(*http.Request) (any, error) { return talkative(r.log), nil }, &ws.Options{
		Session: &ws.SessionOptions{},
		OnOpen:  func(*kkrpc.Channel, *http.Request) { r.opened.Add(1) },
		Logger:  silent,
	})
	r.cutter = newCutter(t, serve(t, server))
	return r
}

// run has a conversation whose connection is cut after left bytes of one way; negative: not at all.
func (r *rig) run(t *testing.T, way, left int) *transcript {
	t.Helper()
	r.cutter.begin(way, left)
	r.log = new(transcript)
	r.opened.Store(0)
	ended := make(chan error, 10)
	opts := sessionOptions(&ws.SessionOptions{OnEvent: func(_ *kkrpc.Channel, e ws.SessionEvent) {
		if e.Kind == ws.SessionEnded {
			ended <- e.Err
		}
	}})
	p, err := ws.DialPersistent(testContext(t), r.cutter.url(), opts)
	if err != nil {
		t.Fatal(err)
	}
	if err := converse(testContext(t), p, r.log); err != nil {
		t.Fatalf("cut after %d bytes, way %d: %v", left, way, err)
	}
	_ = p.Close()
	<-p.Done()
	<-ended
	if len(ended) > 0 {
		t.Fatalf("cut after %d bytes, way %d: a second session ended: %v", left, way, <-ended)
	}
	if n := r.opened.Load(); n != 1 && left > firstFrames { // before, the client may not know of its session
		t.Fatalf("cut after %d bytes, way %d: %d sessions opened", left, way, n)
	}
	return r.log
}

// A conversation of calls, callbacks, streams and references is the same wherever its connection is cut: the same results, in
// the same order, and nothing runs twice.
func TestSessionCutAnywhere(t *testing.T) {
	const parts = 8
	step := parts
	if testing.Short() {
		step = 40 * parts
	}
	first := newRig(t)
	want := first.run(t, up, -1)
	total := first.cutter.counts()
	t.Logf("%d bytes up, %d down, %d lines", total[up], total[down], len(want.lines[up])+len(want.lines[down]))
	for part := range parts {
		t.Run(fmt.Sprint("part ", part), func(t *testing.T) {
			t.Parallel()
			r := newRig(t)
			for way := range total {
				for left := part; left <= total[way]; left += step {
					got := r.run(t, way, left)
					if diff := cmp.Diff(want.lines, got.lines); diff != "" {
						t.Fatalf("cut after %d bytes, way %d: %s", left, way, diff)
					}
				}
			}
		})
	}
}
