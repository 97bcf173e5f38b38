package main

import (
	"context"
	"log"
	"net"
	"net/http"
	"os"
	"os/signal"
	"sync"
	"syscall"
	"time"

	"github.com/kkrpc-go/kkrpc"
	"github.com/kkrpc-go/kkrpc/transport/ws"
)

var users = map[string]string{"secret-a": "Ada", "secret-e": "Eve"} // by token

// limit bounds the connections of each address, or of each user.
type limit struct {
	most int

	mu   sync.Mutex
	open map[string]int
}

func (l *limit) take(key string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.open[key] >= l.most {
		return false
	}
	l.open[key]++
	return true
}

func (l *limit) give(key string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.open[key]--; l.open[key] == 0 {
		delete(l.open, key)
	}
}

var (
	perAddress = &limit{most: 50, open: map[string]int{}}
	perUser    = &limit{most: 5, open: map[string]int{}}
)

// apiFor is asked before each upgrade: a connection gets the API of its user, or none.
func apiFor(r *http.Request) (any, error) {
	address, _, _ := net.SplitHostPort(r.RemoteAddr)
	if !perAddress.take(address) {
		return nil, ws.Reject(http.StatusTooManyRequests, "too many connections from this address")
	}
	ws.OnEnd(r, func() { perAddress.give(address) }) // also if anything below fails
	user, ok := users[r.URL.Query().Get("token")]
	if !ok {
		return nil, ws.Reject(http.StatusUnauthorized, "unknown token")
	}
	if !perUser.take(user) {
		return nil, ws.Reject(http.StatusTooManyRequests, "too many connections of this user")
	}
	ws.OnEnd(r, func() { perUser.give(user) })
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
	server := ws.HandlerFor(apiFor, &ws.Options{
		Origins:  []string{"https://app.example.com", "http://localhost:*"}, // pages that may connect
		MaxConns: 1000,
		RPC: kkrpc.Options{
			CallTimeout: 5 * time.Second, // of this side's calls that have no deadline
			Limits:      kkrpc.Limits{Frame: 64 << 10, Running: 16, Open: 64},
			OnError:     func(err error) { log.Print(err) },
		},
	})
	http.Handle("/ws", server)
	http.HandleFunc("/ready", func(w http.ResponseWriter, _ *http.Request) {
		if !server.Ready() {
			http.Error(w, "shutting down", http.StatusServiceUnavailable)
		}
	})
	stopped, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	log.Print("serving ws://localhost:3000/ws")
	go func() { log.Fatal(http.ListenAndServe("localhost:3000", nil)) }()
	<-stopped.Done()

	// Calls that run have 5 s to end. New ones are refused.
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	if err := server.Shutdown(ctx); err != nil {
		log.Print(err)
	}
	log.Printf("%+v", server.Stats())
}
