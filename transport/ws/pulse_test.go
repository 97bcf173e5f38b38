package ws

import (
	"net"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/gobwas/ws"
)

func TestHeartbeat(t *testing.T) {
	for _, network := range networks {
		t.Run(network.name, func(t *testing.T) {
			const interval = 40 * time.Millisecond
			client, nc := network.pair(t)
			c := newConn(nc, nil, config{ping: interval})
			defer c.Close(1000, "")
			failed := make(chan error, 1)
			go func() {
				_, _, err := c.ReadFrame(nil)
				failed <- err
			}()
			for range 3 { // as long as it answers it lives
				readUntil(t, client, ws.OpPing)
				if _, err := client.Write(fromClient(ws.OpPong, true, "")); err != nil {
					t.Fatal(err)
				}
			}
			readUntil(t, client, ws.OpClose)
			if err := <-failed; err == nil || !strings.Contains(err.Error(), "did not answer a ping within 40ms") {
				t.Errorf("ReadFrame: %v", err)
			}
			if err := c.WriteFrames(nil); err == nil {
				t.Error("a dead connection can be written to")
			}
		})
	}
}

// Traffic in either form counts as life: two connections of this package keep each other open.
func TestHeartbeatBothSides(t *testing.T) {
	cc, sc := tcpPair(t)
	client := newConn(cc, nil, config{client: true, ping: 20 * time.Millisecond})
	server := newConn(sc, nil, config{ping: 20 * time.Millisecond})
	failed := make(chan error, 2)
	for _, c := range []*conn{client, server} {
		go func() {
			_, _, err := c.ReadFrame(nil)
			failed <- err
		}()
	}
	select {
	case err := <-failed:
		t.Fatalf("ReadFrame: %v", err)
	case <-time.After(200 * time.Millisecond):
	}
	_ = client.Close(1000, "")
	_ = server.Close(1000, "")
	<-failed
	<-failed
}

func TestPulseForgets(t *testing.T) {
	p := pulseOf(time.Hour)
	var conns []*conn
	for range 3 * pulseSlots {
		_, nc := tcpPair(t)
		conns = append(conns, newConn(nc, nil, config{ping: time.Hour}))
	}
	if p.count != len(conns) || p.timer == nil {
		t.Fatalf("%d connections listed, timer %v", p.count, p.timer)
	}
	for _, c := range conns {
		_ = c.Close(1000, "")
		_ = c.Close(1000, "")
	}
	if p.count != 0 || p.timer != nil {
		t.Errorf("%d connections left, timer %v", p.count, p.timer)
	}
	if pulseOf(time.Hour) != p {
		t.Error("an interval has two pulses")
	}
}

// beat has the heartbeat of c look at every connection once.
func beat(c *conn) {
	for range pulseSlots {
		c.pulse.tick()
	}
}

// A peer that takes data, if slowly, lives: it cannot answer a ping before it has read all that comes first.
func TestHeartbeatCountsWhatThePeerTakes(t *testing.T) {
	for _, network := range networks {
		t.Run(network.name, func(t *testing.T) {
			const size = 16 << 20 // more than the system takes
			peer, nc := network.pair(t)
			if tc, ok := nc.(*net.TCPConn); ok { // whose writes are not cut into pieces
				_ = tc.SetWriteBuffer(32 << 10)
				_ = peer.(*net.TCPConn).SetReadBuffer(32 << 10)
			}
			c := newConn(nc, nil, config{ping: 3 * time.Hour})
			defer c.Close(1000, "")
			go c.ReadFrame(nil) // ends with c
			go c.WriteFrames([][]byte{make([]byte, size)})
			awaitStuckWrite()
			_ = peer.SetReadDeadline(time.Now().Add(20 * time.Second))
			buf := make([]byte, 64<<10)
			rounds := 0
			for read := 0; read < size/2; rounds++ {
				for !c.heard.Load() && read < size/2 {
					n, err := peer.Read(buf)
					if err != nil {
						t.Fatalf("after %d rounds: %v", rounds, err)
					}
					read += n
				}
				beat(c)
			}
			if c.closed.Load() || rounds < 3 {
				t.Errorf("closed: %v, after %d rounds", c.closed.Load(), rounds)
			}
			for range 2 { // and a peer that takes nothing any more does not live
				beat(c)
			}
			for end := time.Now().Add(20 * time.Second); !c.closed.Load(); beat(c) {
				if time.Now().After(end) {
					t.Fatal("the connection is still open")
				}
			}
		})
	}
}

// Silence says nothing about the peer while nobody reads on this side, such as when handlers are behind.
func TestHeartbeatWhileNobodyReads(t *testing.T) {
	for _, network := range networks {
		t.Run(network.name, func(t *testing.T) {
			peer, nc := network.pair(t)
			c := newConn(nc, nil, config{ping: 3 * time.Hour})
			defer c.Close(1000, "")
			if _, err := peer.Write(fromClient(ws.OpText, true, "x")); err != nil {
				t.Fatal(err)
			}
			for range 5 {
				beat(c)
			}
			if msg, _, err := c.ReadFrame(nil); string(msg) != "x" {
				t.Fatalf("got %q, %v", msg, err)
			}
			for range 5 { // the last beat's ping is taken back when reading pauses
				beat(c)
			}
			failed := make(chan error, 1)
			go func() {
				_, _, err := c.ReadFrame(nil)
				failed <- err
			}()
			for c.reader.Load() != readerBusy {
				runtime.Gosched()
			}
			beat(c)
			if c.closed.Load() {
				t.Fatal("closed without a ping")
			}
			readUntil(t, peer, ws.OpPing)
			beat(c)
			if err := <-failed; err == nil || !strings.Contains(err.Error(), "did not answer a ping") {
				t.Errorf("ReadFrame: %v", err)
			}
		})
	}
}
