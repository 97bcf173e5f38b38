//go:build !js

package ws_test

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
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

// expect returns the next message, which begins with prefix. A #ping comes whenever a message waits for room.
func (s *socket) expect(prefix string) string {
	s.t.Helper()
	text, err := s.next()
	for text == "#ping" && prefix != text {
		text, err = s.next()
	}
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
	opts.OnClose = func(_ *kkrpc.Channel, _ *http.Request, err error) { closed <- err }
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
