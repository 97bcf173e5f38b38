package kkhttp_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/big"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/kkrpc-go/kkrpc"
	"github.com/kkrpc-go/kkrpc/transport/kkhttp"
)

var dialects = []kkrpc.Dialect{kkrpc.Compact, kkrpc.CompactSuperJSON, kkrpc.Classic, kkrpc.ClassicSuperJSON}

func eachDialect(t *testing.T, run func(t *testing.T, d kkrpc.Dialect)) {
	for _, d := range dialects {
		t.Run(d.String(), func(t *testing.T) { run(t, d) })
	}
}

func TestClient(t *testing.T) {
	url := serve(t, kkhttp.Handler(kkrpc.Object{
		"echo":    func(v any) any { return v },
		"theme":   kkrpc.NewProperty("light"),
		"Counter": kkrpc.Constructor(func(start int) map[string]int { return map[string]int{"count": start} }),
		"fail": func() error {
			return &kkrpc.Error{Name: "CustomError", Message: "custom failure", Fields: map[string]any{"code": "E_CUSTOM"}, Cause: &kkrpc.Error{Message: "root"}}
		},
	}, nil))
	eachDialect(t, func(t *testing.T, d kkrpc.Dialect) {
		ctx := testContext(t)
		ch := newClient(t, url, &kkhttp.ClientOptions{RPC: kkrpc.Options{Dialect: d}})
		if got, err := kkrpc.Call[string](ctx, ch, "echo", "ä\n\u2028"); got != "ä\n\u2028" || err != nil {
			t.Errorf("call: %q, %v", got, err)
		}
		if got, err := kkrpc.Call[*big.Int](ctx, ch, "echo", big.NewInt(7)); d == kkrpc.CompactSuperJSON && (err != nil || got.Int64() != 7) {
			t.Errorf("bigint: %v, %v", got, err)
		}
		if err := kkrpc.Set(ctx, ch, "theme", "dark "+d.String()); err != nil {
			t.Errorf("set: %v", err)
		}
		if got, err := kkrpc.Get[string](ctx, ch, "theme"); got != "dark "+d.String() || err != nil {
			t.Errorf("get: %q, %v", got, err)
		}
		if got, err := kkrpc.Construct[map[string]int](ctx, ch, "Counter", 5); got["count"] != 5 || err != nil {
			t.Errorf("new: %v, %v", got, err)
		}
		err := ch.Call(ctx, nil, "fail")
		var e *kkrpc.Error
		if !errors.As(err, &e) || e.Name != "CustomError" || e.Message != "custom failure" || e.Fields["code"] != "E_CUSTOM" || e.Cause == nil {
			t.Errorf("error %v", err)
		}
		if err := ch.Call(ctx, nil, "none"); err == nil || errors.Is(err, kkrpc.ErrClosed) {
			t.Errorf("unknown function: %v", err)
		}
	})
}

// What HTTP cannot carry is refused before anything is sent, and nothing of it is kept.
func TestClientRefuses(t *testing.T) {
	var requests atomic.Int32
	url := serve(t, http.HandlerFunc(func(http.ResponseWriter, *http.Request) { requests.Add(1) }))
	eachDialect(t, func(t *testing.T, d kkrpc.Dialect) {
		ch := newClient(t, url, &kkhttp.ClientOptions{RPC: kkrpc.Options{Dialect: d, Limits: kkrpc.Limits{Callbacks: 1}}})
		for i := range 3 { // more functions than the channel may hold
			err := ch.Call(testContext(t), nil, "progress", 1, func(n int) { t.Error(n, i) })
			if !errors.Is(err, kkrpc.ErrUnsupported) || !strings.Contains(err.Error(), "HTTP, carries no functions") {
				t.Errorf("callback: %v", err)
			}
		}
		if d == kkrpc.Compact || d == kkrpc.CompactSuperJSON {
			for what, arg := range map[string]any{
				"no functions":         map[string]any{"f": map[string]any{"__kkrpc_next_arg__": "callback", "id": "c"}},
				"no streams":           []any{map[string]any{"__kkrpc_next_stream__": "async-iterable", "id": "s"}},
				"no remote references": map[string]any{"__kkrpc_ref__": true, "id": "r", "kind": "object"},
			} {
				call, set := ch.Call(testContext(t), nil, "x", arg), kkrpc.Set(testContext(t), ch, "x", arg)
				for _, err := range []error{call, set} {
					if !errors.Is(err, kkrpc.ErrUnsupported) || !strings.Contains(err.Error(), "HTTP, carries "+what) {
						t.Errorf("%s: %v", what, err)
					}
				}
			}
		}
	})
	if n := requests.Load(); n > 0 {
		t.Errorf("%d requests were sent", n)
	}
}

// An answer may be exactly as long as the limit, and a failure is told whatever the limit.
func TestClientFrameLimit(t *testing.T) {
	const limit = 150
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		id := strings.Split(strings.Split(string(body), `"id":"`)[1], `"`)[0]
		before, after := fmt.Sprintf(`{"t":"r","id":"%s","v":"`, id), `"}`
		if strings.Contains(string(body), `"type"`) {
			before, after = fmt.Sprintf(`{"id":"%s","type":"response","args":{"result":"`, id), `"}}`
		}
		if r.URL.Path == "/fail" {
			http.Error(w, strings.Repeat("x", 1000), 500)
			return
		}
		fmt.Fprint(w, before+strings.Repeat("x", limit-len(before)-len(after))+after)
	}))
	defer server.Close()
	for _, d := range []kkrpc.Dialect{kkrpc.Compact, kkrpc.Classic} {
		t.Run(d.String(), func(t *testing.T) {
			opts := &kkhttp.ClientOptions{RPC: kkrpc.Options{Dialect: d, Limits: kkrpc.Limits{Frame: limit}}}
			if got, err := kkrpc.Call[string](testContext(t), newClient(t, server.URL, opts), "x"); err != nil || got == "" {
				t.Errorf("%q, %v", got, err)
			}
			err := newClient(t, server.URL+"/fail", opts).Call(testContext(t), nil, "x")
			if e := (*kkhttp.StatusError)(nil); !errors.As(err, &e) {
				t.Errorf("%v", err)
			}
		})
	}
}

// An answer may be written over lines, which tell the messages of the classic generation apart.
func TestClientReadsAnswersOverLines(t *testing.T) {
	for d, answer := range map[kkrpc.Dialect]string{
		kkrpc.Compact: "{\n  \"t\": \"r\",\n  \"id\": \"%s\",\n  \"v\": \"a\\nb\"\n}\n",
		kkrpc.Classic: "{\n  \"id\": \"%s\",\n  \"args\": {\"result\": \"a\\nb\"},\r\n  \"type\": \"response\"\n}\n",
	} {
		t.Run(d.String(), func(t *testing.T) {
			url := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				body, _ := io.ReadAll(r.Body)
				fmt.Fprintf(w, answer, strings.Split(strings.Split(string(body), `"id":"`)[1], `"`)[0])
			}))
			ch := newClient(t, url, &kkhttp.ClientOptions{RPC: kkrpc.Options{Dialect: d}})
			if got, err := kkrpc.Call[string](testContext(t), ch, "x"); got != "a\nb" || err != nil {
				t.Errorf("%q, %v", got, err)
			}
		})
	}
}

// A panic in the user's code on a goroutine of the client does not end the process.
func TestClientHeaderPanics(t *testing.T) {
	url := serve(t, kkhttp.Handler(api, nil))
	n := 0
	compact := kkrpc.Options{Dialect: kkrpc.Compact}
	ch := newClient(t, url, &kkhttp.ClientOptions{RPC: compact, MaxRequests: 1, Header: func(context.Context) (http.Header, error) {
		if n++; n == 1 {
			panic("no luck")
		}
		return nil, nil
	}})
	if err := ch.Call(testContext(t), nil, "add", 1, 2); err == nil || !strings.Contains(err.Error(), "panic in ClientOptions.Header: no luck") {
		t.Errorf("%v", err)
	}
	if sum, err := kkrpc.Call[int](testContext(t), ch, "add", 1, 2); sum != 3 || err != nil {
		t.Errorf("the next call: %d, %v", sum, err)
	}
}

// A server cannot make a client keep headers without end.
func TestClientBoundsHeaders(t *testing.T) {
	url := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Location", strings.Repeat("x", 100<<10))
		w.WriteHeader(http.StatusFound)
	}))
	err := newClient(t, url, nil).Call(testContext(t), nil, "x")
	if e := (*kkhttp.StatusError)(nil); err == nil || errors.As(err, &e) || len(err.Error()) > 1000 {
		t.Errorf("%.1000v", err)
	}
}

// What a call returns for an answer that is none.
func TestClientErrors(t *testing.T) {
	answers := map[string]func(w http.ResponseWriter, id string){
		"/page":     func(w http.ResponseWriter, id string) { fmt.Fprint(w, "<html>"+strings.Repeat("long", 500)) },
		"/none":     func(w http.ResponseWriter, id string) { http.Error(w, "no such thing", 404) },
		"/longNone": func(w http.ResponseWriter, id string) { http.Error(w, strings.Repeat("no", 5000), 404) },
		"/moved":    func(w http.ResponseWriter, id string) { w.Header().Set("Location", "/page"); w.WriteHeader(307) },
		"/long": func(w http.ResponseWriter, id string) {
			fmt.Fprintf(w, `{"t":"r","id":"%s","v":"%s"}`, id, strings.Repeat("x", 5000))
		},
		"/other": func(w http.ResponseWriter, id string) { fmt.Fprint(w, `{"t":"r","id":"7000","v":1}`) },
		"/request": func(w http.ResponseWriter, id string) {
			fmt.Fprintf(w, `{"t":"q","id":"%s","op":"call","p":["x"]}`, id)
		},
		"/two": func(w http.ResponseWriter, id string) {
			fmt.Fprintf(w, `{"t":"r","id":"%s"}`+"\n"+`{"t":"r","id":"2"}`, id)
		},
		"/classic": func(w http.ResponseWriter, id string) {
			fmt.Fprintf(w, `{"id":"%s","args":{"result":1},"type":"response"}`, id)
		},
		"/half": func(w http.ResponseWriter, id string) { w.Header().Set("Content-Length", "100"); fmt.Fprint(w, "{") },
		"/deep": func(w http.ResponseWriter, id string) {
			fmt.Fprintf(w, `{"t":"r","id":"%s","v":%s%s}`, id, strings.Repeat("[", 100), strings.Repeat("]", 100))
		},
		"/stream": func(w http.ResponseWriter, id string) {
			fmt.Fprintf(w, `{"t":"r","id":"%s","v":{"__kkrpc_next_stream__":"async-iterable","id":"s"}}`, id)
		},
		"/ref": func(w http.ResponseWriter, id string) {
			fmt.Fprintf(w, `{"t":"r","id":"%s","v":[{"__kkrpc_ref__":true,"id":"r","kind":"function"}]}`, id)
		},
		"/errorRef": func(w http.ResponseWriter, id string) {
			fmt.Fprintf(w, `{"t":"r","id":"%s","e":{"n":"E","m":"m","x":{"__kkrpc_ref__":true,"id":"r","kind":"function"}}}`, id)
		},
		"/timeout": func(w http.ResponseWriter, id string) {
			w.WriteHeader(504)
			fmt.Fprintf(w, "\n"+`{"t":"r","id":"%s","e":{"n":"RPCTimeoutError","m":"late"}}`+"\n", id)
		},
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		_, id, _ := strings.Cut(string(body), `"id":"`)
		id, _, _ = strings.Cut(id, `"`)
		answers[r.URL.Path](w, id)
	}))
	defer server.Close()
	status := func(code int) func(error) bool {
		return func(err error) bool {
			var e *kkhttp.StatusError
			return errors.As(err, &e) && e.Code == code && len(e.Text) <= 300
		}
	}
	is := func(target error) func(error) bool { return func(err error) bool { return errors.Is(err, target) } }
	remote := func(err error) bool {
		var e *kkrpc.Error
		return errors.As(err, &e) && e.Name == "RPCTimeoutError" && e.Message == "late"
	}
	for _, row := range []struct {
		url  string
		is   func(error) bool
		want string
	}{
		{server.URL + "/page?token=secret", status(200), "200 OK with a body that is no response to the request: <html>long"},
		{server.URL + "/none?token=secret", status(404), "404 Not Found: no such thing"},
		{server.URL + "/longNone", status(404), "404 Not Found: nono"},
		{server.URL + "/moved", status(307), "307 Temporary Redirect to /page"},
		{server.URL + "/long", is(kkrpc.ErrLimit), "longer than 4000 bytes"},
		{server.URL + "/other", status(200), "no response to the request"},
		{server.URL + "/request", status(200), "no response to the request"},
		{server.URL + "/two", status(200), "no response to the request"},
		{server.URL + "/classic", status(200), "the server speaks classic-json and the client compact-json (Options.Dialect)"},
		{server.URL + "/half", is(io.ErrUnexpectedEOF), "broke off"},
		{server.URL + "/deep", is(kkrpc.ErrLimit), "nests too deep"},
		{server.URL + "/stream", is(kkrpc.ErrUnsupported), "HTTP, carries no streams"},
		{server.URL + "/ref", is(kkrpc.ErrUnsupported), "HTTP, carries no remote references"},
		{server.URL + "/errorRef", is(kkrpc.ErrUnsupported), "HTTP, carries no remote references"},
		{server.URL + "/timeout", remote, "RPCTimeoutError: late"},
		{"http://user:secret@127.0.0.1:1/rpc?token=secret", is(syscall.ECONNREFUSED), "POST http://127.0.0.1:1/rpc: "},
	} {
		t.Run(strings.TrimPrefix(row.url, server.URL), func(t *testing.T) {
			ch := newClient(t, row.url, &kkhttp.ClientOptions{RPC: kkrpc.Options{Dialect: kkrpc.Compact, Limits: kkrpc.Limits{Frame: 4000}}})
			for range 2 { // the channel lives on
				_, err := kkrpc.Call[any](testContext(t), ch, "math.add", 1, 2)
				if err == nil || !row.is(err) || !strings.Contains(err.Error(), row.want) || !strings.HasPrefix(err.Error(), "kkrpc: call math.add: ") {
					t.Errorf("%v", err)
				}
				if strings.Contains(fmt.Sprint(err), "secret") {
					t.Errorf("told: %v", err)
				}
			}
		})
	}
}

func TestNewClientErrors(t *testing.T) {
	for _, row := range []struct {
		url, want string
		opts      *kkhttp.ClientOptions
	}{
		{"localhost:3000/rpc", `"localhost"`, nil},
		{"ws://localhost/rpc", "http://", nil},
		{"http:///rpc", "no host", nil},
		{"http://a:secret@b:port/", "malformed URL", nil},
		{"http://localhost/", "cannot call its client", &kkhttp.ClientOptions{RPC: kkrpc.Options{Expose: kkrpc.Object{}}}},
	} {
		if _, err := kkhttp.NewClient(row.url, row.opts); err == nil || !strings.Contains(err.Error(), row.want) || strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: %v", row.url, err)
		}
	}
}

func TestClientSends(t *testing.T) {
	requests := make(chan *http.Request, 1)
	url := serve(t, kkhttp.HandlerFor(func(r *http.Request) (any, error) {
		requests <- r
		return api, nil
	}, nil))
	var header func() (http.Header, error)
	ch := newClient(t, strings.Replace(url, "http://", "http://user:pass@", 1)+"/p?q=1", &kkhttp.ClientOptions{
		RPC:    kkrpc.Options{Dialect: kkrpc.Compact},
		Header: func(ctx context.Context) (http.Header, error) { return header() },
		HTTP:   http.DefaultClient,
	})
	header = func() (http.Header, error) {
		return http.Header{"x-test": {"a", "b"}, "Host": {"other.example"}, "Content-Type": {"text/plain"}}, nil
	}
	if err := ch.Call(testContext(t), nil, "add", 1, 2); err != nil {
		t.Fatal(err)
	}
	r := <-requests
	if user, pass, ok := r.BasicAuth(); !ok || user != "user" || pass != "pass" {
		t.Errorf("basic authentication %q %q", user, pass)
	}
	if r.RequestURI != "/p?q=1" || r.Host != "other.example" || strings.Join(r.Header["X-Test"], ",") != "a,b" || r.Header.Get("Content-Type") != "application/json" {
		t.Errorf("%s at %s, %v", r.RequestURI, r.Host, r.Header)
	}
	broken := errors.New("no token")
	header = func() (http.Header, error) { return nil, broken }
	if err := ch.Call(testContext(t), nil, "add", 1, 2); !errors.Is(err, broken) {
		t.Errorf("Header failed, the call returned %v", err)
	}
}

// waiting is a server whose wait blocks until its caller hangs up, and tells.
func waiting(t *testing.T) (url string, started, ended chan struct{}) {
	started, ended = make(chan struct{}, 100), make(chan struct{}, 100)
	url = serve(t, kkhttp.Handler(kkrpc.Object{
		"wait": func(ctx context.Context) {
			started <- struct{}{}
			<-ctx.Done()
			ended <- struct{}{}
		},
		"quick": func() {},
	}, nil))
	return url, started, ended
}

// The end of a call, for whatever reason, ends the function on the other side.
func TestCallEnds(t *testing.T) {
	eachDialect(t, func(t *testing.T, d kkrpc.Dialect) {
		url, started, ended := waiting(t)
		opts := &kkhttp.ClientOptions{RPC: kkrpc.Options{Dialect: d}}

		ctx, cancel := context.WithCancel(testContext(t))
		go func() { <-started; cancel() }()
		if err := newClient(t, url, opts).Call(ctx, nil, "wait"); !errors.Is(err, context.Canceled) {
			t.Errorf("cancelled: %v", err)
		}
		<-ended

		ch := newClient(t, url, opts)
		go func() { <-started; ch.Close() }()
		if err := ch.Call(testContext(t), nil, "wait"); !errors.Is(err, kkrpc.ErrClosed) {
			t.Errorf("closed: %v", err)
		}
		<-ended

		opts.RPC.CallTimeout = 20 * time.Millisecond
		var e *kkrpc.Error
		if err := newClient(t, url, opts).Call(context.Background(), nil, "wait"); !errors.As(err, &e) || e.Name != "RPCTimeoutError" {
			t.Errorf("timeout: %v", err)
		}
		<-ended
	})
}

// A call that is given up while it waits for its turn is never sent, and others get their turn.
func TestMaxRequestsOfClient(t *testing.T) {
	url, started, ended := waiting(t)
	ch := newClient(t, url, &kkhttp.ClientOptions{MaxRequests: 1})
	first, cancel := context.WithCancel(testContext(t))
	var calls sync.WaitGroup
	calls.Go(func() { _ = ch.Call(first, nil, "wait") })
	<-started
	given, giveUp := context.WithTimeout(testContext(t), 10*time.Millisecond)
	defer giveUp()
	if err := ch.Call(given, nil, "wait"); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("second: %v", err)
	}
	calls.Go(func() {
		if err := ch.Call(testContext(t), nil, "quick"); err != nil {
			t.Errorf("third: %v", err)
		}
	})
	cancel()
	calls.Wait()
	<-ended
	if len(started) > 0 {
		t.Error("the call that was given up was made")
	}
}

func TestConcurrentCalls(t *testing.T) {
	const most = 4
	var now, peak atomic.Int32
	url := serve(t, kkhttp.Handler(kkrpc.Object{"twice": func(n int) int {
		defer now.Add(-1)
		for n := now.Add(1); ; {
			if p := peak.Load(); n <= p || peak.CompareAndSwap(p, n) {
				break
			}
		}
		return 2 * n
	}}, nil))
	ch := newClient(t, url, &kkhttp.ClientOptions{MaxRequests: most, RPC: kkrpc.Options{Limits: kkrpc.Limits{Outbound: 1000}}})
	var calls sync.WaitGroup
	for i := range 200 {
		calls.Go(func() {
			if got, err := kkrpc.Call[int](testContext(t), ch, "twice", i); got != 2*i || err != nil {
				t.Errorf("%d: %d, %v", i, got, err)
			}
		})
	}
	calls.Wait()
	if p := peak.Load(); p > most {
		t.Errorf("%d at a time", p)
	}
}

// Close does not wait for what waits to be posted, and a full queue ends with it.
func TestCloseWithQueue(t *testing.T) {
	url, started, _ := waiting(t)
	ch := newClient(t, url, &kkhttp.ClientOptions{MaxRequests: 1, RPC: kkrpc.Options{Limits: kkrpc.Limits{Outbound: 1 << 20}}})
	var calls sync.WaitGroup
	for range 20 {
		calls.Go(func() {
			if err := ch.Call(testContext(t), nil, "wait"); !errors.Is(err, kkrpc.ErrClosed) {
				t.Errorf("%v", err)
			}
		})
	}
	<-started
	begin := time.Now()
	ch.Close()
	calls.Wait()
	if d := time.Since(begin); d > 10*time.Second {
		t.Errorf("Close took %v", d)
	}
}

// stuck sends nothing, and looks at no context.
type stuck struct {
	sent    chan struct{}
	release chan struct{}
}

func (s stuck) RoundTrip(*http.Request) (*http.Response, error) {
	s.sent <- struct{}{}
	<-s.release
	return nil, errors.New("of the test")
}

// A call that is given up while it waits for its turn ends at once: it asks for no header, and MaxRequests holds.
func TestCallThatIsGivenUpBeforeItsTurn(t *testing.T) {
	s := stuck{make(chan struct{}, 2), make(chan struct{})}
	var asked atomic.Int32
	header := func(context.Context) (http.Header, error) { asked.Add(1); return nil, nil }
	ch := newClient(t, "http://example.com", &kkhttp.ClientOptions{MaxRequests: 1, Header: header, HTTP: &http.Client{Transport: s}})
	var first sync.WaitGroup
	first.Go(func() { _ = ch.Call(testContext(t), nil, "first") })
	<-s.sent
	given, giveUp := context.WithTimeout(testContext(t), 10*time.Millisecond)
	defer giveUp()
	ended := make(chan error, 1)
	go func() { ended <- ch.Call(given, nil, "second") }()
	select {
	case err := <-ended:
		if !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("second: %v", err)
		}
	case <-s.sent:
		t.Error("the call that was given up was sent")
	}
	if n := asked.Load(); n != 1 {
		t.Errorf("asked for %d headers", n)
	}
	close(s.release)
	first.Wait()
}
