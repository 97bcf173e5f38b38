//go:build !js

package ws

import (
	"io"
	"net"
	"strings"
	"testing"

	"github.com/gobwas/ws"
)

// What LendFrame returned stays as it is while Close reads on, whether it came in one piece or in fragments.
func TestLentMessageOutlivesClose(t *testing.T) {
	const size = 20_000
	text := func(s string) string { return strings.Repeat(s, size) }
	for _, pair := range []struct {
		name string
		open func(testing.TB) (client, server net.Conn)
	}{{"tcp", tcpPair}, {"tls", tlsPair}} {
		for _, message := range []struct {
			name   string
			frames []byte
		}{
			{"whole", fromClient(ws.OpText, true, text("ab"))},
			{"fragments", join(fromClient(ws.OpText, false, text("a")), fromClient(ws.OpContinuation, true, text("a")))},
			{"short", fromClient(ws.OpText, true, "aaaa")},
		} {
			t.Run(pair.name+"/"+message.name, func(t *testing.T) {
				peer, nc := pair.open(t)
				c := newConn(nc, nil, config{})
				go peer.Write(message.frames)
				msg, _, err := c.LendFrame()
				if err != nil {
					t.Fatal(err)
				}
				want := string(msg)
				_ = c.Close(1000, "")
				go peer.Write(join(
					fromClient(ws.OpText, false, text("x")), fromClient(ws.OpContinuation, true, text("x")), fromClient(ws.OpText, true, text("y")),
					closeFrame(1000, "")))
				_, _ = io.Copy(io.Discard, peer) // until the connection has read all and closed
				if string(msg) != want {
					t.Error("the message has changed")
				}
			})
		}
	}
}
