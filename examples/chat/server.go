package main

import (
	"context"
	"log/slog"
	"net"
	"net/http"
	"sync"

	"github.com/go-chi/cors"

	"github.com/kkrpc-go/kkrpc"
	"github.com/kkrpc-go/kkrpc/interceptor"
	"github.com/kkrpc-go/kkrpc/rooms"
	"github.com/kkrpc-go/kkrpc/transport/ws"

	chat "github.com/kkrpc-go/kkrpc/examples/chat/api"
	"github.com/kkrpc-go/kkrpc/examples/chat/signin"
	"github.com/kkrpc-go/kkrpc/examples/chat/web"
)

const (
	perUser = 64 // connections of a user: rooms, times pages
	perConn = 20 // calls a second
	burst   = 60
)

// server answers the requests of pages and programs.
type server struct {
	http.Handler
	sockets *ws.Server
	chat    *chat.Chat
	visitors

	mu   sync.Mutex
	open map[string]int // connections by user
}

// newServer returns a server whose messages and tickets are in a backplane. The caller shuts down what it answers, and closes
// the Chat.
func newServer(cfg *config, key signin.Key, backplane rooms.Backplane, logger *slog.Logger) (*server, error) {
	c, err := chat.New(&chat.Options{
		Backplane: backplane,
		OnError:   func(err error) { logger.Error("the chat has failed", "err", err) },
	})
	if err != nil {
		return nil, err
	}
	s := &server{
		chat:     c,
		visitors: visitors{key: key, used: backplane, secure: cfg.https, rooms: cfg.rooms},
		open:     map[string]int{},
	}
	s.sockets = ws.HandlerFor(s.connect, &ws.Options{
		Origins: cfg.origins,
		Hosts:   ownNames(cfg.addr),
		Logger:  logger,
		RPC: kkrpc.Options{
			Inbound: []kkrpc.Interceptor{interceptor.RateLimit(perConn, burst)},
			Limits:  kkrpc.Limits{Frame: 64 << 10},
		},
	})
	crossOrigin := http.NewCrossOriginProtection()
	for _, origin := range cfg.origins {
		if err := crossOrigin.AddTrustedOrigin(origin); err != nil {
			c.Close()
			return nil, err
		}
	}
	mux := http.NewServeMux()
	mux.Handle("GET /", web.Handler())
	mux.Handle("GET /chat/{room}", s.sockets)
	mux.HandleFunc("GET /session", s.session)
	mux.HandleFunc("POST /session", s.signIn)
	mux.HandleFunc("DELETE /session", s.signOut)
	ticket := cors.Handler(cors.Options{
		AllowOriginFunc: func(_ *http.Request, origin string) bool { return cfg.allows(origin) },
		AllowedMethods:  []string{http.MethodPost},
		AllowedHeaders:  []string{"Authorization"},
	})(http.HandlerFunc(s.ticket))
	mux.Handle("POST /ticket", ticket)
	mux.Handle("OPTIONS /ticket", ticket)
	mux.HandleFunc("GET /ready", func(w http.ResponseWriter, _ *http.Request) {
		if !s.sockets.Ready() {
			http.Error(w, "shutting down", http.StatusServiceUnavailable)
		}
	})
	s.Handler = crossOrigin.Handler(mux)
	return s, nil
}

// ownNames are the names of a server that listens on this machine alone, so that no other name can be made to lead to it. Nil
// are all.
func ownNames(addr string) []string {
	host, _, err := net.SplitHostPort(addr)
	if ip := net.ParseIP(host); err == nil && (host == "localhost" || ip != nil && ip.IsLoopback()) {
		return []string{"localhost", "127.0.0.1", "::1"}
	}
	return nil
}

// connect makes the API of a connection before it opens.
func (s *server) connect(r *http.Request) (any, error) {
	var user string
	var err error
	if ticket := r.URL.Query().Get("ticket"); ticket != "" {
		user, err = s.userOfTicket(r.Context(), ticket)
	} else {
		user, err = s.user(r)
	}
	if err != nil {
		return nil, ws.Reject(http.StatusUnauthorized, err.Error())
	}
	api, err := s.chat.API(user, r.PathValue("room"))
	if err != nil {
		return nil, ws.Reject(http.StatusNotFound, err.Error())
	}
	if !s.take(user) {
		return nil, ws.Reject(http.StatusTooManyRequests, "you have too many connections")
	}
	ws.OnEnd(r, func() { s.give(user) })
	return api, nil
}

func (s *server) take(user string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.open[user] >= perUser {
		return false
	}
	s.open[user]++
	return true
}

func (s *server) give(user string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.open[user]--; s.open[user] == 0 {
		delete(s.open, user)
	}
}

// drain ends all connections. Calls that run are answered until ctx ends. Clients connect again, here or to another process.
func (s *server) drain(ctx context.Context) error {
	err := s.sockets.Shutdown(ctx)
	s.chat.Close()
	return err
}
