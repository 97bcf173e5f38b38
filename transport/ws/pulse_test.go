package ws

import (
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
