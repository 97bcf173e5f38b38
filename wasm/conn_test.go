package wasm

import (
	"bytes"
	"errors"
	"io"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/kkrpc-go/kkrpc"
	"github.com/kkrpc-go/kkrpc/transport/transporttest"
)

// pair are two connections of which each is the other's peer.
func pair(t *testing.T) (a, b kkrpc.Transport) {
	host := newFakeHost()
	limits := kkrpc.Limits{}
	conns := [2]*conn{newConn(host, 0, limits), newConn(host, 1, limits)}
	for i, c := range conns {
		peer := conns[1-i]
		s := host.open(c.id, func(msg []byte) {
			for errors.Is(peer.in.Push(msg), kkrpc.ErrLimit) {
				select { // a peer over a network does not read either
				case <-peer.over:
					return
				case <-time.After(time.Millisecond):
				}
			}
		})
		go func() {
			<-s.closed
			peer.gone(nil)
		}()
		t.Cleanup(func() {
			_ = c.Close(closeNormal, "")
			host.close(c.id, closeNormal, "") // where the peer was quicker
		})
	}
	return conns[0], conns[1]
}

func TestTransport(t *testing.T) { transporttest.Run(t, pair) }

// TestPeerThatDoesNotRead gets at most what crowded allows, and the write fails in time.
func TestPeerThatDoesNotRead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		host := newFakeHost()
		host.open(1, nil)
		c := newConn(host, 1, kkrpc.Limits{Write: 3 * time.Second})
		msg := bytes.Repeat([]byte("x"), 100<<10)
		start, sent := time.Now(), 0
		for {
			err := c.WriteFrames([][]byte{msg})
			if err == nil {
				sent++
				continue
			}
			if !errors.Is(err, os.ErrDeadlineExceeded) || !strings.Contains(err.Error(), "3s") {
				t.Errorf("the write failed with %v, want one that names the timeout", err)
			}
			break
		}
		if took := time.Since(start); took < 3*time.Second || took > 4*time.Second {
			t.Errorf("gave up after %v, want 3s", took)
		}
		if waiting := host.buffered(1); waiting >= crowded+len(msg) || sent == 0 {
			t.Errorf("the host holds %d bytes of %d messages, want less than %d", waiting, sent, crowded+len(msg))
		}
	})
}

// TestTryWriteFramesKeepsWhatDoesNotFit has it follow in order, of buffers that are used again meanwhile.
func TestTryWriteFramesKeepsWhatDoesNotFit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var got []byte
		host := newFakeHost()
		read := make(chan struct{})
		s := host.open(1, func(msg []byte) {
			<-read
			got = append(got, msg[0])
		})
		c := newConn(host, 1, kkrpc.Limits{})
		buf := make([]byte, 400<<10)
		var want []byte
		for i := range 5 {
			buf[0] = byte('a' + i)
			want = append(want, buf[0])
			done, err := c.TryWriteFrames([][]byte{buf})
			if fits := i < 3; done != fits || err != nil { // 3 times 400 KiB is over a MiB
				t.Fatalf("TryWriteFrames %d: %t, %v, want %t", i, done, err, fits)
			}
		}
		buf[0] = 'f'
		written := make(chan error, 1)
		go func() { written <- c.WriteFrames([][]byte{buf}) }()
		synctest.Wait()
		select {
		case err := <-written:
			t.Fatalf("WriteFrames returned %v while the host has too much to send", err)
		default:
		}
		close(read)
		if err := <-written; err != nil {
			t.Fatal(err)
		}
		_ = c.Close(closeNormal, "")
		<-s.closed
		if want = append(want, 'f'); !bytes.Equal(got, want) {
			t.Errorf("the peer got %q, want %q", got, want)
		}
	})
}

func TestEndsOfAConnection(t *testing.T) {
	failure := errors.New("the network is gone")
	for _, row := range []struct {
		name string
		end  func(c *conn)
		read error
	}{
		{"this side closes", func(c *conn) { _ = c.Close(closeNormal, "") }, io.ErrClosedPipe},
		{"the peer closes", func(c *conn) { c.gone(nil) }, io.EOF},
		{"the network ends", func(c *conn) { c.gone(failure) }, failure},
		{"the peer closes, then this side", func(c *conn) { c.gone(nil); _ = c.Close(closeNormal, "") }, io.EOF},
	} {
		t.Run(row.name, func(t *testing.T) {
			host := newFakeHost()
			host.open(1, nil)
			c := newConn(host, 1, kkrpc.Limits{})
			_ = c.in.Push([]byte("last words"))
			row.end(c)
			if msg, _, err := c.ReadFrame(nil); string(msg) != "last words" || err != nil {
				t.Errorf("what arrived before the end is %q, %v", msg, err)
			}
			if _, _, err := c.ReadFrame(nil); !errors.Is(err, row.read) {
				t.Errorf("ReadFrame: %v, want %v", err, row.read)
			}
			if err := c.WriteFrames([][]byte{[]byte("x")}); !errors.Is(err, io.ErrClosedPipe) {
				t.Errorf("WriteFrames: %v, want %v", err, io.ErrClosedPipe)
			}
		})
	}
}

func TestReasonsOfAClose(t *testing.T) {
	for _, row := range []struct{ name, reason, want string }{
		{"short", "bye", "bye"},
		{"long", strings.Repeat("x", 200), strings.Repeat("x", 123)},
		{"long, a character across the end", strings.Repeat("x", 122) + "ä", strings.Repeat("x", 122)},
		{"not UTF-8", "a\xffb", "a\ufffdb"},
	} {
		t.Run(row.name, func(t *testing.T) {
			host := newFakeHost()
			host.open(1, nil)
			_ = newConn(host, 1, kkrpc.Limits{}).Close(4000, row.reason)
			if code, reason := host.closedWith(1); code != 4000 || reason != row.want {
				t.Errorf("closed with %d %q, want 4000 %q", code, reason, row.want)
			}
		})
	}
}
