//go:build !js

package ws_test

import (
	"context"
	"fmt"
	"log"
	"net/http"
	"net/http/httptest"
	"strings"

	"github.com/kkrpc-go/kkrpc"
	"github.com/kkrpc-go/kkrpc/transport/ws"
)

func Example() {
	handler := ws.Handler(kkrpc.Object{
		"greet": func(name string) string { return "Hello, " + name + "!" },
	}, nil)
	defer handler.Close()
	server := httptest.NewServer(handler)
	defer server.Close()

	ch, err := ws.Dial(context.Background(), strings.Replace(server.URL, "http", "ws", 1), nil)
	if err != nil {
		log.Fatal(err)
	}
	defer ch.Close()
	fmt.Println(kkrpc.Call[string](context.Background(), ch, "greet", "World"))
	// Output: Hello, World! <nil>
}

// An API for each connection: what a user may call is decided before the upgrade.
func ExampleHandlerFor() {
	handler := ws.HandlerFor(func(r *http.Request) (any, error) {
		user := r.Header.Get("Authorization")
		if user == "" {
			return nil, ws.Reject(http.StatusUnauthorized, "sign in first")
		}
		return kkrpc.Object{"whoAmI": func() string { return user }}, nil
	}, nil)
	defer handler.Close()
	server := httptest.NewServer(handler)
	defer server.Close()
	url := strings.Replace(server.URL, "http", "ws", 1)

	_, err := ws.Dial(context.Background(), url, nil)
	fmt.Println(err != nil)

	ch, err := ws.Dial(context.Background(), url, &ws.DialOptions{Header: http.Header{"Authorization": {"Ada"}}})
	if err != nil {
		log.Fatal(err)
	}
	defer ch.Close()
	fmt.Println(kkrpc.Call[string](context.Background(), ch, "whoAmI"))
	// Output:
	// true
	// Ada <nil>
}
