//go:build !js

package ws

import (
	"bytes"
	"errors"
	"io"
	"net"
	"os"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gobwas/ws"
)

// A peer that does not read loses its connection after the write timeout.
func TestWriteTimeout(t *testing.T) {
	for _, network := range networks {
		t.Run(network.name, func(t *testing.T) {
			_, nc := network.pair(t)
			c := newConn(nc, nil, config{timeout: 50 * time.Millisecond})
			defer c.Close(1000, "")
			big := bytes.Repeat([]byte("x"), 1<<20)
			var err error
			for err == nil {
				err = c.WriteFrames([][]byte{big})
			}
			if !errors.Is(err, os.ErrDeadlineExceeded) || !strings.Contains(err.Error(), "50ms") {
				t.Errorf("WriteFrames: %v", err)
			}
			if again := c.WriteFrames([][]byte{{'x'}}); again == nil {
				t.Error("a write after a timeout succeeds")
			}
		})
	}
}

// tryConns returns a connection whose TryWriteFrames meets a full system soon, and its peer.
func tryConns(t *testing.T) (c *conn, peer net.Conn) {
	peer, nc := tcpPair(t)
	_ = nc.(*net.TCPConn).SetWriteBuffer(32 << 10)
	_ = peer.(*net.TCPConn).SetReadBuffer(32 << 10)
	return newConn(nc, nil, config{}), peer
}

func TestTryWriteFrames(t *testing.T) {
	for name, size := range map[string]int{"small": 100, "large": 40_000} {
		t.Run(name, func(t *testing.T) {
			c, peer := tryConns(t)
			var sent [][]byte
			add := func() [][]byte {
				var msgs [][]byte
				for i := range 5 {
					msgs = append(msgs, bytes.Repeat([]byte{'a' + byte((len(sent)+i)%26)}, size+len(sent)+i))
				}
				sent = append(sent, msgs...)
				return msgs
			}
			// try hands over copies and spoils them: the transport must not need them any more.
			try := func() bool {
				var msgs [][]byte
				for _, m := range add() {
					msgs = append(msgs, bytes.Clone(m))
				}
				done, err := c.TryWriteFrames(msgs)
				if err != nil {
					t.Fatal(err)
				}
				for _, m := range msgs {
					clear(m)
				}
				return done
			}
			sent = append(sent, []byte("first"))
			if done, err := c.TryWriteFrames(sent); !done || err != nil {
				t.Fatalf("TryWriteFrames with nothing in the way: %v, %v", done, err)
			}
			for try() {
			}
			for range 3 { // more behind what is kept already
				try()
			}
			var wg sync.WaitGroup
			wg.Go(func() {
				if err := c.WriteFrames(nil); err != nil {
					t.Errorf("WriteFrames(nil): %v", err)
				}
				if err := c.WriteFrames(add()); err != nil {
					t.Errorf("WriteFrames: %v", err)
				}
				if done, err := c.TryWriteFrames(nil); !done || err != nil {
					t.Errorf("TryWriteFrames(nil): %v, %v", done, err)
				}
				_ = c.Close(1000, "")
			})
			r := newConn(peer, nil, config{client: true})
			var got [][]byte
			for {
				msg, _, err := r.ReadFrame(nil)
				if err == io.EOF {
					break
				}
				if err != nil {
					t.Fatal(err)
				}
				got = append(got, msg)
			}
			wg.Wait()
			_ = r.Close(1000, "")
			if len(got) != len(sent) {
				t.Fatalf("%d messages arrived, want %d", len(got), len(sent))
			}
			for i := range sent {
				if !bytes.Equal(got[i], sent[i]) {
					t.Fatalf("message %d differs", i)
				}
			}
		})
	}
}

// Under TLS nothing can be tried: all is kept until WriteFrames.
func TestTryWriteFramesTLS(t *testing.T) {
	peer, nc := tlsPair(t)
	c := newConn(nc, nil, config{})
	for i := range 3 {
		if done, err := c.TryWriteFrames([][]byte{{'a' + byte(i)}}); done || err != nil {
			t.Fatalf("TryWriteFrames: %v, %v", done, err)
		}
	}
	if err := c.WriteFrames([][]byte{[]byte("d")}); err != nil {
		t.Fatal(err)
	}
	if done, err := c.TryWriteFrames(nil); !done || err != nil {
		t.Errorf("TryWriteFrames(nil) with nothing kept: %v, %v", done, err)
	}
	if done, err := c.TryWriteFrames([][]byte{{'e'}}); done || err != nil {
		t.Errorf("TryWriteFrames: %v, %v", done, err)
	}
	_ = c.Close(1000, "") // takes along what is kept
	if _, err := c.TryWriteFrames(nil); err == nil {
		t.Error("TryWriteFrames works after Close")
	}
	r := newConn(peer, nil, config{client: true})
	defer r.Close(1000, "")
	for _, want := range []string{"a", "b", "c", "d", "e"} {
		if msg, _, err := r.ReadFrame(nil); string(msg) != want || err != nil {
			t.Fatalf("got %q, %v, want %q", msg, err, want)
		}
	}
}

// What TryWriteFrames kept is still sent when the connection is closed before a WriteFrames, and in whole frames.
func TestCloseSendsWhatIsKept(t *testing.T) {
	c, peer := tryConns(t)
	msg := bytes.Repeat([]byte("x"), 30_000)
	n := 0
	for done := true; done; n++ {
		var err error
		if done, err = c.TryWriteFrames([][]byte{msg}); err != nil {
			t.Fatal(err)
		}
	}
	_ = c.Close(4000, "over")
	r := newConn(peer, nil, config{client: true})
	defer r.Close(1000, "")
	for i := range n {
		if got, _, err := r.ReadFrame(nil); !bytes.Equal(got, msg) {
			t.Fatalf("message %d: %d bytes, %v", i, len(got), err)
		}
	}
	var ce *CloseError
	if _, _, err := r.ReadFrame(nil); !errors.As(err, &ce) || ce.Code != 4000 {
		t.Errorf("ReadFrame: %v", err)
	}
}

// The pong that found the system full goes out between messages, never inside one.
func TestPongBehindFullSystem(t *testing.T) {
	c, peer := tryConns(t)
	read := make(chan error, 1)
	go func() {
		_, _, err := c.ReadFrame(nil)
		read <- err
	}()
	msg := bytes.Repeat([]byte("x"), 30_000)
	n := 0
	for done := true; done; n++ {
		var err error
		if done, err = c.TryWriteFrames([][]byte{msg}); err != nil {
			t.Fatal(err)
		}
	}
	_, _ = peer.Write(join(fromClient(ws.OpPing, true, "1"), fromClient(ws.OpPing, true, "2"), fromClient(ws.OpText, true, "x")))
	if err := <-read; err != nil {
		t.Fatal(err)
	}
	written := make(chan error, 1)
	go func() { written <- c.WriteFrames([][]byte{msg}) }()
	var pongs []string
	for texts := 0; texts < n+1 || len(pongs) == 0; {
		h, err := ws.ReadHeader(peer)
		if err != nil {
			t.Fatal(err)
		}
		p := make([]byte, h.Length)
		_, _ = io.ReadFull(peer, p)
		switch {
		case h.OpCode == ws.OpPong:
			pongs = append(pongs, string(p))
		case h.OpCode == ws.OpText && bytes.Equal(p, msg):
			texts++
		default:
			t.Fatalf("frame %+v after %d messages", h, texts)
		}
	}
	if err := <-written; err != nil {
		t.Fatal(err)
	}
	if pongs[len(pongs)-1] != "2" {
		t.Errorf("pongs %q, want the last ping answered", pongs)
	}
	_ = c.Close(1000, "")
}

// Close ends a write that waits for a peer which does not read, long before the write timeout.
func TestCloseInterruptsWaitingWrite(t *testing.T) {
	for _, network := range networks {
		t.Run(network.name, func(t *testing.T) {
			_, nc := network.pair(t)
			c := newConn(nc, nil, config{timeout: time.Hour})
			failed := make(chan error, 1)
			go func() {
				big := bytes.Repeat([]byte("x"), 1<<20)
				for {
					if err := c.WriteFrames([][]byte{big}); err != nil {
						failed <- err
						return
					}
				}
			}()
			awaitStuckWrite()
			_ = c.Close(1000, "")
			if err := <-failed; !errors.Is(err, net.ErrClosed) {
				t.Errorf("WriteFrames: %v, want net.ErrClosed", err)
			}
		})
	}
}

// awaitStuckWrite returns once a WriteFrames waits for its peer.
func awaitStuckWrite() {
	stacks := make([]byte, 1<<20)
	for {
		for g := range strings.SplitSeq(string(stacks[:runtime.Stack(stacks, true)]), "\n\n") {
			if strings.Contains(g, "[IO wait") && strings.Contains(g, ".WriteFrames(") {
				return
			}
		}
		runtime.Gosched()
	}
}

// While something is kept, nothing overtakes it, even if there is room again.
func TestNothingOvertakesWhatIsKept(t *testing.T) {
	peer, nc := tcpPair(t)
	c := newConn(nc, nil, config{})
	c.rest = c.appendMessage(nil, []byte("first"))
	c.sock.Lock()
	if err := c.write([][]byte{[]byte("second")}, false); err != nil {
		t.Fatal(err)
	}
	c.unlock()
	if err := c.WriteFrames(nil); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"first", "second"} {
		if f := readUntil(t, peer, ws.OpText); string(f.Payload) != want {
			t.Errorf("got %q, want %q", f.Payload, want)
		}
	}
	_ = c.Close(1000, "")
}
