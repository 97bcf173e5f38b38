//go:build !js

package ws

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gobwas/ws"

	kkrpc "github.com/kkrpc-go/kkrpc"
	"github.com/kkrpc-go/kkrpc/transport/transporttest"
)

// linkPair returns the two ends of a session over one socket each. Their buffers have room for all messages of a test, since
// the tests do not always read on the side that writes, and nobody else heeds acknowledgements.
func linkPair(t *testing.T, network func(testing.TB) (client, server net.Conn), deflate bool) (a, b *link) {
	c, s := network(t)
	opts := &SessionOptions{Buffer: 1 << 30}
	a, b = newLink("", opts, 0, 0), newLink("", opts, 0, 0)
	if err := errors.Join(
		a.attach(newConn(c, nil, config{client: true, deflate: deflate}), 0, nil),
		b.attach(newConn(s, nil, config{deflate: deflate}), 0, nil),
	); err != nil {
		t.Fatal(err)
	}
	return a, b
}

func TestSessionTransport(t *testing.T) {
	for _, network := range networks {
		for _, deflate := range []bool{false, true} {
			if deflate && network.name != "tcp" {
				continue // compression is above the network
			}
			t.Run(fmt.Sprintf("%s, compression %v", network.name, deflate), func(t *testing.T) {
				transporttest.Run(t, func(t *testing.T) (a, b kkrpc.Transport) { return linkPair(t, network.pair, deflate) })
			})
		}
	}
}

// Control frames need no reply of the channel, and hide no message: also if they are compressed, as browsers do, or in fragments.
func TestSessionControlFramesAreNoMessages(t *testing.T) {
	z := deflate([]byte("#ping"))
	zipped := append([]byte(nil), z.Bytes()...)
	putDeflated(z)
	const call = `{"t":"q"}`
	for _, test := range []struct {
		name   string
		frames []ws.Frame
	}{
		{"as it is", []ws.Frame{ws.NewTextFrame([]byte("#ping"))}},
		{"compressed", []ws.Frame{{Header: ws.Header{Fin: true, Rsv: ws.Rsv(true, false, false), OpCode: ws.OpText, Length: int64(len(zipped))}, Payload: zipped}}},
		{"in fragments", []ws.Frame{ws.NewFrame(ws.OpText, false, []byte("#pi")), ws.NewFrame(ws.OpContinuation, true, []byte("ng"))}},
	} {
		t.Run(test.name, func(t *testing.T) {
			nc, s := tcpPair(t)
			l := newLink("", &SessionOptions{}, 0, 0)
			defer l.Close(1000, "")
			if err := l.attach(newConn(s, nil, config{deflate: true}), 0, nil); err != nil {
				t.Fatal(err)
			}
			var all []byte
			for _, f := range append([]ws.Frame{ws.NewTextFrame([]byte(call))}, test.frames...) {
				f, _ := ws.CompileFrame(ws.MaskFrame(f))
				all = append(all, f...)
			}
			if _, err := nc.Write(all); err != nil { // in one segment
				t.Fatal(err)
			}
			msg, more, err := l.ReadFrame(nil)
			if string(msg) != call || more || err != nil {
				t.Fatalf("%q, more %v, %v", msg, more, err)
			}
			next := make(chan string, 1)
			go func() {
				msg, _, _ := l.ReadFrame(nil)
				next <- string(msg)
			}()
			ack := make([]byte, 2+len("#ack 1"))
			if _, err := io.ReadFull(nc, ack); err != nil || string(ack[2:]) != "#ack 1" {
				t.Fatalf("%q, %v", ack, err)
			}
			f, _ := ws.CompileFrame(ws.MaskFrame(ws.NewTextFrame([]byte(`{"t":"x"}`))))
			if _, err := nc.Write(f); err != nil {
				t.Fatal(err)
			}
			if got := <-next; got != `{"t":"x"}` {
				t.Errorf("then %q", got)
			}
		})
	}
}

// The channel of an idle session holds no goroutine, neither with a socket nor while it is paused, and control frames do not
// wake it.
func TestSessionParks(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("connections are parked on Linux alone")
	}
	l := newLink("", &SessionOptions{}, 0, 0)
	woken := make(chan struct{}, 10)
	wake := func() { woken <- struct{}{} }
	known := uint64(0)
	connect := func() *conn {
		nc, s := tcpPair(t)
		if err := l.attach(newConn(s, nil, config{}), known, nil); err != nil {
			t.Fatal(err)
		}
		return newConn(nc, nil, config{client: true})
	}
	peer := connect()
	if err := l.WriteFrames([][]byte{[]byte("{}"), []byte("{}")}); err != nil {
		t.Fatal(err)
	}
	for range 3 {
		if !l.Park(0, wake) {
			t.Fatal("not parked")
		}
		known = 1
		_ = peer.WriteFrames([][]byte{[]byte("#ack 1")})
		_ = peer.WriteFrames([][]byte{[]byte("#ping")})
		for {
			msg, _, err := peer.ReadFrame(nil)
			if err != nil {
				t.Fatal(err)
			}
			if string(msg[:4]) == "#ack" {
				break
			}
		}
		_ = peer.nc.(*net.TCPConn).SetLinger(0)
		_ = peer.nc.Close()
		l.mu.Lock()
		for !l.asleep {
			l.mu.Unlock()
			runtime.Gosched()
			l.mu.Lock()
		}
		l.mu.Unlock()
		peer = connect()
		if len(woken) > 0 {
			t.Fatal("the channel was woken for nothing")
		}
		_ = peer.WriteFrames([][]byte{[]byte("{}")})
		<-woken
		if msg, _, err := l.ReadFrame(nil); string(msg) != "{}" || err != nil {
			t.Fatalf("%q, %v", msg, err)
		}
	}
	for _, paused := range []bool{false, true} {
		if !l.Park(0, wake) {
			t.Fatal("not parked")
		}
		if paused {
			continue
		}
		_ = peer.Close(1000, "")
		<-woken // by the end, once
		if _, _, err := l.ReadFrame(nil); err == nil {
			t.Error("no error after the end")
		}
		break
	}
	_ = l.Close(1000, "")
	if len(woken) > 0 {
		t.Error("woken twice")
	}
}

// An idle session takes no goroutine beyond the connection, and little memory.
func TestIdleSessionsAreSmall(t *testing.T) {
	if runtime.GOOS != "linux" || testing.Short() {
		t.Skip("connections are parked on Linux alone")
	}
	const n = 300
	measure := func(session *SessionOptions) (goroutines int, bytes uint64) {
		opened := make(chan struct{}, n)
		s := Handler(kkrpc.Object{"echo": func(s string) string { return s }}, &Options{
			Session: &SessionOptions{}, OnOpen: func(*kkrpc.Channel, *http.Request) { opened <- struct{}{} },
		})
		defer s.Close()
		url, closeAll := listen(t, s)
		defer closeAll()
		var before, after runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&before)
		g := runtime.NumGoroutine()
		var chans []*kkrpc.Channel
		for range n {
			ch, err := Dial(context.Background(), url, &DialOptions{Session: session})
			if err != nil {
				t.Fatal(err)
			}
			if _, err := kkrpc.Call[string](context.Background(), ch, "echo", "x"); err != nil {
				t.Fatal(err)
			}
			<-opened
			chans = append(chans, ch)
		}
		parkedAll(t, s)
		goroutines = runtime.NumGoroutine() - g
		runtime.GC()
		runtime.GC()
		runtime.ReadMemStats(&after)
		for _, ch := range chans {
			_ = ch.Close()
		}
		_ = s.Shutdown(context.Background())
		for runtime.NumGoroutine() > g+n/10 { // sockets linger
			runtime.Gosched()
		}
		return goroutines, (after.HeapAlloc - before.HeapAlloc) / n
	}
	measure(&SessionOptions{}) // fills the pools
	plainGoroutines, plain := measure(nil)
	sessionGoroutines, session := measure(&SessionOptions{})
	t.Logf("goroutines %d and %d, both ends of a connection %d and %d bytes", plainGoroutines, sessionGoroutines, plain, session)
	if sessionGoroutines > plainGoroutines+n/10 {
		t.Errorf("%d goroutines with sessions, %d without", sessionGoroutines, plainGoroutines)
	}
}

func listen(t *testing.T, s *Server) (url string, stop func()) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	go (&http.Server{Handler: s}).Serve(ln) // ends with ln
	return "ws://" + ln.Addr().String(), func() { ln.Close() }
}

// parkedAll waits until all channels of s are parked and their messages acknowledged.
func parkedAll(t *testing.T, s *Server) {
	deadline := time.Now().Add(10 * time.Second)
	for time.Now().Before(deadline) {
		all := true
		s.mu.Lock()
		for _, one := range s.open {
			c, ok := one.conn.(*conn)
			if l, session := one.conn.(*link); session {
				l.mu.Lock()
				c, ok = l.conn, l.conn != nil && l.ledger.log == nil
				l.mu.Unlock()
			}
			all = all && ok && c.reader.Load() == readerParked
		}
		s.mu.Unlock()
		if all {
			return
		}
		runtime.Gosched()
	}
	t.Error("not all are parked")
}

// A socket that is replaced while its reader has a message does not count it: the peer sends it again.
func TestSessionOlderSocketDoesNotCount(t *testing.T) {
	l := newLink("", &SessionOptions{}, 0, 0)
	defer l.Close(1000, "")
	_, first := tcpPair(t)
	_, second := tcpPair(t)
	older, newer := newConn(first, nil, config{}), newConn(second, nil, config{})
	for _, c := range []*conn{older, newer} {
		if err := l.attach(c, 0, nil); err != nil {
			t.Fatal(err)
		}
	}
	if l.count(older, 2) || l.ledger.received != 0 {
		t.Error("the older socket counts a message")
	}
	if !l.count(newer, 2) || l.ledger.received != 1 {
		t.Error("the newer socket does not")
	}
}

// Messages that wait for room when the socket breaks go on waiting, whoever tries to write them.
func TestSessionRoomAfterABreak(t *testing.T) {
	l := newLink("", &SessionOptions{Buffer: 100}, 0, 0)
	defer l.Close(1000, "")
	attach := func(known uint64) *conn {
		nc, s := tcpPair(t)
		if err := l.attach(newConn(s, nil, config{}), known, nil); err != nil {
			t.Fatal(err)
		}
		return newConn(nc, nil, config{client: true})
	}
	expect := func(peer *conn, from, to byte) {
		for m := from; m < to; m++ {
			msg, _, err := peer.ReadFrame(nil)
			for string(msg) == "#ping" {
				msg, _, err = peer.ReadFrame(nil)
			}
			if err != nil || len(msg) != 40 || msg[0] != m {
				t.Fatalf("%q, %v in place of %c", msg, err, m)
			}
		}
	}
	peer := attach(0)
	defer func() { _ = peer.Close(1000, "") }()
	var msgs [][]byte
	for m := byte('a'); m <= 'f'; m++ {
		msgs = append(msgs, bytes.Repeat([]byte{m}, 40))
	}
	if done, err := l.TryWriteFrames(msgs); done || err != nil {
		t.Fatal(done, err)
	}
	expect(peer, 'a', 'c') // two fit
	_ = peer.nc.Close()
	l.lost(l.conn, io.ErrUnexpectedEOF)
	written := make(chan error, 1)
	go func() { written <- l.WriteFrames(nil) }()
	for known := byte(2); known <= 6; known += 2 {
		peer = attach(uint64(known))
		expect(peer, 'a'+known, min('a'+known+2, 'g'))
	}
	if err := <-written; err != nil {
		t.Error(err)
	}
}

// Of sockets that come at once, one has the session, and the others are closed or turned away.
func TestSessionSocketsAtOnce(t *testing.T) {
	l := newLink("", &SessionOptions{}, 0, 0)
	defer l.Close(1000, "")
	for range 50 {
		const n = 8
		var conns [n]*conn
		var errs [n]error
		for i := range conns {
			_, s := tcpPair(t)
			conns[i] = newConn(s, nil, config{})
		}
		var all sync.WaitGroup
		for i, c := range conns {
			all.Go(func() {
				errs[i] = l.attach(c, 0, func(uint64) controlFrame {
					runtime.Gosched()
					return controlFrame{kind: controlResumed}
				})
			})
		}
		all.Wait()
		l.mu.Lock()
		current := l.conn
		l.mu.Unlock()
		found := false
		for i, c := range conns {
			switch {
			case c == current:
				found = errs[i] == nil && !c.closed.Load()
			case errs[i] == nil && !c.closed.Load():
				t.Fatal("an older socket is still open")
			case errs[i] != nil:
				if errs[i] != errNewer {
					t.Fatal(errs[i])
				}
				_ = c.Close(closeReplaced, "")
			}
		}
		if !found {
			t.Fatal("the session has no socket")
		}
	}
}

// hookedListener has a hook see what is written to each connection. n counts them from 0 on.
type hookedListener struct {
	net.Listener
	n    int
	hook func(n int, nc net.Conn, p []byte) error // after p is written
}

type hookedConn struct {
	net.Conn
	hook func(p []byte) error
}

func (ln *hookedListener) Accept() (net.Conn, error) {
	nc, err := ln.Listener.Accept()
	if err != nil {
		return nil, err
	}
	n := ln.n
	ln.n++
	return hookedConn{nc, func(p []byte) error { return ln.hook(n, nc, p) }}, nil
}

func (c hookedConn) Write(p []byte) (int, error) {
	n, err := c.Conn.Write(p)
	if err == nil {
		err = c.hook(p)
	}
	return n, err
}

// A client may come back over another socket before the server has noted the first one, and that one may fail too.
func TestSessionResumesWhileItBegins(t *testing.T) {
	for _, fails := range []bool{false, true} {
		t.Run(fmt.Sprintf("second socket fails %v", fails), func(t *testing.T) {
			closed := make(chan error, 1)
			keep := time.Hour
			if fails {
				keep = 10 * time.Millisecond
			}
			s := Handler(kkrpc.Object{"echo": func(s string) string { return s }}, &Options{
				Session: &SessionOptions{Keep: keep},
				OnClose: func(_ *kkrpc.Channel, _ *http.Request, err error) { closed <- err },
				Logger:  slog.New(slog.DiscardHandler),
			})
			defer s.Close()
			ln, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			defer ln.Close()
			comesBack := make(chan struct{})
			go (&http.Server{Handler: s}).Serve(&hookedListener{Listener: ln, hook: func(n int, _ net.Conn, p []byte) error { // ends with ln
				switch {
				case n == 0 && bytes.Contains(p, []byte(controlSession)):
					<-comesBack
				case n == 1 && fails && bytes.Contains(p, []byte(controlResumed)):
					return io.ErrClosedPipe
				}
				return nil
			}})
			first := func(frame string) (c *conn, answer string) {
				opts := &DialOptions{Session: &SessionOptions{}}
				u, _, err := parseURL("ws://" + ln.Addr().String())
				if err != nil {
					t.Fatal(err)
				}
				nc, early, agreed, err := connect(t.Context(), u, opts)
				if err != nil {
					t.Fatal(err)
				}
				c = newConn(nc, early, opts.config(agreed, maxControl))
				t.Cleanup(func() { _ = c.Close(1000, "") })
				if err := c.WriteFrames([][]byte{[]byte(frame)}); err != nil {
					t.Fatal(err)
				}
				if strings.HasPrefix(frame, string(controlResume)) { // until the server has it
					s.mu.Lock()
					l := s.sessions[strings.Fields(frame)[1]]
					s.mu.Unlock()
					for back := false; !back; runtime.Gosched() {
						l.mu.Lock()
						back = l.resumes == 2
						l.mu.Unlock()
					}
					close(comesBack)
				}
				msg, _, err := c.ReadFrame(nil)
				if err != nil {
					t.Fatal(err)
				}
				return c, string(msg)
			}
			_, answer := first("#open")
			fields := strings.Fields(answer)
			c, answer := first("#resume " + fields[1] + " 0")
			if fails {
				if err := <-closed; !errors.Is(err, ErrSessionLost) {
					t.Errorf("closed with %v", err)
				}
				if stats := s.Stats(); stats.Sessions.Expired != 1 || stats.Sessions.Paused != 0 {
					t.Errorf("%+v", stats)
				}
				return
			}
			if answer != "#resumed 0" {
				t.Fatalf("%q", answer)
			}
			call := `{"t":"q","id":"1","op":"call","p":["echo"],"a":[{"__kkrpc_next_arg__":"value","v":"x"}]}`
			if err := c.WriteFrames([][]byte{[]byte(call)}); err != nil {
				t.Fatal(err)
			}
			for msg := []byte("#"); msg[0] == '#'; {
				if msg, _, err = c.ReadFrame(nil); err != nil {
					t.Fatal(err)
				}
			}
			if stats := s.Stats(); stats.Opened != 1 || stats.Sessions != (SessionStats{Resumed: 1}) {
				t.Errorf("%+v", stats)
			}
		})
	}
}
