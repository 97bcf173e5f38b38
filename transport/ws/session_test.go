//go:build !js

package ws_test

import (
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
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	gobwas "github.com/gobwas/ws"
	"github.com/gobwas/ws/wsutil"

	kkrpc "github.com/kkrpc-go/kkrpc"
	"github.com/kkrpc-go/kkrpc/transport/ws"
)

const sessionProtocol = "kkrpc.session.1"

var compactProtocol = "kkrpc." + kkrpc.Compact.String()

// socket is a client that speaks the frames of a session by itself.
type socket struct {
	t  *testing.T
	nc net.Conn
	rw io.ReadWriter
}

// dialSocket connects with the subprotocols of a client that has sessions.
func dialSocket(t *testing.T, url string, header http.Header, protocols ...string) (*socket, gobwas.Handshake) {
	t.Helper()
	nc, br, hs, err := gobwas.Dialer{Protocols: protocols, Header: gobwas.HandshakeHeaderHTTP(header)}.Dial(testContext(t), url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { nc.Close() })
	_ = nc.SetDeadline(time.Now().Add(20 * time.Second))
	s := &socket{t, nc, nc}
	if br != nil {
		s.rw = struct {
			io.Reader
			io.Writer
		}{br, nc}
	}
	return s, hs
}

func openSocket(t *testing.T, url string, header http.Header) *socket {
	t.Helper()
	s, hs := dialSocket(t, url, header, compactProtocol, sessionProtocol)
	if hs.Protocol != sessionProtocol {
		t.Fatalf("the server selects %q", hs.Protocol)
	}
	return s
}

func (s *socket) send(text string) {
	s.t.Helper()
	if err := wsutil.WriteClientText(s.rw, []byte(text)); err != nil {
		s.t.Fatal(err)
	}
}

// next returns the next message, or the error.
func (s *socket) next() (string, error) {
	p, err := wsutil.ReadServerText(s.rw)
	return string(p), err
}

// expect returns the next message, which begins with prefix.
func (s *socket) expect(prefix string) string {
	s.t.Helper()
	text, err := s.next()
	if err != nil || !strings.HasPrefix(text, prefix) {
		s.t.Fatalf("got %q, %v in place of %q", text, err, prefix)
	}
	return text
}

// expectClose reads on to the close frame.
func (s *socket) expectClose(code int) string {
	s.t.Helper()
	for {
		h, err := gobwas.ReadHeader(s.rw)
		payload := make([]byte, h.Length)
		if err == nil {
			_, err = io.ReadFull(s.rw, payload)
		}
		if err != nil {
			s.t.Fatalf("%v in place of a close frame with %d", err, code)
		}
		if h.OpCode == gobwas.OpClose {
			got, reason := gobwas.ParseCloseFrameData(payload)
			if int(got) != code {
				s.t.Fatalf("closed with %d %q in place of %d", got, reason, code)
			}
			return reason
		}
	}
}

// begin opens a session and returns its id.
func (s *socket) begin() (id string) {
	s.t.Helper()
	s.send("#open")
	return strings.Fields(s.expect("#session "))[1]
}

const echoCall = `{"t":"q","id":"%d","op":"call","p":["echo"],"a":[{"__kkrpc_next_arg__":"value","v":"x"}]}`

func (s *socket) call(id int) { s.t.Helper(); s.send(fmt.Sprintf(echoCall, id)) }

func (s *socket) answered(id int) {
	s.t.Helper()
	for {
		text := s.expect("")
		if strings.HasPrefix(text, "#ack ") {
			continue
		}
		if !strings.Contains(text, fmt.Sprintf(`"id":"%d"`, id)) {
			s.t.Fatalf("%q in place of the answer to %d", text, id)
		}
		return
	}
}

// sessionServer serves greeter. closed gets what OnClose gets.
func sessionServer(t *testing.T, opts *ws.Options) (url string, s *ws.Server, closed chan error) {
	closed = make(chan error, 100)
	opts.OnClose = func(_ *kkrpc.Channel, err error) { closed <- err }
	opts.Logger = silent
	if opts.Session == nil {
		opts.Session = &ws.SessionOptions{}
	}
	s = ws.Handler(greeter, opts)
	return serve(t, s), s, closed
}

func receive[T any](t *testing.T, from <-chan T) (v T) {
	t.Helper()
	select {
	case v = <-from:
	case <-testContext(t).Done():
		t.Fatal("nothing comes")
	}
	return v
}

// The frames of a session are those of docs/protocol.md.
func TestSessionFrames(t *testing.T) {
	url, s, closed := sessionServer(t, &ws.Options{Session: &ws.SessionOptions{Keep: 7 * time.Second, Buffer: 5000}})
	a := openSocket(t, url, nil)
	a.send("#open")
	fields := strings.Fields(a.expect("#session "))
	if len(fields) != 4 || len(fields[1]) != 43 || fields[2] != "7000" || fields[3] != "5000" {
		t.Fatalf("%q", fields)
	}
	id := fields[1]
	a.call(1)
	a.expect("#ack 1") // before the answer, in one write
	a.answered(1)
	a.send("#ping")
	a.expect("#ack 1")
	a.nc.Close()

	b := openSocket(t, url, nil)
	b.send("#resume " + id + " 0")
	b.expect("#resumed 1")
	b.answered(1) // once more, since the client has not had it
	b.call(2)
	b.answered(2)
	b.send("#ack 2")
	b.send("#ping")
	b.expect("#ack 2")
	_ = wsutil.WriteClientMessage(b.rw, gobwas.OpClose, gobwas.NewCloseFrameBody(1000, ""))
	if err := receive(t, closed); !errors.Is(err, io.EOF) {
		t.Errorf("closed with %v", err)
	}
	if stats := s.Stats(); stats.Opened != 1 || stats.Sessions != (ws.SessionStats{Resumed: 1}) {
		t.Errorf("%+v", stats)
	}
}

// A peer that knows no sessions sees no byte of them, and one that has them copes with one that has none.
func TestSessionFallsBack(t *testing.T) {
	url, _, _ := sessionServer(t, &ws.Options{})
	plain := serve(t, ws.Handler(greeter, nil))
	for _, test := range []struct {
		name, url string
		protocols []string
		selected  string
	}{
		{"client without subprotocols", url, nil, ""},
		{"client without sessions", url, []string{compactProtocol}, compactProtocol},
		{"client with later sessions", url, []string{compactProtocol, "kkrpc.session.2"}, compactProtocol},
		{"server without sessions", plain, []string{compactProtocol, sessionProtocol}, compactProtocol},
		{"server without sessions that are first", plain, []string{sessionProtocol, compactProtocol}, compactProtocol},
	} {
		t.Run(test.name, func(t *testing.T) {
			s, hs := dialSocket(t, test.url, nil, test.protocols...)
			if hs.Protocol != test.selected {
				t.Errorf("selected %q", hs.Protocol)
			}
			for i := range 100 { // more than would be acknowledged
				s.call(i)
				s.expect(fmt.Sprintf(`{"t":"r","id":"%d"`, i))
			}
		})
	}
	t.Run("session first", func(t *testing.T) {
		if _, hs := dialSocket(t, url, nil, sessionProtocol, compactProtocol); hs.Protocol != sessionProtocol {
			t.Errorf("selected %q", hs.Protocol)
		}
	})
	t.Run("client of this package", func(t *testing.T) {
		ch := dial(t, plain, &ws.DialOptions{Session: &ws.SessionOptions{OnEvent: func(_ *kkrpc.Channel, e ws.SessionEvent) {
			t.Errorf("event %v", e)
		}}})
		if got, err := kkrpc.Call[string](testContext(t), ch, "echo", "x"); got != "x" || err != nil {
			t.Errorf("%q, %v", got, err)
		}
	})
}

// First frames and control frames that are not those of the protocol end the socket, and a session if there is one.
func TestSessionHostileFrames(t *testing.T) {
	url, s, closed := sessionServer(t, &ws.Options{})
	for _, first := range []string{
		"#ack 1", "#session x 1 2", "#resumed 0", "#ping", "#refused unknown ", "#open now", "{}", "x", "#", "",
		"#resume x 0", "#resume " + strings.Repeat("a", 43), "#resume " + strings.Repeat("a", 43) + " -1",
	} {
		c := openSocket(t, url, nil)
		c.send(first)
		c.expectClose(1002)
	}
	large := openSocket(t, url, nil)
	large.send("#open" + strings.Repeat(" ", 1<<10))
	large.expectClose(1009)
	for _, frame := range []string{
		"#open", "#resume " + strings.Repeat("a", 43) + " 0", "#session " + strings.Repeat("a", 43) + " 1 2", "#resumed 1", "#refused unknown ",
		"#ack 2", "#ack 0", "#ack 01", "#ack", "#nack 1", "#", "##", "#ping ", "#ack 9007199254740992",
	} {
		c := openSocket(t, url, nil)
		c.begin()
		c.call(1)
		c.answered(1)
		c.send("#ack 1")
		c.send(frame)
		c.expectClose(1002)
		var refused *ws.CloseError
		if err := receive(t, closed); !errors.As(err, &refused) || !refused.Sent || refused.Code != 1002 {
			t.Errorf("%s: closed with %v", frame, err)
		}
	}
	if stats := s.Stats(); stats.Closed.Protocol != stats.Opened || stats.Sessions.Paused != 0 {
		t.Errorf("%+v", stats)
	}
}

// A session is not told from one that never was by whoever it does not belong to.
func TestSessionRefuses(t *testing.T) {
	url, s, closed := sessionServer(t, &ws.Options{
		Origins: []string{"https://a.example", "https://b.example"},
		Session: &ws.SessionOptions{
			Keep:     time.Hour,
			Identity: func(r *http.Request) string { return r.Header.Get("User") },
		},
	})
	header := func(user, origin string) http.Header { return http.Header{"User": {user}, "Origin": {origin}} }
	own := header("ada", "https://a.example")
	first := openSocket(t, url, own)
	id := first.begin()
	first.call(1)
	first.answered(1)
	var texts []string
	for _, test := range []struct {
		name   string
		header http.Header
		id     string
	}{
		{"other identity", header("bob", "https://a.example"), id},
		{"other origin", header("ada", "https://b.example"), id},
		{"no origin", http.Header{"User": {"ada"}}, id},
		{"no such session", own, strings.Repeat("a", 43)},
	} {
		c := openSocket(t, url, test.header)
		c.send("#resume " + test.id + " 1")
		text := c.expect("#refused unknown ")
		texts = append(texts, text+c.expectClose(4410))
		if texts[len(texts)-1] != texts[0] {
			t.Errorf("%s: %q, not %q", test.name, texts[len(texts)-1], texts[0])
		}
	}
	for _, n := range []int{2, 1000} {
		c := openSocket(t, url, own)
		c.send(fmt.Sprintf("#resume %s %d", id, n))
		c.expect("#refused behind ")
		c.expectClose(4410)
	}
	first.call(2) // the session has noticed nothing
	first.answered(2)
	if stats := s.Stats().Sessions; stats.Refused != 6 || stats.Resumed != 0 || stats.Paused != 0 {
		t.Errorf("%+v", stats)
	}
	first.nc.Close()
	c := openSocket(t, url, own)
	c.send("#resume " + id + " 2")
	c.expect("#resumed 2")
	if len(closed) > 0 {
		t.Errorf("closed with %v", <-closed)
	}
}

// Of two sockets of one session the newer wins, also while the older one is stuck.
func TestSessionNewerSocketWins(t *testing.T) {
	url, _, closed := sessionServer(t, &ws.Options{})
	old := openSocket(t, url, nil)
	id := old.begin()
	old.call(1)
	old.answered(1)
	for i := range 5 {
		c := openSocket(t, url, nil)
		c.send("#resume " + id + " 1")
		c.expect(fmt.Sprintf("#resumed %d", 1))
		old.expectClose(4409)
		old = c
		_ = i
	}
	old.call(2)
	old.answered(2)
	if len(closed) > 0 {
		t.Errorf("closed with %v", <-closed)
	}
}

// Events come in order, and OnOpen and OnClose once a session.
func TestSessionEvents(t *testing.T) {
	events := make(chan string, 100)
	hook := func(side string) func(*kkrpc.Channel, ws.SessionEvent) {
		return func(ch *kkrpc.Channel, e ws.SessionEvent) {
			if ch == nil || (e.Err == nil) != (e.Kind == ws.SessionResumed) {
				t.Errorf("%s: %v with %v", side, e.Kind, e.Err)
			}
			events <- side + " " + e.Kind.String()
		}
	}
	s := ws.Handler(greeter, &ws.Options{
		Session: &ws.SessionOptions{OnEvent: hook("server")},
		OnOpen:  func(*kkrpc.Channel, *http.Request) { events <- "server open" },
		OnClose: func(*kkrpc.Channel, error) { events <- "server close" },
		Logger:  silent,
	})
	c := newCutter(t, serve(t, s))
	opts := sessionOptions(&ws.SessionOptions{OnEvent: hook("client")})
	opts.OnReconnect = func(context.Context, *kkrpc.Channel) error {
		t.Error("OnReconnect for a session that goes on")
		return nil
	}
	p := openPersistent(t, c.url(), opts)
	got := map[string][]string{}
	await := func(n int) {
		for range n {
			side, what, _ := strings.Cut(receive(t, events), " ")
			got[side] = append(got[side], what)
		}
	}
	await(1)
	for range 3 {
		if _, err := kkrpc.Call[string](testContext(t), p, "echo", "x"); err != nil {
			t.Fatal(err)
		}
		c.cut()
		await(4)
	}
	_ = p.Close()
	await(3)
	if s := strings.Join(got["server"], " "); s != "open paused resumed paused resumed paused resumed ended close" {
		t.Errorf("server: %s", s)
	}
	if s := strings.Join(got["client"], " "); s != "paused resumed paused resumed paused resumed ended" {
		t.Errorf("client: %s", s)
	}
}

// A session whose client does not come back ends after Keep, on both sides.
func TestSessionExpires(t *testing.T) {
	url, s, closed := sessionServer(t, &ws.Options{Session: &ws.SessionOptions{Keep: 50 * time.Millisecond}})
	c := newCutter(t, url)
	ch := dial(t, c.url(), &ws.DialOptions{Session: &ws.SessionOptions{}})
	if _, err := kkrpc.Call[string](testContext(t), ch, "echo", "x"); err != nil {
		t.Fatal(err)
	}
	c.ln.Close()
	c.cut()
	if err := receive(t, closed); !errors.Is(err, ws.ErrSessionLost) || !errors.Is(err, kkrpc.ErrClosed) {
		t.Errorf("the server's channel closed with %v", err)
	}
	<-ch.Done()
	if err := ch.Err(); !errors.Is(err, ws.ErrSessionLost) {
		t.Errorf("the client's channel closed with %v", err)
	}
	if stats := s.Stats(); stats.Sessions != (ws.SessionStats{Expired: 1}) || stats.Closed.Lost != 1 {
		t.Errorf("%+v", stats)
	}
}

// A server that does not know the session any more refuses it; then the client begins anew.
func TestSessionLost(t *testing.T) {
	crashing := func(opts *ws.Options) *ws.Server {
		s := ws.Handler(greeter, opts)
		t.Cleanup(func() { _ = s.Close() }) // its sessions outlive the sockets
		return s
	}
	s := newHost(t, crashing(&ws.Options{Session: &ws.SessionOptions{}, Logger: silent}))
	for _, next := range []*ws.Options{
		{Session: &ws.SessionOptions{}, Logger: silent}, // has forgotten the session
		{Logger: silent}, // has no sessions any more
	} {
		ended, reconnected := make(chan error, 1), make(chan struct{}, 1)
		opts := quick(s)
		opts.Logger = silent
		opts.Dial.Session = &ws.SessionOptions{OnEvent: func(_ *kkrpc.Channel, e ws.SessionEvent) {
			if e.Kind == ws.SessionEnded {
				ended <- e.Err
			}
		}}
		opts.OnReconnect = func(context.Context, *kkrpc.Channel) error {
			reconnected <- struct{}{}
			return nil
		}
		p := dialPersistent(t, opts)
		s.kill()
		s.start(t, crashing(next))
		if err := receive(t, ended); !errors.Is(err, ws.ErrSessionLost) {
			t.Errorf("ended with %v", err)
		}
		receive(t, reconnected)
		if got, err := kkrpc.Call[string](testContext(t), p, "echo", "x"); got != "x" || err != nil {
			t.Errorf("%q, %v", got, err)
		}
	}
}

// What does not fit into the buffer ends a paused session, by name.
func TestSessionBufferBound(t *testing.T) {
	opened := make(chan *kkrpc.Channel, 1)
	paused, closed := make(chan struct{}, 1), make(chan error, 1)
	s := ws.Handler(greeter, &ws.Options{
		Session: &ws.SessionOptions{Buffer: 10_000, OnEvent: func(_ *kkrpc.Channel, e ws.SessionEvent) {
			if e.Kind == ws.SessionPaused {
				paused <- struct{}{}
			}
		}},
		OnOpen:  func(ch *kkrpc.Channel, _ *http.Request) { opened <- ch },
		OnClose: func(_ *kkrpc.Channel, err error) { closed <- err },
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
	for i := 0; ch.Err() == nil; i++ {
		if i > 20 {
			t.Fatal("20,000 bytes fit into 10,000")
		}
		if err := kkrpc.Notify(ch, "news", text); err != nil {
			break
		}
		if wait := ch.Unsent(0); wait != nil {
			select {
			case <-wait:
			case <-ch.Done():
			}
		}
		if i == 5 { // all of it comes, on a socket
			c = openSocketAgain(t, s, id)
			for range 6 {
				if got := c.expect(`{"t":"q"`); !strings.Contains(got, text) {
					t.Fatalf("%q", got)
				}
			}
			c.nc.Close()
			receive(t, paused)
		}
	}
	if err := receive(t, closed); !errors.Is(err, ws.ErrSessionBuffer) || !errors.Is(err, kkrpc.ErrClosed) {
		t.Errorf("closed with %v", err)
	}
	if n := s.Stats().Closed.Limit; n != 1 {
		t.Errorf("%d closed for a limit", n)
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
				for n := 0; ; n++ { // after some bytes each
					c.arm(rnd.IntN(2), 1000+rnd.IntN(100_000))
					for c.pending() {
						select {
						case <-stop:
							return
						case <-time.After(time.Millisecond):
						}
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

// pending reports whether a cut is still to come.
func (c *cutter) pending() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.left[up] >= 0 || c.left[down] >= 0
}

// Shutdown ends sessions, those that are paused too, and their clients begin anew elsewhere.
func TestSessionShutdown(t *testing.T) {
	url, s, closed := sessionServer(t, &ws.Options{Session: &ws.SessionOptions{Keep: time.Hour}})
	open := openSocket(t, url, nil)
	open.begin()
	open.call(1)
	open.answered(1)
	gone := openSocket(t, url, nil)
	gone.begin()
	gone.nc.Close()
	greeting := openSocket(t, url, nil) // has sent no first frame
	if err := s.Shutdown(testContext(t)); err != nil {
		t.Fatal(err)
	}
	open.expectClose(4410)
	greeting.expectClose(1001)
	for range 2 {
		receive(t, closed)
	}
	if stats := s.Stats(); stats.Open != 0 || stats.Sessions.Paused != 0 {
		t.Errorf("%+v", stats)
	}

	h := newHost(t, nil)
	again := make(chan struct{}, 10)
	opts := quick(h)
	opts.Logger = silent
	opts.Dial.Session = &ws.SessionOptions{}
	opts.OnReconnect = func(context.Context, *kkrpc.Channel) error { again <- struct{}{}; return nil }
	servers := [2]*ws.Server{}
	for i := range servers {
		servers[i] = ws.Handler(greeter, &ws.Options{Session: &ws.SessionOptions{}, Logger: silent})
		t.Cleanup(func() { _ = servers[i].Close() })
	}
	h.kill()
	h.start(t, servers[0])
	p := dialPersistent(t, opts)
	if _, err := kkrpc.Call[string](testContext(t), p, "echo", "x"); err != nil {
		t.Fatal(err)
	}
	h.mu.Lock()
	h.ln.Close()
	h.mu.Unlock()
	h.start(t, servers[1])
	if err := servers[0].Shutdown(testContext(t)); err != nil {
		t.Fatal(err)
	}
	receive(t, again)
	if got, err := kkrpc.Call[string](testContext(t), p, "echo", "x"); got != "x" || err != nil {
		t.Errorf("%q, %v", got, err)
	}
}

// A paused session keeps its place, and may come back although all places are taken.
func TestSessionsCountForMaxConns(t *testing.T) {
	paused := make(chan struct{}, 10)
	url, s, _ := sessionServer(t, &ws.Options{MaxConns: 1, Session: &ws.SessionOptions{OnEvent: func(_ *kkrpc.Channel, e ws.SessionEvent) {
		if e.Kind == ws.SessionPaused {
			paused <- struct{}{}
		}
	}}})
	c := openSocket(t, url, nil)
	id := c.begin()
	c.nc.Close()
	receive(t, paused)
	if stats := s.Stats(); stats.Open != 1 || stats.Sessions.Paused != 1 {
		t.Errorf("%+v", stats)
	}
	var status gobwas.StatusError
	if _, _, _, err := (gobwas.Dialer{}).Dial(testContext(t), url); !errors.As(err, &status) || status != 503 {
		t.Errorf("a further connection: %v", err)
	}
	second := openSocket(t, url, nil)
	second.send("#open")
	second.expectClose(1013)
	if _, _, _, err := (gobwas.Dialer{}).Dial(testContext(t), url); !errors.As(err, &status) || status != 503 {
		t.Errorf("a further connection: %v", err)
	}
	c = openSocket(t, url, nil)
	c.send("#resume " + id + " 0")
	c.expect("#resumed 0")
	c.call(1)
	c.answered(1)
	if stats := s.Stats(); stats.Sessions.Paused != 0 || stats.Sessions.Resumed != 1 {
		t.Errorf("%+v", stats)
	}
}

// What is kept for a repetition counts for the memory of the server.
func TestSessionMemoryCounts(t *testing.T) {
	group := &kkrpc.Group{}
	opened := make(chan *kkrpc.Channel, 1)
	s := ws.Handler(greeter, &ws.Options{
		RPC:     kkrpc.Options{Group: group, Dialect: kkrpc.Compact},
		Session: &ws.SessionOptions{},
		OnOpen:  func(ch *kkrpc.Channel, _ *http.Request) { opened <- ch },
		Logger:  silent,
	})
	c := openSocket(t, serve(t, s), nil)
	c.begin()
	ch := receive(t, opened)
	text := strings.Repeat("x", 100_000)
	for range 5 {
		if err := kkrpc.Notify(ch, "news", text); err != nil {
			t.Fatal(err)
		}
		c.expect(`{"t":"q"`)
	}
	if used := group.MemoryUsage().Used; used < 500_000 {
		t.Errorf("%d bytes count", used)
	}
	c.send("#ack 5")
	c.send("#ping")
	c.expect("#ack 0")
	if used := group.MemoryUsage().Used; used > 0 {
		t.Errorf("%d bytes count after acknowledgements", used)
	}
}

// A token is asked for anew for each socket of a session.
func TestSessionAsksForTokens(t *testing.T) {
	var n atomic.Int32
	tokens := make(chan string, 10)
	s := ws.HandlerFor(func(r *http.Request) (any, error) {
		tokens <- r.Header.Get("Token")
		return greeter, nil
	}, &ws.Options{Session: &ws.SessionOptions{}, Logger: silent})
	c := newCutter(t, serve(t, s))
	opts := sessionOptions(&ws.SessionOptions{})
	opts.Target = func(_ context.Context, url string, header http.Header) (string, error) {
		header.Set("Token", fmt.Sprint(n.Add(1)))
		return url, nil
	}
	openPersistent(t, c.url(), opts)
	if got := receive(t, tokens); got != "1" {
		t.Errorf("token %s", got)
	}
	c.cut()
	if got := receive(t, tokens); got != "2" {
		t.Errorf("token %s", got)
	}
}
