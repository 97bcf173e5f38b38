//go:build !js

package ws

import (
	"bytes"
	"errors"
	"io"
	"net"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/gobwas/ws"

	"github.com/kkrpc-go/kkrpc/internal/wstest"
)

// scripted is a connection whose peer sends in, some bytes at a time, then ends.
type scripted struct {
	in   *bytes.Reader
	step int
}

func (s *scripted) Read(p []byte) (int, error) {
	return s.in.Read(p[:min(len(p), s.step)])
}
func (s *scripted) Write(p []byte) (int, error)      { return len(p), nil }
func (s *scripted) Close() error                     { return nil }
func (s *scripted) LocalAddr() net.Addr              { return nil }
func (s *scripted) RemoteAddr() net.Addr             { return nil }
func (s *scripted) SetDeadline(time.Time) error      { return nil }
func (s *scripted) SetReadDeadline(time.Time) error  { return nil }
func (s *scripted) SetWriteDeadline(time.Time) error { return nil }

// FuzzReadFrame: whatever arrives, ReadFrame returns valid messages within the limit, holds little more than that,
// and does not depend on how the bytes are cut.
func FuzzReadFrame(f *testing.F) {
	f.Add(join(fromClient(ws.OpText, true, "a"), closeFrame(1000, "bye")), 1, false)
	f.Add(join(fromClient(ws.OpText, false, "a"), fromClient(ws.OpPing, true, "p"), fromClient(ws.OpContinuation, true, "b")), 300, false)
	f.Add(frame(ws.Header{Fin: true, OpCode: ws.OpText, Masked: true}, nil, 1<<62), 7, false)
	f.Add(frame(ws.Header{Fin: true, Rsv: 4, OpCode: ws.OpText, Masked: true}, zipped(f, bytes.Repeat([]byte("z"), 5000)), 0), 7, true)
	inputs, compressed := wstest.Inputs()
	for i, in := range inputs {
		f.Add(in, i, compressed[i])
	}
	f.Fuzz(func(t *testing.T, in []byte, step int, deflate bool) {
		const limit = 4000
		type end struct {
			msgs []string
			err  string
		}
		run := func(step int) (e end) {
			c := newConn(&scripted{bytes.NewReader(in), step}, nil, config{limit: limit, deflate: deflate})
			for {
				msg, more, err := c.ReadFrame(nil)
				if err != nil {
					var ce *CloseError
					if !errors.As(err, &ce) && err != io.EOF && err != io.ErrUnexpectedEOF {
						t.Fatalf("unexpected error %v", err)
					}
					e.err = err.Error()
					break
				}
				if len(msg) > limit || !utf8.Valid(msg) {
					t.Fatalf("message of %d bytes, UTF-8 %v", len(msg), utf8.Valid(msg))
				}
				if cap(c.in)+cap(c.asm) > 2*smallBuffer {
					t.Fatalf("%d bytes held", cap(c.in)+cap(c.asm))
				}
				if n := c.w - c.r; more && n < 2 {
					t.Fatalf("more with %d bytes", n)
				}
				e.msgs = append(e.msgs, string(msg))
			}
			c.release()
			return e
		}
		whole, cut := run(1<<20), run(1+max(0, step)%50)
		if whole.err != cut.err || len(whole.msgs) != len(cut.msgs) {
			t.Fatalf("whole: %d messages, %s; cut: %d messages, %s", len(whole.msgs), whole.err, len(cut.msgs), cut.err)
		}
		for i := range whole.msgs {
			if whole.msgs[i] != cut.msgs[i] {
				t.Fatalf("message %d differs", i)
			}
		}
	})
}
