// Package middleware_test holds that ws.Handler works behind the middleware that people put in front of it.
package middleware_test

import (
	"bytes"
	"context"
	"errors"
	"log"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-chi/chi/v5"
	"github.com/go-chi/chi/v5/middleware"
	"github.com/go-chi/cors"

	"github.com/kkrpc-go/kkrpc"
	"github.com/kkrpc-go/kkrpc/transport/ws"
)

// lines is a log that is read while others write.
type lines struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.Write(p)
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.String()
}

// mounts are the ways to put a handler behind all middleware, at /rooms/….
var mounts = []struct {
	name  string
	mount func(h http.Handler, around ...func(http.Handler) http.Handler) http.Handler
}{
	{"chi", func(h http.Handler, around ...func(http.Handler) http.Handler) http.Handler {
		router := chi.NewRouter()
		router.Use(around...)
		router.Handle("/rooms/{name}", h)
		return router
	}},
	{"chi, a router below another", func(h http.Handler, around ...func(http.Handler) http.Handler) http.Handler {
		below, router := chi.NewRouter(), chi.NewRouter()
		below.Handle("/{name}", h)
		router.Use(around...)
		router.Mount("/rooms", below)
		return router
	}},
	{"net/http", func(h http.Handler, around ...func(http.Handler) http.Handler) http.Handler {
		mux := http.NewServeMux()
		mux.Handle("GET /rooms/{name}", h)
		return chi.Chain(around...).Handler(mux)
	}},
}

func TestMiddleware(t *testing.T) {
	for _, mount := range mounts {
		t.Run(mount.name, func(t *testing.T) {
			var logged lines
			ended := make(chan struct{}, 10) // a request has left the logger
			s := ws.HandlerFor(func(r *http.Request) (any, error) {
				name := r.PathValue("name")
				switch name {
				case "cellar":
					return nil, ws.Reject(http.StatusForbidden, "nobody goes there")
				case "hole":
					panic("fell in")
				}
				return kkrpc.Object{"where": func(ctx context.Context) (string, error) {
					if _, ok := ctx.Deadline(); ok {
						return "", errors.New("the deadline of the request bounds the call")
					}
					if middleware.GetReqID(ctx) == "" {
						return "", errors.New("values of the request are gone")
					}
					return name, ctx.Err()
				}}, nil
			}, &ws.Options{Origins: []string{"https://listed.example"}})
			server := httptest.NewServer(mount.mount(s,
				func(next http.Handler) http.Handler {
					return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
						defer func() { ended <- struct{}{} }()
						next.ServeHTTP(w, r)
					})
				},
				middleware.RequestID,
				middleware.RequestLogger(&middleware.DefaultLogFormatter{Logger: log.New(&logged, "", 0), NoColor: true}),
				middleware.Recoverer,
				cors.Handler(cors.Options{AllowedOrigins: []string{"https://cors.example"}}),
				middleware.Compress(5),
				middleware.Timeout(time.Minute),
			))
			defer server.Close()
			defer s.Close()
			url := server.URL + "/rooms/"

			for _, test := range []struct {
				name, room, origin string
				status             int // of a refusal; 0 for none
			}{
				{"no page", "kitchen", "", 0},
				{"a page that Origins lists, and CORS does not", "kitchen", "https://listed.example", 0},
				{"a page that CORS allows, and Origins does not", "kitchen", "https://cors.example", http.StatusForbidden},
				{"rejected", "cellar", "", http.StatusForbidden},
				{"a panic while connecting", "hole", "", http.StatusInternalServerError},
			} {
				t.Run(test.name, func(t *testing.T) {
					header := http.Header{"Accept-Encoding": {"gzip"}}
					if test.origin != "" {
						header.Set("Origin", test.origin)
					}
					ch, err := ws.Dial(t.Context(), strings.Replace(url, "http", "ws", 1)+test.room, &ws.DialOptions{Header: header})
					<-ended
					if !strings.Contains(logged.String(), "/rooms/"+test.room) {
						t.Errorf("logged %q", logged.String())
					}
					if test.status != 0 {
						if refused, ok := errors.AsType[*ws.StatusError](err); !ok || refused.Status != test.status {
							t.Errorf("error %v, want status %d", err, test.status)
						}
						return
					}
					if err != nil {
						t.Fatal(err)
					}
					defer ch.Close()
					if got, err := kkrpc.Call[string](t.Context(), ch, "where"); err != nil || got != test.room {
						t.Errorf("%q, %v", got, err)
					}
				})
			}
			headers(t, url+"kitchen")
			<-ended
		})
	}
}

// headers does an upgrade by hand: those of middleware are sent with it, and nothing that belongs to a body.
func headers(t *testing.T, url string) {
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	for name, value := range map[string]string{
		"Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13", "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
		"Accept-Encoding": "gzip",
	} {
		r.Header.Set(name, value)
	}
	resp, err := http.DefaultTransport.RoundTrip(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusSwitchingProtocols || !strings.Contains(strings.Join(resp.Header.Values("Vary"), ","), "Origin") || resp.Header.Get("Content-Encoding") != "" {
		t.Errorf("%d %v", resp.StatusCode, resp.Header)
	}
}

// http.TimeoutHandler keeps its connection: what cannot work says so.
func TestTimeoutHandler(t *testing.T) {
	s := ws.Handler(kkrpc.Object{}, nil)
	server := httptest.NewServer(http.TimeoutHandler(s, time.Minute, ""))
	defer server.Close()
	_, err := ws.Dial(t.Context(), strings.Replace(server.URL, "http", "ws", 1), nil)
	if refused, ok := errors.AsType[*ws.StatusError](err); !ok || refused.Status != http.StatusInternalServerError || !strings.Contains(refused.Text, "http.TimeoutHandler") {
		t.Errorf("error %v", err)
	}
}
