//go:build !js

package ws

import (
	"bytes"
	"compress/flate"
	"errors"
	"math/rand/v2"
	"runtime"
	"strings"
	"testing"

	"github.com/gobwas/ws"

	"github.com/kkrpc-go/kkrpc/internal/budget"
)

// zipped is a compressed frame as any sender may make it.
func zipped(t testing.TB, text []byte) []byte {
	t.Helper()
	var b bytes.Buffer
	w, _ := flate.NewWriter(&b, flate.BestCompression)
	_, _ = w.Write(text)
	_ = w.Flush()
	return b.Bytes()[:b.Len()-4]
}

func TestDeflateRoundTrip(t *testing.T) {
	random := make([]byte, 100_000)
	for i := range random {
		random[i] = 'a' + byte(rand.IntN(26))
	}
	tests := map[string][]byte{
		"too small to compress": []byte("hello"),
		"just large enough":     bytes.Repeat([]byte("x"), minDeflate),
		"compresses well":       bytes.Repeat([]byte(`{"key":"value"},`), 50_000),
		"random":                random,
	}
	for name, want := range tests {
		t.Run(name, func(t *testing.T) {
			cc, sc := tcpPair(t)
			client, server := newConn(cc, nil, config{client: true, deflate: true}), newConn(sc, nil, config{deflate: true})
			defer client.Close(1000, "")
			defer server.Close(1000, "")
			for _, dir := range [][2]*conn{{client, server}, {server, client}} {
				if err := dir[0].WriteFrames([][]byte{want, want}); err != nil {
					t.Fatal(err)
				}
				for range 2 {
					if got, _, err := dir[1].ReadFrame(nil); !bytes.Equal(got, want) {
						t.Fatalf("got %d bytes, %v", len(got), err)
					}
				}
			}
		})
	}
}

func TestDeflateIsUsed(t *testing.T) {
	peer, nc := tcpPair(t)
	c := newConn(nc, nil, config{deflate: true})
	defer c.Close(1000, "")
	want := strings.Repeat("abc", 1000)
	if err := c.WriteFrames([][]byte{[]byte(want)}); err != nil {
		t.Fatal(err)
	}
	f := readUntil(t, peer, ws.OpText)
	if !f.Header.Rsv1() || len(f.Payload) > 200 {
		t.Errorf("header %+v with %d bytes", f.Header, len(f.Payload))
	}
	if out, err := inflate(f.Payload, 1<<20, new(budget.Account).Turn); string(out) != want || err != nil {
		t.Errorf("inflates to %d bytes, %v", len(out), err)
	}
}

// Below minDeflate a message would hardly shrink.
func TestDeflateFromItsLeastSize(t *testing.T) {
	peer, nc := tcpPair(t)
	c := newConn(nc, nil, config{deflate: true})
	defer c.Close(1000, "")
	for _, size := range []int{511, 512} {
		if err := c.WriteFrames([][]byte{bytes.Repeat([]byte("x"), size)}); err != nil {
			t.Fatal(err)
		}
		if f := readUntil(t, peer, ws.OpText); f.Header.Rsv1() != (size == 512) {
			t.Errorf("%d bytes are sent with compression %v", size, f.Header.Rsv1())
		}
	}
}

func TestDeflateRefusals(t *testing.T) {
	bomb := zipped(t, make([]byte, 16<<20))
	tests := []struct {
		name string
		in   []byte
		code int
	}{
		{"a bomb", frame(ws.Header{Fin: true, Rsv: 4, OpCode: ws.OpText, Masked: true}, bomb, 0), 1009},
		{"a bomb in fragments", join(
			frame(ws.Header{Rsv: 4, OpCode: ws.OpText, Masked: true}, bomb[:1000], 0),
			frame(ws.Header{Fin: true, OpCode: ws.OpContinuation, Masked: true}, bomb[1000:], 0)), 1009},
		{"corrupt", frame(ws.Header{Fin: true, Rsv: 4, OpCode: ws.OpText, Masked: true}, []byte{0xff, 0xff, 0xff}, 0), 1007},
		{"inflates to what is not UTF-8", frame(ws.Header{Fin: true, Rsv: 4, OpCode: ws.OpText, Masked: true}, zipped(t, []byte("\xff")), 0), 1007},
		{"compressed continuation", join(
			frame(ws.Header{Rsv: 4, OpCode: ws.OpText, Masked: true}, nil, 0),
			frame(ws.Header{Fin: true, Rsv: 4, OpCode: ws.OpContinuation, Masked: true}, nil, 0)), 1002},
		{"compressed ping", frame(ws.Header{Fin: true, Rsv: 4, OpCode: ws.OpPing, Masked: true}, nil, 0), 1002},
		{"reserved bit 2", frame(ws.Header{Fin: true, Rsv: 6, OpCode: ws.OpText, Masked: true}, nil, 0), 1002},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			client, nc := tcpPair(t)
			c := newConn(nc, nil, config{deflate: true, limit: 1 << 20})
			defer c.Close(1000, "")
			go client.Write(test.in)
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			_, _, err := c.ReadFrame(nil)
			runtime.ReadMemStats(&after)
			var ce *CloseError
			if !errors.As(err, &ce) || ce.Code != test.code {
				t.Errorf("ReadFrame: %v, want code %d", err, test.code)
			}
			if n := after.TotalAlloc - before.TotalAlloc; n > 8<<20 {
				t.Errorf("%d bytes allocated", n)
			}
		})
	}
}

// What another implementation compresses in one message of several blocks, in fragments, is one text.
func TestDeflateFragments(t *testing.T) {
	client, nc := tcpPair(t)
	c := newConn(nc, nil, config{deflate: true})
	defer c.Close(1000, "")
	want := strings.Repeat("fragment ", 1000)
	z := zipped(t, []byte(want))
	_, _ = client.Write(join(
		frame(ws.Header{Rsv: 4, OpCode: ws.OpText, Masked: true, Mask: mask}, z[:7], 0),
		fromClient(ws.OpPing, true, ""),
		frame(ws.Header{Fin: true, OpCode: ws.OpContinuation, Masked: true, Mask: mask}, z[7:], 0),
		fromClient(ws.OpText, true, "plain")))
	for _, want := range []string{want, "plain"} {
		if got, _, err := c.ReadFrame(nil); string(got) != want {
			t.Fatalf("got %d bytes, %v", len(got), err)
		}
	}
}
