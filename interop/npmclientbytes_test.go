package interop_test

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"testing"

	"github.com/kkrpc-go/kkrpc/interop/api"
	"github.com/kkrpc-go/kkrpc/interop/js"
	"github.com/kkrpc-go/kkrpc/transport/ws"
)

// TestNpmClientBytes has real kkrpc 2 over npm/client exchange up to 1 MiB with Go: in frames with and without a session, with
// a session that is cut, and a little in text.
func TestNpmClientBytes(t *testing.T) {
	serve := func(t *testing.T, options *ws.Options) string {
		server := httptest.NewServer(ws.Handler(api.Bytes(), options))
		t.Cleanup(server.Close)
		return webSocket(server, "/")
	}
	eachPeer(t, func(t *testing.T, rt js.Runtime, p peer) {
		if p.version != "2.1.0" {
			t.Skip("kkrpc 0.x hands over text")
		}
		for _, test := range []struct {
			name, env string
			session   *ws.SessionOptions
			cut       bool
		}{
			{name: "plain", env: "SESSION="},
			{name: "session", env: "SESSION=1", session: &ws.SessionOptions{}},
			{name: "cuts", env: "SESSION=1", cut: true},
			{name: "text", env: "TEXT=1"},
		} {
			t.Run(test.name, func(t *testing.T) {
				var url string
				wantCuts := func() {}
				if test.cut {
					between := sessionServer(t, p.version, api.Bytes(), 16<<20)
					wantCuts = between.wantCuts
					url = "ws://" + between.addr
				} else {
					url = serve(t, &ws.Options{Session: test.session})
				}
				cmd := p.command(t, rt, "npm-client-bytes.mjs", url)
				cmd.Env = append(cmd.Env, test.env)
				runClient(t, rt, cmd)
				wantCuts()
			})
		}
	})
}

// foundInRuntime is what bytes-in-runtime.mjs finds.
type foundInRuntime struct {
	Values int
	Times  *struct{ Encode, Decode, Call, List float64 }
}

// TestNpmClientBytesInRuntimes has npm/client exchange bytes with Go in every runtime, and measures what they take there:
//
//	go test -run TestNpmClientBytesInRuntimes -v ./interop
func TestNpmClientBytesInRuntimes(t *testing.T) {
	server := httptest.NewServer(ws.Handler(api.Bytes(), &ws.Options{Session: &ws.SessionOptions{}}))
	t.Cleanup(server.Close)
	for _, rt := range js.Runtimes {
		t.Run(string(rt), func(t *testing.T) {
			have(t, rt)
			cmd := rt.Command(t, filepath.Join(js.Dir(t), "bytes-run.mjs"), webSocket(server, "/"))
			out, err := cmd.Output()
			if err != nil {
				t.Fatalf("%v\n%s", err, out)
			}
			checkFound(t, out)
		})
	}
	// Binary messages are a Blob by default from 2026-03-17 on.
	for _, date := range []string{"2026-01-01", "2026-10-01"} {
		t.Run("workerd/"+date, func(t *testing.T) {
			have(t, js.Workerd)
			worker := js.Worker{Script: filepath.Join(js.Dir(t), "bytes-worker.mjs"), Date: date, Flags: []string{"nodejs_compat"}, Local: true}
			host, _ := worker.Start(t)
			response, err := http.Get("http://" + host + "/?" + url.Values{"url": {webSocket(server, "/")}}.Encode())
			if err != nil {
				t.Fatal(err)
			}
			defer response.Body.Close()
			var text bytes.Buffer
			if _, err := text.ReadFrom(response.Body); err != nil {
				t.Fatal(err)
			}
			checkFound(t, text.Bytes())
		})
	}
	t.Run("chromium", func(t *testing.T) {
		have(t, js.Chromium)
		script := filepath.Join(t.TempDir(), "page.mjs")
		js.Bundle(t, filepath.Join(js.Dir(t), "bytes-page.mjs"), script)
		mux := http.NewServeMux()
		mux.Handle("/ws", ws.Handler(api.Bytes(), &ws.Options{Session: &ws.SessionOptions{}}))
		servePage(t, mux, script, nil)
		front := httptest.NewServer(mux)
		t.Cleanup(front.Close)
		page := js.StartChrome(t).Open(front.URL + "/")
		page.Wait("globalThis.found")
		var out string
		page.Eval("JSON.stringify(found)", &out)
		checkFound(t, []byte(out))
	})
}

// checkFound has bounds that a busy machine keeps.
func checkFound(t *testing.T, out []byte) {
	t.Helper()
	var found foundInRuntime
	if err := json.Unmarshal(out, &found); err != nil || found.Values != 30 {
		t.Fatalf("%v\n%s", err, out)
	}
	if found.Times == nil {
		return
	}
	times := *found.Times
	t.Logf("1 MiB, in copies of it: %.2f to encode, %.3f to decode. Without bytes, in JSON.stringify: %.2f for a call, %.2f for a list of 100 objects", times.Encode, times.Decode, times.Call, times.List)
	if times.Encode > 6 || times.Decode > 1 || times.Call > 3 || times.List > 3 {
		t.Error("bytes take too long")
	}
}
