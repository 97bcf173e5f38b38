package main

import (
	"context"
	"log"
	"net/http"
	"time"

	"github.com/kkrpc-go/kkrpc"
	"github.com/kkrpc-go/kkrpc/transport/ws"
)

var users = map[string]string{"secret-a": "Ada", "secret-e": "Eve"} // by token

// apiFor is asked before each upgrade: a connection gets the API of its user, or none.
func apiFor(r *http.Request) (any, error) {
	user, ok := users[r.URL.Query().Get("token")]
	if !ok {
		return nil, ws.Reject(http.StatusUnauthorized, "unknown token")
	}
	api := kkrpc.Object{
		"whoami": func() string { return user },
		"work": func(ctx context.Context) error {
			select {
			case <-time.After(time.Minute):
				return nil
			case <-ctx.Done(): // the connection is gone, or its client has given up
				return context.Cause(ctx)
			}
		},
	}
	if user == "Ada" {
		api["shutDown"] = func() string { return "bye" } // others cannot even name it
	}
	return api, nil
}

func main() {
	http.Handle("/ws", ws.HandlerFor(apiFor, &ws.Options{
		Origins:  []string{"https://app.example.com", "http://localhost:*"}, // pages that may connect
		MaxConns: 1000,
		RPC: kkrpc.Options{
			CallTimeout: 5 * time.Second, // of this side's calls
			Limits:      kkrpc.Limits{Frame: 64 << 10, Running: 16, Open: 64},
			OnError:     func(err error) { log.Print(err) },
		},
	}))
	log.Fatal(http.ListenAndServe("localhost:3000", nil))
}
