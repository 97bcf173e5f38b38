package kkgin_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gin-gonic/gin"
	"go.uber.org/goleak"

	"github.com/kkrpc-go/kkrpc"
	"github.com/kkrpc-go/kkrpc/adapter/kkgin"
	"github.com/kkrpc-go/kkrpc/transport/ws"
)

func TestMain(m *testing.M) {
	gin.SetMode(gin.ReleaseMode)
	goleak.VerifyTestMain(m)
}

// serve runs s at /rooms/:room behind middleware until the test ends, and returns where.
func serve(t *testing.T, s *kkgin.Server, middleware ...gin.HandlerFunc) string {
	t.Helper()
	router := gin.New()
	router.Use(middleware...)
	router.GET("/rooms/:room", s.Serve)
	return listen(t, s, router)
}

func listen(t *testing.T, s *kkgin.Server, h http.Handler) string {
	t.Helper()
	server := httptest.NewServer(h)
	t.Cleanup(server.Close)
	t.Cleanup(func() { shutDown(t, s) })
	return strings.Replace(server.URL, "http", "ws", 1) + "/rooms/"
}

func shutDown(t *testing.T, s *kkgin.Server) {
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
	url := serve(t, kkgin.Handler(kkrpc.Object{"hello": func() string { return "hello" }}, nil))
	call(t, dial(t, url+"a", nil), "hello", "hello")
}

// What is read when a connection opens stays right while gin uses its contexts again, and the copy can be read too.
func TestEachConnectionHasItsOwnValues(t *testing.T) {
	s := kkgin.HandlerFor(func(c *gin.Context) (any, error) {
		return kkrpc.Object{"who": func() string {
			return fmt.Sprint(c.Param("room"), " ", c.GetHeader("X-User"), " ", c.GetString("local"), " ", c.FullPath(), " ", c.Query("q"))
		}}, nil
	}, nil)
	url := serve(t, s, func(c *gin.Context) { c.Set("local", "local of "+c.Param("room")) })
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
		api    func(c *gin.Context) (any, error)
		opts   ws.Options
		around []gin.HandlerFunc
		header http.Header
		status int
		text   string // part of what the client sees
		log    string // part of what the log says
	}{
		{
			name:   "rejected",
			api:    func(*gin.Context) (any, error) { return nil, ws.Reject(http.StatusUnauthorized, "sign in first") },
			status: http.StatusUnauthorized, text: "sign in first",
		},
		{
			name:   "another error stays here",
			api:    func(*gin.Context) (any, error) { return nil, secret },
			status: http.StatusInternalServerError, text: "Internal Server Error", log: secret.Error(),
		},
		{
			name:   "what cannot be exposed",
			api:    func(*gin.Context) (any, error) { return kkrpc.Object{"x": make(chan<- int)}, nil },
			status: http.StatusInternalServerError, text: "Internal Server Error", log: "x",
		},
		{
			name: "an answer of its own",
			api: func(c *gin.Context) (any, error) {
				c.AbortWithStatusJSON(http.StatusForbidden, gin.H{"no": "way"})
				return kkrpc.Object{}, nil
			},
			status: http.StatusForbidden, text: `403 Forbidden: {"no":"way"}`,
		},
		{
			name: "an answer of its own without a body, and an error",
			api: func(c *gin.Context) (any, error) {
				c.AbortWithStatus(http.StatusGone)
				return nil, secret
			},
			status: http.StatusGone, text: "410 Gone",
		},
		{
			name:   "a status alone",
			api:    func(c *gin.Context) (any, error) { c.Status(http.StatusPaymentRequired); return kkrpc.Object{}, nil },
			status: http.StatusPaymentRequired, text: "402 Payment Required",
		},
		{
			name: "an answer of its own that middleware keeps until the end",
			api: func(c *gin.Context) (any, error) {
				c.AbortWithStatusJSON(http.StatusForbidden, gin.H{"no": "way"})
				return kkrpc.Object{}, nil
			},
			around: []gin.HandlerFunc{buffer},
			status: http.StatusForbidden, text: `403 Forbidden: {"no":"way"}`,
		},
		{
			name: "a panic after an answer of its own",
			api: func(c *gin.Context) (any, error) {
				c.AbortWithStatusJSON(http.StatusForbidden, gin.H{"no": "way"})
				panic(secret)
			},
			around: []gin.HandlerFunc{gin.RecoveryWithWriter(io.Discard)},
			status: http.StatusForbidden, text: `403 Forbidden: {"no":"way"}`,
		},
		{
			name:   "a panic",
			api:    func(*gin.Context) (any, error) { panic(secret) },
			around: []gin.HandlerFunc{gin.RecoveryWithWriter(io.Discard)},
			status: http.StatusInternalServerError, text: "500 Internal Server Error: Internal Server Error",
		},
		{
			name:   "another origin",
			api:    func(*gin.Context) (any, error) { t.Error("asked"); return nil, secret },
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
			url := serve(t, kkgin.HandlerFor(test.api, &test.opts), append([]gin.HandlerFunc{func(c *gin.Context) {
				defer close(seen)
				c.Next()
				status = c.Writer.Status()
			}}, test.around...)...)
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
	note := func(c *gin.Context) {
		defer close(seen)
		c.Next()
		fmt.Fprintf(&lines, "%d %v", c.Writer.Status(), c.Writer.Written())
	}
	late := make(chan *gin.Context, 1)
	s := kkgin.HandlerFor(func(c *gin.Context) (any, error) {
		late <- c
		c.SetCookie("session", "s1", 60, "/", "", false, true)
		return kkrpc.Object{"hello": func() string { return "hello" }}, nil
	}, nil)
	url := serve(t, s, note, gin.Recovery(), func(c *gin.Context) { c.Header("X-From", "middleware") })

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
	c := <-late
	c.Header("X-Late", "1") // goes nowhere
	if c.String(http.StatusOK, "late"); resp.Header.Get("X-Late") != "" || len(c.Errors) == 0 {
		t.Errorf("a kept context answers: %v", c.Errors)
	}
}

// buffered keeps an answer until its middleware is done, so that gin does not know of one before.
type buffered struct {
	gin.ResponseWriter
	body bytes.Buffer
}

func (b *buffered) Write(p []byte) (int, error)       { return b.body.Write(p) }
func (b *buffered) WriteString(s string) (int, error) { return b.body.WriteString(s) }
func (b *buffered) WriteHeaderNow()                   {}

func buffer(c *gin.Context) {
	w := c.Writer
	b := &buffered{ResponseWriter: w}
	c.Writer = b
	c.Next()
	if c.Writer = w; b.body.Len() > 0 {
		_, _ = w.Write(b.body.Bytes())
	}
}

// What the function of HandlerFor notes by c.Error is for the middleware that tells of errors.
func TestErrorsOfTheContext(t *testing.T) {
	seen := make(chan string, 1)
	s := kkgin.HandlerFor(func(c *gin.Context) (any, error) {
		_ = c.AbortWithError(http.StatusUnauthorized, errors.New("an old token"))
		return nil, nil
	}, nil)
	url := serve(t, s, func(c *gin.Context) {
		c.Next()
		seen <- c.Errors.String()
	})
	_, _ = ws.Dial(t.Context(), url+"a", nil)
	if got := <-seen; !strings.Contains(got, "an old token") {
		t.Errorf("middleware sees %q", got)
	}
}

// Middleware that refuses, and forgets to abort: the upgrade must not follow its answer on the same connection.
func TestMiddlewareThatAnswersAndGoesOn(t *testing.T) {
	for name, refuse := range map[string]gin.HandlerFunc{
		"with a body": func(c *gin.Context) { c.JSON(http.StatusUnauthorized, "no") },
		"without":     func(c *gin.Context) { c.Status(http.StatusUnauthorized); c.Writer.WriteHeaderNow() },
	} {
		t.Run(name, func(t *testing.T) {
			seen := make(chan string, 1)
			s := kkgin.Handler(kkrpc.Object{}, &ws.Options{OnOpen: func(*kkrpc.Channel, *http.Request) { t.Error("opened") }})
			url := serve(t, s, func(c *gin.Context) {
				c.Next()
				seen <- c.Errors.String()
			}, refuse)
			_, err := ws.Dial(t.Context(), url+"a", nil)
			if refused, ok := errors.AsType[*ws.StatusError](err); !ok || refused.Status != http.StatusUnauthorized || strings.Contains(refused.Text, "WebSocket") {
				t.Errorf("error %v", err)
			}
			if got := <-seen; !strings.Contains(got, "must abort") {
				t.Errorf("middleware sees %q", got)
			}
		})
	}
}

func TestMiddlewareThatRefuses(t *testing.T) {
	s := kkgin.HandlerFor(func(*gin.Context) (any, error) { t.Error("asked"); return nil, nil }, nil)
	url := serve(t, s, func(c *gin.Context) { c.AbortWithStatus(http.StatusTeapot) })
	_, err := ws.Dial(t.Context(), url+"a", nil)
	if refused, ok := errors.AsType[*ws.StatusError](err); !ok || refused.Status != http.StatusTeapot {
		t.Errorf("error %v", err)
	}
}

// http.TimeoutHandler keeps its connection: the answer says so, where gin's own Hijack would panic.
func TestWhatCannotBeHijacked(t *testing.T) {
	var log logged
	s := kkgin.Handler(kkrpc.Object{}, &ws.Options{Logger: log.logger()})
	router := gin.New()
	router.GET("/rooms/:room", s.Serve)
	url := listen(t, s, http.TimeoutHandler(router, time.Minute, ""))
	_, err := ws.Dial(t.Context(), url+"a", nil)
	if refused, ok := errors.AsType[*ws.StatusError](err); !ok || refused.Status != http.StatusInternalServerError || !strings.Contains(refused.Text, "http.TimeoutHandler") {
		t.Errorf("error %v", err)
	}
	if !strings.Contains(log.String(), "timeoutWriter") {
		t.Errorf("log %q", log.String())
	}
}

func TestShutdown(t *testing.T) {
	s := kkgin.Handler(kkrpc.Object{}, nil)
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
	s := kkgin.HandlerFor(func(c *gin.Context) (any, error) {
		ws.OnEnd(c.Request, func() { close(ended) })
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
