package main

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"fmt"
	"log"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/kkrpc-go/kkrpc"
	"github.com/kkrpc-go/kkrpc/transport/ws"
)

const (
	cookieLife = 12 * time.Hour
	tokenLife  = time.Second // so that the client sees its end; in earnest some minutes
	ticketLife = 10 * time.Second
)

// login is a user who has signed in.
type login struct {
	user, role string
	until      time.Time
	out        chan struct{} // closed when the user signs out
}

// secrets are the cookies, tokens and tickets that are good at present. They are random texts, so nobody can guess one.
type secrets struct {
	mu  sync.Mutex
	all map[string]secret
}

type secret struct {
	login *login
	until time.Time
}

// issue makes a secret of a kind.
func (s *secrets) issue(kind string, of *login, life time.Duration) (text string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	text = rand.Text()
	s.all[kind+text] = secret{of, time.Now().Add(life)}
	time.AfterFunc(life, func() { s.take(kind, text) })
	return text
}

func (s *secrets) find(kind, text string) (found secret, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	found, ok = s.all[kind+text]
	return found, ok && time.Now().Before(found.until) && !found.login.gone()
}

// take is find for a secret that is good once.
func (s *secrets) take(kind, text string) (found secret, ok bool) {
	found, ok = s.find(kind, text)
	s.mu.Lock()
	defer s.mu.Unlock()
	_, still := s.all[kind+text]
	delete(s.all, kind+text)
	return found, ok && still
}

func (l *login) gone() bool {
	select {
	case <-l.out:
		return true
	default:
		return false
	}
}

var given = &secrets{all: map[string]secret{}}

// authenticate finds out who sends a request, for the function of HandlerFor, OnOpen and interceptors.
func authenticate(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if found, ok := identify(r); ok {
			r = r.WithContext(context.WithValue(r.Context(), clientKey{}, &client{login: found.login, until: found.until}))
		}
		next.ServeHTTP(w, r)
	})
}

func identify(r *http.Request) (secret, bool) {
	if cookie, err := r.Cookie("session"); err == nil { // of pages
		return given.find("cookie", cookie.Value)
	}
	for protocol := range strings.SplitSeq(r.Header.Get("Sec-WebSocket-Protocol"), ",") {
		if token, ok := strings.CutPrefix(strings.TrimSpace(protocol), "kkrpc.token."); ok { // of other programs
			return given.find("token", token)
		}
	}
	found, ok := given.take("ticket", r.URL.Query().Get("ticket")) // of clients that have a URL only
	if ok {
		found.until = found.login.until // the connection outlives its ticket
	}
	return found, ok
}

// client is the other end of a connection.
type client struct {
	*login

	mu    sync.Mutex
	until time.Time // the connection closes then
}

type clientKey struct{}

func clientOf(ctx context.Context) *client {
	c, _ := ctx.Value(clientKey{}).(*client)
	return c
}

func (c *client) end() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.until
}

// watch closes a connection whose token has expired, or whose user has signed out.
func watch(ch *kkrpc.Channel, r *http.Request) {
	c := clientOf(r.Context())
	for {
		select {
		case <-ch.Done():
			return
		case <-c.out:
			_ = ch.CloseWith(4401, "signed out")
			return
		case <-time.After(time.Until(c.end())):
			if !time.Now().Before(c.end()) { // it was not renewed
				_ = ch.CloseWith(4401, "the token has expired")
				return
			}
		}
	}
}

// roles are the rules: which role a function needs. A function without a rule is refused.
var roles = map[string]string{"whoami": "user", "renew": "user", "publish": "admin"}

// authorize applies the rules. A one-time ticket in the metadata lends a call the role of its user.
func authorize(ctx context.Context, r *kkrpc.Request, next kkrpc.Handler) (any, error) {
	as := clientOf(ctx).login
	if ticket, ok := r.Metadata["ticket"].(string); ok {
		lent, ok := given.take("ticket", ticket)
		if !ok {
			return nil, &kkrpc.Error{Name: "ForbiddenError", Message: "the ticket is not good"}
		}
		as = lent.login
	}
	if needed, ok := roles[r.Path]; !ok || r.Ref != nil || needed == "admin" && as.role != "admin" {
		return nil, &kkrpc.Error{Name: "ForbiddenError", Message: "you may not call " + r.Path}
	}
	return next(ctx, r)
}

// API is what a client who has signed in can call.
type API struct{ client *client }

func (a API) Whoami() string { return a.client.user }

// Renew keeps the connection open until a fresh token expires.
func (a API) Renew(token string) error {
	found, ok := given.find("token", token)
	if !ok || found.login.user != a.client.user {
		return &kkrpc.Error{Name: "UnauthorizedError", Message: "the token is not good"}
	}
	a.client.mu.Lock()
	defer a.client.mu.Unlock()
	a.client.until = found.until
	return nil
}

func (a API) Publish(text string) string { return "published " + text }

func connected(r *http.Request) (any, error) {
	c := clientOf(r.Context())
	if c == nil {
		return nil, ws.Reject(4401, "sign in first") // a page learns the code and the reason
	}
	return API{c}, nil
}

// users have passwords. A real program keeps hashes of them.
var users = map[string]struct{ password, role string }{"Ada": {"lovelace", "admin"}, "Eve": {"apple", "user"}}

func signIn(w http.ResponseWriter, r *http.Request) {
	name := r.PostFormValue("user")
	user := users[name]
	if user.password == "" || subtle.ConstantTimeCompare([]byte(user.password), []byte(r.PostFormValue("password"))) != 1 {
		http.Error(w, "wrong user or password", http.StatusUnauthorized)
		return
	}
	http.SetCookie(w, &http.Cookie{
		Name:     "session",
		Value:    given.issue("cookie", &login{name, user.role, time.Now().Add(cookieLife), make(chan struct{})}, cookieLife),
		MaxAge:   int(cookieLife.Seconds()),
		Path:     "/",
		HttpOnly: true,                    // no script reads it
		SameSite: http.SameSiteStrictMode, // no page of another site sends it
		Secure:   r.TLS != nil,            // true behind a proxy that ends TLS
	})
}

// signOut ends the login of a cookie, with all that was issued for it.
func signOut(w http.ResponseWriter, r *http.Request) {
	if cookie, err := r.Cookie("session"); err == nil {
		if found, ok := given.take("cookie", cookie.Value); ok {
			close(found.login.out)
		}
	}
}

// issue answers who has a cookie with a secret of another kind.
func issue(kind string, life time.Duration) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		c := clientOf(r.Context())
		if c == nil {
			http.Error(w, "sign in first", http.StatusUnauthorized)
			return
		}
		w.Header().Set("Cache-Control", "no-store")
		fmt.Fprint(w, given.issue(kind, c.login, life))
	}
}

func main() {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /login", signIn)
	mux.HandleFunc("POST /logout", signOut)
	mux.HandleFunc("POST /token", issue("token", tokenLife))
	mux.HandleFunc("POST /ticket", issue("ticket", ticketLife))
	mux.Handle("GET /ws", ws.HandlerFor(connected, &ws.Options{
		OnOpen:  watch,
		Hosts:   []string{"localhost", "127.0.0.1"},
		Session: &ws.SessionOptions{Identity: func(r *http.Request) string { return clientOf(r.Context()).user }},
		RPC:     kkrpc.Options{Inbound: []kkrpc.Interceptor{authorize}},
	}))
	http.Handle("/", http.NewCrossOriginProtection().Handler(authenticate(mux)))
	log.Print("serving ws://localhost:3000/ws")
	log.Fatal(http.ListenAndServe("localhost:3000", nil))
}
