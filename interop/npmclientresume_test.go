package interop_test

import (
	"context"
	"fmt"
	"io"
	"iter"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/kkrpc-go/kkrpc"
	"github.com/kkrpc-go/kkrpc/interop/api"
	"github.com/kkrpc-go/kkrpc/interop/js"
	"github.com/kkrpc-go/kkrpc/transport/ws"
)

// largestCheck is enough for the largest message of the conformance checks, in bytes.
const largestCheck = 1 << 20

// sessionServer serves an API with sessions until the test ends, behind a cutter. Errors are text for kkrpc 0.2.
func sessionServer(t *testing.T, version string, object kkrpc.Object, enough int64) *cutter {
	t.Helper()
	server := httptest.NewServer(sessionHandler(t, version, object))
	t.Cleanup(server.Close)
	return startCutter(t, strings.TrimPrefix(server.URL, "http://"), enough)
}

func sessionHandler(t *testing.T, version string, object kkrpc.Object) http.Handler {
	handler := ws.Handler(object, &ws.Options{Session: &ws.SessionOptions{}, RPC: kkrpc.Options{ErrorText: version == "0.2.2", OnError: func(error) {}}})
	t.Cleanup(func() {
		if err := handler.Close(); err != nil {
			t.Error(err)
		}
	})
	return handler
}

// TestNpmClientResumes has real kkrpc and the minimal compact peer make the checks over npm/client while the connections are cut
// again and again.
func TestNpmClientResumes(t *testing.T) {
	run := func(t *testing.T, rt js.Runtime, p peer) {
		between := sessionServer(t, p.version, api.New(), largestCheck)
		cmd := p.command(t, rt, "npm-client.mjs", "ws://"+between.addr+"/ws")
		cmd.Env = append(cmd.Env, "CUT=1")
		runClient(t, rt, cmd)
		between.wantCuts()
	}
	eachOverNpmClient(t, run)
	eachMinimalOverNpmClient(t, run)
}

// TestNpmClientCounts has real kkrpc over npm/client count while its connections are cut: nothing is lost, comes twice or
// runs twice.
func TestNpmClientCounts(t *testing.T) {
	eachOverNpmClient(t, func(t *testing.T, rt js.Runtime, p peer) {
		between := sessionServer(t, p.version, counting(), 1<<14)
		runClient(t, rt, p.command(t, rt, "npm-client-counts.mjs", "ws://"+between.addr+"/ws"))
		between.wantCuts()
	})
}

// counting is the API of npm-client-counts.mjs.
func counting() kkrpc.Object {
	var calls atomic.Int64
	return kkrpc.Object{
		"next": func() int64 { return calls.Add(1) },
		"progress": func(n int, report func(int)) {
			for i := range n {
				report(i + 1)
			}
		},
		"drive": func(ctx context.Context, n int) (int, error) {
			client := kkrpc.FromContext(ctx)
			for i := range n {
				if err := client.Call(ctx, nil, "tick", i+1); err != nil {
					return i, err
				}
			}
			return n, nil
		},
		"numbers": func(n int) iter.Seq[int] {
			return func(yield func(int) bool) {
				for i := range n {
					if !yield(i + 1) {
						return
					}
				}
			}
		},
		"inOrder": func(items iter.Seq2[int, error]) (n int, err error) {
			for item, err := range items {
				if n++; err != nil || item != n {
					return n, fmt.Errorf("item %d is %d, %w", n, item, err)
				}
			}
			return n, nil
		},
	}
}

// TestNpmClientResumesInWorker has a Worker in workerd make the checks while its connections are cut.
func TestNpmClientResumesInWorker(t *testing.T) {
	have(t, js.Workerd)
	t.Parallel()
	host := startWorker(t, "worker-client.mjs")
	for _, codec := range codecs {
		t.Run(codec, func(t *testing.T) {
			between := sessionServer(t, "0.2.2", api.New(), largestCheck)
			query := url.Values{"url": {"ws://" + between.addr + "/ws"}, "version": {"0.2.2"}, "codec": {codec}, "over": {"npm/client"}, "cut": {"1"}}
			response, err := http.Get("http://" + host + "/?" + query.Encode())
			if err != nil {
				t.Fatal(err)
			}
			defer response.Body.Close()
			lines, err := io.ReadAll(response.Body)
			if err != nil {
				t.Fatal(err)
			}
			readResults(t, js.Workerd, lines)
			between.wantCuts()
		})
	}
}

// TestNpmClientResumesInPage has a page in Chromium make the checks while its connections are cut.
func TestNpmClientResumesInPage(t *testing.T) {
	have(t, js.Chromium)
	t.Parallel()
	script := filepath.Join(t.TempDir(), "page.mjs")
	js.Bundle(t, filepath.Join(js.Dir(t), "page-client.mjs"), script)
	mux := http.NewServeMux()
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	between := startCutter(t, strings.TrimPrefix(server.URL, "http://"), largestCheck)
	var runs []bundledRun
	results := make([]chan []byte, len(codecs))
	for i, codec := range codecs {
		path := "/" + codec
		runs = append(runs, bundledRun{URL: "ws://" + between.addr + path, Version: "0.2.2", Codec: codec, Over: "npm/client", Cut: true})
		mux.Handle(path, sessionHandler(t, "0.2.2", api.New()))
		results[i] = make(chan []byte, 1)
		mux.HandleFunc(fmt.Sprintf("POST /results/%d", i), func(_ http.ResponseWriter, r *http.Request) {
			lines, err := io.ReadAll(r.Body)
			if err != nil {
				lines = []byte(err.Error())
			}
			results[i] <- lines
		})
	}
	servePage(t, mux, script, runs)
	js.Browse(t, "http://"+between.addr+"/")
	for i, codec := range codecs {
		t.Run(codec, func(t *testing.T) {
			select {
			case lines := <-results[i]:
				readResults(t, js.Chromium, lines)
			case <-time.After(2 * time.Minute):
				t.Fatal("the page has posted nothing")
			}
		})
	}
	between.wantCuts()
}

// TestNpmClientPageEvents has a page in Chromium come back when the network does, rest in the back/forward cache, and end its session
// when it is closed.
func TestNpmClientPageEvents(t *testing.T) {
	have(t, js.Chromium)
	t.Parallel()
	script := filepath.Join(t.TempDir(), "page.mjs")
	js.Bundle(t, filepath.Join(js.Dir(t), "npm-client-page.mjs"), script)
	mux := http.NewServeMux()
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	events := make(chan ws.SessionEvent, 10)
	handler := ws.Handler(kkrpc.Object{"next": func() int { return 1 }}, &ws.Options{
		Session: &ws.SessionOptions{Keep: time.Hour, OnEvent: func(_ *kkrpc.Channel, e ws.SessionEvent) { events <- e }},
	})
	t.Cleanup(func() { _ = handler.Close() })
	mux.Handle("/ws", handler)
	servePage(t, mux, script, nil)
	between := startCutter(t, strings.TrimPrefix(server.URL, "http://"), 0)
	page := js.StartChrome(t).Open("http://" + between.addr + "/")
	next := func(want ws.SessionEventKind) {
		t.Helper()
		select {
		case e := <-events:
			if e.Kind != want {
				t.Fatalf("the session is %v (%v), want %v", e.Kind, e.Err, want)
			}
		case <-time.After(js.Patience):
			t.Fatalf("the session is not %v", want)
		}
	}

	page.Wait(`globalThis.phases?.at(-1) === "open"`)
	network := func(offline bool) {
		page.Do("Network.emulateNetworkConditions", map[string]any{"offline": offline, "latency": 0, "downloadThroughput": -1, "uploadThroughput": -1}, nil)
	}
	network(true)
	between.refuse(true)
	next(ws.SessionPaused)
	page.Wait(`phases.at(-1) === "paused"`)
	between.refuse(false)
	network(false)
	next(ws.SessionResumed)
	page.Wait(`phases.at(-1) === "open"`)
	page.Eval(`api.next()`, nil)

	// Chromium keeps the page, and would keep its socket.
	page.Do("Page.navigate", map[string]any{"url": server.URL + "/elsewhere"}, nil)
	next(ws.SessionPaused)
	page.Eval(`history.back()`, nil)
	next(ws.SessionResumed)
	page.Wait(`globalThis.phases?.at(-1) === "open"`)

	// It does not keep a page that is closed.
	page.Do("Page.close", struct{}{}, nil)
	next(ws.SessionEnded)
}
