package kkecho_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/labstack/echo/v5"
	"github.com/labstack/echo/v5/middleware"
	"go.uber.org/goleak"

	"github.com/kkrpc-go/kkrpc"
	"github.com/kkrpc-go/kkrpc/adapter/kkecho"
	"github.com/kkrpc-go/kkrpc/transport/ws"
)

func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m)
}

// serve runs s at /rooms/:room behind middleware until the test ends, and returns where.
func serve(t *testing.T, s *kkecho.Server, around ...echo.MiddlewareFunc) string {
	t.Helper()
	e := echo.New()
	e.Use(around...)
	e.GET("/rooms/:room", s.Serve)
	return listen(t, s, e)
}

func listen(t *testing.T, s *kkecho.Server, h http.Handler) string {
	t.Helper()
	server := httptest.NewServer(h)
	t.Cleanup(server.Close)
	t.Cleanup(func() { shutDown(t, s) })
	return strings.Replace(server.URL, "http", "ws", 1) + "/rooms/"
}

func shutDown(t *testing.T, s *kkecho.Server) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	if err := s.Shutdown(ctx); err != nil {
		t.Errorf("Shutdown: %v", err)
	}
}

func dial(t *testing.T, url string, header http.Header) *kkrpc.Channel {
	t.Helper()
	ch, err := ws.Dial(t.Context(), url, &ws.DialOptions{Header: header})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = ch.Close() })
	return ch
}

func call(t *testing.T, ch *kkrpc.Channel, path, want string) {
	t.Helper()
	got, err := kkrpc.Call[string](t.Context(), ch, path)
	if err != nil || got != want {
		t.Errorf("%s: %q, %v; want %q", path, got, err, want)
	}
}

// logged is a logger whose lines a test reads.
type logged struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (l *logged) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.Write(p)
}

func (l *logged) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.String()
}

func (l *logged) logger() *slog.Logger { return slog.New(slog.NewTextHandler(l, nil)) }

func TestHandler(t *testing.T) {
	url := serve(t, kkecho.Handler(kkrpc.Object{"hello": func() string { return "hello" }}, nil))
	call(t, dial(t, url+"a", nil), "hello", "hello")
}

// before is middleware that runs do.
func before(do func(c *echo.Context)) echo.MiddlewareFunc {
	return func(next echo.HandlerFunc) echo.HandlerFunc {
		return func(c *echo.Context) error {
			do(c)
			return next(c)
		}
	}
}

// after is middleware that runs do last.
func after(do func(c *echo.Context, err error)) echo.MiddlewareFunc {
	return func(next echo.HandlerFunc) echo.HandlerFunc {
		return func(c *echo.Context) error {
			err := next(c)
			do(c, err)
			return err
		}
	}
}

// What is read when a connection opens stays right while echo uses its contexts again. The request is nobody else's.
func TestEachConnectionHasItsOwnValues(t *testing.T) {
	s := kkecho.HandlerFor(func(c *echo.Context) (any, error) {
		r, room, local, path := c.Request(), c.Param("room"), c.Get("local"), c.Path()
		return kkrpc.Object{"who": func() string {
			return fmt.Sprint(room, " ", r.Header.Get("X-User"), " ", local, " ", path, " ", r.URL.Query().Get("q"))
		}}, nil
	}, nil)
	url := serve(t, s, before(func(c *echo.Context) { c.Set("local", "local of "+c.Param("room")) }))
	const n = 20
	var channels [n]*kkrpc.Channel
	var wg sync.WaitGroup
	for round := range 3 {
		for i := range n {
			if round == 0 {
				channels[i] = dial(t, fmt.Sprintf("%sr%d?q=%d", url, i, i), http.Header{"X-User": {fmt.Sprint("user", i)}})
			}
			wg.Go(func() {
				call(t, channels[i], "who", fmt.Sprintf("r%d user%d local of r%[1]d /rooms/:room %[1]d", i, i))
			})
			wg.Go(func() { // takes contexts out of the pool and changes them
				resp, err := http.Get(strings.Replace(url, "ws", "http", 1) + "other")
				if err != nil {
					t.Error(err)
					return
				}
				_ = resp.Body.Close()
			})
		}
		wg.Wait()
	}
}

func TestRefusals(t *testing.T) {
	secret := errors.New("what nobody may see")
	tests := []struct {
		name   string
		api    func(c *echo.Context) (any, error)
		opts   ws.Options
		around []echo.MiddlewareFunc
		header http.Header
		status int
		text   string // part of what the client sees
		log    string // part of what the log says
	}{
		{
			name:   "rejected",
			api:    func(*echo.Context) (any, error) { return nil, ws.Reject(http.StatusUnauthorized, "sign in first") },
			status: http.StatusUnauthorized, text: "sign in first",
		},
		{
			name:   "another error stays here",
			api:    func(*echo.Context) (any, error) { return nil, secret },
			status: http.StatusInternalServerError, text: "Internal Server Error", log: secret.Error(),
		},
		{
			name:   "what cannot be exposed",
			api:    func(*echo.Context) (any, error) { return kkrpc.Object{"x": make(chan<- int)}, nil },
			status: http.StatusInternalServerError, text: "Internal Server Error", log: "x",
		},
		{
			name: "an answer of its own",
			api: func(c *echo.Context) (any, error) {
				return nil, c.JSON(http.StatusForbidden, map[string]string{"no": "way"})
			},
			status: http.StatusForbidden, text: `403 Forbidden: {"no":"way"}`,
		},
		{
			name: "an answer of its own without a body, and an error",
			api: func(c *echo.Context) (any, error) {
				_ = c.NoContent(http.StatusGone)
				return nil, secret
			},
			status: http.StatusGone, text: "410 Gone",
		},
		{
			name:   "an answer without a body, which gzip keeps until the end",
			api:    func(c *echo.Context) (any, error) { return kkrpc.Object{}, c.NoContent(http.StatusGone) },
			around: []echo.MiddlewareFunc{middleware.Gzip()}, header: http.Header{"Accept-Encoding": {"gzip"}},
			status: http.StatusGone, text: "410 Gone",
		},
		{
			name: "an answer that gzip keeps until the end",
			api: func(c *echo.Context) (any, error) {
				return kkrpc.Object{}, c.JSON(http.StatusForbidden, map[string]string{"no": "way"})
			},
			around: []echo.MiddlewareFunc{middleware.GzipWithConfig(middleware.GzipConfig{MinLength: 1000})},
			header: http.Header{"Accept-Encoding": {"gzip"}},
			status: http.StatusForbidden, text: `403 Forbidden: {"no":"way"}`,
		},
		{
			name: "a panic after an answer of its own",
			api: func(c *echo.Context) (any, error) {
				_ = c.JSON(http.StatusForbidden, map[string]string{"no": "way"})
				panic(secret)
			},
			around: []echo.MiddlewareFunc{middleware.Recover()},
			status: http.StatusForbidden, text: `403 Forbidden: {"no":"way"}`,
		},
		{
			name:   "a panic",
			api:    func(*echo.Context) (any, error) { panic(secret) },
			around: []echo.MiddlewareFunc{middleware.Recover()},
			status: http.StatusInternalServerError, text: "500 Internal Server Error: Internal Server Error",
		},
		{
			name:   "an error of echo",
			api:    func(*echo.Context) (any, error) { return nil, fmt.Errorf("wrapped: %w", echo.ErrUnauthorized) },
			status: http.StatusUnauthorized, text: "401 Unauthorized: Unauthorized",
		},
		{
			name: "an error of echo with a message",
			api: func(*echo.Context) (any, error) {
				return nil, echo.NewHTTPError(http.StatusPaymentRequired, "pay first").Wrap(secret)
			},
			status: http.StatusPaymentRequired, text: "402 Payment Required: pay first",
		},
		{
			name:   "an error of echo that is the server's fault stays here",
			api:    func(*echo.Context) (any, error) { return nil, echo.NewHTTPError(http.StatusBadGateway, secret.Error()) },
			status: http.StatusInternalServerError, text: "Internal Server Error", log: secret.Error(),
		},
		{
			name:   "another origin",
			api:    func(*echo.Context) (any, error) { t.Error("asked"); return nil, secret },
			header: http.Header{"Origin": {"https://evil.example"}},
			status: http.StatusForbidden, text: "https://evil.example",
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			var log logged
			test.opts.Logger = log.logger()
			var status int
			seen := make(chan struct{})
			url := serve(t, kkecho.HandlerFor(test.api, &test.opts), append([]echo.MiddlewareFunc{after(func(c *echo.Context, err error) {
				defer close(seen)
				_, status = echo.ResolveResponseStatus(c.Response(), err)
			})}, test.around...)...)
			_, err := ws.Dial(t.Context(), url+"a", &ws.DialOptions{Header: test.header})
			refused, ok := errors.AsType[*ws.StatusError](err)
			if !ok || refused.Status != test.status || !strings.Contains(refused.Text, test.text) {
				t.Fatalf("error %v, want status %d and %q", err, test.status, test.text)
			}
			if server := strings.Contains(refused.Text, "Internal Server Error"); server != (test.status == http.StatusInternalServerError) {
				t.Errorf("two answers in one: %q", refused.Text)
			}
			if strings.Contains(err.Error(), secret.Error()) {
				t.Errorf("the client sees %v", err)
			}
			if <-seen; status != test.status {
				t.Errorf("middleware sees status %d", status)
			}
			if !strings.Contains(log.String(), test.log) {
				t.Errorf("log %q, want %q", log.String(), test.log)
			}
		})
	}
}

func TestMiddlewareAroundAConnection(t *testing.T) {
	var lines logged
	seen := make(chan struct{})
	note := after(func(c *echo.Context, err error) {
		defer close(seen)
		response, status := echo.ResolveResponseStatus(c.Response(), err)
		fmt.Fprintf(&lines, "%d %v", status, response.Committed)
	})
	s := kkecho.HandlerFor(func(c *echo.Context) (any, error) {
		c.SetCookie(&http.Cookie{Name: "session", Value: "s1"})
		return kkrpc.Object{"hello": func() string { return "hello" }}, nil
	}, nil)
	url := serve(t, s, note, middleware.Recover(), middleware.RequestLogger(), before(func(c *echo.Context) { c.Response().Header().Set("X-From", "middleware") }))

	// The upgrade by hand, for its headers.
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, strings.Replace(url, "ws", "http", 1)+"a", nil)
	if err != nil {
		t.Fatal(err)
	}
	for name, value := range map[string]string{
		"Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13", "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
	} {
		request.Header.Set(name, value)
	}
	resp, err := http.DefaultTransport.RoundTrip(request)
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	if resp.StatusCode != http.StatusSwitchingProtocols || resp.Header.Get("X-From") != "middleware" || !strings.HasPrefix(resp.Header.Get("Set-Cookie"), "session=s1") {
		t.Errorf("%d %v", resp.StatusCode, resp.Header)
	}
	if <-seen; lines.String() != "101 true" {
		t.Errorf("middleware saw %s", lines.String())
	}
}

// Middleware that refuses, and goes on all the same: the upgrade must not follow its answer on the same connection.
func TestMiddlewareThatAnswersAndGoesOn(t *testing.T) {
	for name, refuse := range map[string]func(c *echo.Context){
		"with a body": func(c *echo.Context) { _ = c.JSON(http.StatusUnauthorized, "no") },
		"without":     func(c *echo.Context) { _ = c.NoContent(http.StatusUnauthorized) },
	} {
		t.Run(name, func(t *testing.T) {
			seen := make(chan error, 1)
			s := kkecho.Handler(kkrpc.Object{}, &ws.Options{OnOpen: func(*kkrpc.Channel, *http.Request) { t.Error("opened") }})
			url := serve(t, s, after(func(_ *echo.Context, err error) { seen <- err }), before(refuse))
			_, err := ws.Dial(t.Context(), url+"a", nil)
			if refused, ok := errors.AsType[*ws.StatusError](err); !ok || refused.Status != http.StatusUnauthorized || strings.Contains(refused.Text, "WebSocket") {
				t.Errorf("error %v", err)
			}
			if got := <-seen; got == nil || !strings.Contains(got.Error(), "must not call next") {
				t.Errorf("middleware sees %v", got)
			}
		})
	}
}

func TestMiddlewareThatRefuses(t *testing.T) {
	s := kkecho.HandlerFor(func(*echo.Context) (any, error) { t.Error("asked"); return nil, nil }, nil)
	url := serve(t, s, func(echo.HandlerFunc) echo.HandlerFunc {
		return func(c *echo.Context) error { return c.NoContent(http.StatusTeapot) }
	})
	_, err := ws.Dial(t.Context(), url+"a", nil)
	if refused, ok := errors.AsType[*ws.StatusError](err); !ok || refused.Status != http.StatusTeapot {
		t.Errorf("error %v", err)
	}
}

// http.TimeoutHandler keeps its connection: the answer says so.
func TestWhatCannotBeHijacked(t *testing.T) {
	var log logged
	s := kkecho.Handler(kkrpc.Object{}, &ws.Options{Logger: log.logger()})
	e := echo.New()
	e.GET("/rooms/:room", s.Serve)
	url := listen(t, s, http.TimeoutHandler(e, time.Minute, ""))
	_, err := ws.Dial(t.Context(), url+"a", nil)
	if refused, ok := errors.AsType[*ws.StatusError](err); !ok || refused.Status != http.StatusInternalServerError || !strings.Contains(refused.Text, "http.TimeoutHandler") {
		t.Errorf("error %v", err)
	}
	if !strings.Contains(log.String(), "timeoutWriter") {
		t.Errorf("log %q", log.String())
	}
}

func TestShutdown(t *testing.T) {
	s := kkecho.Handler(kkrpc.Object{}, nil)
	url := serve(t, s)
	ch := dial(t, url+"a", nil)
	shutDown(t, s)
	<-ch.Done()
	_, err := ws.Dial(t.Context(), url+"a", nil)
	if refused, ok := errors.AsType[*ws.StatusError](err); !ok || refused.Status != http.StatusServiceUnavailable {
		t.Errorf("error %v", err)
	}
}

// TestOnEnd gives back what the function of HandlerFor took when the connection ends, and not before.
func TestOnEnd(t *testing.T) {
	ended := make(chan struct{})
	s := kkecho.HandlerFor(func(c *echo.Context) (any, error) {
		ws.OnEnd(c.Request(), func() { close(ended) })
		return kkrpc.Object{"hello": func() string { return "hello" }}, nil
	}, nil)
	ch := dial(t, serve(t, s)+"a", nil)
	if got, err := kkrpc.Call[string](t.Context(), ch, "hello"); got != "hello" || err != nil {
		t.Error(got, err)
	}
	select {
	case <-ended:
		t.Error("the connection is open")
	default:
	}
	if open := s.Stats().Open; open != 1 || !s.Ready() {
		t.Errorf("%d connections, ready %v", open, s.Ready())
	}
	ch.Close()
	<-ended
}
