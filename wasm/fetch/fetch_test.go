package fetch

import (
	"bytes"
	"context"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/google/go-cmp/cmp"
)

// result is what Do returns.
type result struct {
	response *Response
	err      error
}

// begin calls Do and returns the id of the fetch that it starts.
func begin(ctx context.Context, c *client, h *fakeHost, r *Request) (id int32, results <-chan result) {
	out := make(chan result, 1)
	go func() {
		response, err := c.do(ctx, r)
		out <- result{response, err}
	}()
	return <-h.started, out
}

func TestRequest(t *testing.T) {
	const standard = "accept-encoding: gzip, br"
	for _, tt := range []struct {
		name    string
		request Request
		want    []string // method, URL, redirect, fields of the header
		body    string   // sent as a whole
	}{
		{"nothing said", Request{URL: "http://a"}, []string{"GET", "http://a", "follow", standard}, ""},
		{"fragment", Request{URL: "https://a/b?c=d#e"}, []string{"GET", "https://a/b?c=d", "follow", standard}, ""},
		{"user", Request{URL: "http://ada:s%40@a/"}, []string{"GET", "http://a/", "follow", "authorization: Basic YWRhOnNA", standard}, ""},
		{"user and Authorization", Request{URL: "http://ada@a/", Header: Header{"Authorization": {"mine"}}}, []string{"GET", "http://a/", "follow", "Authorization: mine", standard}, ""},
		{"header", Request{Method: "PUT", URL: "http://a", Header: Header{"X": {"1", ""}}}, []string{"PUT", "http://a", "follow", "X: 1", "X: ", standard}, ""},
		{"Accept-Encoding", Request{URL: "http://a", Header: Header{"Accept-encoding": {"zstd"}}}, []string{"GET", "http://a", "follow", "Accept-encoding: zstd"}, ""},
		{"manual", Request{URL: "http://a", Redirect: RedirectManual}, []string{"GET", "http://a", "manual", standard}, ""},
		{"error", Request{URL: "http://a", Redirect: RedirectError}, []string{"GET", "http://a", "manual", standard}, ""},
		{"strings.Reader", Request{Method: "POST", URL: "http://a", Body: strings.NewReader("text")}, []string{"POST", "http://a", "follow", standard}, "text"},
		{"bytes.Reader", Request{Method: "POST", URL: "http://a", Body: bytes.NewReader([]byte("text"))}, []string{"POST", "http://a", "follow", standard}, "text"},
		{"bytes.Buffer", Request{Method: "POST", URL: "http://a", Body: bytes.NewBufferString("text")}, []string{"POST", "http://a", "follow", standard}, "text"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c, h := newHost(t)
			id, results := begin(t.Context(), c, h, &tt.request)
			h.respond(id, "204", "No Content", "http://a", "", "")
			if r := <-results; r.err != nil || r.response.Status != 204 {
				t.Errorf("got %+v, %v", r.response, r.err)
			}
			got := h.requests[id][:3]
			for fields := h.requests[id][3:]; len(fields) > 0; fields = fields[2:] {
				got = append(got, fields[0]+": "+fields[1])
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Error(diff)
			}
			if h.bodies[id] != tt.body || (h.kinds[id] == bodyBytes) != (tt.body != "") {
				t.Errorf("the body is %q of kind %d, want %q", h.bodies[id], h.kinds[id], tt.body)
			}
		})
	}
}

// TestRefused is that a request which some runtime would not send fails, whatever secrets it has.
func TestRefused(t *testing.T) {
	for _, tt := range []struct {
		request Request
		want    string
	}{
		{Request{URL: "http://a/%SECRET"}, `fetch: GET: malformed URL: invalid URL escape "%SE"`},
		{Request{URL: "/a?SECRET"}, "fetch: GET: the URL does not begin with http:// or https:// and a host"},
		{Request{URL: "file:///SECRET"}, "fetch: GET: the URL does not begin with http:// or https:// and a host"},
		{Request{URL: "https:///a"}, "fetch: GET: the URL does not begin with http:// or https:// and a host"},
		{Request{Method: "GET\x00", URL: "http://a"}, `fetch: "GET\x00": the method is malformed: want one such as GET`},
		{Request{URL: "http://u:SECRET@a/b?SECRET#SECRET", Redirect: 7}, "fetch: GET http://a/b: Redirect is 7: want RedirectFollow, RedirectManual or RedirectError"},
		{Request{URL: "http://a", Header: Header{"Host": {"SECRET"}}}, "fetch: GET http://a: header Host: the runtime sets it, take it out of Request.Header"},
		{Request{URL: "http://a", Header: Header{"content-length": {"1"}}}, "fetch: GET http://a: header content-length: the runtime sets it, take it out of Request.Header"},
		{Request{URL: "http://a", Header: Header{"X": {"SECRET\r\nY: 1"}}}, "fetch: GET http://a: header X: its value has characters that are not printable ASCII"},
		{Request{URL: "http://a", Header: Header{"X": {"\x00"}}}, "fetch: GET http://a: header X: its value has characters that are not printable ASCII"},
		{Request{URL: "http://a", Header: Header{"X": {"é"}}}, "fetch: GET http://a: header X: its value has characters that are not printable ASCII"},
		{Request{URL: "http://a", Header: Header{"a b": {"1"}}}, `fetch: GET http://a: header name "a b": want letters, digits and dashes`},
	} {
		c, _ := newHost(t)
		body := &closer{Reader: strings.NewReader("x")}
		tt.request.Body = body
		_, err := c.do(t.Context(), &tt.request)
		if err == nil || err.Error() != tt.want {
			t.Errorf("got  %v\nwant %v", err, tt.want)
		}
		if body.closed != 1 {
			t.Errorf("%s: the body was closed %d times", tt.want, body.closed)
		}
	}
}

type closer struct {
	io.Reader
	closed int
}

func (c *closer) Close() error { c.closed++; return nil }

func TestNotInAServer(t *testing.T) {
	_, err := Get(t.Context(), "http://a")
	if err == nil || !strings.Contains(err.Error(), "build it with `kkrpc build hono`") {
		t.Error(err)
	}
}

func TestResponse(t *testing.T) {
	c, h := newHost(t)
	id, results := begin(t.Context(), c, h, &Request{URL: "http://a"})
	h.respond(id, "200", "OK", "http://b", "1", "1", "Content-Encoding", "GZIP", "content-length", "5", "set-cookie", "a=1", "set-cookie", "b=2")
	r := <-results
	if r.err != nil {
		t.Fatal(r.err)
	}
	got := *r.response
	got.Body = nil
	want := Response{Status: 200, StatusText: "OK", URL: "http://b", Redirected: true, Uncompressed: true, Header: Header{"set-cookie": {"a=1", "b=2"}}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	h.send(id, "some ")
	h.send(id, "text")
	p := make([]byte, 3)
	if n, err := r.response.Body.Read(p); err != nil || string(p[:n]) != "som" {
		t.Errorf("%q, %v", p[:n], err)
	}
	rest := make(chan string)
	go func() {
		b, err := io.ReadAll(r.response.Body)
		if err != nil {
			t.Error(err)
		}
		rest <- string(b)
	}()
	h.send(id, ", and more")
	h.send(id, "")
	if got := <-rest; got != "e text, and more" {
		t.Errorf("the rest is %q", got)
	}
	if r.response.Body.Close(); !h.hasEnded(id) {
		t.Error("the host was not told of the end")
	}
	if _, err := r.response.Body.Read(p); err != io.EOF {
		t.Errorf("after the end: %v", err)
	}
}

// TestOtherEncodings is that a body which not every runtime decodes keeps its header.
func TestOtherEncodings(t *testing.T) {
	for _, encoding := range []string{"zstd", "deflate", "gzip, br"} {
		c, h := newHost(t)
		id, results := begin(t.Context(), c, h, &Request{URL: "http://a"})
		h.respond(id, "200", "", "http://a", "", "1", "content-encoding", encoding, "content-length", "5")
		r := (<-results).response
		r.Body.Close()
		if r.Uncompressed || r.Header.Get("Content-Encoding") != encoding || r.Header.Get("Content-Length") != "5" {
			t.Errorf("%s: %+v", encoding, r)
		}
	}
}

func TestRedirectError(t *testing.T) {
	c, h := newHost(t)
	id, results := begin(t.Context(), c, h, &Request{URL: "http://a?SECRET", Redirect: RedirectError})
	h.respond(id, "307", "", "http://a", "", "1", "location", "/b?SECRET")
	if r := <-results; !errors.Is(r.err, ErrRedirect) || r.err.Error() != "fetch: GET http://a: status 307: the server redirects elsewhere" {
		t.Error(r.err)
	}
	if !h.hasEnded(id) {
		t.Error("the body of the redirect was not cancelled")
	}
}

// TestEnds is how a request fails before its response, and in its body.
func TestEnds(t *testing.T) {
	mine := errors.New("my reason")
	for _, tt := range []struct {
		name  string
		does  func(h *fakeHost, id int32, cancel context.CancelCauseFunc)
		want  string
		wraps []error
		told  bool // the host has to be told
	}{
		{"the host", func(h *fakeHost, id int32, _ context.CancelCauseFunc) {
			h.client.deliver(id, eventFailed, []byte("refused"))
		}, "refused", nil, false},
		{"the connection", func(h *fakeHost, id int32, _ context.CancelCauseFunc) { h.client.deliver(id, eventLeft, nil) }, "the connection has closed: " + ErrConnection.Error(), []error{ErrConnection}, false},
		{"cancel", func(_ *fakeHost, _ int32, cancel context.CancelCauseFunc) { cancel(nil) }, "context canceled", []error{context.Canceled}, true},
		{"cause", func(_ *fakeHost, _ int32, cancel context.CancelCauseFunc) { cancel(mine) }, "context canceled: my reason", []error{context.Canceled, mine}, true},
	} {
		check := func(t *testing.T, h *fakeHost, id int32, err error) {
			t.Helper()
			failed, ok := errors.AsType[*Error](err)
			if !ok || failed.Err.Error() != tt.want || failed.URL != "http://a/b" || failed.Method != "GET" {
				t.Errorf("got %#v, want %s", err, tt.want)
			}
			for _, target := range tt.wraps {
				if !errors.Is(err, target) {
					t.Errorf("%v does not wrap %v", err, target)
				}
			}
			if h.hasEnded(id) != tt.told {
				t.Errorf("the host was told: %v, want %v", !tt.told, tt.told)
			}
		}
		t.Run(tt.name+" before the response", func(t *testing.T) {
			c, h := newHost(t)
			ctx, cancel := context.WithCancelCause(t.Context())
			id, results := begin(ctx, c, h, &Request{URL: "http://a/b?c"})
			tt.does(h, id, cancel)
			check(t, h, id, (<-results).err)
		})
		t.Run(tt.name+" in the body", func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c, h := newHost(t)
				ctx, cancel := context.WithCancelCause(t.Context())
				id, results := begin(ctx, c, h, &Request{URL: "http://a/b?c"})
				h.respond(id, "200", "", "http://a/b?c", "", "1")
				body := (<-results).response.Body
				failed := make(chan error, 1)
				go func() {
					_, err := io.ReadAll(body)
					failed <- err
				}()
				synctest.Wait() // it waits for the host
				tt.does(h, id, cancel)
				check(t, h, id, <-failed)
				body.Close()
				_, err := body.Read(make([]byte, 1))
				check(t, h, id, err) // the first reason stays
			})
		})
	}
}

func TestEndsAtOnce(t *testing.T) {
	c, h := newHost(t)
	h.refuses = true
	if _, err := c.do(t.Context(), &Request{URL: "http://a"}); !errors.Is(err, ErrConnection) {
		t.Errorf("no connection: %v", err)
	}
	h.refuses = false
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := c.do(ctx, &Request{URL: "http://a"}); !errors.Is(err, context.Canceled) || len(h.requests) > 0 {
		t.Errorf("a ctx that has ended: %v, %d requests", err, len(h.requests))
	}
}

// TestClose ends a read that waits.
func TestClose(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, h := newHost(t)
		id, results := begin(t.Context(), c, h, &Request{URL: "http://a"})
		h.respond(id, "200", "", "http://a", "", "1")
		body := (<-results).response.Body
		failed := make(chan error, 1)
		go func() {
			_, err := body.Read(make([]byte, 1))
			failed <- err
		}()
		synctest.Wait()
		body.Close()
		if err := <-failed; !errors.Is(err, errClosed) || !h.hasEnded(id) {
			t.Error(err)
		}
	})
}

// TestUpload is that a body is read only when the host wants a part of it.
func TestUpload(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, h := newHost(t)
		pr, pw := io.Pipe()
		id, results := begin(t.Context(), c, h, &Request{Method: "POST", URL: "http://a", Body: pr})
		if h.kinds[id] != bodyStream {
			t.Fatalf("the body is of kind %d", h.kinds[id])
		}
		wrote := make(chan struct{})
		go func() {
			_, _ = io.WriteString(pw, "first")
			close(wrote)
		}()
		synctest.Wait()
		select {
		case <-wrote:
			t.Error("the body was read before the host wanted it")
		default:
		}
		c.deliver(id, eventWanted, nil)
		if got := <-h.written; got != "first" {
			t.Errorf("the host got %q", got)
		}
		c.deliver(id, eventWanted, nil)
		pw.Close()
		if got := <-h.written; got != "" {
			t.Errorf("the host got %q, want the end", got)
		}
		h.respond(id, "204", "", "http://a", "", "")
		if r := <-results; r.err != nil {
			t.Error(r.err)
		}
	})
}

func TestUploadFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, h := newHost(t)
		broken := errors.New("disk on fire")
		pr, pw := io.Pipe()
		id, results := begin(t.Context(), c, h, &Request{Method: "POST", URL: "http://a", Body: pr})
		pw.CloseWithError(broken)
		c.deliver(id, eventWanted, nil)
		if r := <-results; !errors.Is(r.err, broken) || r.err.Error() != "fetch: POST http://a: read the request body: disk on fire" {
			t.Error(r.err)
		}
		if !h.hasEnded(id) || len(h.written) > 0 {
			t.Errorf("the host was told: %v, %d parts", h.hasEnded(id), len(h.written))
		}
	})
}

// TestUploadOfEndedRequest closes a body that nobody will read.
func TestUploadOfEndedRequest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, h := newHost(t)
		pr, pw := io.Pipe()
		id, results := begin(t.Context(), c, h, &Request{Method: "POST", URL: "http://a", Body: pr})
		c.deliver(id, eventFailed, []byte("refused"))
		if r := <-results; r.err == nil {
			t.Error("no error")
		}
		if _, err := io.WriteString(pw, "x"); !errors.Is(err, io.ErrClosedPipe) {
			t.Errorf("a write to the body: %v", err)
		}
	})
}

func TestUploadOfNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, h := newHost(t)
		id, results := begin(t.Context(), c, h, &Request{Method: "POST", URL: "http://a", Body: idleReader{}})
		c.deliver(id, eventWanted, nil)
		if r := <-results; !errors.Is(r.err, io.ErrNoProgress) {
			t.Error(r.err)
		}
	})
}

type idleReader struct{}

func (idleReader) Read([]byte) (int, error) { return 0, nil }

// TestLateEvents come of fetches that have ended.
func TestLateEvents(t *testing.T) {
	c, _ := newHost(t)
	for event := int32(0); event < 7; event++ {
		c.deliver(7, event, []byte("x"))
	}
}

func TestHeader(t *testing.T) {
	h := Header{"Content-TYPE": {"a"}, "x": {"1"}}
	h.Add("X", "2")
	h.Set("content-type", "b")
	h.Add("new", "n")
	if got := h.Get("Content-Type"); got != "b" {
		t.Errorf("Content-Type is %q", got)
	}
	h.Del("NEW")
	if diff := cmp.Diff(Header{"content-type": {"b"}, "x": {"1", "2"}}, h); diff != "" {
		t.Error(diff)
	}
	if got := Header(nil).Get("x"); got != "" {
		t.Errorf("a nil header has %q", got)
	}
	values := make([]string, 1, 2)
	shared := Header{"x": values}
	shared.Add("x", "2")
	if got := values[:2][1]; got != "" {
		t.Errorf("Add wrote %q into the caller's slice", got)
	}
}
