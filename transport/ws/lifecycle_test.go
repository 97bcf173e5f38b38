//go:build !js

package ws_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	gobwas "github.com/gobwas/ws"

	kkrpc "github.com/kkrpc-go/kkrpc"
	"github.com/kkrpc-go/kkrpc/transport/ws"
)

func TestOpenAndClose(t *testing.T) {
	events := make(chan string, 10)
	var opened *kkrpc.Channel
	var asked, request *http.Request
	s := ws.HandlerFor(func(r *http.Request) (any, error) { asked = r; return greeter, nil }, &ws.Options{
		OnOpen: func(ch *kkrpc.Channel, r *http.Request) {
			opened, request = ch, r
			events <- "open " + r.URL.Path
		},
		OnClose: func(ch *kkrpc.Channel, r *http.Request, err error) {
			if r != asked || r != request {
				t.Errorf("HandlerFor, OnOpen and OnClose got different requests: %p, %p, %p", asked, request, r)
			}
			if ch != opened || !errors.Is(err, kkrpc.ErrClosed) {
				t.Errorf("OnClose with %v", err)
			}
			events <- "close"
		},
		RPC: kkrpc.Options{OnClose: func(*kkrpc.Channel, error) { events <- "rpc close" }},
	})
	ch := dial(t, serve(t, s)+"/path", nil)
	if got := <-events; got != "open /path" {
		t.Fatal(got)
	}
	_ = ch.Close()
	for _, want := range []string{"rpc close", "close"} {
		if got := <-events; got != want {
			t.Fatalf("got %s, want %s", got, want)
		}
	}
}

// OnClose waits for OnOpen, however soon the channel ends.
func TestCloseInsideOpen(t *testing.T) {
	var mu sync.Mutex
	var events []string
	done := make(chan struct{})
	note := func(s string) {
		mu.Lock()
		defer mu.Unlock()
		events = append(events, s)
	}
	s := ws.Handler(greeter, &ws.Options{
		OnOpen: func(ch *kkrpc.Channel, _ *http.Request) {
			_ = ch.CloseWith(4001, "not today")
			<-ch.Done()
			note("open")
		},
		OnClose: func(*kkrpc.Channel, *http.Request, error) {
			note("close")
			close(done)
		},
	})
	ch := dial(t, serve(t, s), nil)
	<-done
	if got := fmt.Sprint(events); got != "[open close]" {
		t.Errorf("events %s", got)
	}
	<-ch.Done()
	var ce *ws.CloseError
	if !errors.As(ch.Err(), &ce) || ce.Code != 4001 || ce.Reason != "not today" {
		t.Errorf("the client sees %v", ch.Err())
	}
}

func TestShutdown(t *testing.T) {
	closed := make(chan struct{}, 10)
	s := ws.Handler(greeter, &ws.Options{OnClose: func(*kkrpc.Channel, *http.Request, error) { closed <- struct{}{} }})
	url := serve(t, s)
	var channels []*kkrpc.Channel
	for range 3 {
		channels = append(channels, dial(t, url, nil))
	}
	if err := s.Shutdown(testContext(t)); err != nil {
		t.Errorf("Shutdown: %v", err)
	}
	if len(closed) != 3 {
		t.Errorf("OnClose returned %d times before Shutdown did", len(closed))
	}
	for _, ch := range channels {
		<-ch.Done()
		if err := ch.Err(); !errors.Is(err, kkrpc.ErrClosed) {
			t.Errorf("client: %v", err)
		}
	}
	if _, err := ws.Dial(testContext(t), url, nil); err == nil || !strings.Contains(err.Error(), "shutting down") {
		t.Errorf("a connection after Shutdown: %v", err)
	}
	if err := s.Shutdown(testContext(t)); err != nil {
		t.Errorf("Shutdown again: %v", err)
	}
}

// A peer that does not read cannot hold Shutdown up beyond its ctx.
func TestShutdownIsCutOff(t *testing.T) {
	opened := make(chan *kkrpc.Channel, 1)
	s := ws.Handler(greeter, &ws.Options{
		RPC:    kkrpc.Options{Dialect: kkrpc.Compact},
		OnOpen: func(ch *kkrpc.Channel, _ *http.Request) { opened <- ch },
	})
	url := serve(t, s)
	conn, _, _, err := gobwas.Dial(testContext(t), url)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	ch := <-opened
	go kkrpc.Call[any](testContext(t), ch, "f", strings.Repeat("x", 15<<20))
	if _, err := conn.Read(make([]byte, 1)); err != nil { // the call is being written
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if err := s.Shutdown(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("Shutdown: %v", err)
	}
	select {
	case <-ch.Done():
	case <-testContext(t).Done():
		t.Error("the channel is still open")
	}
}

// Peers that do not read hold up neither the closing of the others nor that of each other.
func TestShutdownClosesAllAtOnce(t *testing.T) {
	const stuck = 4
	opened := make(chan *kkrpc.Channel, 2*stuck)
	s := ws.Handler(greeter, &ws.Options{
		RPC:    kkrpc.Options{Dialect: kkrpc.Compact, Limits: kkrpc.Limits{Write: time.Hour}},
		OnOpen: func(ch *kkrpc.Channel, _ *http.Request) { opened <- ch },
	})
	url := serve(t, s)
	for range stuck {
		conn, _, _, err := gobwas.Dial(testContext(t), url)
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		ch := <-opened
		go kkrpc.Call[any](testContext(t), ch, "f", strings.Repeat("x", 15<<20))
		if _, err := io.ReadFull(conn, make([]byte, 1)); err != nil { // it is being written
			t.Fatal(err)
		}
	}
	var healthy []*kkrpc.Channel
	for range stuck {
		healthy = append(healthy, dial(t, url, nil))
	}
	ctx, cancel := context.WithCancel(testContext(t))
	ended := make(chan error, 1)
	go func() { ended <- s.Shutdown(ctx) }()
	for _, ch := range healthy {
		select {
		case <-ch.Done():
		case <-testContext(t).Done():
			t.Fatal("a connection is still open")
		}
	}
	cancel()
	if err := <-ended; !errors.Is(err, context.Canceled) {
		t.Errorf("Shutdown: %v", err)
	}
}
