//go:build !js

package ws_test

import (
	"context"
	"fmt"
	"log"
	"net/http"
	"net/http/httptest"
	"time"

	"github.com/kkrpc-go/kkrpc"
	"github.com/kkrpc-go/kkrpc/transport/ws"
)

// A client that outlives its connections: it signs in on each, and calls wait until that is done.
func ExampleDialPersistent() {
	handler := ws.HandlerFor(func(*http.Request) (any, error) {
		user := "nobody"
		return kkrpc.Object{
			"signIn": func(name string) { user = name },
			"whoAmI": func() string { return user },
			"hangUp": func(ctx context.Context) error { return kkrpc.FromContext(ctx).Close() },
		}, nil
	}, nil)
	defer handler.Close()
	server := httptest.NewServer(handler)
	defer server.Close()

	p, err := ws.DialPersistent(context.Background(), server.URL, &ws.PersistentOptions{
		Backoff: ws.Backoff{Min: 10 * time.Millisecond},
		OnConnect: func(ctx context.Context, ch *kkrpc.Channel) error {
			return ch.Call(ctx, nil, "signIn", "Ada")
		},
		OnState: func(s ws.State) { fmt.Println(s.Phase) },
	})
	if err != nil {
		log.Fatal(err)
	}
	ctx := context.Background()
	_, err = kkrpc.Call[any](ctx, p, "hangUp")
	fmt.Println("hung up:", err != nil)
	fmt.Println(kkrpc.Call[string](kkrpc.Idempotent(ctx), p, "whoAmI"))
	_ = p.Close()
	<-p.Done()
	// Unordered output:
	// connecting
	// connected
	// hung up: true
	// waiting
	// connecting
	// connected
	// Ada <nil>
	// closed
}
