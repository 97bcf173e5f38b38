//go:build !js

package ws

import (
	"io"
	"net"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gobwas/ws"
)

func TestHeartbeat(t *testing.T) {
	for _, network := range networks {
		t.Run(network.name, func(t *testing.T) {
			client, nc := network.pair(t)
			c := newConn(nc, nil, config{ping: 5 * time.Hour}) // beat stands for it
			defer c.Close(1000, "")
			failed := make(chan error, 1)
			go func() {
				_, _, err := c.ReadFrame(nil)
				failed <- err
			}()
			await(t, "a reader", func() bool { return c.reader.Load() == readerBusy })
			for range 3 { // as long as it answers it lives
				beat(c)
				readUntil(t, client, ws.OpPing)
				if _, err := client.Write(fromClient(ws.OpPong, true, "")); err != nil {
					t.Fatal(err)
				}
				await(t, "the pong", func() bool { return c.life.Load() == lifeHeard })
				beat(c)
			}
			beat(c)
			readUntil(t, client, ws.OpPing)
			beat(c)
			readUntil(t, client, ws.OpClose)
			if err := <-failed; err == nil || !strings.Contains(err.Error(), "did not answer a ping within 5h0m0s") {
				t.Errorf("ReadFrame: %v", err)
			}
			if err := c.WriteFrames(nil); err == nil {
				t.Error("a dead connection can be written to")
			}
		})
	}
}

// await waits until something has happened in another goroutine.
func await(t *testing.T, what string, happened func() bool) {
	t.Helper()
	for end := time.Now().Add(20 * time.Second); !happened(); runtime.Gosched() {
		if time.Now().After(end) {
			t.Fatalf("no sign of %s", what)
		}
	}
}

// Traffic in either form counts as life: two connections of this package keep each other open. A peer that never answers
// lives for two intervals.
func TestHeartbeatOverTime(t *testing.T) {
	const interval = 20 * time.Second
	tests := []struct {
		name string
		peer func(nc net.Conn) // blocks until nc is closed
		ends time.Duration     // 0: it does not
	}{
		{"this package", func(nc net.Conn) {
			c := newConn(nc, nil, config{client: true, ping: interval})
			_, _, _ = c.ReadFrame(nil)
			_ = c.Close(1000, "")
		}, 0},
		{"silence", func(nc net.Conn) { _, _ = io.Copy(io.Discard, nc) }, 2 * interval},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				nc, peer := net.Pipe()
				go test.peer(peer)
				c := newConn(nc, nil, config{ping: interval})
				start, ended := time.Now(), make(chan time.Time, 1)
				go func() {
					_, _, _ = c.ReadFrame(nil)
					ended <- time.Now()
				}()
				time.Sleep(100 * interval)
				_ = c.Close(1000, "")
				lived := (<-ended).Sub(start)
				if test.ends == 0 && lived != 100*interval || test.ends > 0 && (lived > test.ends || lived < test.ends-interval) {
					t.Errorf("lived for %v", lived)
				}
				_ = peer.Close()
			})
		})
	}
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
				for c.life.Load() != lifeHeard && read < size/2 {
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
