package interop_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/kkrpc-go/kkrpc/interop/api"
	"github.com/kkrpc-go/kkrpc/interop/js"
	"github.com/kkrpc-go/kkrpc/interop/seen"
)

// bundledRun is a run of bundled-client.mjs.
type bundledRun struct {
	URL     string `json:"url"`
	Version string `json:"version"`
	Codec   string `json:"codec"`
	Over    string `json:"over,omitempty"` // "npm/client", or kkrpc's own connection
	Cut     bool   `json:"cut,omitempty"`  // whether the connections are cut
}

// bundledRuns has both versions with both codecs.
func bundledRuns() (runs []bundledRun) {
	for _, version := range []string{"0.2.2", "compact"} {
		for _, codec := range codecs {
			runs = append(runs, bundledRun{Version: version, Codec: codec})
		}
	}
	return runs
}

// startWorker serves a script of the npm workspace in workerd, and returns its address.
func startWorker(t *testing.T, script string) (host string) {
	t.Helper()
	w := js.Worker{Script: filepath.Join(js.Dir(t), script), Date: "2026-01-01", Flags: []string{"nodejs_compat"}, Local: true}
	host, _ = w.Start(t)
	return host
}

// TestWorkerClientOfGoServer has a Worker in workerd make the checks.
func TestWorkerClientOfGoServer(t *testing.T) {
	have(t, js.Workerd)
	t.Parallel()
	host := startWorker(t, "worker-client.mjs")
	for _, run := range bundledRuns() {
		t.Run(run.Version+"/"+run.Codec, func(t *testing.T) {
			run.URL = goServer(t, run.Version)
			var between *relay
			if run.Version == "compact" {
				between = &relay{t: t, target: run.URL, of: clientSide}
				front := httptest.NewServer(between)
				t.Cleanup(front.Close)
				run.URL = webSocket(front, "/")
			}
			query := url.Values{"url": {run.URL}, "version": {run.Version}, "codec": {run.Codec}}
			response, err := http.Get("http://" + host + "/?" + query.Encode())
			if err != nil {
				t.Fatal(err)
			}
			defer response.Body.Close()
			lines, err := io.ReadAll(response.Body)
			if err != nil {
				t.Fatal(err)
			}
			passed, failed := readResults(t, js.Workerd, lines)
			if between != nil {
				wantRecorded(t, run.Codec, between.kept())
			}
			saw(t, js.Workerd, seen.Client, run.Version, run.Codec, passed, failed)
		})
	}
}

// TestPageClientOfGoServer has a page in Chromium make the checks. The page, its WebSockets and its results are of one
// origin.
func TestPageClientOfGoServer(t *testing.T) {
	have(t, js.Chromium)
	t.Parallel()
	script := filepath.Join(t.TempDir(), "page.mjs")
	js.Bundle(t, filepath.Join(js.Dir(t), "page-client.mjs"), script)

	mux := http.NewServeMux()
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	runs := bundledRuns()
	relays := make([]*relay, len(runs))
	results := make([]chan []byte, len(runs))
	for i := range runs {
		run := &runs[i]
		prefix := fmt.Sprintf("/api%d/", i)
		run.URL = webSocket(server, prefix+"ws-text")
		results[i] = make(chan []byte, 1)
		if run.Version == "compact" {
			relays[i] = &relay{t: t, target: goServer(t, run.Version), of: clientSide}
			mux.Handle(prefix, relays[i])
		} else {
			mux.Handle(prefix, http.StripPrefix(strings.TrimSuffix(prefix, "/"), api.Handler(nil)))
		}
		mux.HandleFunc(fmt.Sprintf("POST /results/%d", i), func(_ http.ResponseWriter, r *http.Request) {
			lines, err := io.ReadAll(r.Body)
			if err != nil {
				lines = []byte(err.Error())
			}
			results[i] <- lines
		})
	}
	servePage(t, mux, script, runs)
	js.Browse(t, server.URL+"/")
	patience := time.NewTimer(2 * time.Minute)
	defer patience.Stop()
	for i, run := range runs {
		t.Run(run.Version+"/"+run.Codec, func(t *testing.T) {
			var lines []byte
			select {
			case lines = <-results[i]:
			case <-patience.C:
				t.Fatal("the page has posted nothing")
			}
			passed, failed := readResults(t, js.Chromium, lines)
			if relays[i] != nil {
				wantRecorded(t, run.Codec, relays[i].kept())
			}
			saw(t, js.Chromium, seen.Client, run.Version, run.Codec, passed, failed)
		})
	}
}

// servePage serves a page that makes runs by the script of page-client.mjs.
func servePage(t *testing.T, mux *http.ServeMux, script string, runs []bundledRun) {
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		_, _ = io.WriteString(w, `<!doctype html><title>checks</title><script type="module" src="/page.mjs"></script>`)
	})
	mux.HandleFunc("GET /page.mjs", func(w http.ResponseWriter, r *http.Request) { http.ServeFile(w, r, script) })
	mux.HandleFunc("GET /runs", func(w http.ResponseWriter, _ *http.Request) {
		if err := json.NewEncoder(w).Encode(runs); err != nil {
			t.Error(err)
		}
	})
}
