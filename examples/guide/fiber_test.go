package guide_test

import (
	"context"
	"errors"
	"net"
	"net/http"
	"testing"
	"time"

	"github.com/gofiber/fiber/v3"
	"github.com/gofiber/fiber/v3/middleware/adaptor"
	"github.com/kkrpc-go/kkrpc"
	"github.com/kkrpc-go/kkrpc/transport/ws"
)

// TestFiber mounts a server in fiber as the page about routers does: with calls, callbacks, refusals and a graceful shutdown.
func TestFiber(t *testing.T) {
	server := ws.HandlerFor(func(r *http.Request) (any, error) {
		if r.URL.Query().Get("user") == "" {
			return nil, ws.Reject(http.StatusUnauthorized, "who are you?")
		}
		return kkrpc.Object{
			"room":   func() string { return r.URL.Path },
			"report": func(tell func(string)) { tell("half") },
		}, nil
	}, nil)
	app := fiber.New()
	app.Get("/rooms/:name", adaptor.HTTPHandler(server))

	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	served := make(chan error, 1)
	go func() { served <- app.Listener(listener, fiber.ListenConfig{DisableStartupMessage: true}) }() // ends with Shutdown
	url := "ws://" + listener.Addr().String() + "/rooms/tea"

	if _, err := ws.Dial(t.Context(), url, nil); err == nil {
		t.Error("a connection without a user was opened")
	} else if refused, ok := errors.AsType[*ws.StatusError](err); !ok || refused.Status != http.StatusUnauthorized {
		t.Errorf("refused with %v, want 401", err)
	}
	ch, err := ws.Dial(t.Context(), url+"?user=Ada", nil)
	if err != nil {
		t.Fatal(err)
	}
	if room, err := kkrpc.Call[string](t.Context(), ch, "room"); err != nil || room != "/rooms/tea" {
		t.Errorf("room: %q, %v", room, err)
	}
	told := make(chan string, 1)
	if err := kkrpc.Do(t.Context(), ch, "report", func(text string) { told <- text }); err != nil {
		t.Fatal(err)
	}
	if text := <-told; text != "half" {
		t.Errorf("the callback got %q", text)
	}

	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	if err := server.Shutdown(ctx); err != nil {
		t.Error(err)
	}
	<-ch.Done()
	if err := app.ShutdownWithContext(ctx); err != nil {
		t.Error(err)
	}
	if err := <-served; err != nil {
		t.Error(err)
	}
}
