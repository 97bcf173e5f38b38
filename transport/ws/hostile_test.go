//go:build !js

package ws_test

import (
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	gobwas "github.com/gobwas/ws"

	"github.com/kkrpc-go/kkrpc"
	"github.com/kkrpc-go/kkrpc/transport/ws"
)

func TestPanicInOnOpenClosesThatConnectionAlone(t *testing.T) {
	first := true
	closed := make(chan error, 2)
	s := ws.Handler(greeter, &ws.Options{
		Logger: slog.New(slog.NewTextHandler(io.Discard, nil)),
		OnOpen: func(*kkrpc.Channel, *http.Request) {
			if first {
				first = false
				panic("OnOpen")
			}
		},
		OnClose: func(_ *kkrpc.Channel, _ *http.Request, err error) { closed <- err },
	})
	url := serve(t, s)
	broken := dial(t, url, nil)
	<-broken.Done()
	if err := <-closed; !errors.Is(err, kkrpc.ErrClosed) {
		t.Errorf("OnClose got %v", err)
	}
	var closeErr *ws.CloseError
	if !errors.As(broken.Err(), &closeErr) || closeErr.Code != 1011 {
		t.Errorf("the client was told %v", broken.Err())
	}
	if _, err := kkrpc.Call[string](t.Context(), dial(t, url, nil), "greet", "World"); err != nil {
		t.Errorf("the next connection: %v", err)
	}
}

// A crowd of clients that never finish what they send neither stays nor keeps others out.
func TestUnfinishedMessages(t *testing.T) {
	const crowd, size = 20, 200 << 10
	for _, test := range []struct {
		name string
		opts ws.Options
		code int
		left int // connections that stay
	}{
		{"time", ws.Options{MessageTime: 50 * time.Millisecond}, 1008, 0},
		{"memory", ws.Options{Memory: 5 << 20}, 0, 5},
		{"no bounds", ws.Options{MessageTime: -1, Memory: -1}, 0, crowd},
	} {
		t.Run(test.name, func(t *testing.T) {
			test.opts.Logger = slog.New(slog.DiscardHandler)
			closed := make(chan error, 2*crowd)
			test.opts.OnClose = func(_ *kkrpc.Channel, _ *http.Request, err error) { closed <- err }
			url := serve(t, ws.Handler(greeter, &test.opts))
			for range crowd {
				conn, _, _, err := gobwas.Dial(testContext(t), url)
				if err != nil {
					t.Fatal(err)
				}
				defer conn.Close()
				h := gobwas.Header{Fin: true, OpCode: gobwas.OpText, Masked: true, Length: 1 << 20}
				if err := gobwas.WriteHeader(conn, h); err != nil {
					t.Fatal(err)
				}
				if _, err := conn.Write(make([]byte, size)); err != nil {
					t.Fatal(err)
				}
			}
			for range crowd - test.left {
				var ce *ws.CloseError
				err := <-closed
				if test.code == 0 && (!errors.Is(err, kkrpc.ErrLimit) || !strings.Contains(err.Error(), "more than 5242880 bytes together")) {
					t.Errorf("closed with %v", err)
				} else if test.code != 0 && (!errors.As(err, &ce) || ce.Code != test.code) {
					t.Errorf("closed with %v", err)
				}
			}
			const usual = size / 4 // a large one may be the worst for a moment: text, argument, result and copies count together
			if got, err := kkrpc.Call[string](testContext(t), dial(t, url, nil), "echo", strings.Repeat("x", usual)); len(got) != usual {
				t.Errorf("another client: %d bytes, %v", len(got), err)
			}
			if len(closed) > 0 && test.name != "memory" {
				t.Errorf("one more was closed: %v", <-closed)
			}
		})
	}
}

// A classic peer may send a line in many messages. Its pieces count like those of one message.
func TestUnfinishedLines(t *testing.T) {
	const crowd = 20
	closed := make(chan error, 2*crowd)
	group := &kkrpc.Group{Memory: 5 << 20}
	url := serve(t, ws.Handler(greeter, &ws.Options{
		RPC:     kkrpc.Options{Group: group},
		OnClose: func(_ *kkrpc.Channel, _ *http.Request, err error) { closed <- err },
	}))
	piece := `{"id":"1","method":"` + strings.Repeat("x", 200<<10)
	for range crowd {
		conn, _, _, err := gobwas.Dial(testContext(t), url+"/?kkrpc=classic-json")
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		for range 5 { // 1 MiB
			if err := gobwas.WriteFrame(conn, gobwas.MaskFrame(gobwas.NewTextFrame([]byte(piece)))); err != nil {
				break
			}
		}
	}
	for range crowd - 5 {
		if err := <-closed; !errors.Is(err, kkrpc.ErrLimit) || !strings.Contains(err.Error(), "Group.Memory") {
			t.Errorf("closed with %v", err)
		}
	}
	if u := group.MemoryUsage(); u.Used > u.Limit || u.Evicted < crowd-5 {
		t.Errorf("%+v", u)
	}
}

// What a proxy takes for a body must not be read as frames.
func TestUpgradeWithABodyIsRefused(t *testing.T) {
	url := strings.Replace(serve(t, ws.Handler(greeter, nil)), "ws", "http", 1)
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, strings.NewReader("body"))
	if err != nil {
		t.Fatal(err)
	}
	for name, value := range map[string]string{"Upgrade": "websocket", "Connection": "Upgrade",
		"Sec-WebSocket-Version": "13", "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ=="} {
		r.Header.Set(name, value)
	}
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusBadRequest {
		t.Errorf("answered %s", response.Status)
	}
}

// An old client gets an answer that it understands, not an error of the server.
func TestUpgradeOverHTTP10(t *testing.T) {
	r := httptest.NewRequest(http.MethodGet, "/", nil)
	r.Proto, r.ProtoMinor = "HTTP/1.0", 0
	for name, value := range map[string]string{"Upgrade": "websocket", "Connection": "Upgrade",
		"Sec-WebSocket-Version": "13", "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ=="} {
		r.Header.Set(name, value)
	}
	w := httptest.NewRecorder()
	ws.Handler(nil, nil).ServeHTTP(w, r)
	if w.Code != http.StatusBadRequest || !strings.Contains(w.Body.String(), "HTTP/1.1, not HTTP/1.0") {
		t.Errorf("answered %d: %s", w.Code, w.Body)
	}
}
