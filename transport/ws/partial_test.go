//go:build !js

package ws

import (
	"bytes"
	"errors"
	"io"
	"net"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gobwas/ws"
)

// A message must not take for ever, however its pieces are cut; what does not wait for a piece may.
func TestMessageTime(t *testing.T) {
	text := func(n int) []byte { return fromClient(ws.OpText, true, strings.Repeat("x", n)) }
	tests := []struct {
		name   string
		pieces [][]byte // a second apart
		then   time.Duration
		cut    bool
	}{
		{name: "half a header", pieces: [][]byte{{0x81}}, then: 10 * time.Second, cut: true},
		{name: "half a message", pieces: [][]byte{text(100)[:50]}, then: 10 * time.Second, cut: true},
		{name: "half a ping", pieces: [][]byte{fromClient(ws.OpPing, true, "ping")[:5]}, then: 10 * time.Second, cut: true},
		{name: "a first fragment", pieces: [][]byte{fromClient(ws.OpText, false, "a")}, then: 10 * time.Second, cut: true},
		{name: "an empty fragment", pieces: [][]byte{fromClient(ws.OpText, false, "")}, then: 10 * time.Second, cut: true},
		{name: "byte by byte", pieces: split(text(100), 1), cut: true},
		{name: "fragment by fragment", pieces: bytes.Fields(append(fromClient(ws.OpText, false, "a"),
			bytes.Repeat(append([]byte{' '}, fromClient(ws.OpContinuation, false, "")...), 20)...)), cut: true},
		{name: "pings between fragments", pieces: bytes.Fields(append(fromClient(ws.OpText, false, "a"),
			bytes.Repeat(append([]byte{' '}, fromClient(ws.OpPing, true, "p")...), 20)...)), cut: true},
		{name: "enough in the time", pieces: split(text(100), 20), then: time.Hour, cut: false},
		{name: "a large one, slowly", pieces: split(text(10*partialStep), partialStep/8), then: time.Hour},
		{name: "a large one, too slowly", pieces: split(text(10*partialStep), partialStep/13), cut: true},
		{name: "messages and pauses", pieces: bytes.Fields(bytes.Repeat(append([]byte{' '}, text(10)...), 30)), then: time.Hour},
		{name: "nothing at all", then: time.Hour},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				client, nc := net.Pipe()
				c := newConn(nc, nil, config{messageTime: 10 * time.Second})
				began := time.Now()
				var took time.Duration
				failed := make(chan error, 1)
				go func() {
					for {
						if _, _, err := c.ReadFrame(nil); err != nil {
							took = time.Since(began)
							failed <- err
							return
						}
					}
				}()
				closed := make(chan ws.StatusCode, 1)
				go func() {
					for {
						h, err := ws.ReadHeader(client)
						if err != nil {
							return
						}
						p := make([]byte, h.Length)
						_, _ = io.ReadFull(client, p)
						if h.OpCode == ws.OpClose {
							code, _ := ws.ParseCloseFrameData(p)
							closed <- code
							return
						}
					}
				}()
				for _, piece := range test.pieces {
					if _, err := client.Write(piece); err != nil {
						break
					}
					time.Sleep(time.Second)
				}
				time.Sleep(test.then)
				if test.cut {
					var ce *CloseError
					if err := <-failed; !errors.As(err, &ce) || ce.Code != 1008 || !ce.Sent || !strings.Contains(ce.Reason, "not complete after") {
						t.Errorf("ReadFrame: %v", err)
					}
					if code := <-closed; code != 1008 {
						t.Errorf("closed with %d", code)
					}
					if took != 10*time.Second {
						t.Errorf("cut after %v", took)
					}
				} else {
					select {
					case err := <-failed:
						t.Errorf("after %v: %v", time.Since(began), err)
					default:
					}
				}
				client.Close()
				_ = c.Close(1000, "")
				time.Sleep(time.Minute) // closing handshakes
			})
		})
	}
}

// split cuts b into pieces of n bytes.
func split(b []byte, n int) (pieces [][]byte) {
	for len(b) > n {
		pieces = append(pieces, b[:n])
		b = b[n:]
	}
	return append(pieces, b)
}

// On every kind of connection a message that trickles is noticed.
func TestMessageTimeNetworks(t *testing.T) {
	for _, network := range networks {
		t.Run(network.name, func(t *testing.T) {
			client, nc := network.pair(t)
			c := newConn(nc, nil, config{messageTime: 40 * time.Millisecond})
			if _, err := client.Write(join(fromClient(ws.OpText, true, "whole"), fromClient(ws.OpText, true, "half")[:7])); err != nil {
				t.Fatal(err)
			}
			if msg, _, err := c.ReadFrame(nil); string(msg) != "whole" {
				t.Fatalf("got %q, %v", msg, err)
			}
			var ce *CloseError
			if _, _, err := c.ReadFrame(nil); !errors.As(err, &ce) || ce.Code != 1008 {
				t.Errorf("ReadFrame: %v", err)
			}
		})
	}
}

// Messages in parts share a budget; beyond it the oldest goes, so that one who trickles cannot keep others out.
func TestBudget(t *testing.T) {
	for _, network := range networks {
		t.Run(network.name, func(t *testing.T) {
			const size = 300 << 10
			b := &budget{limit: 2*hugeBuffer + 1000}
			type peer struct {
				nc   net.Conn
				c    *conn
				read chan error
			}
			msg := fromClient(ws.OpText, true, strings.Repeat("x", size))
			var peers []peer
			for range 3 {
				client, nc := network.pair(t)
				p := peer{client, newConn(nc, nil, config{budget: b}), make(chan error, 1)}
				peers = append(peers, p)
				go func() {
					_, _, err := p.c.ReadFrame(nil)
					p.read <- err
				}()
				if _, err := client.Write(msg[:size-1000]); err != nil {
					t.Fatal(err)
				}
				if len(peers) < 3 { // it has been read as far as it came, before the next begins
					for used := int64(0); used < int64(len(peers))*hugeBuffer; {
						b.mu.Lock()
						used = b.used
						b.mu.Unlock()
					}
				}
			}
			var ce *CloseError
			if err := <-peers[0].read; !errors.As(err, &ce) || ce.Code != 1013 || !ce.Sent {
				t.Errorf("the oldest: %v", err)
			}
			if code, _ := ws.ParseCloseFrameData(readUntil(t, peers[0].nc, ws.OpClose).Payload); code != 1013 {
				t.Errorf("closed with %d", code)
			}
			for _, p := range peers[1:] {
				if _, err := p.nc.Write(msg[size-1000:]); err != nil {
					t.Fatal(err)
				}
				if err := <-p.read; err != nil {
					t.Errorf("another: %v", err)
				}
				_ = p.c.Close(1000, "")
			}
			b.mu.Lock()
			defer b.mu.Unlock()
			if b.used != 0 || b.order.Len() != 0 {
				t.Errorf("%d bytes of %d messages are held", b.used, b.order.Len())
			}
		})
	}
}

// A connection that is closed gives back what it held.
func TestBudgetOfClosedConnection(t *testing.T) {
	b := &budget{limit: 100}
	client, nc := tcpPair(t)
	c := newConn(nc, nil, config{budget: b, messageTime: time.Hour})
	read := make(chan error, 1)
	go func() {
		_, _, err := c.ReadFrame(nil)
		read <- err
	}()
	_, _ = client.Write(fromClient(ws.OpText, false, strings.Repeat("x", 1000))) // alone it may be over the limit
	held := func() bool {
		b.mu.Lock()
		defer b.mu.Unlock()
		return b.used > 0
	}
	for !held() {
	}
	client.Close()
	if err := <-read; err == nil {
		t.Error("half a message is one")
	}
	_ = c.Close(1000, "")
	for end := time.Now().Add(20 * time.Second); held(); {
		if time.Now().After(end) {
			t.Fatal("the budget is still used")
		}
	}
}
