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

	"github.com/kkrpc-go/kkrpc/internal/budget"
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

// peer is a connection with an account in a budget.
type peer struct {
	account budget.Account
	nc      net.Conn
	c       *conn
	read    chan error // of the first message
}

func (p *peer) Evict(int64, int64) { _ = p.c.Close(1013, "memory") }

func newPeer(t *testing.T, b *budget.Budget, pair func(testing.TB) (client, server net.Conn)) *peer {
	client, nc := pair(t)
	p := &peer{nc: client, c: newConn(nc, nil, config{messageTime: time.Hour}), read: make(chan error, 1)}
	p.account.Open(b, p)
	p.c.SetAccount(&p.account)
	go func() {
		_, _, err := p.c.ReadFrame(nil)
		p.read <- err
	}()
	return p
}

func (p *peer) write(t *testing.T, b []byte) {
	t.Helper()
	if _, err := p.nc.Write(b); err != nil {
		t.Fatal(err)
	}
}

func awaitUsed(t *testing.T, b *budget.Budget, enough func(used int64) bool) {
	t.Helper()
	for end := time.Now().Add(20 * time.Second); !enough(b.Usage().Used); {
		if time.Now().After(end) {
			t.Fatalf("%+v", b.Usage())
		}
	}
}

// Messages in parts share a budget; beyond it the oldest of one size goes, so that one who trickles cannot keep others out.
func TestBudget(t *testing.T) {
	for _, network := range networks {
		t.Run(network.name, func(t *testing.T) {
			const size = 300 << 10
			b := new(budget.Budget)
			b.Init(5 * hugeBuffer / 2)
			msg := fromClient(ws.OpText, true, strings.Repeat("x", size))
			var peers []*peer
			for range 3 {
				p := newPeer(t, b, network.pair)
				peers = append(peers, p)
				p.write(t, msg[:size-1000])
				if len(peers) < 3 { // it has been read as far as it came, before the next begins
					awaitUsed(t, b, func(used int64) bool { return used >= int64(len(peers))*hugeBuffer })
				}
				for end := time.Now().Add(2 * time.Second / 100); time.Now().Before(end); { // ages differ
				}
			}
			if err := <-peers[0].read; err == nil {
				t.Error("the oldest is whole")
			}
			if code, _ := ws.ParseCloseFrameData(readUntil(t, peers[0].nc, ws.OpClose).Payload); code != 1013 {
				t.Errorf("closed with %d", code)
			}
			for _, p := range peers[1:] {
				p.write(t, msg[size-1000:])
				if err := <-p.read; err != nil {
					t.Errorf("another: %v", err)
				}
				_ = p.c.Close(1000, "")
			}
			awaitUsed(t, b, func(used int64) bool { return used == 0 })
		})
	}
}

// A connection that is closed gives back what it held.
func TestBudgetOfClosedConnection(t *testing.T) {
	b := new(budget.Budget)
	b.Init(1 << 20)
	p := newPeer(t, b, tcpPair)
	p.write(t, fromClient(ws.OpText, false, strings.Repeat("x", 1000)))
	awaitUsed(t, b, func(used int64) bool { return used > 0 })
	p.nc.Close()
	if err := <-p.read; err == nil {
		t.Error("half a message is one")
	}
	_ = p.c.Close(1000, "")
	awaitUsed(t, b, func(used int64) bool { return used == 0 })
}

// A large message counts until the next one is asked for: its receiver reads it where it lies.
func TestBudgetOfMessagesThatAreRead(t *testing.T) {
	for _, network := range networks {
		t.Run(network.name, func(t *testing.T) {
			b := new(budget.Budget)
			b.Init(1 << 30)
			p := newPeer(t, b, network.pair)
			p.write(t, join(fromClient(ws.OpText, true, strings.Repeat("x", 100<<10)), fromClient(ws.OpText, true, "small")))
			if err := <-p.read; err != nil {
				t.Fatal(err)
			}
			if used := b.Usage().Used; used < 100<<10 {
				t.Errorf("%d bytes are held", used)
			}
			if msg, _, err := p.c.ReadFrame(nil); string(msg) != "small" {
				t.Errorf("got %q, %v", msg, err)
			}
			go p.c.ReadFrame(nil)
			awaitUsed(t, b, func(used int64) bool { return used == 0 })
			_ = p.c.Close(1000, "")
		})
	}
}
