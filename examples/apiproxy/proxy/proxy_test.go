package proxy_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/kkrpc-go/kkrpc"
	"github.com/kkrpc-go/kkrpc/examples/apiproxy/proxy"
	"github.com/kkrpc-go/kkrpc/examples/apiproxy/upstream"
	"github.com/kkrpc-go/kkrpc/transport/ws"
)

// transport is an upstream in this process.
type transport func(r *http.Request) (*http.Response, error)

func (t transport) RoundTrip(r *http.Request) (*http.Response, error) { return t(r) }

// open returns an API in front of t, with the other options.
func open(tb testing.TB, t transport, opts proxy.Options) *proxy.API {
	tb.Helper()
	opts.Client = &http.Client{Transport: t}
	api, err := proxy.New("http://upstream.invalid/v1", &opts)
	if err != nil {
		tb.Fatal(err)
	}
	return api
}

// respond makes a response. header has lines as "Name: value".
func respond(r *http.Request, status int, body string, header ...string) *http.Response {
	response := &http.Response{StatusCode: status, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(body)), Request: r}
	for _, line := range header {
		name, value, _ := strings.Cut(line, ": ")
		response.Header.Add(name, value)
	}
	return response
}

func TestResources(t *testing.T) {
	api, err := proxy.New(upstream.URL, &proxy.Options{Client: upstream.Client()})
	if err != nil {
		t.Fatal(err)
	}
	ctx := t.Context()
	users, err := api.GetUsers(ctx)
	if err != nil || len(users) != 10 {
		t.Fatalf("%d users, %v", len(users), err)
	}
	user, err := api.GetUser(ctx, 3)
	if err != nil || user != users[2] || user.Name != "Chiara Conti" || user.Address.Geo.Lat != "22.7500" {
		t.Errorf("user 3 is %+v, %v", user, err)
	}
	post, err := api.GetPost(ctx, 5)
	if want := (proxy.Post{UserID: 2, ID: 5, Title: "Why the tests came first", Body: "Ben Okoro writes from Southport.\nThis is post 5."}); err != nil || post != want {
		t.Errorf("post 5 is %+v, %v", post, err)
	}
	for _, tt := range []struct {
		name  string
		query *proxy.PostQuery
		want  string
	}{
		{"no query", nil, "30 posts from 1"},
		{"an empty one", &proxy.PostQuery{}, "30 posts from 1"},
		{"those of a user", &proxy.PostQuery{UserID: 2}, "3 posts from 4"},
		{"a page", &proxy.PostQuery{Page: 2, Limit: 7}, "7 posts from 8"},
		{"a page of ten", &proxy.PostQuery{Page: 3}, "10 posts from 21"},
		{"both", &proxy.PostQuery{UserID: 2, Page: 2, Limit: 2}, "1 posts from 6"},
		{"behind the end", &proxy.PostQuery{Page: 9}, "0 posts from 0"},
	} {
		posts, err := api.GetPosts(ctx, tt.query)
		first := 0
		if len(posts) > 0 {
			first = posts[0].ID
		}
		if got := fmt.Sprintf("%d posts from %d", len(posts), first); err != nil || got != tt.want {
			t.Errorf("%s: %s, %v, want %s", tt.name, got, err, tt.want)
		}
	}
	_, err = api.GetUser(ctx, 11)
	failsWith(t, err, &proxy.NotFoundError{Path: "users/11"})
	_, err = api.GetPosts(ctx, &proxy.PostQuery{Limit: 101})
	failsWith(t, err, &proxy.QueryError{Field: "limit", Most: 100})
	_, err = api.GetPosts(ctx, &proxy.PostQuery{Page: -1})
	failsWith(t, err, &proxy.QueryError{Field: "page", Most: 1<<31 - 1})
}

// failsWith compares an error with the one that is wanted, but for the reason of an UnavailableError.
func failsWith(t *testing.T, err, want error) {
	t.Helper()
	if diff := cmp.Diff(want, err, cmpopts.IgnoreFields(proxy.UnavailableError{}, "Reason")); diff != "" {
		t.Errorf("the error (-want +got):\n%s", diff)
	}
}

// held is an upstream that holds each request until it is released. It runs in a bubble.
type held struct {
	mu       sync.Mutex
	contexts []context.Context // of all requests so far
	running  int
	release  chan struct{} // a value for each request
}

func (h *held) RoundTrip(r *http.Request) (*http.Response, error) {
	h.mu.Lock()
	h.contexts = append(h.contexts, r.Context())
	h.running++
	h.mu.Unlock()
	defer func() {
		h.mu.Lock()
		h.running--
		h.mu.Unlock()
	}()
	select {
	case <-h.release:
		return respond(r, 200, `{"id": 7}`), nil
	case <-r.Context().Done():
		return nil, r.Context().Err()
	}
}

// counts returns how many requests there were, and how many run.
func (h *held) counts() (all, running int) {
	synctest.Wait()
	h.mu.Lock()
	defer h.mu.Unlock()
	return len(h.contexts), h.running
}

func TestEqualCallsShareARequest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := &held{release: make(chan struct{})}
		api := open(t, h.RoundTrip, proxy.Options{})
		var callers sync.WaitGroup
		for range 10 {
			callers.Go(func() {
				if user, err := api.GetUser(t.Context(), 7); err != nil || user.ID != 7 {
					t.Errorf("user %d, %v", user.ID, err)
				}
			})
		}
		if all, _ := h.counts(); all != 1 {
			t.Errorf("%d requests for 10 equal calls", all)
		}
		close(h.release)
		callers.Wait()
	})
}

func TestCallersWhoLeave(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := &held{release: make(chan struct{})}
		api := open(t, h.RoundTrip, proxy.Options{})
		call := func() (leave context.CancelFunc, result <-chan error) {
			ctx, leave := context.WithCancel(t.Context())
			done := make(chan error, 1)
			go func() {
				_, err := api.GetUser(ctx, 7)
				done <- err
			}()
			return leave, done
		}
		leaveFirst, first := call()
		synctest.Wait() // the first one's context is that of the request
		leaveSecond, second := call()
		synctest.Wait()
		leaveFirst()
		if err := <-first; !errors.Is(err, context.Canceled) {
			t.Errorf("who left got %v", err)
		}
		if all, running := h.counts(); all != 1 || running != 1 {
			t.Errorf("%d of %d requests run after one of two callers has left, want 1 of 1", running, all)
		}
		leaveSecond()
		<-second
		if all, running := h.counts(); all != 1 || running != 0 {
			t.Errorf("%d of %d requests run after all have left, want 0 of 1", running, all)
		}
		_, third := call()
		synctest.Wait()
		h.release <- struct{}{}
		if err := <-third; err != nil {
			t.Errorf("a caller who came later got %v", err)
		}
	})
}

// TestLeavingReachesTheServer is that the last caller who leaves ends a request in a real server, before and after its headers.
func TestLeavingReachesTheServer(t *testing.T) {
	for _, begins := range []bool{false, true} {
		t.Run(fmt.Sprint("response begins ", begins), func(t *testing.T) {
			arrived, ended := make(chan struct{}), make(chan struct{})
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if begins {
					fmt.Fprint(w, `[{"id": 1}`)
					w.(http.Flusher).Flush()
				}
				close(arrived)
				<-r.Context().Done()
				close(ended)
			}))
			defer server.Close()
			api, err := proxy.New(server.URL, nil)
			if err != nil {
				t.Fatal(err)
			}
			ctx, leave := context.WithCancel(t.Context())
			go func() {
				<-arrived
				leave()
			}()
			if _, err := api.GetUsers(ctx); !errors.Is(err, context.Canceled) {
				t.Error(err)
			}
			<-ended
		})
	}
}

// TestCancelledCall is that a client in Go ends a request by the context of its call, and its connection stays.
func TestCancelledCall(t *testing.T) {
	arrived, ended := make(chan struct{}), make(chan struct{})
	api := open(t, func(r *http.Request) (*http.Response, error) {
		if strings.HasSuffix(r.URL.Path, "/users/1") {
			close(arrived)
			<-r.Context().Done()
			close(ended)
			return nil, r.Context().Err()
		}
		return respond(r, 200, `{"id": 2}`), nil
	}, proxy.Options{})
	handler := ws.Handler(api, nil)
	server := httptest.NewServer(handler)
	defer server.Close()
	defer handler.Close()
	ch, err := ws.Dial(t.Context(), "ws"+strings.TrimPrefix(server.URL, "http"), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer ch.Close()
	ctx, leave := context.WithCancel(t.Context())
	go func() {
		<-arrived
		leave()
	}()
	if _, err := kkrpc.Call[proxy.User](ctx, ch, "getUser", 1); !errors.Is(err, context.Canceled) {
		t.Errorf("the call that was cancelled: %v", err)
	}
	<-ended
	if user, err := kkrpc.Call[proxy.User](t.Context(), ch, "getUser", 2); err != nil || user.ID != 2 {
		t.Errorf("a call afterwards: %+v, %v", user, err)
	}
}

func TestConcurrency(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := &held{release: make(chan struct{})}
		api := open(t, h.RoundTrip, proxy.Options{Concurrency: 3})
		var callers sync.WaitGroup
		for id := range 10 {
			callers.Go(func() {
				if _, err := api.GetUser(t.Context(), id); err != nil {
					t.Error(err)
				}
			})
		}
		for done := range 10 {
			if all, running := h.counts(); running != min(3, 10-done) {
				t.Errorf("%d requests run after %d of %d", running, done, all)
			}
			h.release <- struct{}{}
		}
		callers.Wait()
	})
}

// stalled is a body that does not go on until the context of its request ends.
type stalled struct{ ctx context.Context }

func (s stalled) Read([]byte) (int, error) { <-s.ctx.Done(); return 0, s.ctx.Err() }

func (s stalled) Close() error { return nil }

func TestTimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := &held{release: make(chan struct{})}
		api := open(t, func(r *http.Request) (*http.Response, error) {
			if strings.HasSuffix(r.URL.Path, "/posts/1") {
				response := respond(r, 200, "")
				response.Body = stalled{r.Context()}
				return response, nil
			}
			return h.RoundTrip(r)
		}, proxy.Options{Timeout: 3 * time.Second, Concurrency: 1})
		before := time.Now()
		_, err := api.GetUser(t.Context(), 1)
		failsWith(t, err, &proxy.TimeoutError{Path: "users/1", After: 3 * time.Second})
		_, err = api.GetPost(t.Context(), 1)
		failsWith(t, err, &proxy.TimeoutError{Path: "posts/1", After: 3 * time.Second})
		if took := time.Since(before); took != 6*time.Second {
			t.Errorf("two requests timed out after %v", took)
		}

		go func() { _, _ = api.GetUser(t.Context(), 2) }()
		synctest.Wait() // it has its turn
		time.Sleep(time.Second)
		_, err = api.GetUser(t.Context(), 3) // gets one after two seconds
		failsWith(t, err, &proxy.TimeoutError{Path: "users/3", After: 3 * time.Second})
		if took := time.Since(before); took != 10*time.Second {
			t.Errorf("a request that waited for its turn timed out after %v", took-7*time.Second)
		}
	})
}

func TestFailures(t *testing.T) {
	refused := httptest.NewServer(nil)
	refused.Close()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/v1/users/1":
			w.WriteHeader(http.StatusInternalServerError)
		case "/v1/users/2":
			fmt.Fprint(w, "<html>")
		case "/v1/users/3":
			fmt.Fprint(w, `["text"]`)
		case "/v1/users/4":
			fmt.Fprintf(w, `{"name": %q}`, strings.Repeat("a", 1000))
		case "/v1/users/5":
			panic(http.ErrAbortHandler) // cuts the connection
		case "/v1/users/6":
			fmt.Fprint(w, `{`)
			w.(http.Flusher).Flush()
			panic(http.ErrAbortHandler)
		case "/v1/users/7":
			w.WriteHeader(http.StatusNotModified) // though nobody asked for it
		case "/v1/users/8":
			w.Header().Set("Content-Type", "application/json")
			fmt.Fprintf(w, `{"name": %q}`, strings.Repeat("a", 1000-len(`{"name": ""}`)))
		default:
			http.NotFound(w, r)
		}
	}))
	defer server.Close()
	api, err := proxy.New(server.URL+"/v1/", &proxy.Options{MaxBody: 1000})
	if err != nil {
		t.Fatal(err)
	}
	unreachable, err := proxy.New(refused.URL, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name string
		api  *proxy.API
		id   int
		want error
	}{
		{"status", api, 1, &proxy.UpstreamError{Path: "users/1", Status: 500}},
		{"no JSON", api, 2, &proxy.ResponseError{Path: "users/2", Reason: "it is not JSON"}},
		{"another type", api, 3, &proxy.ResponseError{Path: "users/3", Reason: "json: cannot unmarshal array into Go value of type proxy.User"}},
		{"too large", api, 4, &proxy.ResponseError{Path: "users/4", Reason: "it has more than 1000 bytes"}},
		{"cut", api, 5, &proxy.UnavailableError{Path: "users/5"}},
		{"cut in the body", api, 6, &proxy.UnavailableError{Path: "users/6"}},
		{"304 without a condition", api, 7, &proxy.UpstreamError{Path: "users/7", Status: 304}},
		{"as large as allowed", api, 8, nil},
		{"no such user", api, 9, &proxy.NotFoundError{Path: "users/9"}},
		{"refused", unreachable, 1, &proxy.UnavailableError{Path: "users/1"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := tt.api.GetUser(t.Context(), tt.id)
			failsWith(t, err, tt.want)
		})
	}
	_, err = api.GetUsers(t.Context())
	failsWith(t, err, &proxy.UpstreamError{Path: "users", Status: 404})
}

// TestReasonStaysHere is that a client does not learn the address behind this server.
func TestReasonStaysHere(t *testing.T) {
	err := &proxy.UnavailableError{Path: "users", Reason: errors.New("dial tcp 10.0.0.1:80: connection refused")}
	if rpc := err.RPCError(); strings.Contains(fmt.Sprint(rpc.Message, rpc.Fields, rpc.Cause), "10.0.0.1") || !strings.Contains(err.Error(), "10.0.0.1") {
		t.Errorf("clients get %v, the log %v", rpc, err)
	}
}

func TestNewRefuses(t *testing.T) {
	for _, tt := range []struct {
		url  string
		opts *proxy.Options
		want string
	}{
		{"localhost:80", nil, "want one such as"},
		{"ftp://localhost", nil, "want one such as"},
		{"http://", nil, "want one such as"},
		{"http://a b", nil, "invalid character"},
		{"http://localhost/?key=1", nil, "without a query"},
		{"http://ada:secret@localhost/#top", nil, "ada:xxxxx@localhost/#top"},
		{"http://localhost", &proxy.Options{Concurrency: -1}, "must not be negative"},
		{"http://localhost", &proxy.Options{Timeout: -1}, "must not be negative"},
	} {
		if _, err := proxy.New(tt.url, tt.opts); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s, %+v: %v, want %q in it", tt.url, tt.opts, err, tt.want)
		}
	}
}
