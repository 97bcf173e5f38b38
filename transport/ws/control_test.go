//go:build !js

package ws

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/gobwas/ws"
)

// Pings that come together cost one pong for each read, with the payload of the last.
func TestFloodOfPings(t *testing.T) {
	const pings = 1000
	for _, network := range networks {
		t.Run(network.name, func(t *testing.T) {
			client, nc := network.pair(t)
			c := newConn(nc, nil, config{})
			defer c.Close(1000, "")
			var flood []byte
			for i := range pings {
				flood = append(flood, fromClient(ws.OpPing, true, fmt.Sprint(i))...)
			}
			flood = append(flood, fromClient(ws.OpText, true, "x")...)
			go client.Write(flood)
			if msg, _, err := c.ReadFrame(nil); string(msg) != "x" || err != nil {
				t.Fatalf("got %q, %v", msg, err)
			}
			pongs, last := 0, ""
			for last != fmt.Sprint(pings-1) {
				last = string(readUntil(t, client, ws.OpPong).Payload)
				pongs++
			}
			if pongs > pings/10 {
				t.Errorf("%d pongs for %d pings", pongs, pings)
			}
		})
	}
}

// fillByPongs has c answer pings until the peer, which does not read, would have to. It returns the last one's payload.
func fillByPongs(t *testing.T, c *conn) string {
	for n := range 1_000_000 {
		payload := fmt.Sprintf("%0125d", n)
		c.answer([]byte(payload))
		c.sendPong()
		if !c.sock.TryLock() { // drain has it
			return payload
		}
		full := len(c.rest) > 0
		c.sock.Unlock()
		if full {
			return payload
		}
	}
	t.Fatal("the system takes any number of pongs")
	return ""
}

// A pong that finds the system full goes out when there is room, though nobody writes and there is no heartbeat, and
// what is written meanwhile neither waits for it nor gets inside it.
func TestPongWaitsForRoom(t *testing.T) {
	for name, msgs := range map[string][][]byte{
		"nobody writes": nil,
		"messages":      {[]byte("first"), bytes.Repeat([]byte("x"), 40_000), []byte("last")},
	} {
		t.Run(name, func(t *testing.T) {
			c, peer := tryConns(t)
			want := fillByPongs(t, c)
			for _, msg := range msgs {
				if done, err := c.TryWriteFrames([][]byte{msg}); done || err != nil { // would hang if it waited
					t.Fatalf("TryWriteFrames: %v, %v", done, err)
				}
			}
			written := make(chan error, 1)
			if len(msgs) > 0 {
				go func() { written <- c.WriteFrames(nil) }()
			} else {
				written <- nil
			}
			_ = peer.SetReadDeadline(time.Now().Add(20 * time.Second))
			last := ""
			for last != want || len(msgs) > 0 {
				h, err := ws.ReadHeader(peer)
				if err != nil {
					t.Fatalf("%v after pong %s, want %s, %d messages missing", err, last, want, len(msgs))
				}
				p := make([]byte, h.Length)
				_, _ = io.ReadFull(peer, p)
				switch {
				case h.OpCode == ws.OpPong && len(p) == 125:
					last = string(p)
				case h.OpCode == ws.OpText && len(msgs) > 0 && bytes.Equal(p, msgs[0]):
					msgs = msgs[1:]
				default:
					t.Fatalf("frame %+v", h)
				}
			}
			if err := <-written; err != nil {
				t.Error(err)
			}
			_ = c.Close(1000, "")
		})
	}
}

// A peer that pings and never reads the answers loses its connection, though there is no heartbeat and nothing to write.
func TestPongNobodyReads(t *testing.T) {
	for _, network := range networks {
		t.Run(network.name, func(t *testing.T) {
			_, nc := network.pair(t)
			c := newConn(nc, nil, config{timeout: 50 * time.Millisecond})
			for end := time.Now().Add(20 * time.Second); !c.closed.Load(); runtime.Gosched() {
				if time.Now().After(end) {
					t.Fatal("the connection is still open")
				}
				c.answer(bytes.Repeat([]byte("x"), 125))
				c.sendPong()
			}
			if _, _, err := c.ReadFrame(nil); !errors.Is(err, os.ErrDeadlineExceeded) || !strings.Contains(err.Error(), "took no data for 50ms") {
				t.Errorf("ReadFrame: %v", err)
			}
		})
	}
}
