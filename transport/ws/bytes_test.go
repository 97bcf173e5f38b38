//go:build !js

package ws_test

import (
	"bytes"
	"fmt"
	"io"
	"iter"
	"strings"
	"testing"

	gobwas "github.com/gobwas/ws"
	"github.com/gobwas/ws/wsutil"
	"github.com/google/go-cmp/cmp"

	kkrpc "github.com/kkrpc-go/kkrpc"
	"github.com/kkrpc-go/kkrpc/transport/ws"
)

const (
	bytesProtocol = "kkrpc.bytes.1"
	bothProtocols = "kkrpc.session.1+bytes.1"
)

// bytesAPI has bytes wherever values cross.
func bytesAPI() kkrpc.Object {
	return kkrpc.Object{
		"echo":  func(b []byte) []byte { return b },
		"call":  func(b []byte, f func([]byte)) { f(b) },
		"items": func(b []byte) iter.Seq[[]byte] { return func(yield func([]byte) bool) { _ = yield(b) && yield(b[:1]) } },
		"read":  func(b []byte) io.Reader { return bytes.NewReader(b) },
		"sizes": func(items iter.Seq2[[]byte, error]) (sizes []int, err error) {
			for b, err := range items {
				if err != nil {
					return nil, err
				}
				sizes = append(sizes, len(b))
			}
			return sizes, nil
		},
	}
}

// A URL says that bytes travel in frames, to servers that select no subprotocol and to this one.
func TestBytesByTheURL(t *testing.T) {
	url := serve(t, ws.Handler(bytesAPI(), &ws.Options{Session: &ws.SessionOptions{}}))
	for _, test := range []struct {
		query string
		op    gobwas.OpCode
	}{
		{"?kkrpc=compact-json,bytes.1", gobwas.OpBinary},
		{"?kkrpc=auto%2Cbytes.1", gobwas.OpBinary},
		{"?kkrpc=compact-json", gobwas.OpText},
	} {
		s, hs := dialSocket(t, url+test.query, nil)
		if hs.Protocol != "" {
			t.Errorf("selected %q", hs.Protocol)
		}
		s.send(`{"t":"q","id":"1","op":"call","p":["echo"],"a":["AP9/"]}`)
		if answer, op, err := wsutil.ReadServerData(s.rw); err != nil || op != test.op {
			t.Errorf("%s: answered %q, opcode %v, %v, want opcode %v", test.query, answer, op, err, test.op)
		}
	}
	if _, _, _, err := gobwas.Dial(t.Context(), url+"?kkrpc=compact-json,bytes.2"); err == nil {
		t.Error("an unknown layer was accepted")
	}
}

// A client that dials such a URL sends and takes frames, with sessions too.
func TestDialOfBytesByTheURL(t *testing.T) {
	for _, session := range []*ws.SessionOptions{nil, {}} {
		url := serve(t, ws.Handler(bytesAPI(), &ws.Options{Session: session}))
		ch, err := ws.Dial(t.Context(), url+"?kkrpc=compact-json,bytes.1", &ws.DialOptions{Session: session})
		if err != nil {
			t.Fatal(err)
		}
		defer ch.Close()
		if got, err := kkrpc.Call[[]byte](t.Context(), ch, "echo", []byte{0, 255}); err != nil || !bytes.Equal(got, []byte{0, 255}) {
			t.Errorf("%v, %v", got, err)
		}
	}
}

// An answer with bytes is a binary frame if the client has offered that, and only then.
func TestBytesAreAgreedOn(t *testing.T) {
	withSessions := serve(t, ws.Handler(bytesAPI(), &ws.Options{Session: &ws.SessionOptions{}}))
	without := serve(t, ws.Handler(bytesAPI(), nil))
	own := serve(t, ws.Handler(bytesAPI(), &ws.Options{Subprotocols: []string{"chat.1"}}))
	for _, test := range []struct {
		name, url, selected string
		offers              []string
	}{
		{"neither", without, "kkrpc.compact-json", []string{compactProtocol}},
		{"bytes", without, bytesProtocol, []string{compactProtocol, bytesProtocol}},
		{"bytes first", without, bytesProtocol, []string{bytesProtocol, compactProtocol}},
		{"sessions that are not there", without, bytesProtocol, []string{compactProtocol, bothProtocols, sessionProtocol, bytesProtocol}},
		{"both", withSessions, bothProtocols, []string{compactProtocol, bothProtocols, sessionProtocol, bytesProtocol}},
		{"session alone", withSessions, sessionProtocol, []string{compactProtocol, sessionProtocol}},
		{"a subprotocol of the program", own, "chat.1", []string{"chat.1", compactProtocol, bytesProtocol}},
		{"one that is not offered", own, bytesProtocol, []string{compactProtocol, "chat.2", bytesProtocol}},
		{"later bytes", without, "kkrpc.compact-json", []string{compactProtocol, "kkrpc.bytes.2", "kkrpc.session.1+bytes.2"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			s, hs := dialSocket(t, test.url, nil, test.offers...)
			if hs.Protocol != test.selected {
				t.Fatalf("selected %q, want %q", hs.Protocol, test.selected)
			}
			if strings.Contains(hs.Protocol, "session") {
				s.begin()
			}
			s.send(`{"t":"q","id":"1","op":"call","p":["echo"],"a":["AP9/"]}`)
			var answer []byte
			op := gobwas.OpText
			for answer == nil || answer[0] == '#' {
				var err error
				if answer, op, err = wsutil.ReadServerData(s.rw); err != nil {
					t.Fatal(err)
				}
			}
			want := gobwas.OpText
			if strings.Contains(test.selected, "bytes") {
				want = gobwas.OpBinary
			}
			if op != want || op == gobwas.OpBinary && !bytes.HasSuffix(answer, []byte{0, 0xff, 0x7f}) {
				t.Errorf("answered with a frame of type %v: %q", op, answer)
			}
		})
	}
}

// A binary frame of a client that has not agreed on it ends the connection, as before.
func TestBytesUnagreed(t *testing.T) {
	s, _ := dialSocket(t, serve(t, ws.Handler(bytesAPI(), nil)), nil, compactProtocol)
	if err := wsutil.WriteClientBinary(s.rw, []byte{0xB1, 0, 0, 0}); err != nil {
		t.Fatal(err)
	}
	s.expectClose(1003)
}

func TestBytesCross(t *testing.T) {
	big := bytes.Repeat([]byte("\x00\xff\"#{"), 60_000)
	for _, d := range []kkrpc.Dialect{kkrpc.Compact, kkrpc.CompactSuperJSON, kkrpc.Classic, kkrpc.ClassicSuperJSON} {
		for _, session := range []*ws.SessionOptions{nil, {}} {
			for _, compression := range []bool{false, true} {
				t.Run(fmt.Sprintf("%v session=%v compression=%v", d, session != nil, compression), func(t *testing.T) {
					url := serve(t, ws.Handler(bytesAPI(), &ws.Options{Session: session, Compression: compression}))
					ch := dial(t, url, &ws.DialOptions{RPC: kkrpc.Options{Dialect: d}, Session: session, Compression: compression})
					for _, b := range [][]byte{{}, {1}, big} {
						got, err := kkrpc.Call[[]byte](testContext(t), ch, "echo", b)
						if err != nil || !bytes.Equal(got, b) {
							t.Errorf("%d bytes: %d came back, %v", len(b), len(got), err)
						}
					}
					called := make(chan []byte, 1)
					if _, err := kkrpc.Call[any](testContext(t), ch, "call", big, func(b []byte) { called <- b }); err != nil {
						t.Fatal(err)
					}
					if got := <-called; !bytes.Equal(got, big) {
						t.Errorf("a callback got %d bytes of %d", len(got), len(big))
					}
					var sizes []int
					for b, err := range kkrpc.Stream[[]byte](testContext(t), ch, "items", big) {
						if err != nil {
							t.Fatal(err)
						}
						sizes = append(sizes, len(b))
					}
					if diff := cmp.Diff([]int{len(big), 1}, sizes); diff != "" {
						t.Errorf("items (-want +got):\n%s", diff)
					}
					reader, err := kkrpc.Call[io.ReadCloser](testContext(t), ch, "read", big)
					if err != nil {
						t.Fatal(err)
					}
					got, err := io.ReadAll(reader)
					if err != nil || !bytes.Equal(got, big) {
						t.Errorf("a reader: %d bytes of %d, %v", len(got), len(big), err)
					}
					if d == kkrpc.Classic || d == kkrpc.ClassicSuperJSON {
						return // no streams as arguments
					}
					items := iter.Seq[[]byte](func(yield func([]byte) bool) { _ = yield(big) && yield(nil) && yield(big[:3]) })
					sizes, err = kkrpc.Call[[]int](testContext(t), ch, "sizes", items)
					if diff := cmp.Diff([]int{len(big), 0, 3}, sizes); diff != "" || err != nil {
						t.Errorf("stream as argument: %v (-want +got):\n%s", err, diff)
					}
				})
			}
		}
	}
}

// The bytes that a handler gets are its own: no later message changes them.
func TestBytesAreNotLent(t *testing.T) {
	var kept [][]byte
	url := serve(t, ws.Handler(kkrpc.Object{"keep": func(b []byte) { kept = append(kept, b) }}, nil))
	ch := dial(t, url, nil)
	for i := range 20 {
		if _, err := kkrpc.Call[any](testContext(t), ch, "keep", bytes.Repeat([]byte{byte(i)}, 1000)); err != nil {
			t.Fatal(err)
		}
	}
	for i, b := range kept {
		if !bytes.Equal(b, bytes.Repeat([]byte{byte(i)}, 1000)) {
			t.Errorf("message %d has changed", i)
		}
	}
}

// A socket that continues a session carries bytes if the first one did.
func TestBytesStayWithTheSession(t *testing.T) {
	url := serve(t, ws.Handler(bytesAPI(), &ws.Options{Session: &ws.SessionOptions{}, Logger: silent}))
	s, _ := dialSocket(t, url, nil, compactProtocol, bothProtocols)
	id := s.begin()
	_ = s.nc.Close()
	s = openSocket(t, url, nil)
	s.send("#resume " + id + " 0")
	s.expect("#refused unknown ")
	s, _ = dialSocket(t, url, nil, compactProtocol, bothProtocols)
	s.send("#resume " + id + " 0")
	s.expect("#resumed 0")
}
