package ws_test

import (
	"context"
	"errors"
	"io"
	"runtime"
	"strings"
	"syscall/js"
	"testing"

	"github.com/kkrpc-go/kkrpc"
	"github.com/kkrpc-go/kkrpc/transport/ws"
)

// connected returns a channel over a socket of the fake.
func connected(t *testing.T, rpc kkrpc.Options) (*kkrpc.Channel, socket) {
	t.Helper()
	h := newHost(t)
	h.onMade(func(s socket) { s.fire("open", nil) })
	if rpc.Dialect == 0 {
		rpc.Dialect = kkrpc.Compact // the socket answers no question for it
	}
	ch, err := ws.Dial(context.Background(), url, &ws.DialOptions{RPC: rpc})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = ch.Close() })
	return ch, h.last()
}

const request = `{"t":"q","id":"1","op":"call","p":["ask"],"a":["wörld"]}`

func TestMessagesOfEachKind(t *testing.T) {
	for _, test := range []struct {
		name string
		data any
	}{
		{"text", request},
		{"ArrayBuffer", arrayBuffer(request, false)},
		{"Uint8Array", arrayBuffer(request, true)},
		{"another view", js.Global().Get("Int8Array").New(arrayBuffer(request, false))},
	} {
		t.Run(test.name, func(t *testing.T) {
			asked := make(chan string, 1)
			_, s := connected(t, kkrpc.Options{Expose: kkrpc.Object{"ask": func(what string) { asked <- what }}})
			s.message(test.data)
			if what := <-asked; what != "wörld" {
				t.Errorf("got %q", what)
			}
		})
	}
}

// A URL has bytes travel in frames, which the host takes and gives as bytes.
func TestBytesByTheURL(t *testing.T) {
	h := newHost(t)
	h.onMade(func(s socket) { s.fire("open", nil) })
	ch, err := ws.Dial(context.Background(), url+"&kkrpc=compact-json,bytes.1", nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = ch.Close() })
	const size = 1000
	go func() { _ = ch.Notify("tell", make([]byte, size)) }()
	var sent js.Value
	for sent = h.last().Get("sent"); sent.Length() == 0; {
		runtime.Gosched()
	}
	frame := sent.Index(0)
	if frame.Type() != js.TypeObject || frame.Index(0).Int() != 0xB1 || frame.Length() < size {
		t.Errorf("sent %v", frame)
	}
}

// What ends a connection says why, and nothing of the host refers to it any more, so that a peer which does not answer the
// close holds nothing of this side.
func TestEnds(t *testing.T) {
	big := strings.Repeat("x", 65)
	tests := []struct {
		name   string
		play   func(ch *kkrpc.Channel, s socket)
		want   error  // that Err wraps; nil: any
		text   string // part of it
		closes string
	}{
		{"clean", func(_ *kkrpc.Channel, s socket) { s.fire("close", map[string]any{"code": 1000, "reason": ""}) }, nil, "", ""},
		{"without a close frame", func(_ *kkrpc.Channel, s socket) { s.fire("close", map[string]any{"code": 1006, "reason": ""}) }, io.ErrUnexpectedEOF, "", ""},
		{"without a close frame in Deno", func(_ *kkrpc.Channel, s socket) { s.fire("close", map[string]any{"code": 0, "reason": ""}) }, io.ErrUnexpectedEOF, "", ""},
		{"code and reason", func(_ *kkrpc.Channel, s socket) { s.fire("close", map[string]any{"code": 4321, "reason": "enough"}) }, nil, "code 4321: enough", ""},
		{"a reason that is too long", func(_ *kkrpc.Channel, s socket) {
			s.fire("close", map[string]any{"code": 4321, "reason": strings.Repeat("é", 100)})
		}, nil, "code 4321: " + strings.Repeat("é", 61), ""},
		{"error, and the event close later or never", func(_ *kkrpc.Channel, s socket) {
			s.fire("error", map[string]any{"message": "invalid frame from ws://host.example/ws?token=SECRET"})
		}, io.ErrUnexpectedEOF, "invalid frame from ws://host.example/ws", "1000 "},
		{"text that is too large", func(_ *kkrpc.Channel, s socket) { s.message(big) }, nil, "code 1009: message over 64 bytes", "4009 message over 64 bytes"},
		{"text that is too large in UTF-8", func(_ *kkrpc.Channel, s socket) { s.message(strings.Repeat("é", 33)) }, nil, "code 1009: message over 64 bytes", "4009 message over 64 bytes"},
		{"bytes that are too large", func(_ *kkrpc.Channel, s socket) { s.message(arrayBuffer(big, false)) }, nil, "code 1009: message over 64 bytes", "4009 message over 64 bytes"},
		{"a Blob", func(_ *kkrpc.Channel, s socket) {
			s.message(js.Global().Get("Blob").New([]any{request}))
		}, nil, "code 1003: the host gives binary messages as no ArrayBuffer", "4003 the host gives binary messages as no ArrayBuffer"},
		{"no data", func(_ *kkrpc.Channel, s socket) { s.message(nil) }, nil, "code 1003: the host gives binary messages as no ArrayBuffer", "4003 the host gives binary messages as no ArrayBuffer"},
		{"closed here", func(ch *kkrpc.Channel, _ socket) { ch.Close() }, kkrpc.ErrClosed, "", "1000 "},
		{"closed here with a code that no host sends", func(ch *kkrpc.Channel, _ socket) { ch.CloseWith(1008, "policy") }, kkrpc.ErrClosed, "", "4008 policy"},
		{"closed here with a reason that is too long", func(ch *kkrpc.Channel, _ socket) {
			ch.CloseWith(4000, strings.Repeat("é", 100))
		}, kkrpc.ErrClosed, "", "4000 " + strings.Repeat("é", 61)},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			ch, s := connected(t, kkrpc.Options{Limits: kkrpc.Limits{Frame: 64}})
			test.play(ch, s)
			<-ch.Done()
			err := ch.Err()
			if text := err.Error(); !strings.HasSuffix(text, test.text) || strings.Contains(text, "SECRET") {
				t.Errorf("ended with %q, want %q and no secret", text, test.text)
			}
			if test.want != nil && !errors.Is(err, test.want) {
				t.Errorf("%v is no %v", err, test.want)
			}
			if got := s.closes(); got != test.closes {
				t.Errorf("closed with %q, want %q", got, test.closes)
			}
			if n := s.Call("heard").Int(); n > 0 {
				t.Errorf("%d listeners are left", n)
			}
			s.message(big) // is heard by nobody
		})
	}
}
