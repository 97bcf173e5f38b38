package kkhttp_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/kkrpc-go/kkrpc"
	"github.com/kkrpc-go/kkrpc/transport/kkhttp"
	"github.com/kkrpc-go/kkrpc/transport/ws"
)

// raw is JSON that is sent as it stands.
type raw = json.RawMessage

var api = kkrpc.Object{
	"echo":    func(v any) any { return v },
	"add":     func(a, b float64) float64 { return a + b },
	"nothing": func() {},
	"theme":   kkrpc.NewProperty("light"),
	"fail": func() error {
		return &kkrpc.Error{Name: "CustomError", Message: "custom failure", Fields: map[string]any{"code": "E_CUSTOM"}}
	},
	"stream":   func() raw { return raw(`{"__kkrpc_next_stream__":"async-iterable","id":"s1"}`) },
	"ref":      func() raw { return raw(`[{"x":{"__kkrpc_ref__":true,"id":"r1","kind":"object"}}]`) },
	"escaped":  func() raw { return raw(`{"\u005f_kkrpc_ref__":true,"id":"r1","kind":"function"}`) },
	"streamed": func() raw { return raw(`{"__stream":true}`) },
	"noRef":    func() raw { return raw(`{"__kkrpc_ref__":"true","id":"r1","kind":"function","__stream":true}`) },
	"failWithRef": func() error {
		return &kkrpc.Error{Message: "m", Fields: map[string]any{"recover": raw(`{"__kkrpc_ref__":true,"id":"r1","kind":"function"}`)}}
	},
	"callBack": func(ctx context.Context) error {
		_, err := kkrpc.Call[string](ctx, kkrpc.FromContext(ctx), "confirm")
		if !errors.Is(err, kkrpc.ErrUnsupported) {
			return fmt.Errorf("not ErrUnsupported: %w", err)
		}
		return err
	},
	"channel": func(ctx context.Context) string {
		if kkrpc.FromContext(ctx) == nil {
			return "none"
		}
		return "one"
	},
	"panic":    func() { panic("secret") },
	"progress": func(f func(int)) { f(1) },
}

// What requests are answered with. Of bodies that are requests, the forms are those of kkrpc 2.1, 0.7 and 0.2.
func TestRequests(t *testing.T) {
	for _, row := range []struct{ name, body, want string }{
		{"call", `{"t":"q","id":"1","op":"call","p":["add"],"a":[{"__kkrpc_next_arg__":"value","v":1},{"__kkrpc_next_arg__":"value","v":2}]}`,
			`{"t":"r","id":"1","v":3}`},
		{"written over lines", "{\n \"t\": \"q\",\n \"id\": \"1\",\n \"op\": \"call\",\n \"p\": [\"add\"],\n \"a\": [1, 2]\n}", `{"t":"r","id":"1","v":3}`},
		{"undefined", `{"t":"q","id":"1","op":"call","p":["nothing"],"a":[]}`, `{"t":"r","id":"1"}`},
		{"get", `{"t":"q","id":"1","op":"get","p":["theme"]}`, `{"t":"r","id":"1","v":"light"}`},
		{"set", `{"t":"q","id":"1","op":"set","p":["theme"],"v":"light"}`, `{"t":"r","id":"1","v":true}`},
		{"error", `{"t":"q","id":"1","op":"call","p":["fail"],"a":[]}`, `{"t":"r","id":"1","e":{"n":"CustomError","m":"custom failure","code":"E_CUSTOM"}}`},
		{"SuperJSON", `{"json":{"t":"q","id":"1","op":"call","p":["echo"],"a":[{"__kkrpc_next_arg__":"value","v":"2024-02-29T12:34:56.789Z"}]},"meta":{"values":{"a.0.v":["Date"]},"v":1}}`,
			`{"json":{"t":"r","id":"1","v":"2024-02-29T12:34:56.789Z"},"meta":{"values":{"v":["Date"]},"v":1}}`},
		{"classic", `{"id":"1","method":"add","args":[1,2],"type":"request","version":"json"}` + "\n",
			`{"id":"1","method":"","args":{"result":3},"type":"response","version":"json"}` + "\n"},
		{"classic without newline", `{"id":"1","method":"add","args":[1,2],"type":"request","version":"json"}`,
			`{"id":"1","method":"","args":{"result":3},"type":"response","version":"json"}` + "\n"},
		{"classic SuperJSON of 0.7", `{"json":{"id":"1","method":"fail","args":[],"type":"request","callbackIds":null,"version":"superjson","transferSlots":null},"meta":{"values":{"callbackIds":["undefined"],"transferSlots":["undefined"]},"v":1}}` + "\n",
			`"error":{"name":"CustomError","message":"custom failure","code":"E_CUSTOM"}`},
		{"classic SuperJSON of 0.2", `{"json":{"id":"1","method":"fail","args":[],"type":"request","version":"superjson"}}` + "\n", `"error":"custom failure"`},
		{"panic", `{"t":"q","id":"1","op":"call","p":["panic"]}`, `{"t":"r","id":"1","e":{"n":"InternalError","m":"internal error"}}`},
		{"too deep", `{"t":"q","id":"1","op":"call","p":["echo"],"a":[` + strings.Repeat("[", 1<<20) + strings.Repeat("]", 1<<20) + `]}`, `"n":"RPCLimitError"`},
		{"there is no channel", `{"t":"q","id":"1","op":"call","p":["channel"]}`, `{"t":"r","id":"1","v":"none"}`},

		{"callback", `{"t":"q","id":"1","op":"call","p":["progress"],"a":[{"__kkrpc_next_arg__":"callback","id":"c"}]}`,
			`{"t":"r","id":"1","e":{"n":"Error","m":"a single request, as over HTTP, carries no functions, since the server could not call them; use a WebSocket"}}`},
		{"callback inside", `{"t":"q","id":"1","op":"call","p":["echo"],"a":[{"__kkrpc_next_arg__":"value","v":{"f":{"__kkrpc_next_arg__":"callback","id":"c"}}}]}`, "HTTP, carries no functions"},
		{"callback, escaped", `{"t":"q","id":"1","op":"set","p":["theme"],"v":{"\u005f_kkrpc_next_arg__":"callb\u0061ck"}}`, "HTTP, carries no functions"},
		{"classic callback", `{"id":"1","method":"progress","args":["__callback__c"],"type":"request","callbackIds":["c"],"version":"json"}` + "\n", `{"error":{"name":"Error","message":"a single request, as over HTTP, carries no functions`},
		{"callback of 0.2", `{"json":{"id":"1","method":"progress","args":["__callback__c"],"type":"request","callbackIds":["c"],"version":"superjson"}}`, `{"error":"a single request, as over HTTP, carries no functions`},
		{"callback under SuperJSON", `{"json":{"t":"q","id":"1","op":"call","p":["progress"],"a":[{"__kkrpc_next_arg__":"callback","id":"c"}]}}`, `{"json":{"t":"r","id":"1","e":{"n":"Error","m":"a single request, as over HTTP, carries no functions`},
		{"stream", `{"t":"q","id":"1","op":"call","p":["echo"],"a":[{"__kkrpc_next_arg__":"value","v":{"__kkrpc_next_stream__":"async-iterable","id":"s1"}}]}`, `"m":"a single request, as over HTTP, carries no streams`},
		{"reference", `{"t":"q","id":"1","op":"call","p":["echo"],"a":[{"__kkrpc_ref__":true,"id":"r","kind":"function"}]}`, `"m":"a single request, as over HTTP, carries no remote references`},
		{"reference in a property", `{"t":"q","id":"1","op":"set","p":["theme"],"v":{"__kkrpc_ref__":true,"id":"r","kind":"object"}}`, `"m":"a single request, as over HTTP, carries no remote references`},
		{"operation on a reference", `{"t":"q","id":"1","op":"ref","p":["r","apply"],"a":[]}`, `"m":"a single request, as over HTTP, carries no remote references`},
		{"looks like a reference", `{"t":"q","id":"1","op":"call","p":["echo"],"a":[{"__kkrpc_ref__":true,"id":1,"kind":"function"}]}`, `"v":{"__kkrpc_ref__":true`},
		{"metadata is not looked at", `{"t":"q","id":"1","op":"call","p":["add"],"a":[1,2],"meta":{"x":{"__kkrpc_ref__":true,"id":"r","kind":"function"}}}`, `"v":3`},
		{"result is a stream", `{"t":"q","id":"1","op":"call","p":["stream"]}`, `{"t":"r","id":"1","e":{"n":"Error","m":"a single request, as over HTTP, carries no streams`},
		{"result has a reference", `{"t":"q","id":"1","op":"call","p":["ref"]}`, `"e":{"n":"Error","m":"a single request, as over HTTP, carries no remote references`},
		{"result has a reference, escaped", `{"t":"q","id":"1","op":"call","p":["escaped"]}`, `"e":{"n":"Error","m":"a single request, as over HTTP, carries no remote references`},
		{"error has a reference", `{"t":"q","id":"1","op":"call","p":["failWithRef"]}`, `"e":{"n":"Error","m":"a single request, as over HTTP, carries no remote references`},
		{"result is a classic stream", `{"id":"1","method":"streamed","args":[],"type":"request","version":"json"}`, `{"error":{"name":"Error","message":"a single request, as over HTTP, carries no streams`},
		{"result is a classic stream of SuperJSON", `{"json":{"id":"1","method":"streamed","args":[],"type":"request","version":"superjson","transferSlots":null}}`, `{"error":{"name":"Error","message":"a single request, as over HTTP, carries no streams`},
		{"only in classic", `{"t":"q","id":"1","op":"call","p":["streamed"]}`, `"v":{"__stream":true}`},
		{"result looks like a reference", `{"t":"q","id":"1","op":"call","p":["noRef"]}`, `"v":{"__kkrpc_ref__":"true"`},
		{"the function calls its caller", `{"t":"q","id":"1","op":"call","p":["callBack"]}`, `over HTTP a server cannot call its client; use a WebSocket"}}`},
	} {
		t.Run(row.name, func(t *testing.T) {
			w := post(t, kkhttp.Handler(api, &kkhttp.Options{RPC: kkrpc.Options{OnError: func(error) {}}}), row.body)
			got, exact := w.Body.String(), json.Valid([]byte(row.want))
			if w.Code != 200 || exact && got != row.want || !strings.Contains(got, row.want) {
				t.Errorf("%d %s\nwant %s", w.Code, got, row.want)
			}
			if got := w.Header().Get("Content-Type"); got != "application/json" {
				t.Errorf("Content-Type %q", got)
			}
		})
	}
}

// What is not answered by kkrpc.
func TestRefusals(t *testing.T) {
	const call = `{"t":"q","id":"1","op":"call","p":["add"],"a":[1,2]}`
	for _, row := range []struct {
		name         string
		method, body string
		header       http.Header
		status       int
		text         string
	}{
		{name: "well", body: call, status: 200},
		{name: "any parameter", header: http.Header{"Content-Type": {"application/json; charset=utf-8"}}, body: call, status: 200},
		{name: "another JSON", header: http.Header{"Content-Type": {"application/vnd.x+json"}}, body: call, status: 200},
		{name: "GET", method: "GET", status: 405, text: "POST"},
		{name: "preflight without CORS", method: "OPTIONS", status: 405, text: "CORS"},
		{name: "text", header: http.Header{"Content-Type": {"text/plain"}}, body: call, status: 415, text: `"text/plain"`},
		{name: "form", header: http.Header{"Content-Type": {"application/x-www-form-urlencoded"}}, body: call, status: 415, text: "application/json"},
		{name: "no type", header: http.Header{"Content-Type": nil}, body: call, status: 415, text: "application/json"},
		{name: "hidden in a parameter", header: http.Header{"Content-Type": {"text/plain; x=application/json"}}, body: call, status: 415, text: "application/json"},
		{name: "compressed", header: http.Header{"Content-Encoding": {"gzip"}}, body: call, status: 415, text: `"gzip"`},
		{name: "compressed, said in a second header", header: http.Header{"Content-Encoding": {"identity", "gzip"}}, body: call, status: 415, text: `"identity, gzip"`},
		{name: "two types", header: http.Header{"Content-Type": {"application/json", "text/plain"}}, body: call, status: 415, text: `"application/json, text/plain"`},
		{name: "long type", header: http.Header{"Content-Type": {strings.Repeat("\x01", 1000)}}, body: call, status: 415, text: `\x01"…`},
		{name: "long encoding", header: http.Header{"Content-Encoding": {strings.Repeat("\x01", 1000)}}, body: call, status: 415, text: `\x01"…`},
		{name: "long origin", header: http.Header{"Origin": {strings.Repeat("\x01", 1000)}}, body: call, status: 403, text: `\x01"…`},
		{name: "not compressed", header: http.Header{"Content-Encoding": {"identity"}}, body: call, status: 200},
		{name: "own page", header: http.Header{"Origin": {"http://example.com"}}, body: call, status: 200},
		{name: "listed page", header: http.Header{"Origin": {"https://app.test"}}, body: call, status: 200},
		{name: "another page", header: http.Header{"Origin": {"https://evil.test"}}, body: call, status: 403, text: `"https://evil.test" may not call "example.com"`},
		{name: "file", header: http.Header{"Origin": {"null"}}, body: call, status: 403, text: `"null"`},
		{name: "empty", body: "", status: 400, text: "one kkrpc request"},
		{name: "no JSON", body: "not-json", status: 400, text: "one kkrpc request"},
		{name: "half", body: call[:20], status: 400, text: "one kkrpc request"},
		{name: "no message", body: `{"a":1}`, status: 400, text: "one kkrpc request"},
		{name: "no whole request", body: `{"t":"q","id":"bad"}`, status: 400, text: "not a kkrpc message"},
		{name: "array of requests", body: "[" + call + "," + call + "]", status: 400, text: "one kkrpc request"},
		{name: "two requests", body: call + "\n" + call, status: 400, text: "one kkrpc request"},
		{name: "two classic requests", body: strings.Repeat(`{"id":"1","method":"add","args":[1,2],"type":"request","version":"json"}`+"\n", 2), status: 400, text: "more than one"},
		{name: "response", body: `{"t":"r","id":"1","v":1}`, status: 400, text: "no request"},
		{name: "callback", body: `{"t":"cb","id":"1","a":[]}`, status: 400, text: "no request"},
		{name: "cancel", body: `{"t":"qc","id":"1"}`, status: 400, text: "no request"},
		{name: "end", body: "__DESTROY__", status: 400, text: "one kkrpc request"},
		{name: "as large as may be", body: call + strings.Repeat(" ", 500-len(call)), status: 200},
		{name: "too large", body: call + strings.Repeat(" ", 1000), status: 413, text: "at most 500 bytes (Limits.Frame)"},
		{name: "too large, length unknown", header: http.Header{"X-Unknown-Length": {"1"}}, body: call + strings.Repeat(" ", 1000), status: 413, text: "500 bytes"},
		{name: "invalid UTF-8", body: "{\"t\":\"q\",\"id\":\"\xff\",\"op\":\"call\",\"p\":[\"add\"]}", status: 400, text: "UTF-8"},
	} {
		t.Run(row.name, func(t *testing.T) {
			if row.method == "" {
				row.method = "POST"
			}
			r := httptest.NewRequest(row.method, "/rpc", strings.NewReader(row.body))
			if row.header.Get("X-Unknown-Length") != "" {
				r.ContentLength = -1
			}
			r.Header.Set("Content-Type", "application/json")
			for name, values := range row.header {
				r.Header[name] = values
			}
			w := httptest.NewRecorder()
			kkhttp.Handler(api, &kkhttp.Options{
				RPC:     kkrpc.Options{Limits: kkrpc.Limits{Frame: 500}},
				Origins: []string{"https://app.test"},
			}).ServeHTTP(w, r)
			if w.Code != row.status || !strings.Contains(w.Body.String(), row.text) {
				t.Errorf("%d %s, want %d %s", w.Code, w.Body, row.status, row.text)
			}
			if allow := w.Header().Get("Allow"); (allow == "POST") != (row.status == 405) {
				t.Errorf("Allow: %q", allow)
			}
		})
	}
}

// A page whose name was made to point to this server has an Origin that equals the Host: only the list helps.
func TestHostsAgainstRebinding(t *testing.T) {
	h := kkhttp.Handler(api, &kkhttp.Options{Hosts: []string{"localhost", "127.0.0.1"}})
	for _, row := range []struct {
		method, host string
		status       int
		text         string
	}{
		{"POST", "localhost:3000", 200, `"v":3`},
		{"POST", "127.0.0.1:3000", 200, `"v":3`},
		{"POST", "evil.example", 403, `"evil.example"`},
		{"OPTIONS", "evil.example", 403, "Hosts in kkhttp.Options"},
	} {
		t.Run(row.method+" "+row.host, func(t *testing.T) {
			r := httptest.NewRequest(row.method, "http://"+row.host+"/rpc", strings.NewReader(`{"t":"q","id":"1","op":"call","p":["add"],"a":[1,2]}`))
			r.Header.Set("Content-Type", "application/json")
			r.Header.Set("Origin", "http://"+row.host)
			w := httptest.NewRecorder()
			h.ServeHTTP(w, r)
			if w.Code != row.status || !strings.Contains(w.Body.String(), row.text) {
				t.Errorf("%d %s", w.Code, w.Body)
			}
		})
	}
}

// With a dialect of its own a handler takes no other.
func TestFixedDialect(t *testing.T) {
	h := kkhttp.Handler(api, &kkhttp.Options{RPC: kkrpc.Options{Dialect: kkrpc.Compact}})
	if w := post(t, h, `{"t":"q","id":"1","op":"get","p":["theme"]}`); w.Code != 200 {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	if w := post(t, h, `{"id":"1","method":"add","args":[1,2],"type":"request","version":"json"}`+"\n"); w.Code != 400 {
		t.Errorf("%d %s", w.Code, w.Body)
	}
}

func TestHandlerFor(t *testing.T) {
	for _, row := range []struct {
		name   string
		api    any
		err    error
		status int
		body   string
	}{
		{"rejected", nil, kkhttp.Reject(401, "sign in"), 401, "sign in\n"},
		{"rejected, wrapped", nil, fmt.Errorf("x: %w", kkhttp.Reject(401, "sign in")), 401, "sign in\n"},
		{"rejected as for a WebSocket", nil, ws.Reject(429, "slowly"), 429, "slowly\n"},
		{"rejected by a close code", nil, ws.Reject(4401, "sign in"), 403, "sign in\n"},
		{"no failure", nil, kkhttp.Reject(200, "no"), 403, "no\n"},
		{"broken", nil, errors.New("secret"), 500, "Internal Server Error\n"},
		{"cannot be exposed", 42, nil, 500, "Internal Server Error\n"},
		{"nothing", nil, nil, 200, `{"t":"r","id":"1","e":{`},
	} {
		t.Run(row.name, func(t *testing.T) {
			var log bytes.Buffer
			h := kkhttp.HandlerFor(func(*http.Request) (any, error) { return row.api, row.err }, &kkhttp.Options{Logger: slog.New(slog.NewTextHandler(&log, nil))})
			w := post(t, h, `{"t":"q","id":"1","op":"call","p":["x"]}`)
			if w.Code != row.status || !strings.HasPrefix(w.Body.String(), row.body) {
				t.Errorf("%d %s", w.Code, w.Body)
			}
			if (log.Len() > 0) != (row.status == 500) {
				t.Errorf("logged %s", &log)
			}
		})
	}
}

func TestMisusePanics(t *testing.T) {
	for name, misuse := range map[string]func(){
		"kkhttp: Handler":                         func() { kkhttp.Handler(42, nil) },
		`kkhttp: Options.Hosts: "localhost:3000"`: func() { kkhttp.Handler(nil, &kkhttp.Options{Hosts: []string{"localhost:3000"}}) },
		"kkhttp: Options.Origins":                 func() { kkhttp.Handler(nil, &kkhttp.Options{Origins: []string{"example.com"}}) },
	} {
		t.Run(name, func(t *testing.T) {
			defer func() {
				if p, _ := recover().(string); !strings.HasPrefix(p, name) {
					t.Errorf("panic %q", p)
				}
			}()
			misuse()
		})
	}
}

type key struct{}

// The context has the values of the request's, ends with it, and ServeHTTP waits for the function.
func TestContext(t *testing.T) {
	for _, body := range []string{
		`{"t":"q","id":"1","op":"call","p":["wait"]}`,
		`{"id":"1","method":"wait","args":[],"type":"request","version":"json"}`,
	} {
		ctx, cancel := context.WithCancel(context.WithValue(testContext(t), key{}, "value"))
		returned := false
		h := kkhttp.Handler(kkrpc.Object{"wait": func(ctx context.Context) {
			if ctx.Value(key{}) != "value" {
				t.Error("no value")
			}
			cancel()
			<-ctx.Done()
			returned = true
		}}, nil)
		r := httptest.NewRequest("POST", "/", strings.NewReader(body)).WithContext(ctx)
		r.Header.Set("Content-Type", "application/json")
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		if !returned || w.Body.Len() > 0 {
			t.Errorf("returned %v, answered %s", returned, w.Body)
		}
	}
}

// A request whose context has ended before it came runs nothing for ever.
func TestContextEndedBefore(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for range 100 {
		r := httptest.NewRequest("POST", "/", strings.NewReader(`{"t":"q","id":"1","op":"call","p":["add"],"a":[1,2]}`)).WithContext(ctx)
		r.Header.Set("Content-Type", "application/json")
		kkhttp.Handler(api, nil).ServeHTTP(httptest.NewRecorder(), r)
	}
}

func TestTimeout(t *testing.T) {
	for _, row := range []struct {
		name, body string
		status     int
		want       string
	}{
		{"compact", `{"t":"q","id":"1","op":"call","p":["wait"]}`, 504,
			`{"t":"r","id":"1","e":{"n":"RPCTimeoutError","m":"the request was not answered within 1ms"}}`},
		{"classic", `{"id":"1","method":"wait","args":[],"type":"request","version":"json"}`, 200, `"error":{"name":"RPCTimeoutError","message":"the request was not`},
	} {
		t.Run(row.name, func(t *testing.T) {
			h := kkhttp.Handler(kkrpc.Object{"wait": func(ctx context.Context) { <-ctx.Done() }}, &kkhttp.Options{Timeout: time.Millisecond})
			if w := post(t, h, row.body); w.Code != row.status || !strings.Contains(w.Body.String(), row.want) {
				t.Errorf("%d %s", w.Code, w.Body)
			}
		})
	}
}

// A function that does not heed its timeout does not hold up the caller's next call, which would go over the same
// connection.
func TestTimeoutFreesTheCaller(t *testing.T) {
	release, returned := make(chan struct{}), make(chan struct{})
	url := serve(t, kkhttp.Handler(kkrpc.Object{
		"stuck": func() { <-release; close(returned) },
		"add":   func(a, b int) int { return a + b },
	}, &kkhttp.Options{Timeout: 100 * time.Millisecond}))
	ch := newClient(t, url, nil)
	err := ch.Call(testContext(t), nil, "stuck")
	if e := (*kkrpc.Error)(nil); !errors.As(err, &e) || e.Name != "RPCTimeoutError" {
		t.Errorf("a function that takes too long: %v", err)
	}
	if sum, err := kkrpc.Call[int](testContext(t), ch, "add", 1, 2); sum != 3 || err != nil {
		t.Errorf("the next call: %d, %v", sum, err)
	}
	close(release)
	<-returned
}

// A caller that hangs up ends the context of the function.
func TestCallerHangsUp(t *testing.T) {
	started, ended := make(chan struct{}), make(chan struct{})
	url := serve(t, kkhttp.Handler(kkrpc.Object{"wait": func(ctx context.Context) {
		close(started)
		<-ctx.Done()
		close(ended)
	}}, &kkhttp.Options{Timeout: -1}))
	ctx, cancel := context.WithCancel(testContext(t))
	r, _ := http.NewRequestWithContext(ctx, "POST", url, strings.NewReader(`{"t":"q","id":"1","op":"call","p":["wait"]}`))
	r.Header.Set("Content-Type", "application/json")
	go func() {
		<-started
		cancel()
	}()
	if resp, err := http.DefaultClient.Do(r); err == nil {
		resp.Body.Close()
		t.Error("answered")
	}
	<-ended
}

func TestMaxRequests(t *testing.T) {
	entered, leave := make(chan struct{}), make(chan struct{})
	h := kkhttp.Handler(kkrpc.Object{"wait": func() { entered <- struct{}{}; <-leave }}, &kkhttp.Options{MaxRequests: 1})
	url := serve(t, h)
	ch := newClient(t, url, nil)
	first := make(chan error, 1)
	go func() { first <- ch.Call(testContext(t), nil, "wait") }()
	<-entered
	err := ch.Call(testContext(t), nil, "wait")
	var refused *kkhttp.StatusError
	if !errors.As(err, &refused) || refused.Code != 503 || !strings.Contains(refused.Text, "as many requests") {
		t.Errorf("second: %v", err)
	}
	close(leave)
	if err := <-first; err != nil {
		t.Errorf("first: %v", err)
	}
	go func() { <-entered }()
	if err := ch.Call(testContext(t), nil, "wait"); err != nil {
		t.Errorf("third: %v", err)
	}
}

// A body that trickles in is not waited for, and neither is what a refused request goes on sending.
func TestSlowBody(t *testing.T) {
	for _, row := range []struct{ name, contentType, status string }{
		{"read", "application/json", "408"},
		{"refused", "text/plain", "415"},
	} {
		t.Run(row.name, func(t *testing.T) {
			server := httptest.NewServer(kkhttp.Handler(api, &kkhttp.Options{BodyTimeout: 20 * time.Millisecond}))
			defer server.Close()
			conn, err := net.Dial("tcp", server.Listener.Addr().String())
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			fmt.Fprintf(conn, "POST / HTTP/1.1\r\nHost: x\r\nContent-Type: %s\r\nContent-Length: 100\r\n\r\n{", row.contentType)
			answer, err := io.ReadAll(conn) // ends, since the server closes the connection
			if err != nil || !strings.HasPrefix(string(answer), "HTTP/1.1 "+row.status) {
				t.Errorf("%v: %s", err, answer)
			}
		})
	}
}

// The deadlines of one request end neither a function that takes longer nor what comes over the same connection later.
func TestDeadlinesAreLifted(t *testing.T) {
	const within = 20 * time.Millisecond
	wait := func(ctx context.Context) error {
		timer := time.NewTimer(3 * within)
		defer timer.Stop()
		select {
		case <-timer.C:
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	mux := http.NewServeMux()
	mux.Handle("/rpc", kkhttp.Handler(kkrpc.Object{"wait": wait}, &kkhttp.Options{
		BodyTimeout: within, RPC: kkrpc.Options{Limits: kkrpc.Limits{Write: within}},
	}))
	mux.HandleFunc("/other", func(w http.ResponseWriter, r *http.Request) {
		if err := wait(r.Context()); err == nil {
			fmt.Fprint(w, "done")
		}
	})
	server := httptest.NewServer(mux)
	defer server.Close()
	conn, err := net.Dial("tcp", server.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	answers := bufio.NewReader(conn)
	const call = `{"t":"q","id":"1","op":"call","p":["wait"]}`
	for _, row := range []struct{ request, want string }{
		{fmt.Sprintf("POST /rpc HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s", len(call), call), `{"t":"r","id":"1"}`},
		{"GET /other HTTP/1.1\r\nHost: x\r\n\r\n", "done"},
	} {
		_, _ = io.WriteString(conn, row.request)
		resp, err := http.ReadResponse(answers, nil)
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(resp.Body)
		if string(body) != row.want || err != nil {
			t.Errorf("%s, %v", body, err)
		}
	}
}

// Nesting costs no stack.
func TestVeryDeepRequest(t *testing.T) {
	if testing.Short() {
		t.Skip("slow with the race detector")
	}
	const depth = 8 << 20 // would need more stack than Go gives
	h := kkhttp.Handler(api, &kkhttp.Options{RPC: kkrpc.Options{Limits: kkrpc.Limits{Frame: 64 << 20}}})
	w := post(t, h, `{"t":"q","id":"1","op":"call","p":["echo"],"a":["__kkrpc_",`+strings.Repeat(`[`, depth)+`"__kkrpc_"`+strings.Repeat(`]`, depth)+`]}`)
	if w.Code != 200 || !strings.Contains(w.Body.String(), "RPCLimitError") {
		t.Errorf("%d %.100s", w.Code, w.Body)
	}
}

// TestServerShutdown has http.Server.Shutdown wait for a request that runs.
func TestServerShutdown(t *testing.T) {
	began, release := make(chan struct{}), make(chan struct{})
	srv := httptest.NewServer(kkhttp.Handler(kkrpc.Object{"wait": func() int { close(began); <-release; return 7 }}, nil))
	defer srv.Close()
	c := newClient(t, srv.URL, nil)
	answered := make(chan error, 1)
	go func() {
		got, err := kkrpc.Call[int](testContext(t), c, "wait")
		if err == nil && got != 7 {
			err = fmt.Errorf("got %d", got)
		}
		answered <- err
	}()
	<-began
	ended := make(chan error, 1)
	go func() { ended <- srv.Config.Shutdown(testContext(t)) }()
	for {
		conn, err := net.Dial("tcp", srv.Listener.Addr().String())
		if err != nil {
			break // no further requests
		}
		conn.Close()
	}
	select {
	case err := <-ended:
		t.Errorf("Shutdown has not waited: %v", err)
	default:
	}
	close(release)
	if err := <-answered; err != nil {
		t.Error(err)
	}
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

// A client can cause an error with each request, and must not fill the log with them.
func TestErrorsDoNotFillTheLog(t *testing.T) {
	var log bytes.Buffer
	h := kkhttp.Handler(kkrpc.Object{"panic": func() { panic("secret") }}, &kkhttp.Options{Logger: slog.New(slog.NewTextHandler(&log, nil))})
	for range 300 {
		if w := post(t, h, `{"t":"q","id":"1","op":"call","p":["panic"]}`); w.Code != 200 {
			t.Fatal(w.Code)
		}
	}
	if n := strings.Count(log.String(), "panic in panic: secret"); n < 100 || n > 150 {
		t.Errorf("%d errors are in the log", n)
	}
}
