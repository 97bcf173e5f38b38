package ws_test

import (
	"errors"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"testing"

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
		OnClose: func(_ *kkrpc.Channel, err error) { closed <- err },
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
