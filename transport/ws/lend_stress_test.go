//go:build !js

package ws

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"runtime"
	"strings"
	"sync"
	"testing"

	"github.com/gobwas/ws"
)

// Connections share buffers one after the other, never at the same time: what one has lent shows nothing of another, with
// messages of all sizes, in pieces and compressed, and closed while they are read.
func TestLentMessagesOfManyConnections(t *testing.T) {
	const connections, lives, messages = 8, 4, 20
	var all sync.WaitGroup
	for i := range connections {
		all.Go(func() {
			random := rand.New(rand.NewPCG(1, uint64(i)))
			for life := range lives {
				network := networks[(i+life)%2]
				cc, sc := network.pair(t)
				deflate := random.IntN(3) == 0
				c := newConn(sc, nil, config{deflate: deflate})
				letter := string(rune('a' + i))
				sent := make(chan struct{})
				go func(random *rand.Rand) {
					defer close(sent)
					defer cc.Close()
					for range messages {
						if _, err := cc.Write(randomMessage(random, letter, deflate)); err != nil {
							return
						}
					}
				}(rand.New(rand.NewPCG(random.Uint64(), 0)))
				if err := readLent(c, letter, random.IntN(2*messages), random); err != nil {
					t.Error(err)
				}
				_ = c.Close(1000, "")
				_ = cc.Close()
				<-sent
			}
		})
	}
	all.Wait()
}

// randomMessage is one message of the letter alone: in one frame or several, compressed or not, with a ping in between.
func randomMessage(random *rand.Rand, letter string, deflated bool) []byte {
	text := strings.Repeat(letter, []int{3, 200, 5_000, 17_000, 140_000, 1_100_000}[random.IntN(6)]+random.IntN(100))
	rsv := byte(0)
	if deflated && random.IntN(2) == 0 {
		b := deflate([]byte(text))
		text, rsv = b.String(), ws.Rsv(true, false, false)
		putDeflated(b)
	}
	var out []byte
	op := ws.OpText
	for pieces := random.IntN(4); ; pieces-- {
		piece := text
		if pieces > 0 {
			piece = text[:random.IntN(len(text)+1)]
		}
		text = text[len(piece):]
		out = append(out, frame(ws.Header{Fin: pieces <= 0, OpCode: op, Rsv: rsv, Masked: true, Mask: mask}, []byte(piece), 0)...)
		if pieces <= 0 {
			return out
		}
		op, rsv = ws.OpContinuation, 0
		out = append(out, fromClient(ws.OpPing, true, letter)...)
	}
}

// readLent reads until the connection ends, which it does itself in the middle of message number last.
func readLent(c *conn, letter string, last int, random *rand.Rand) error {
	var closing sync.WaitGroup
	defer closing.Wait()
	for n := 0; ; n++ {
		msg, _, err := c.LendFrame()
		if err != nil {
			return nil // the messages have been read, or it was closed
		}
		if n == last {
			closing.Go(func() { _ = c.Close(1000, "") })
		}
		for range 1 + random.IntN(3) {
			if rest := bytes.Trim(msg, letter); len(rest) > 0 {
				return fmt.Errorf("message %d of %d bytes of %s has %.20q in it", n, len(msg), letter, rest)
			}
			runtime.Gosched()
		}
	}
}
