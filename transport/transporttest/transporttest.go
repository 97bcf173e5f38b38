// Package transporttest holds the tests that every kkrpc.Transport must pass: kkrpc.Pipe, the transports of
// transport/ws and transport/stdio, and your own:
//
//	func TestTransport(t *testing.T) {
//		transporttest.Run(t, func(t *testing.T) (a, b kkrpc.Transport) {
//			x, y := connect(t) // two connected ends, over the medium of the transport
//			return mine.New(x), mine.New(y)
//		})
//	}
//
// Run it with the race detector. Run it once for each kind of connection that has its own code, such as plain TCP and
// TLS. If the two ends differ, as client and server do, one pair is enough: every test runs in both directions.
//
// The tests check the rules in the comments of kkrpc.Transport. Beyond these they expect only that messages of 1 MiB
// pass. Most tests use messages that are not JSON, such as letters. A transport that tells messages from other input,
// like package stdio, is tested inside a transport that wraps these. The last tests run channels.
//
// # Your own tests
//
// Some properties depend on the kind of connection and need tests of your own:
//
//   - A message over kkrpc.Limits.Frame is refused before it is in memory.
//   - A write to a slow consumer fails after kkrpc.Limits.Write.
//   - A message that arrives slowly, or only in part, times out.
//   - Input that is not a message does no harm.
//   - No goroutine, socket or process is left after Close.
//
// A parser deserves a fuzz target.
//
// Both sides of a transport send at any time. A transport over request and response, as in HTTP, cannot pass these
// tests. Package kkhttp is therefore no example to follow.
package transporttest

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"time"

	kkrpc "github.com/kkrpc-go/kkrpc"
)

// patience is the time after which a test fails if an expected event has not happened.
const patience = 20 * time.Second

// Run runs the suite. pair returns both ends of a new connection, whose limits allow messages of 1 MiB. Run closes both
// ends.
func Run(t *testing.T, pair func(t *testing.T) (a, b kkrpc.Transport)) {
	tests := []struct {
		name string
		run  func(t *testing.T, a, b kkrpc.Transport)
	}{
		{"messages arrive in order", order},
		{"messages keep their boundaries at every size", boundaries},
		{"many messages in one write", manyPerWrite},
		{"a write of nothing is no message", writeNothing},
		{"both directions at once", duplex},
		{"more means that the next read does not wait", more},
		{"a read appends to the buffer it is given", readBuffer},
		{"a message stays intact while other buffers are read into", readRetention},
		{"a write keeps none of its messages", writeRetention},
		{"close unblocks a read", closeUnblocksRead},
		{"close unblocks a write", closeUnblocksWrite},
		{"close ends the peer", closeEndsPeer},
		{"messages sent before a close arrive", closeAfterWrite},
		{"close may be called again and concurrently", closeAgain},
		{"both sides may close at once", closeBoth},
		{"nothing works after close", afterClose},
		{"others get a turn, also while it closes", yields},
		{"any text arrives as it is", anyText},
		{"channels call each other", channels},
		{"a channel that closes ends the other", channelCloses},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			a, b := pair(t)
			t.Cleanup(func() {
				_ = a.Close(1000, "")
				_ = b.Close(1000, "")
			})
			test.run(t, a, b)
		})
		t.Run(test.name+", other way", func(t *testing.T) {
			b, a := pair(t)
			t.Cleanup(func() {
				_ = a.Close(1000, "")
				_ = b.Close(1000, "")
			})
			test.run(t, a, b)
		})
	}
}

// within fails the test if f takes longer than patience.
func within(t *testing.T, what string, f func()) {
	t.Helper()
	done := make(chan struct{})
	go func() {
		defer close(done)
		f()
	}()
	select {
	case <-done:
	case <-time.After(patience):
		t.Fatalf("%s: not done after %v", what, patience)
	}
}

// text returns a message of n bytes, at most 1 MiB, that differs by seed.
func text(n, seed int) []byte {
	from := seed * 97 % 4096
	return bytes.Clone(letters()[from : from+n])
}

var letters = sync.OnceValue(func() []byte {
	b := make([]byte, 1<<20+4096)
	for i := range b {
		b[i] = 'a' + byte((i*7+i>>8)%26)
	}
	return b
})

// noise returns a message of n bytes, a multiple of 4, that hardly compresses.
func noise(n int) []byte {
	random := make([]byte, n/4*3)
	_, _ = rand.NewChaCha8([32]byte{}).Read(random)
	return base64.StdEncoding.AppendEncode(nil, random)
}

var megabyte = sync.OnceValue(func() []byte { return noise(1 << 20) })

func send(t *testing.T, tr kkrpc.Transport, msgs ...[]byte) {
	t.Helper()
	if err := tr.WriteFrames(msgs); err != nil {
		t.Errorf("WriteFrames: %v", err)
	}
}

// receive reads one message with a buffer of its own.
func receive(t *testing.T, tr kkrpc.Transport) (msg []byte, more bool) {
	t.Helper()
	within(t, "ReadFrame", func() {
		var err error
		if msg, more, err = tr.ReadFrame(nil); err != nil {
			t.Errorf("ReadFrame: %v", err)
		}
	})
	if t.Failed() {
		t.FailNow()
	}
	return msg, more
}

func equal(t *testing.T, got, want []byte) {
	t.Helper()
	if bytes.Equal(got, want) {
		return
	}
	i := 0
	for i < len(got) && i < len(want) && got[i] == want[i] {
		i++
	}
	t.Fatalf("got %d bytes, want %d; the first difference is at %d", len(got), len(want), i)
}

func order(t *testing.T, a, b kkrpc.Transport) {
	const n = 2000
	var wg sync.WaitGroup
	wg.Go(func() {
		for i := range n {
			if err := a.WriteFrames([][]byte{fmt.Appendf(nil, "%d", i)}); err != nil {
				t.Errorf("WriteFrames: %v", err)
				return
			}
		}
	})
	within(t, "reading in order", func() {
		var buf []byte
		for i := range n {
			msg, _, err := b.ReadFrame(buf)
			if err != nil {
				t.Errorf("message %d: %v", i, err)
				return
			}
			if want := fmt.Sprint(i); string(msg) != want {
				t.Errorf("message %d is %q", i, msg)
				return
			}
			buf = msg
		}
	})
	wg.Wait()
}

func boundaries(t *testing.T, a, b kkrpc.Transport) {
	sizes := []int{0, 1, 2, 125, 126, 127, 255, 256, 257, 4096, 16383, 16384, 16385, 65535, 65536, 65537, 131072, 1 << 20, 0, 1}
	var wg sync.WaitGroup
	wg.Go(func() {
		for i, n := range sizes {
			send(t, a, text(n, i))
		}
	})
	for i, n := range sizes {
		msg, _ := receive(t, b)
		equal(t, msg, text(n, i))
	}
	wg.Wait()
}

func manyPerWrite(t *testing.T, a, b kkrpc.Transport) {
	for _, shape := range []struct{ count, size int }{{1000, 0}, {1000, 20}, {300, 1000}, {40, 16384}, {20, 70_000}} {
		var msgs [][]byte
		for i := range shape.count {
			msgs = append(msgs, text(shape.size+i%3, i))
			if i%10 == 9 {
				msgs = append(msgs, text(20_000, i))
			}
		}
		var wg sync.WaitGroup
		wg.Go(func() { send(t, a, msgs...) })
		for _, want := range msgs {
			msg, _ := receive(t, b)
			equal(t, msg, want)
		}
		wg.Wait()
	}
}

func writeNothing(t *testing.T, a, b kkrpc.Transport) {
	send(t, a)
	send(t, a, []byte("x"))
	send(t, a)
	send(t, a, []byte("y"))
	for _, want := range []string{"x", "y"} {
		msg, _ := receive(t, b)
		equal(t, msg, []byte(want))
	}
}

func duplex(t *testing.T, a, b kkrpc.Transport) {
	const n = 300
	var wg sync.WaitGroup
	for side, tr := range []kkrpc.Transport{a, b} {
		wg.Go(func() {
			for i := range n {
				if err := tr.WriteFrames([][]byte{text(i*31, i+side), text(i, i+side)}); err != nil {
					t.Errorf("side %d: WriteFrames: %v", side, err)
					return
				}
			}
		})
		wg.Go(func() {
			var buf []byte
			for i := range 2 * n {
				msg, _, err := tr.ReadFrame(buf)
				if err != nil {
					t.Errorf("side %d: message %d: %v", side, i, err)
					return
				}
				size := i / 2
				if i%2 == 0 {
					size *= 31
				}
				if want := text(size, i/2+1-side); !bytes.Equal(msg, want) {
					t.Errorf("side %d: message %d differs", side, i)
					return
				}
				buf = msg
			}
		})
	}
	within(t, "both directions", wg.Wait)
}

func more(t *testing.T, a, b kkrpc.Transport) {
	for round := range 20 {
		n := 1 + round*3
		var msgs [][]byte
		for i := range n {
			msgs = append(msgs, text(i, i))
		}
		send(t, a, msgs...)
		for i := range n {
			_, more := receive(t, b)
			if i == n-1 && more {
				t.Fatalf("round %d: more after the last message", round)
			}
		}
	}
}

func readBuffer(t *testing.T, a, b kkrpc.Transport) {
	send(t, a, []byte("hello"))
	within(t, "ReadFrame", func() {
		buf := []byte("previous content....")
		msg, _, err := b.ReadFrame(buf)
		if err != nil || string(msg) != "hello" {
			t.Errorf("got %q, %v", msg, err)
			return
		}
		if &msg[0] != &buf[0] {
			t.Error("the message is not in the buffer, though it fits")
		}
	})
}

func readRetention(t *testing.T, a, b kkrpc.Transport) {
	var kept [][]byte
	sizes := []int{10, 10, 300, 20_000, 10, 200_000, 5}
	var wg sync.WaitGroup
	wg.Go(func() {
		for i, n := range sizes {
			send(t, a, text(n, i))
		}
	})
	for range sizes {
		msg, _ := receive(t, b)
		kept = append(kept, msg)
	}
	wg.Wait()
	for i, n := range sizes {
		equal(t, kept[i], text(n, i))
	}
}

func writeRetention(t *testing.T, a, b kkrpc.Transport) {
	sizes := []int{10, 300, 20_000, 200_000, 1 << 20, 7}
	var wg sync.WaitGroup
	wg.Go(func() {
		for i, n := range sizes {
			msg := text(n, i)
			send(t, a, msg, msg)
			clear(msg)
		}
	})
	for i, n := range sizes {
		for range 2 {
			msg, _ := receive(t, b)
			equal(t, msg, text(n, i))
		}
	}
	wg.Wait()
}

func closeUnblocksRead(t *testing.T, a, _ kkrpc.Transport) {
	entered := make(chan struct{})
	failed := make(chan error, 1)
	go func() {
		close(entered)
		_, _, err := a.ReadFrame(nil)
		failed <- err
	}()
	<-entered
	_ = a.Close(1000, "bye")
	within(t, "the read", func() {
		if err := <-failed; err == nil {
			t.Error("ReadFrame returned no error")
		}
	})
}

func closeUnblocksWrite(t *testing.T, a, b kkrpc.Transport) {
	// The peer reads once, and no system buffers 24 MiB, compressed or not: this write cannot succeed.
	msgs := make([][]byte, 32)
	large := megabyte()
	for i := range msgs {
		msgs[i] = large
	}
	failed := make(chan error, 1)
	go func() { failed <- a.WriteFrames(msgs) }()
	receive(t, b) // the write has begun
	_ = a.Close(1000, "bye")
	within(t, "the write", func() {
		if err := <-failed; err == nil {
			t.Error("WriteFrames returned no error")
		}
	})
}

func closeEndsPeer(t *testing.T, a, b kkrpc.Transport) {
	_ = a.Close(1000, "bye")
	within(t, "the peer's read", func() {
		if _, _, err := b.ReadFrame(nil); !errors.Is(err, io.EOF) {
			t.Errorf("ReadFrame after a clean close: %v, want io.EOF", err)
		}
		if _, _, err := b.ReadFrame(nil); err == nil {
			t.Error("the error of ReadFrame does not last")
		}
	})
}

func closeAfterWrite(t *testing.T, a, b kkrpc.Transport) {
	send(t, a, []byte("one"), text(30_000, 2))
	_ = a.Close(1000, "bye")
	msg, _ := receive(t, b)
	equal(t, msg, []byte("one"))
	msg, _ = receive(t, b)
	equal(t, msg, text(30_000, 2))
	within(t, "the end", func() {
		if _, _, err := b.ReadFrame(nil); !errors.Is(err, io.EOF) {
			t.Errorf("ReadFrame: %v, want io.EOF", err)
		}
	})
}

func closeAgain(t *testing.T, a, _ kkrpc.Transport) {
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() { _ = a.Close(1000, "bye") })
	}
	within(t, "closing", wg.Wait)
	_ = a.Close(1011, "again")
}

func closeBoth(t *testing.T, a, b kkrpc.Transport) {
	var wg sync.WaitGroup
	for _, tr := range []kkrpc.Transport{a, b} {
		wg.Go(func() {
			for {
				if _, _, err := tr.ReadFrame(nil); err != nil {
					return
				}
			}
		})
		wg.Go(func() {
			_ = tr.WriteFrames([][]byte{[]byte("last words")}) // fails if the other side was quicker
			_ = tr.Close(1000, "bye")
		})
	}
	within(t, "closing", wg.Wait)
}

func afterClose(t *testing.T, a, _ kkrpc.Transport) {
	_ = a.Close(1000, "bye")
	within(t, "using a closed transport", func() {
		if _, _, err := a.ReadFrame(nil); err == nil {
			t.Error("ReadFrame returned no error")
		}
		if err := a.WriteFrames([][]byte{[]byte("x")}); err == nil {
			t.Error("WriteFrames returned no error")
		}
	})
}

func yields(t *testing.T, a, b kkrpc.Transport) {
	y, ok := a.(kkrpc.Yielder)
	if !ok {
		t.Skip("it is no Yielder")
	}
	var all sync.WaitGroup
	for range 16 {
		all.Go(func() {
			for range 20 {
				y.Yield()
			}
		})
	}
	send(t, a, text(100, 1))
	msg, _ := receive(t, b)
	equal(t, msg, text(100, 1))
	if err := a.Close(1000, ""); err != nil {
		t.Error(err)
	}
	within(t, "Yield during and after Close", all.Wait)
	y.Yield()
}

func anyText(t *testing.T, a, b kkrpc.Transport) {
	texts := []string{"ä€😀", "\u2028\u0085\ufeff", "a\u0000b\tc\\n\"d\"", strings.Repeat("😀", 50_000), `{"n":1}`}
	var wg sync.WaitGroup
	wg.Go(func() {
		for _, s := range texts {
			send(t, a, []byte(s), []byte(s))
		}
	})
	for _, want := range texts {
		for range 2 {
			msg, _ := receive(t, b)
			equal(t, msg, []byte(want))
		}
	}
	wg.Wait()
}
