//go:build !js

package ws

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gobwas/ws"
)

// frame is one frame with any header, masked if the header says so; length, if not 0, is announced instead of the
// payload's.
func frame(h ws.Header, payload []byte, length int64) []byte {
	h.Length = int64(len(payload))
	if length != 0 {
		h.Length = length
	}
	var b bytes.Buffer
	if err := ws.WriteHeader(&b, h); err != nil {
		panic(err)
	}
	p := bytes.Clone(payload)
	if h.Masked {
		ws.Cipher(p, h.Mask, 0)
	}
	b.Write(p)
	return b.Bytes()
}

var mask = [4]byte{1, 2, 3, 4}

// fromClient is a masked frame.
func fromClient(op ws.OpCode, fin bool, payload string) []byte {
	return frame(ws.Header{Fin: fin, OpCode: op, Masked: true, Mask: mask}, []byte(payload), 0)
}

func closeFrame(code ws.StatusCode, reason string) []byte {
	return fromClient(ws.OpClose, true, string(ws.NewCloseFrameBody(code, reason)))
}

func join(frames ...[]byte) []byte { return bytes.Join(frames, nil) }

// readUntil reads frames of the server from nc until one has the opcode wanted.
func readUntil(t testing.TB, nc net.Conn, op ws.OpCode) ws.Frame {
	t.Helper()
	_ = nc.SetReadDeadline(time.Now().Add(20 * time.Second))
	for {
		h, err := ws.ReadHeader(nc)
		if err != nil {
			t.Fatalf("no frame with opcode %d: %v", op, err)
		}
		p := make([]byte, h.Length)
		if _, err := io.ReadFull(nc, p); err != nil {
			t.Fatal(err)
		}
		if h.Masked {
			ws.Cipher(p, h.Mask, 0)
		}
		if h.OpCode == op {
			return ws.Frame{Header: h, Payload: p}
		}
	}
}

// TestFrames sends a server raw bytes and looks at what it reads from them, and at its close frame.
func TestFrames(t *testing.T) {
	text, bin, cont, ping, pong, cls := ws.OpText, ws.OpBinary, ws.OpContinuation, ws.OpPing, ws.OpPong, ws.OpClose
	const limit = 1000
	tests := []struct {
		name   string
		in     []byte
		want   []string // messages before the end
		code   int      // of the close frame that answers; 1005 for one without code
		reason string   // part of it
		eof    bool     // ReadFrame ends with io.EOF
	}{
		{name: "text", in: join(fromClient(text, true, "a"), closeFrame(1000, "bye")), want: []string{"a"}, code: 1000, reason: "bye", eof: true},
		{name: "binary that is UTF-8", in: join(fromClient(bin, true, "ä"), closeFrame(1001, "")), want: []string{"ä"}, code: 1001, eof: true},
		{name: "close without a code", in: fromClient(cls, true, ""), code: 1005, eof: true},
		{name: "close with a code of an application", in: closeFrame(4001, "mine"), code: 4001, reason: "mine"},
		{name: "close for a restart, a code of later days", in: closeFrame(1012, "restart"), code: 1012, reason: "restart"},
		{name: "nothing is read after a close", in: join(closeFrame(1000, ""), fromClient(text, true, "late")), code: 1000, eof: true},
		{name: "fragments with a ping between", in: join(fromClient(text, false, "a"), fromClient(ping, true, "p"), fromClient(cont, false, "b"), fromClient(cont, true, "c"), closeFrame(1000, "")), want: []string{"abc"}, code: 1000, eof: true},
		{name: "a character split over fragments", in: join(fromClient(text, false, "\xc3"), fromClient(cont, true, "\xa4"), closeFrame(1000, "")), want: []string{"ä"}, code: 1000, eof: true},
		{name: "empty fragments", in: join(fromClient(text, false, ""), fromClient(cont, false, ""), fromClient(cont, true, ""), closeFrame(1000, "")), want: []string{""}, code: 1000, eof: true},
		{name: "unsolicited pong", in: join(fromClient(pong, true, "x"), fromClient(text, true, "a"), closeFrame(1000, "")), want: []string{"a"}, code: 1000, eof: true},
		{name: "a message as large as the limit", in: join(fromClient(text, true, strings.Repeat("x", limit)), closeFrame(1000, "")), want: []string{strings.Repeat("x", limit)}, code: 1000, eof: true},
		{name: "fragments as large as the limit", in: join(fromClient(text, false, strings.Repeat("x", limit-1)), fromClient(cont, true, "x"), closeFrame(1000, "")), want: []string{strings.Repeat("x", limit)}, code: 1000, eof: true},

		{name: "over the limit, sent whole", in: fromClient(text, true, strings.Repeat("x", limit+1)), code: 1009, reason: "limit of 1000 bytes"},
		{name: "over the limit, only announced", in: frame(ws.Header{Fin: true, OpCode: text, Masked: true}, nil, 1<<62), code: 1009, reason: "limit of 1000 bytes"},
		{name: "fragments over the limit", in: join(fromClient(text, false, strings.Repeat("x", limit)), fromClient(cont, false, "x")), code: 1009},
		{name: "not masked", in: frame(ws.Header{Fin: true, OpCode: text}, []byte("a"), 0), code: 1002, reason: "masked"},
		{name: "reserved bit 1 without compression", in: frame(ws.Header{Fin: true, Rsv: 4, OpCode: text, Masked: true}, []byte("a"), 0), code: 1002, reason: "rsv"},
		{name: "reserved bit 2", in: frame(ws.Header{Fin: true, Rsv: 2, OpCode: text, Masked: true}, []byte("a"), 0), code: 1002, reason: "rsv"},
		{name: "reserved bit 3", in: frame(ws.Header{Fin: true, Rsv: 1, OpCode: text, Masked: true}, []byte("a"), 0), code: 1002, reason: "rsv"},
		{name: "reserved data opcode", in: fromClient(3, true, ""), code: 1002, reason: "reserved"},
		{name: "reserved control opcode", in: fromClient(11, true, ""), code: 1002, reason: "reserved"},
		{name: "fragmented ping", in: fromClient(ping, false, ""), code: 1002, reason: "final"},
		{name: "ping of 126 bytes", in: fromClient(ping, true, strings.Repeat("x", 126)), code: 1002, reason: "payload limit"},
		{name: "continuation of nothing", in: fromClient(cont, true, "a"), code: 1002, reason: "continuation"},
		{name: "message inside fragments", in: join(fromClient(text, false, "a"), fromClient(text, true, "b")), code: 1002, reason: "continuation"},
		{name: "text that is not UTF-8", in: fromClient(text, true, "\xff"), code: 1007, reason: "UTF-8"},
		{name: "fragments that are not UTF-8", in: join(fromClient(text, false, "a"), fromClient(cont, true, "\xff")), code: 1007, reason: "UTF-8"},
		{name: "binary that is not UTF-8", in: fromClient(bin, true, "\xff"), code: 1003, reason: "UTF-8"},
		{name: "close with one byte", in: fromClient(cls, true, "\x03"), code: 1002},
		{name: "close with a code that must not be sent", in: closeFrame(1006, ""), code: 1002},
		{name: "close with a code nobody defined", in: closeFrame(1016, ""), code: 1002},
		{name: "close with a code above 4999", in: closeFrame(5000, ""), code: 1002},
		{name: "close with a reason that is not UTF-8", in: closeFrame(1000, "\xff"), code: 1002},
		{name: "16-bit length that fits 7 bits", in: []byte{0x81, 0x80 | 126, 0, 125, 0, 0, 0, 0}, code: 1002, reason: "shortest"},
		{name: "64-bit length that fits 16 bits", in: []byte{0x81, 0x80 | 127, 0, 0, 0, 0, 0, 0, 255, 255, 0, 0, 0, 0}, code: 1002, reason: "shortest"},
		{name: "length with the highest bit", in: []byte{0x81, 0x80 | 127, 128, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}, code: 1002, reason: "highest bit"},
	}
	for _, test := range tests {
		for _, network := range networks {
			for _, split := range []bool{false, true} {
				name := fmt.Sprintf("%s, %s", test.name, network.name)
				if split {
					name += ", byte by byte"
				}
				t.Run(name, func(t *testing.T) {
					client, nc := network.pair(t)
					c := newConn(nc, nil, config{limit: limit})
					go func() {
						for i := 0; i < len(test.in) && split; i++ {
							if _, err := client.Write(test.in[i : i+1]); err != nil {
								return // the server has seen enough
							}
						}
						if !split {
							_, _ = client.Write(test.in)
						}
					}()
					var got []string
					var err error
					for {
						var msg []byte
						if msg, _, err = c.ReadFrame(nil); err != nil {
							break
						}
						got = append(got, string(msg))
					}
					if fmt.Sprint(got) != fmt.Sprint(test.want) || len(got) != len(test.want) {
						t.Errorf("messages %q, want %q", got, test.want)
					}
					var ce *CloseError
					switch {
					case test.eof && err != io.EOF:
						t.Errorf("ReadFrame: %v, want io.EOF", err)
					case !test.eof && (!errors.As(err, &ce) || ce.Code != test.code || !strings.Contains(ce.Reason, test.reason)):
						t.Errorf("ReadFrame: %v, want code %d and reason %q", err, test.code, test.reason)
					}
					_ = c.Close(1011, "must not be sent")
					f := readUntil(t, client, ws.OpClose)
					if f.Header.Masked {
						t.Error("a server must not mask")
					}
					code, reason := ws.ParseCloseFrameData(f.Payload)
					if len(f.Payload) == 0 {
						code = ws.StatusNoStatusRcvd
					}
					if int(code) != test.code || !strings.Contains(reason, test.reason) {
						t.Errorf("close frame %d %q, want %d %q", code, reason, test.code, test.reason)
					}
				})
			}
		}
	}
}

func TestClientRefusesMaskedFrames(t *testing.T) {
	nc, server := tcpPair(t)
	c := newConn(nc, nil, config{client: true})
	if _, err := server.Write(fromClient(ws.OpText, true, "a")); err != nil {
		t.Fatal(err)
	}
	var ce *CloseError
	if _, _, err := c.ReadFrame(nil); !errors.As(err, &ce) || ce.Code != 1002 || !ce.Sent {
		t.Errorf("ReadFrame: %v, want code 1002", err)
	}
	_ = c.Close(1000, "")
	if f := readUntil(t, server, ws.OpClose); !f.Header.Masked {
		t.Error("a client must mask its close frame")
	}
}

func TestClientMasksWithChangingKeys(t *testing.T) {
	nc, server := tcpPair(t)
	c := newConn(nc, nil, config{client: true})
	defer c.Close(1000, "")
	seen := map[[4]byte]bool{}
	for i := range 4 {
		msg := strings.Repeat("m", i*20_000)
		if err := c.WriteFrames([][]byte{[]byte(msg)}); err != nil {
			t.Fatal(err)
		}
		f := readUntil(t, server, ws.OpText)
		if !f.Header.Masked || string(f.Payload) != msg {
			t.Fatalf("message %d: masked %v, %d bytes", i, f.Header.Masked, len(f.Payload))
		}
		seen[f.Header.Mask] = true
	}
	if len(seen) < 3 {
		t.Errorf("%d different keys in 4 frames", len(seen))
	}
}

func TestPing(t *testing.T) {
	for _, network := range networks {
		t.Run(network.name, func(t *testing.T) {
			client, nc := network.pair(t)
			c := newConn(nc, nil, config{})
			defer c.Close(1000, "")
			go c.ReadFrame(nil)
			for _, payload := range []string{"", "hello", strings.Repeat("x", 125)} {
				if _, err := client.Write(fromClient(ws.OpPing, true, payload)); err != nil {
					t.Fatal(err)
				}
				if f := readUntil(t, client, ws.OpPong); string(f.Payload) != payload {
					t.Errorf("pong %q, want %q", f.Payload, payload)
				}
			}
		})
	}
}

// A peer that pings for ever without reading gets pongs no longer, and costs no memory.
func TestPingFlood(t *testing.T) {
	client, nc := tcpPair(t)
	c := newConn(nc, nil, config{})
	read := make(chan error, 1)
	go func() {
		_, _, err := c.ReadFrame(nil)
		read <- err
	}()
	ping := bytes.Repeat(fromClient(ws.OpPing, true, strings.Repeat("x", 125)), 500)
	for range 200 { // 13 MB, of which the pongs fill every buffer of the system
		if _, err := client.Write(ping); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := client.Write(fromClient(ws.OpText, true, "done")); err != nil {
		t.Fatal(err)
	}
	if err := <-read; err != nil {
		t.Fatal(err)
	}
	c.sock.Lock()
	held := len(c.rest)
	c.sock.Unlock()
	if held > smallBuffer {
		t.Errorf("%d bytes of pongs are held", held)
	}
	_ = c.Close(1000, "")
}

func TestEndWithoutCloseFrame(t *testing.T) {
	for _, sent := range []string{"", "half a header", "half a message"} {
		t.Run(sent, func(t *testing.T) {
			client, nc := tcpPair(t)
			c := newConn(nc, nil, config{})
			defer c.Close(1000, "")
			f := fromClient(ws.OpText, true, "message")
			_, _ = client.Write(map[string][]byte{"": nil, "half a header": f[:3], "half a message": f[:9]}[sent])
			client.Close()
			if _, _, err := c.ReadFrame(nil); !errors.Is(err, io.ErrUnexpectedEOF) {
				t.Errorf("ReadFrame: %v, want io.ErrUnexpectedEOF", err)
			}
		})
	}
}

func TestCloseSends(t *testing.T) {
	tests := []struct {
		name         string
		code         int
		reason       string
		wantCode     ws.StatusCode
		wantReason   string
		reasonLength int
	}{
		{name: "code and reason", code: 1008, reason: "too slow", wantCode: 1008, wantReason: "too slow"},
		{name: "a code that must not be sent becomes 1011", code: 1006, wantCode: 1011},
		{name: "no code becomes 1011", code: 0, wantCode: 1011},
		{name: "a long reason is cut between characters", code: 4000, reason: strings.Repeat("ä", 100), wantCode: 4000, wantReason: strings.Repeat("ä", 61)},
		{name: "a reason that is not UTF-8 is dropped", code: 4000, reason: "\xff", wantCode: 4000},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			client, nc := tcpPair(t)
			c := newConn(nc, nil, config{})
			_ = c.Close(test.code, test.reason)
			code, reason := ws.ParseCloseFrameData(readUntil(t, client, ws.OpClose).Payload)
			if code != test.wantCode || reason != test.wantReason {
				t.Errorf("got %d %q, want %d %q", code, reason, test.wantCode, test.wantReason)
			}
			// The peer's half ends the connection, before lingerTime is over.
			_, _ = client.Write(closeFrame(code, ""))
			_ = client.SetReadDeadline(time.Now().Add(lingerTime / 2))
			if _, err := client.Read(make([]byte, 1)); err != io.EOF {
				t.Errorf("after both close frames: %v, want io.EOF", err)
			}
		})
	}
}

func TestPeerSeesCloseError(t *testing.T) {
	cc, sc := tcpPair(t)
	client, server := newConn(cc, nil, config{client: true}), newConn(sc, nil, config{})
	_ = server.Close(1008, "reads too slowly")
	_, _, err := client.ReadFrame(nil)
	var ce *CloseError
	if !errors.As(err, &ce) || ce.Code != 1008 || ce.Reason != "reads too slowly" || ce.Sent {
		t.Errorf("ReadFrame: %v", err)
	}
	if want := "ws: closed by the peer with code 1008: reads too slowly"; err.Error() != want {
		t.Errorf("error text %q, want %q", err, want)
	}
	_ = client.Close(1000, "")
}

// more is about whole messages, whatever else is buffered.
func TestMore(t *testing.T) {
	first := fromClient(ws.OpText, true, "first")
	ping := fromClient(ws.OpPing, true, "p")
	tests := []struct {
		name   string
		behind []byte
		want   bool
	}{
		{"nothing", nil, false},
		{"a message", fromClient(ws.OpText, true, ""), true},
		{"half a header", fromClient(ws.OpText, true, "x")[:3], false},
		{"half a message", fromClient(ws.OpText, true, "xy")[:7], false},
		{"a ping", ping, false},
		{"a ping and a message", join(ping, fromClient(ws.OpText, true, "x")), true},
		{"a fragment", fromClient(ws.OpText, false, "x"), false},
		{"all fragments", join(fromClient(ws.OpText, false, "x"), ping, fromClient(ws.OpContinuation, true, "x")), true},
		{"a close frame", join(closeFrame(1000, ""), fromClient(ws.OpText, true, "late")), false},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			c := newConn(&scripted{bytes.NewReader(nil), 1}, join(first, test.behind), config{})
			defer c.release()
			msg, more, err := c.ReadFrame(nil)
			if string(msg) != "first" || err != nil || more != test.want {
				t.Errorf("got %q, %v, %v, want more %v", msg, more, err, test.want)
			}
		})
	}
}

// A peer that sends more at a time than a buffer holds gets a larger one, until it sends little again.
func TestBufferFollowsBursts(t *testing.T) {
	a, b := tcpPair(t)
	client, server := newConn(a, nil, config{client: true}), newConn(b, nil, config{})
	t.Cleanup(func() { client.Close(1000, ""); server.Close(1000, "") })
	read := func(frames, size int) (largest int) {
		t.Helper()
		if err := client.WriteFrames(slices.Repeat([][]byte{bytes.Repeat([]byte("x"), size)}, frames)); err != nil {
			t.Fatal(err)
		}
		for range frames {
			if _, _, err := server.LendFrame(); err != nil {
				t.Fatal(err)
			}
			largest = max(largest, len(server.in))
		}
		return largest
	}
	if n := read(1, 4<<10); n != smallBuffer {
		t.Errorf("a buffer of %d bytes for one message", n)
	}
	read(5, 4<<10)
	if n := read(5, 4<<10); n != largeBuffer {
		t.Errorf("a buffer of %d bytes for bursts of 20 KiB", n)
	}
	for range 100 {
		read(1, 100)
	}
	if server.burst > smallBuffer { // so that the next buffer, after a wait, is a small one
		t.Errorf("a hint of %d bytes after small messages", server.burst)
	}
}
