package interop_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/kkrpc-go/kkrpc"
	"github.com/kkrpc-go/kkrpc/interop/js"
)

// fetched is what wasmfetch tells of a response.
type fetched struct {
	Status       int                 `json:"status"`
	StatusText   string              `json:"statusText"`
	URL          string              `json:"url"`
	Redirected   bool                `json:"redirected"`
	Uncompressed bool                `json:"uncompressed"`
	Header       map[string][]string `json:"header"`
	Body         string              `json:"body"`
}

// large is more than any buffer on the way takes, in bytes.
const large = 64 << 20

// site is a server for fetches, and what it has seen.
type site struct {
	*httptest.Server
	arrived chan struct{} // a request that waits has come
	gone    chan struct{} // it has ended
	stalled chan int      // what /large could send when nothing was read
	uploads chan error    // how the uploads have ended
	loops   atomic.Int32  // requests for /loop
	read    chan struct{} // lets /unread read, and /held go on
}

func newSite(t *testing.T) *site {
	t.Helper()
	s := &site{
		arrived: make(chan struct{}, 10), gone: make(chan struct{}, 10), stalled: make(chan int, 10), uploads: make(chan error, 10), read: make(chan struct{}),
	}
	mux := http.NewServeMux()
	mux.HandleFunc("/hello", func(w http.ResponseWriter, r *http.Request) {
		w.Header()["X-Multi"] = []string{"1", "2"}
		w.Header()["Set-Cookie"] = []string{"a=1", "b=2, c"}
		fmt.Fprintf(w, "%s %s %s %s", r.Method, r.URL.RawQuery, r.Header.Get("X-Token"), r.Header.Get("Accept-Encoding"))
	})
	mux.HandleFunc("/user", func(w http.ResponseWriter, r *http.Request) {
		name, password, _ := r.BasicAuth()
		fmt.Fprint(w, name, " ", password)
	})
	mux.HandleFunc("/echo", func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		fmt.Fprintf(w, "%s %d %s", r.Method, r.ContentLength, body)
	})
	mux.HandleFunc("/count", func(w http.ResponseWriter, r *http.Request) {
		n, err := io.Copy(io.Discard, r.Body)
		s.uploads <- err
		fmt.Fprintf(w, "%d %d", r.ContentLength, n)
	})
	mux.HandleFunc("/unread", func(w http.ResponseWriter, r *http.Request) {
		<-s.read
		n, _ := io.Copy(io.Discard, r.Body)
		fmt.Fprint(w, n)
	})
	mux.HandleFunc("/talk", func(w http.ResponseWriter, r *http.Request) {
		control := http.NewResponseController(w)
		_ = control.EnableFullDuplex()
		_ = control.Flush()
		p := make([]byte, 100)
		for {
			n, err := r.Body.Read(p)
			_, _ = w.Write(p[:n])
			_ = control.Flush()
			if err != nil {
				return
			}
		}
	})
	mux.HandleFunc("/empty/{status}", func(w http.ResponseWriter, r *http.Request) {
		var status int
		fmt.Sscan(r.PathValue("status"), &status)
		w.WriteHeader(status)
	})
	mux.HandleFunc("/gzip", func(w http.ResponseWriter, r *http.Request) {
		var b bytes.Buffer
		z := gzip.NewWriter(&b)
		_, _ = io.WriteString(z, strings.Repeat("unzipped ", 1000))
		z.Close()
		w.Header().Set("Content-Encoding", "gzip")
		w.Header().Set("Content-Length", fmt.Sprint(b.Len()))
		_, _ = w.Write(b.Bytes())
	})
	mux.HandleFunc("/from", func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/hello?to", http.StatusFound) })
	mux.HandleFunc("/elsewhere", func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, r.URL.RawQuery, http.StatusFound) })
	mux.HandleFunc("/loop", func(w http.ResponseWriter, r *http.Request) {
		s.loops.Add(1)
		http.Redirect(w, r, "/loop?SECRET", http.StatusFound)
	})
	mux.HandleFunc("/keep", func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, "/echo", http.StatusTemporaryRedirect)
	})
	mux.HandleFunc("/large", func(w http.ResponseWriter, r *http.Request) {
		part := bytes.Repeat([]byte("a"), 64<<10)
		sent := 0
		for sent < large {
			before := sent
			stall := time.AfterFunc(time.Second, func() { s.stalled <- before })
			_, err := w.Write(part)
			if stall.Stop(); err != nil {
				s.gone <- struct{}{}
				return
			}
			sent += len(part)
		}
	})
	mux.HandleFunc("/wait", func(w http.ResponseWriter, r *http.Request) {
		s.arrived <- struct{}{}
		<-r.Context().Done()
		s.gone <- struct{}{}
	})
	mux.HandleFunc("/waitbody", func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, "begun")
		w.(http.Flusher).Flush()
		s.arrived <- struct{}{}
		<-r.Context().Done()
		s.gone <- struct{}{}
	})
	mux.HandleFunc("/held", func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, "begun")
		w.(http.Flusher).Flush()
		s.arrived <- struct{}{}
		<-s.read
		_, _ = io.WriteString(w, " and ended")
	})
	mux.HandleFunc("/late", func(w http.ResponseWriter, r *http.Request) { // its body ends later than requests may take
		_, _ = io.WriteString(w, "begun")
		w.(http.Flusher).Flush()
		<-time.After(time.Second)
		_, _ = io.WriteString(w, ", ended")
	})
	mux.HandleFunc("/cut", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Length", "1000")
		_, _ = io.WriteString(w, "begun")
		w.(http.Flusher).Flush()
		panic(http.ErrAbortHandler)
	})
	s.Server = httptest.NewServer(mux)
	t.Cleanup(s.Close)
	return s
}

// await fails the test if nothing comes within ten seconds.
func await[T any](t *testing.T, what string, c <-chan T) (value T) {
	t.Helper()
	select {
	case value = <-c:
	case <-time.After(10 * time.Second):
		t.Errorf("%s: nothing within ten seconds", what)
	}
	return value
}

// serveFetching starts wasmfetch in Hono. It may connect to this machine.
func serveFetching(t *testing.T, h host) server {
	t.Helper()
	return serveFolder(t, h, build(t, h, "wasmfetch", ""))
}

// serveFolder starts the server of a folder that build has made. It may connect to this machine.
func serveFolder(t *testing.T, h host, dir string) server {
	t.Helper()
	if h.runtime() != js.Workerd {
		return serveScript(t, js.Runtime(h), filepath.Join(dir, "server.mjs"))
	}
	w := js.Worker{Script: filepath.Join(dir, "server.mjs"), Wasm: []string{"api.wasm"}, Date: "2026-10-01", Local: true}
	if h == "workers" {
		w.Object = "Rpc"
	}
	addr, out := w.Start(t)
	return server{url: "ws://" + addr + "/ws", out: out}
}

// fetches calls a function that returns a response.
func fetches(t *testing.T, ch *kkrpc.Channel, function string, args ...any) (*fetched, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	return kkrpc.Call[*fetched](ctx, ch, function, args...)
}

func calls[T any](t *testing.T, ch *kkrpc.Channel, function string, args ...any) T {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	value, err := kkrpc.Call[T](ctx, ch, function, args...)
	if err != nil {
		t.Errorf("%s: %v", function, err)
	}
	return value
}

// failsBy wants an error with these texts, and without the secrets of the URL.
func failsBy(t *testing.T, what string, got *fetched, err error, texts ...string) {
	t.Helper()
	if err == nil {
		t.Errorf("%s: %+v, want an error", what, got)
		return
	}
	for _, text := range texts {
		if !strings.Contains(err.Error(), text) {
			t.Errorf("%s: %v, want %q in it", what, err, text)
		}
	}
	if strings.Contains(err.Error(), "SECRET") {
		t.Errorf("%s: %v has a secret of the URL", what, err)
	}
}

// TestFetchInHono has Go send requests by the fetch of each runtime.
func TestFetchInHono(t *testing.T) {
	eachHost(t, func(t *testing.T, h host) {
		s := newSite(t)
		ch := dial(t, serveFetching(t, h).url, kkrpc.Options{})
		get := func(path string, redirect int) (*fetched, error) { return fetches(t, ch, "get", s.URL+path, redirect) }
		const follow, manual, refuse = 0, 1, 2

		t.Run("get", func(t *testing.T) {
			got, err := fetches(t, ch, "send", "", s.URL+"/hello?a=b#top", map[string][]string{"X-Token": {"mine"}}, "")
			if err != nil {
				t.Fatal(err)
			}
			if got.Status != 200 || got.StatusText != "OK" || got.Body != "GET a=b mine gzip, br" || got.URL != s.URL+"/hello?a=b" || got.Redirected {
				t.Errorf("got %+v", got)
			}
			if cookies := got.Header["set-cookie"]; len(cookies) != 2 || cookies[1] != "b=2, c" || strings.Join(got.Header["x-multi"], ", ") != "1, 2" {
				t.Errorf("the header is %q", got.Header)
			}
		})
		t.Run("user", func(t *testing.T) {
			if got, err := fetches(t, ch, "get", strings.Replace(s.URL, "//", "//ada:p%40ss@", 1)+"/user", follow); err != nil || got.Body != "ada p@ss" {
				t.Errorf("got %+v, %v", got, err)
			}
		})
		t.Run("post", func(t *testing.T) {
			if got, err := fetches(t, ch, "send", "POST", s.URL+"/echo", nil, "some text"); err != nil || got.Body != "POST 9 some text" {
				t.Errorf("got %+v, %v", got, err)
			}
		})
		t.Run("no body", func(t *testing.T) {
			for _, status := range []int{204, 304} {
				if got, err := get(fmt.Sprint("/empty/", status), follow); err != nil || got.Status != status || got.Body != "" {
					t.Errorf("got %+v, %v", got, err)
				}
			}
			if got, err := fetches(t, ch, "send", "HEAD", s.URL+"/gzip", nil, ""); err != nil || got.Body != "" || got.Header["content-encoding"][0] != "gzip" {
				t.Errorf("got %+v, %v", got, err)
			}
		})
		t.Run("gzip", func(t *testing.T) {
			got, err := get("/gzip", follow)
			if err != nil || got.Body != strings.Repeat("unzipped ", 1000) || !got.Uncompressed || got.Header["content-encoding"] != nil || got.Header["content-length"] != nil {
				t.Errorf("got %+v, %v", got, err)
			}
		})
		t.Run("redirects", func(t *testing.T) {
			if got, err := get("/from", follow); err != nil || got.Status != 200 || !got.Redirected || got.URL != s.URL+"/hello?to" {
				t.Errorf("followed: %+v, %v", got, err)
			}
			if got, err := get("/from", manual); err != nil || got.Status != 302 || got.Header["location"][0] != "/hello?to" || got.Redirected || got.URL != s.URL+"/from" {
				t.Errorf("manual: %+v, %v", got, err)
			}
			got, err := get("/from?SECRET", refuse)
			failsBy(t, "refused", got, err, "ErrRedirect", "GET "+s.URL+"/from: status 302")
			if got, err := fetches(t, ch, "send", "PUT", s.URL+"/keep", nil, "kept"); err != nil || got.Body != "PUT 4 kept" {
				t.Errorf("with a body: %+v, %v", got, err)
			}
		})
		t.Run("redirect to another origin", func(t *testing.T) {
			other := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				fmt.Fprintf(w, "%q %q %q", r.Header.Get("Authorization"), r.Header.Get("Cookie"), r.Header.Get("X-Token"))
			}))
			defer other.Close()
			want := `"" "" "mine"`
			if h.runtime() == js.Workerd {
				want = `"" "a=b" "mine"`
			}
			header := map[string][]string{"Authorization": {"Bearer x"}, "Cookie": {"a=b"}, "X-Token": {"mine"}}
			if got, err := fetches(t, ch, "send", "", s.URL+"/elsewhere?"+other.URL, header, ""); err != nil || got.Body != want {
				t.Errorf("the other server got %+v, %v, want %s", got, err, want)
			}
		})
		t.Run("redirects without an end", func(t *testing.T) {
			got, err := get("/loop?SECRET", follow)
			if failsBy(t, "a loop", got, err, "GET "+s.URL+"/loop: "); err == nil {
				return
			}
			want := int32(21)
			if h == "bun" {
				want = 127
			}
			if n := s.loops.Load(); n > want { // as the documentation says
				t.Errorf("%d requests were sent, want up to %d", n, want)
			}
			if len(err.Error()) > 1000 {
				t.Errorf("the error has %d bytes", len(err.Error()))
			}
		})
		t.Run("errors", func(t *testing.T) {
			closed, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			closed.Close()
			target := "http://" + closed.Addr().String()
			got, err := fetches(t, ch, "get", strings.Replace(target, "//", "//SECRET:SECRET@", 1)+"/x?token=SECRET#SECRET", follow)
			failsBy(t, "refused", got, err, "fetch: GET "+target+"/x: ")
			t.Logf("connection refused: %v", err)
			got, err = get("/cut?token=SECRET", follow)
			failsBy(t, "cut", got, err, " bytes: fetch: GET "+s.URL+"/cut: ")
			t.Logf("connection cut: %v", err)
			got, err = fetches(t, ch, "get", "http://nowhere.invalid/?token=SECRET", follow)
			failsBy(t, "no host", got, err, "fetch: GET http://nowhere.invalid/: ")
			t.Logf("no such host: %v", err)
			got, err = fetches(t, ch, "get", "file:///etc/SECRET", follow)
			failsBy(t, "a file", got, err, "does not begin with http://")
			got, err = fetches(t, ch, "send", "GET", s.URL+"/hello?SECRET", map[string][]string{"Host": {"SECRET"}}, "")
			failsBy(t, "host", got, err, "GET "+s.URL+"/hello: header Host: the runtime sets it")
		})
		t.Run("large", func(t *testing.T) {
			before := calls[map[string]uint64](t, ch, "memory")
			if first := calls[string](t, ch, "open", s.URL+"/large"); !strings.HasPrefix(first, "aaa") {
				t.Fatalf("the body begins with %q", first)
			}
			sent := await(t, "a server that cannot send more", s.stalled)
			t.Logf("the server could send %d KiB of which 100 bytes were read", sent>>10)
			if sent > large/2 {
				t.Errorf("the server could send %d bytes that were not read", sent)
			}
			if rest := calls[int](t, ch, "readOn"); rest != large-100 {
				t.Errorf("%d bytes were read, want %d", rest, large-100)
			}
			after := calls[map[string]uint64](t, ch, "memory")
			t.Logf("memory before %v, after %v", before, after)
			if after["sys"] > before["sys"]+(16<<20) {
				t.Errorf("the program's memory grew from %d to %d", before["sys"], after["sys"])
			}
		})
		t.Run("close", func(t *testing.T) {
			calls[string](t, ch, "open", s.URL+"/large")
			if got := calls[string](t, ch, "shut"); got != "fetch: GET "+s.URL+"/large: read of a closed response body" {
				t.Errorf("a read says %q", got)
			}
			await(t, "the end of a request that was closed", s.gone)
		})
		t.Run("upload", func(t *testing.T) {
			if got, err := fetches(t, ch, "upload", s.URL+"/count", 5_000_000, false); err != nil || got.Body != "-1 5000000" {
				t.Errorf("got %+v, %v", got, err)
			}
			await(t, "the upload", s.uploads)
			got, err := fetches(t, ch, "upload", s.URL+"/count", 300_000, true)
			failsBy(t, "a reader that fails", got, err, "errReader", "fetch: POST "+s.URL+"/count: read the request body: the reader has failed")
			if err := await(t, "the upload", s.uploads); err == nil {
				t.Error("the server took the upload for complete")
			}
			got, err = fetches(t, ch, "upload", s.URL+"/keep?SECRET", 100, false)
			if err == nil {
				t.Logf("a redirect with a stream: %+v", got)
			} else {
				failsBy(t, "a redirect with a stream", got, err)
				t.Logf("a redirect with a stream: %v", err)
			}
		})
		t.Run("upload with a slow server", func(t *testing.T) {
			answers := make(chan *fetched, 1)
			go func() {
				got, err := fetches(t, ch, "upload", s.URL+"/unread", large, false)
				if err != nil {
					t.Error(err)
				}
				answers <- got
			}()
			given := calls[int](t, ch, "uploadStalled", large)
			t.Logf("%d KiB were sent to a server that read nothing", given>>10)
			if given > large/2 {
				t.Errorf("%d bytes were sent to a server that read nothing", given)
			}
			close(s.read)
			select {
			case got := <-answers:
				if got != nil && got.Body != fmt.Sprint(large) {
					t.Errorf("the server got %s bytes", got.Body)
				}
			case <-time.After(30 * time.Second):
				t.Error("no answer")
			}
		})
		t.Run("full duplex", func(t *testing.T) {
			if got := calls[string](t, ch, "talk", s.URL+"/talk", 3); got != "line 0\nline 1\nline 2\n" {
				t.Errorf("got %q", got)
			}
		})
		t.Run("cancel", func(t *testing.T) {
			for _, path := range []string{"/wait", "/waitbody"} {
				ctx, cancel := context.WithCancel(t.Context())
				ended := make(chan error, 1)
				go func() {
					_, err := kkrpc.Call[*fetched](ctx, ch, "get", s.URL+path, follow)
					ended <- err
				}()
				await(t, "the request", s.arrived)
				cancel()
				await(t, "the end of the call", ended)
				await(t, "the end of the request", s.gone)
			}
		})
		t.Run("deadline", func(t *testing.T) {
			for _, path := range []string{"/wait", "/waitbody"} {
				got, err := fetches(t, ch, "within", s.URL+path+"?SECRET", 100)
				failsBy(t, path, got, err, "DeadlineExceeded", "GET "+s.URL+path+": context deadline exceeded: too slow for me")
				await(t, "the request", s.arrived)
				await(t, "the end of the request", s.gone)
			}
		})
		t.Run("in the background", func(t *testing.T) {
			if got, err := fetches(t, ch, "inBackground", s.URL+"/hello"); err != nil || got.Status != 200 {
				t.Errorf("got %+v, %v", got, err)
			}
		})
		t.Run("many", func(t *testing.T) {
			before := calls[map[string]uint64](t, ch, "memory")
			var all sync.WaitGroup
			for range 200 {
				all.Go(func() {
					if got, err := fetches(t, ch, "get", s.URL+"/hello", follow); err != nil || got.Status != 200 {
						t.Errorf("got %+v, %v", got, err)
					}
				})
			}
			all.Wait()
			if after := calls[map[string]uint64](t, ch, "memory"); after["goroutines"] > before["goroutines"]+2 {
				t.Errorf("goroutines: %d before, %d after", before["goroutines"], after["goroutines"])
			}
		})
	})
}

// TestSharedFetchInHono has one connection begin a fetch that another one waits for. In a plain Worker it ends with the first.
func TestSharedFetchInHono(t *testing.T) {
	eachHost(t, func(t *testing.T, h host) {
		s := newSite(t)
		url := serveFetching(t, h).url
		other := dial(t, url, kkrpc.Options{})
		calls[map[string]uint64](t, other, "memory")
		first := dial(t, url, kkrpc.Options{})
		calls[any](t, first, "share", s.URL+"/waitbody")
		await(t, "the request", s.arrived)
		ended := make(chan error, 1)
		go func() { ended <- other.Call(t.Context(), nil, "awaitShared") }()
		calls[map[string]uint64](t, other, "memory") // the call before has begun
		first.Close()
		<-first.Done()
		if h == "workers-plain" {
			err := await(t, "the end of the shared fetch", ended)
			failsBy(t, "the shared fetch", nil, err, "ErrConnection", "GET "+s.URL+"/waitbody: the connection has closed")
			await(t, "the end of the request", s.gone)
		} else {
			calls[map[string]uint64](t, other, "memory")
			s.CloseClientConnections()
			failsBy(t, "the shared fetch", nil, await(t, "the end of the shared fetch", ended), "GET "+s.URL+"/waitbody: ")
		}
		if got, err := fetches(t, other, "get", s.URL+"/hello", 0); err != nil || got.Status != 200 {
			t.Errorf("afterwards: %+v, %v", got, err)
		}
	})
}

// TestFetchOfConnectionThatGoClosesInHono is that a body which ends with its connection does not look complete.
func TestFetchOfConnectionThatGoClosesInHono(t *testing.T) {
	have(t, js.Workerd)
	s := newSite(t)
	url := serveFetching(t, "workers-plain").url
	other := dial(t, url, kkrpc.Options{})
	calls[map[string]uint64](t, other, "memory")
	closes := dial(t, url, kkrpc.Options{})
	if err := closes.Notify("closeAndRead", s.URL+"/waitbody"); err != nil {
		t.Fatal(err)
	}
	<-closes.Done()
	ended := make(chan error, 1)
	go func() { ended <- other.Call(t.Context(), nil, "awaitShared") }()
	failsBy(t, "the rest of the body", nil, await(t, "the end of the fetch", ended), "ErrConnection", "GET "+s.URL+"/waitbody: ")
	await(t, "the end of the request", s.gone)
}

// TestFetchBegunByAnotherConnectionInHono is that a fetch belongs to the connection that has asked for it, and not to the one whose
// message lets its goroutine run.
func TestFetchBegunByAnotherConnectionInHono(t *testing.T) {
	eachHost(t, func(t *testing.T, h host) {
		s := newSite(t)
		url := serveFetching(t, h).url
		asks, tells := dial(t, url, kkrpc.Options{}), dial(t, url, kkrpc.Options{})
		results, waits := make(chan error, 1), make(chan struct{}, 1)
		go func() {
			got, err := fetches(t, asks, "getWhenTold", s.URL+"/held", func() { waits <- struct{}{} })
			if err == nil && got.Body != "begun and ended" {
				err = fmt.Errorf("got %+v", got)
			}
			results <- err
		}()
		await(t, "the call", waits)
		calls[any](t, tells, "tell")
		await(t, "the request", s.arrived)
		tells.Close()
		<-tells.Done()
		close(s.read)
		if err := await(t, "the response", results); err != nil {
			t.Error(err)
		}
	})
}

// TestFetchOfProgramThatEndsInHono has a program end that waits for a response.
func TestFetchOfProgramThatEndsInHono(t *testing.T) {
	eachHost(t, func(t *testing.T, h host) {
		s := newSite(t)
		url := serveFetching(t, h).url
		ch := dial(t, url, kkrpc.Options{})
		calls[any](t, ch, "share", s.URL+"/waitbody")
		await(t, "the request", s.arrived)
		if err := ch.Notify("exit"); err != nil {
			t.Fatal(err)
		}
		await(t, "the end of the request", s.gone)
		if got, err := fetches(t, dial(t, url, kkrpc.Options{}), "get", s.URL+"/hello", 0); err != nil || got.Status != 200 {
			t.Errorf("from the next program: %+v, %v", got, err)
		}
	})
}

// namesMethods has each method of the console say its name first.
const namesMethods = `for (const name of ["debug", "info", "log", "warn", "error"]) {
	const method = console[name]
	console[name] = (...what) => method.call(console, name + ":", ...what)
}
`

// TestConsoleInHono has the records of slog and log in the console of each runtime, by the method of their level.
func TestConsoleInHono(t *testing.T) {
	eachHost(t, func(t *testing.T, h host) {
		dir := t.TempDir()
		if err := os.CopyFS(dir, os.DirFS(build(t, h, "wasmfetch", ""))); err != nil {
			t.Fatal(err)
		}
		server := filepath.Join(dir, "server.mjs")
		text, err := os.ReadFile(server)
		if err == nil {
			err = os.WriteFile(filepath.Join(dir, "names.mjs"), []byte(namesMethods), 0o666)
		}
		if err == nil {
			// Behind what the server prints of itself, which the test reads.
			err = os.WriteFile(server, append(text, "\nawait import(\"./names.mjs\")\n"...), 0o666)
		}
		if err != nil {
			t.Fatal(err)
		}
		served := serveFolder(t, h, dir)
		calls[any](t, dial(t, served.url, kkrpc.Options{}), "logs")
		want := []string{
			`debug: time=* level=DEBUG msg="a record" n=1`, `info: time=* level=INFO msg="a record" n=1`, `warn: time=* level=WARN msg="a record" n=1`,
			`error: time=* level=ERROR msg="a record" n=1`, `info: time=* level=INFO msg="by package log"`, `log: to standard error`,
		}
		var said string
		for end := time.Now().Add(10 * time.Second); time.Now().Before(end); runtime.Gosched() { // what it prints comes beside its answer
			said = regexp.MustCompile(`time=\S+`).ReplaceAllString(served.out.String(), "time=*")
			if !slices.ContainsFunc(want, func(line string) bool { return !strings.Contains(said, line+"\n") }) {
				return
			}
		}
		t.Errorf("the server said\n%s\nwant in it\n%s", said, strings.Join(want, "\n"))
	})
}

// TestNetHTTPOverFetchInHono has net/http send requests by the fetch of each runtime. Node.js is started by its name: with the
// transport of net/http itself there would be no network.
func TestNetHTTPOverFetchInHono(t *testing.T) {
	eachHost(t, func(t *testing.T, h host) {
		s := newSite(t)
		dir := build(t, h, "wasmroundtrip", "")
		var served server
		if h == "node" {
			cmd := js.Node.Command(t, filepath.Join(dir, "server.mjs"))
			cmd.Args[0] = "node"
			served = serveCommand(t, cmd)
		} else {
			served = serveFolder(t, h, dir)
		}
		ch := dial(t, served.url, kkrpc.Options{})
		for _, tt := range []struct {
			name string
			args []any
			want string
			err  string
		}{
			{"get", []any{s.URL + "/hello?x"}, "200 OK, 15 bytes, Content-Length 15, uncompressed false, at /hello: GET x  gzip, br", ""},
			{"get", []any{s.URL + "/gzip"}, "200 OK, 9000 bytes, Content-Length -1, uncompressed true, at /gzip: unzipped", ""},
			{"get", []any{s.URL + "/from"}, "200 OK, 16 bytes, Content-Length 16, uncompressed false, at /hello: GET to  gzip, br", ""},
			{"post", []any{s.URL + "/count", 100_000, true}, "at /count: 100000 100000", ""},
			{"post", []any{s.URL + "/count", 5_000_000, true}, "at /count: -1 5000000", ""}, // too large to be sent as a whole
			{"post", []any{s.URL + "/count", 100_000, false}, "at /count: -1 100000", ""},
			{"post", []any{s.URL + "/keep", 4, true}, "at /echo: POST 4 aaaa", ""},
			{"stop", []any{s.URL + "/from"}, "", "not to /hello"},
			{"within", []any{s.URL + "/wait", 100}, "", "Client.Timeout exceeded"},
			{"within", []any{s.URL + "/waitbody", 100}, "", "in the body: "},
		} {
			ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
			got, err := kkrpc.Call[string](ctx, ch, tt.name, tt.args...)
			cancel()
			switch {
			case tt.err == "" && (err != nil || !strings.Contains(got, tt.want)):
				t.Errorf("%s %v: %q, %v, want %q", tt.name, tt.args, got, err, tt.want)
			case tt.err != "" && (err == nil || !strings.Contains(err.Error(), tt.err)):
				t.Errorf("%s %v: %q, %v, want the error %q", tt.name, tt.args, got, err, tt.err)
			}
		}
		for range 2 {
			await(t, "the end of a request whose time is up", s.gone)
		}
	})
}

// TestNetHTTPInHono is what net/http does by its own transport, and package roundtrip does not.
func TestNetHTTPInHono(t *testing.T) {
	eachHost(t, func(t *testing.T, h host) {
		s := newSite(t)
		dir := build(t, h, "wasmroundtrip", "")
		ch := dial(t, serveFolder(t, h, dir).url, kkrpc.Options{})
		for _, tt := range []struct {
			name string
			args []any
			want string
		}{
			{"usual.get", []any{s.URL + "/hello?x"}, "200 OK, "},
			{"usual.within", []any{s.URL + "/late", 300}, "begun, ended"},              // Timeout ends with the header
			{"usual.stop", []any{s.URL + "/from"}, "GET to "},                          // CheckRedirect is not called
			{"usual.post", []any{s.URL + "/count", 100_000, false}, ": 100000 100000"}, // the body was read before
		} {
			if got, err := callWithin(t, ch, 10*time.Second, tt.name, tt.args...); err != nil || !strings.Contains(got, tt.want) {
				t.Errorf("%s %v: %q, %v, want %q", tt.name, tt.args, got, err, tt.want)
			}
		}
		if h != "node" {
			return
		}
		cmd := js.Node.Command(t, filepath.Join(dir, "server.mjs"))
		cmd.Args[0] = "node" // in place of a path
		ch = dial(t, serveCommand(t, cmd).url, kkrpc.Options{})
		if got, err := callWithin(t, ch, 10*time.Second, "usual.get", s.URL+"/hello"); err == nil {
			t.Errorf("Node.js was started by its name, and got %q", got)
		} else {
			t.Log(err)
		}
	})
}
