//go:build !js

package ws_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"log"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	kkrpc "github.com/kkrpc-go/kkrpc"
	"github.com/kkrpc-go/kkrpc/transport/ws"
)

// A paused client that gets more one-way messages than fit into the buffer and the backlog is a slow consumer.
func TestSessionBufferBound(t *testing.T) {
	opened := make(chan *kkrpc.Channel, 1)
	paused, closed := make(chan struct{}, 1), make(chan error, 1)
	s := ws.Handler(greeter, &ws.Options{
		RPC: kkrpc.Options{Limits: kkrpc.Limits{Backlog: 20_000}},
		Session: &ws.SessionOptions{Buffer: 10_000, OnEvent: func(_ *kkrpc.Channel, e ws.SessionEvent) {
			if e.Kind == ws.SessionPaused {
				paused <- struct{}{}
			}
		}},
		OnOpen:  func(ch *kkrpc.Channel, _ *http.Request) { opened <- ch },
		OnClose: func(_ *kkrpc.Channel, _ *http.Request, err error) { closed <- err },
		Logger:  silent,
	})
	c := openSocket(t, serve(t, s), nil)
	id := c.begin()
	c.call(1)
	c.answered(1)
	ch := receive(t, opened)
	c.nc.Close()
	receive(t, paused)
	text := strings.Repeat("x", 1000)
	const most = 12 // beside their envelopes
	for range most {
		if err := kkrpc.Notify(ch, "news", text); err != nil {
			t.Fatal(err)
		}
	}
	c = openSocketAgain(t, s, id) // all of it comes, on a socket
	for n := 1; n <= most; n++ {
		if got := c.expect(`{"t":"q"`); !strings.Contains(got, text) {
			t.Fatalf("%q", got)
		}
		c.send(fmt.Sprintf("#ack %d", 1+n))
	}
	c.nc.Close()
	receive(t, paused)
	for i := 0; kkrpc.Notify(ch, "news", text) == nil; i++ {
		if i > 40 {
			t.Fatal("40,000 bytes fit into 30,000")
		}
	}
	if err := receive(t, closed); !errors.Is(err, kkrpc.ErrSlowConsumer) || !errors.Is(err, kkrpc.ErrClosed) {
		t.Errorf("closed with %v", err)
	}
	if n := s.Stats().Closed.Slow; n != 1 {
		t.Errorf("%d closed as slow consumers", n)
	}
}

// Memory stays flat however much a side wants to send while its session is paused: it ends at the bound, by name.
func TestSessionBufferBoundsMemory(t *testing.T) {
	const buffer, size, messages = 1 << 20, 10_000, 20_000
	opened, paused := make(chan *kkrpc.Channel, 1), make(chan struct{}, 2)
	options := func() *ws.SessionOptions {
		return &ws.SessionOptions{Buffer: buffer, OnEvent: func(_ *kkrpc.Channel, e ws.SessionEvent) {
			if e.Kind == ws.SessionPaused {
				paused <- struct{}{}
			}
		}}
	}
	limits := kkrpc.Limits{Backlog: buffer}
	s := ws.Handler(greeter, &ws.Options{
		RPC:     kkrpc.Options{Dialect: kkrpc.Compact, Limits: limits},
		Session: options(),
		OnOpen:  func(ch *kkrpc.Channel, _ *http.Request) { opened <- ch },
		Logger:  silent,
	})
	c := newCutter(t, serve(t, s))
	client := dial(t, c.url(), &ws.DialOptions{Session: options(), RPC: kkrpc.Options{Limits: limits}})
	server := receive(t, opened)
	c.ln.Close()
	c.cut()
	receive(t, paused)
	receive(t, paused)
	heap := func() int {
		var stats runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&stats)
		return int(stats.HeapAlloc)
	}
	text := strings.Repeat("x", size)
	for side, ch := range map[string]*kkrpc.Channel{"client": client, "server": server} {
		before, most, sent := heap(), 0, 0
		for i := range messages {
			if err := kkrpc.Notify(ch, "news", text); err == nil {
				sent++
			}
			if open := ch.Err() == nil; open && i%10 == 0 || i%2000 == 0 {
				most = max(most, heap()-before)
			}
		}
		if err := ch.Err(); !errors.Is(err, kkrpc.ErrSlowConsumer) {
			t.Errorf("%s: closed with %v", side, err)
		}
		after := heap() - before
		t.Logf("%s: %d of %d bytes were taken, the heap grew by at most %d and by %d in the end", side, sent*size, messages*size, most, after)
		if sent > 2*buffer/size+2 || sent < buffer/size {
			t.Errorf("%s: %d messages were taken", side, sent)
		}
		if most > 6*buffer || after > buffer/2 {
			t.Errorf("%s: the heap grew by %d bytes, and by %d in the end", side, most, after)
		}
	}
}

// A stream whose chunks are together larger than the buffer goes on after each pause.
func TestSessionLargeStreamSurvivesCuts(t *testing.T) {
	content := bytes.Repeat([]byte("0123456789abcdef"), 256<<10) // 4 MiB
	url := serve(t, ws.Handler(kkrpc.Object{"read": func() io.Reader { return bytes.NewReader(content) }}, &ws.Options{
		Session: &ws.SessionOptions{Buffer: 100_000},
		Logger:  silent,
	}))
	c := newCutter(t, url)
	p := openPersistent(t, c.url(), sessionOptions(&ws.SessionOptions{}))
	reader, err := kkrpc.Call[io.ReadCloser](testContext(t), p, "read")
	if err != nil {
		t.Fatal(err)
	}
	cuts := 0
	got := make([]byte, len(content))
	for at := 0; at < len(got); {
		if n := c.counts()[down]; cuts < 20 && n >= cuts*200_000 {
			c.cut()
			cuts++
		}
		n, err := reader.Read(got[at:min(len(got), at+10_000)])
		if err != nil {
			t.Fatalf("after %d bytes and %d cuts: %v", at, cuts, err)
		}
		at += n
	}
	if !bytes.Equal(got, content) {
		t.Error("the content has changed")
	}
	if cuts < 10 {
		t.Errorf("only %d cuts", cuts)
	}
}

func openSocketAgain(t *testing.T, s *ws.Server, id string) *socket {
	t.Helper()
	c := openSocket(t, serve(t, s), nil)
	c.send("#resume " + id + " 1")
	c.expect("#resumed 1")
	return c
}

// Streams in both directions and large calls survive any number of cuts, each item exactly once.
func TestSessionStreamsSurviveCuts(t *testing.T) {
	const items = 20_000
	api := kkrpc.Object{
		"echo": func(s string) string { return s },
		"count": func(n int) iter.Seq[int] {
			return func(yield func(int) bool) {
				for i := 0; i < n && yield(i); i++ {
				}
			}
		},
		"check": func(items iter.Seq2[int, error]) (int, error) {
			next := 0
			for v, err := range items {
				if err != nil {
					return 0, err
				}
				if v != next {
					return 0, fmt.Errorf("item %d in place of %d", v, next)
				}
				next++
			}
			return next, nil
		},
	}
	for _, network := range []string{"plain", "compressed", "TLS"} {
		t.Run(network, func(t *testing.T) {
			var resumed atomic.Int32
			compress := network == "compressed"
			s := ws.Handler(api, &ws.Options{Session: &ws.SessionOptions{}, Logger: silent, Compression: compress})
			srv := httptest.NewUnstartedServer(s)
			srv.Config.ErrorLog = log.New(io.Discard, "", 0)
			if network == "TLS" {
				srv.StartTLS()
			} else {
				srv.Start()
			}
			t.Cleanup(func() {
				_ = s.Close()
				srv.Close()
			})
			c := newCutter(t, "ws"+strings.TrimPrefix(srv.URL, "http"))
			opts := sessionOptions(&ws.SessionOptions{OnEvent: func(_ *kkrpc.Channel, e ws.SessionEvent) {
				switch e.Kind {
				case ws.SessionResumed:
					resumed.Add(1)
				case ws.SessionEnded:
					if !errors.Is(e.Err, net.ErrClosed) {
						t.Errorf("ended with %v", e.Err)
					}
				}
			}})
			opts.Dial.Compression = compress
			if network == "TLS" {
				opts.Dial.TLS = srv.Client().Transport.(*http.Transport).TLSClientConfig
			}
			p := openPersistent(t, c.url(), opts)
			ch, err := p.Channel(testContext(t))
			if err != nil {
				t.Fatal(err)
			}
			ctx := context.Background()
			const seed = 7
			rnd := rand.New(rand.NewPCG(seed, seed))
			stop := make(chan struct{})
			var cuts, work sync.WaitGroup
			cuts.Go(func() {
				most := 100_000
				if compress {
					most /= 5 // the same items are fewer bytes
				}
				for n := 0; ; n++ { // after some bytes each
					c.arm(rnd.IntN(2), 1000+rnd.IntN(most))
					select {
					case <-stop:
						return
					case <-c.fired:
					}
				}
			})
			work.Go(func() {
				next := 0
				for v, err := range kkrpc.Stream[int](ctx, ch, "count", items) {
					if err != nil || v != next {
						t.Errorf("item %d in place of %d, %v", v, next, err)
						return
					}
					next++
				}
				if next != items {
					t.Errorf("%d items", next)
				}
			})
			work.Go(func() {
				n, err := kkrpc.Call[int](ctx, ch, "check", iter.Seq[int](func(yield func(int) bool) {
					for i := 0; i < items && yield(i); i++ {
					}
				}))
				if n != items || err != nil {
					t.Errorf("%d items, %v", n, err)
				}
			})
			for worker := range 4 {
				work.Go(func() {
					for i := range 50 {
						text := strings.Repeat(fmt.Sprint(worker, i, " "), 1+i*i*5)
						if got, err := kkrpc.Call[string](ctx, ch, "echo", text); got != text || err != nil {
							t.Errorf("echo of %d bytes: %d, %v", len(text), len(got), err)
							return
						}
					}
				})
			}
			work.Wait()
			close(stop)
			cuts.Wait()
			t.Logf("%d cuts survived", resumed.Load())
			if resumed.Load() < 20 {
				t.Errorf("only %d cuts", resumed.Load())
			}
			if ch.Err() != nil || ch.Dropped() != 0 {
				t.Errorf("%v, %d dropped", ch.Err(), ch.Dropped())
			}
		})
	}
}

// With a socket, a message without room waits for an acknowledgement, and goes on waiting when the socket breaks.
func TestSessionWaitsForRoom(t *testing.T) {
	opened, paused := make(chan *kkrpc.Channel, 1), make(chan struct{}, 10)
	s := ws.Handler(greeter, &ws.Options{
		RPC: kkrpc.Options{Dialect: kkrpc.Compact},
		Session: &ws.SessionOptions{Buffer: 10_000, OnEvent: func(_ *kkrpc.Channel, e ws.SessionEvent) {
			if e.Kind == ws.SessionPaused {
				paused <- struct{}{}
			}
		}},
		OnOpen: func(ch *kkrpc.Channel, _ *http.Request) { opened <- ch },
		Logger: silent,
	})
	url := serve(t, s)
	c := openSocket(t, url, nil)
	id := c.begin()
	ch := receive(t, opened)
	const all = 40
	for i := range all {
		if err := kkrpc.Notify(ch, "news", i, strings.Repeat("x", 1000)); err != nil { // with its envelope, 8 fit into the buffer
			t.Fatal(err)
		}
	}
	got, known := 0, 0
	for rounds := 0; got < all; rounds++ {
		if rounds > 0 {
			c = openSocket(t, url, nil)
			c.send(fmt.Sprintf("#resume %s %d", id, known))
			c.expect("#resumed 0")
			got = known
		}
		for range 8 { // as many as there is room for
			if got == all {
				break
			}
			if text := c.expect(`{"t":"q"`); !strings.Contains(text, fmt.Sprintf(`"v":%d}`, got)) {
				t.Fatalf("%q in place of message %d", text, got)
			}
			got++
		}
		known += 4
		c.send(fmt.Sprintf("#ack %d", min(known, got)))
		c.send("#ping")
		for !strings.HasPrefix(c.expect(""), "#ack 0") {
		}
		c.nc.Close()
		receive(t, paused)
	}
	if ch.Err() != nil {
		t.Error(ch.Err())
	}
}

// A side whose message waits for room asks for an acknowledgement, which might come a second later otherwise.
func TestSessionAsksForRoom(t *testing.T) {
	opened := make(chan *kkrpc.Channel, 1)
	url := serve(t, ws.Handler(greeter, &ws.Options{
		RPC:     kkrpc.Options{Dialect: kkrpc.Compact},
		Session: &ws.SessionOptions{Buffer: 1000},
		OnOpen:  func(ch *kkrpc.Channel, _ *http.Request) { opened <- ch },
		Logger:  silent,
	}))
	c := openSocket(t, url, nil)
	c.begin()
	ch := receive(t, opened)
	for _, size := range []int{1, 2000} {
		if err := kkrpc.Notify(ch, "news", strings.Repeat("x", size)); err != nil {
			t.Fatal(err)
		}
	}
	c.expect(`{"t":"q"`)
	c.expect("#ping")
	c.send("#ack 1")
	c.expect(`{"t":"q"`)
}
