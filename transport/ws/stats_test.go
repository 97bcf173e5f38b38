//go:build !js

package ws_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	gobwas "github.com/gobwas/ws"
	"github.com/google/go-cmp/cmp"

	kkrpc "github.com/kkrpc-go/kkrpc"
	"github.com/kkrpc-go/kkrpc/transport/ws"
)

// records are the lines of a log.
type records struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (r *records) Write(p []byte) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.text.Write(p)
}

func (r *records) logger() *slog.Logger { return slog.New(slog.NewJSONHandler(r, nil)) }

// of returns the records with a message.
func (r *records) of(t *testing.T, message string) (all []map[string]any) {
	t.Helper()
	r.mu.Lock()
	defer r.mu.Unlock()
	for line := range strings.Lines(r.text.String()) {
		var record map[string]any
		if err := json.Unmarshal([]byte(line), &record); err != nil {
			t.Fatal(err)
		}
		if record["msg"] == message {
			all = append(all, record)
		}
	}
	return all
}

// rawDial opens a connection that only does what the test does.
func rawDial(t *testing.T, url string) net.Conn {
	t.Helper()
	nc, br, _, err := gobwas.Dial(testContext(t), url)
	if err != nil {
		t.Fatal(err)
	}
	if br != nil {
		gobwas.PutReader(br)
	}
	t.Cleanup(func() { nc.Close() })
	return nc
}

// sendRaw writes a frame as a client does.
func sendRaw(t *testing.T, nc net.Conn, f gobwas.Frame) {
	t.Helper()
	if err := gobwas.WriteFrame(nc, gobwas.MaskFrame(f)); err != nil {
		t.Fatal(err)
	}
}

// TestCloseReasons ends a connection in each way. The log tells it once, with the reason, the peer and the number of the
// channel, and Stats counts it.
func TestCloseReasons(t *testing.T) {
	tests := []struct {
		name   string
		reason string
		opts   ws.Options
		open   func(ch *kkrpc.Channel) // on the server
		peer   func(t *testing.T, nc net.Conn, url string)
		stop   func(s *ws.Server)
		want   ws.Closings
	}{
		{name: "the peer closes", reason: "peer", want: ws.Closings{Peer: 1},
			peer: func(t *testing.T, nc net.Conn, _ string) {
				sendRaw(t, nc, gobwas.NewCloseFrame(gobwas.NewCloseFrameBody(gobwas.StatusGoingAway, "")))
			}},
		{name: "the peer closes with a code of its own", reason: "peer", want: ws.Closings{Peer: 1},
			peer: func(t *testing.T, nc net.Conn, _ string) {
				sendRaw(t, nc, gobwas.NewCloseFrame(gobwas.NewCloseFrameBody(4001, "enough")))
			}},
		{name: "a classic peer ends", reason: "peer", want: ws.Closings{Peer: 1},
			peer: func(t *testing.T, nc net.Conn, _ string) {
				sendRaw(t, nc, gobwas.NewTextFrame([]byte("__DESTROY__")))
			}},
		{name: "no close frame", reason: "lost", want: ws.Closings{Lost: 1},
			peer: func(t *testing.T, nc net.Conn, _ string) { nc.Close() }},
		{name: "the program", reason: "self", want: ws.Closings{Self: 1},
			open: func(ch *kkrpc.Channel) { ch.CloseWith(4000, "not today") }},
		{name: "the program, from a handler", reason: "self", want: ws.Closings{Self: 1},
			open: func(ch *kkrpc.Channel) { go ch.Close() }},
		{name: "the server's Close", reason: "shutdown", want: ws.Closings{Shutdown: 1},
			stop: func(s *ws.Server) { s.Close() }},
		{name: "no pong", reason: "ping", want: ws.Closings{Ping: 1},
			opts: ws.Options{Ping: 50 * time.Millisecond}},
		{name: "a peer that does not read", reason: "slow", want: ws.Closings{Slow: 1},
			opts: ws.Options{RPC: kkrpc.Options{Dialect: kkrpc.Compact, Limits: kkrpc.Limits{Write: 50 * time.Millisecond}}},
			open: func(ch *kkrpc.Channel) { go ch.Call(t.Context(), nil, "f", strings.Repeat("x", 15<<20)) }},
		{name: "a peer that is behind with notifications", reason: "slow", want: ws.Closings{Slow: 1},
			opts: ws.Options{RPC: kkrpc.Options{Dialect: kkrpc.Compact, Limits: kkrpc.Limits{Backlog: 1 << 10}}},
			open: func(ch *kkrpc.Channel) {
				for ch.Notify("f", strings.Repeat("x", 1<<20)) == nil {
				}
			}},
		{name: "a large frame", reason: "limit", want: ws.Closings{Limit: 1},
			opts: ws.Options{RPC: kkrpc.Options{Limits: kkrpc.Limits{Frame: 100}}},
			peer: func(t *testing.T, nc net.Conn, _ string) {
				sendRaw(t, nc, gobwas.NewTextFrame(bytes.Repeat([]byte("x"), 101)))
			}},
		{name: "a large classic message in pieces", reason: "limit", want: ws.Closings{Limit: 1},
			opts: ws.Options{RPC: kkrpc.Options{Limits: kkrpc.Limits{Frame: 100}}},
			peer: func(t *testing.T, nc net.Conn, _ string) {
				sendRaw(t, nc, gobwas.NewTextFrame([]byte(`{"type":"`+strings.Repeat("x", 60))))
				sendRaw(t, nc, gobwas.NewTextFrame(bytes.Repeat([]byte("x"), 60)))
			}},
		{name: "a slow message", reason: "limit", want: ws.Closings{Limit: 1},
			opts: ws.Options{MessageTime: 50 * time.Millisecond},
			peer: func(t *testing.T, nc net.Conn, _ string) { nc.Write([]byte{0x81}) }},
		{name: "no mask", reason: "protocol", want: ws.Closings{Protocol: 1},
			peer: func(t *testing.T, nc net.Conn, _ string) {
				if err := gobwas.WriteFrame(nc, gobwas.NewTextFrame([]byte("{}"))); err != nil {
					t.Fatal(err)
				}
			}},
		{name: "no UTF-8", reason: "protocol", want: ws.Closings{Protocol: 1},
			peer: func(t *testing.T, nc net.Conn, _ string) { sendRaw(t, nc, gobwas.NewTextFrame([]byte("\xff"))) }},
		{name: "an incomplete message, and no memory", reason: "evicted", want: ws.Closings{Evicted: 1},
			opts: ws.Options{Memory: 1},
			peer: func(t *testing.T, nc net.Conn, url string) {
				half := gobwas.MaskFrame(gobwas.NewFrame(gobwas.OpText, false, []byte(`{"t":`)))
				if err := gobwas.WriteFrame(nc, half); err != nil {
					t.Fatal(err)
				}
			}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			var log records
			ended := make(chan *kkrpc.Channel, 2)
			opts := test.opts
			opts.Logger = log.logger()
			opts.OnOpen = func(ch *kkrpc.Channel, _ *http.Request) {
				if test.open != nil {
					test.open(ch)
				}
			}
			opts.OnClose = func(ch *kkrpc.Channel, _ *http.Request, _ error) { ended <- ch }
			s := ws.Handler(greeter, &opts)
			url := serve(t, s)
			nc := rawDial(t, url)
			if test.peer != nil {
				test.peer(t, nc, url)
			}
			if test.stop != nil {
				until(t, func() bool { return s.Stats().Opened == 1 }) // the channel starts apart from the handshake
				test.stop(s)
			}
			ch := <-ended
			if got := s.Stats().Closed; got != test.want {
				t.Errorf("got  %+v\nwant %+v", got, test.want)
			}
			told := log.of(t, "ws: closed")
			if len(told) != 1 {
				t.Fatalf("%d lines of the log: %v", len(told), told)
			}
			if told[0]["level"] != "INFO" || told[0]["reason"] != test.reason || told[0]["channel"] != float64(ch.ID()) ||
				told[0]["peer"] != ch.Peer() || told[0]["err"] != ch.Err().Error() {
				t.Errorf("the log tells %v of channel %d with %s: %v", told[0], ch.ID(), ch.Peer(), ch.Err())
			}
			if ch.Peer() != nc.LocalAddr().String() {
				t.Errorf("the peer is %s, want %s", ch.Peer(), nc.LocalAddr())
			}
		})
	}
}

// TestServerStats counts refused requests by reason, and the calls of all channels, those that have closed included.
func TestServerStats(t *testing.T) {
	var answer atomic.Value // func() (any, error)
	serves := func(f func() (any, error)) { answer.Store(f) }
	accept := func() (any, error) { return greeter, nil }
	serves(accept)
	s := ws.HandlerFor(func(*http.Request) (any, error) { return answer.Load().(func() (any, error))() }, &ws.Options{MaxConns: 2, Logger: silent})
	url := serve(t, s)
	get := func(header http.Header) {
		t.Helper()
		r, err := http.NewRequestWithContext(testContext(t), http.MethodGet, "http"+strings.TrimPrefix(url, "ws"), nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Header = header
		r.Close = true // else a request is repeated whose connection breaks
		if resp, err := http.DefaultClient.Do(r); err == nil {
			io.Copy(io.Discard, resp.Body)
			resp.Body.Close()
		}
	}
	upgrade := http.Header{"Upgrade": {"websocket"}, "Connection": {"Upgrade"}, "Sec-Websocket-Version": {"13"},
		"Sec-Websocket-Key": {"dGhlIHNhbXBsZSBub25jZQ=="}, "Origin": {"https://evil.example"}}

	get(nil)
	get(upgrade)
	serves(func() (any, error) { return nil, ws.Reject(http.StatusTeapot, "no") })
	get(without(upgrade, "Origin"))
	serves(func() (any, error) { return nil, errors.New("no") })
	get(without(upgrade, "Origin"))
	serves(func() (any, error) { panic(http.ErrAbortHandler) })
	get(without(upgrade, "Origin"))
	serves(accept)
	s.ServeHTTP(unhijackable{}, httpRequest(without(upgrade, "Origin")))

	a, b := dial(t, url, nil), dial(t, url, nil)
	for _, ch := range []*kkrpc.Channel{a, a, b} {
		if _, err := kkrpc.Call[string](testContext(t), ch, "greet", "you"); err != nil {
			t.Fatal(err)
		}
	}
	get(without(upgrade, "Origin"))
	a.Close()
	until(t, func() bool { return s.Stats().Open == 1 })
	want := ws.Stats{Open: 1, Opened: 2, Refused: ws.Refusals{Forbidden: 1, Malformed: 1, Full: 1, API: 3, Failed: 1},
		Closed: ws.Closings{Peer: 1}, Channels: kkrpc.Stats{Served: 3}}
	if diff := cmp.Diff(want, s.Stats()); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	if err := s.Shutdown(testContext(t)); err != nil {
		t.Fatal(err)
	}
	get(without(upgrade, "Origin"))
	want.Open, want.Refused.Draining, want.Closed.Shutdown = 0, 1, 1
	if diff := cmp.Diff(want, s.Stats()); diff != "" {
		t.Errorf("after Shutdown: (-want +got)\n%s", diff)
	}
}

// A connection that no channel can be made of counts as refused.
func TestServerStatsWithoutAChannel(t *testing.T) {
	s := ws.Handler(greeter, &ws.Options{Logger: silent, RPC: kkrpc.Options{Inbound: []kkrpc.Interceptor{nil}}})
	ch := dial(t, serve(t, s), nil)
	<-ch.Done()
	if closed, ok := errors.AsType[*ws.CloseError](ch.Err()); !ok || closed.Code != 1011 {
		t.Errorf("the client's channel has closed with %v", ch.Err())
	}
	until(t, func() bool { return s.Stats().Open == 0 })
	if diff := cmp.Diff(ws.Stats{Refused: ws.Refusals{Failed: 1}}, s.Stats()); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

// until waits until something has happened in another goroutine.
func until(t *testing.T, happened func() bool) {
	t.Helper()
	for ctx := testContext(t); !happened(); runtime.Gosched() {
		if ctx.Err() != nil {
			t.Fatal("it did not happen")
		}
	}
}

func without(h http.Header, name string) http.Header {
	h = h.Clone()
	h.Del(name)
	return h
}

func httpRequest(h http.Header) *http.Request {
	r, _ := http.ReadRequest(bufio.NewReader(strings.NewReader("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")))
	for name, values := range h {
		r.Header[name] = values
	}
	return r
}

// unhijackable is a ResponseWriter that keeps its connection.
type unhijackable struct{}

func (unhijackable) Header() http.Header         { return http.Header{} }
func (unhijackable) Write(p []byte) (int, error) { return len(p), nil }
func (unhijackable) WriteHeader(int)             {}
