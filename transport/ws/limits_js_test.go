package ws

import (
	"errors"
	"net"
	"os"
	"strings"
	"syscall/js"
	"testing"
	"time"

	kkrpc "github.com/kkrpc-go/kkrpc"
)

// quiet is a WebSocket on which nothing happens.
func quiet() js.Value { return js.Global().Get("EventTarget").New() }

// The host cannot make the peer wait: what comes while nobody reads is bounded, in bytes and in messages.
func TestInboxOverflows(t *testing.T) {
	for _, test := range []struct {
		name  string
		limit int // of a message
		size  int
		fits  int // messages
	}{
		{"large", 4 << 20, 3 << 20, 5},
		{"empty", 0, 0, 16 << 20 / 32},
		{"one at the limit, over all of the inbox", 20 << 20, 20 << 20, 1},
	} {
		t.Run(test.name, func(t *testing.T) {
			c := newConn(quiet(), kkrpc.Limits{Frame: test.limit})
			defer c.end()
			message := js.ValueOf(strings.Repeat("x", test.size))
			for n := range test.fits {
				if err := c.receive(message); err != nil {
					t.Fatalf("message %d: %v", n, err)
				}
			}
			err := c.receive(js.ValueOf("x"))
			for n := 0; err == nil && n < 2; n++ {
				err = c.receive(message)
			}
			if err == nil || err.Code != 1009 || !err.Sent {
				t.Fatalf("got %v", err)
			}
		})
	}
}

// A write waits while the host holds more than a MiB, as long as that gets less.
func TestWriteWaits(t *testing.T) {
	const high = maxBuffered + 1
	for _, test := range []struct {
		name    string
		amounts []any // bufferedAmount at each look; the last one from then on
		at      func(c *conn, look int)
		want    error
		done    bool // of TryWriteFrames
	}{
		{"nothing is held", []any{0}, nil, nil, true},
		{"as much as may be", []any{maxBuffered}, nil, nil, true},
		{"less and less", []any{high + 2, high + 2, high + 1, high, maxBuffered}, nil, nil, false},
		{"no less", []any{high}, nil, os.ErrDeadlineExceeded, false},
		{"closed meanwhile", []any{high + 9, high + 9, high + 8, high + 7}, func(c *conn, look int) {
			if look == 3 {
				c.end()
			}
		}, net.ErrClosed, false},
		{"a host that does not tell, as Cloudflare Workers", []any{js.Undefined()}, nil, nil, true},
	} {
		t.Run(test.name, func(t *testing.T) {
			socket := quiet()
			c := newConn(socket, kkrpc.Limits{Write: 20 * time.Millisecond})
			defer c.end()
			look := 0
			get := js.FuncOf(func(js.Value, []js.Value) any {
				amount := test.amounts[min(look, len(test.amounts)-1)]
				if look++; test.at != nil {
					test.at(c, look)
				}
				return amount
			})
			defer get.Release()
			js.Global().Get("Object").Call("defineProperty", socket, "bufferedAmount", map[string]any{"get": get})
			done, err := c.TryWriteFrames(nil)
			if done != test.done || err != nil {
				t.Errorf("TryWriteFrames: %v, %v", done, err)
			}
			if err := c.WriteFrames(nil); !errors.Is(err, test.want) {
				t.Errorf("WriteFrames: %v, want %v", err, test.want)
			}
		})
	}
}

func TestHostThatDoesNotSend(t *testing.T) {
	socket := quiet()
	c := newConn(socket, kkrpc.Limits{})
	socket.Set("send", js.Global().Get("Function").New(`throw new Error("no room")`))
	if err := c.WriteFrames([][]byte{[]byte("x")}); err == nil || err.Error() != "ws: send: no room" {
		t.Errorf("got %v", err)
	}
	c.end()
	if err := c.WriteFrames([][]byte{[]byte("x")}); !errors.Is(err, net.ErrClosed) {
		t.Errorf("got %v after the end", err)
	}
}
