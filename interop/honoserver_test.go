package interop_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/kkrpc-go/kkrpc/interop/check"
	"github.com/kkrpc-go/kkrpc/interop/js"
	"github.com/kkrpc-go/kkrpc/interop/seen"
)

// startHono serves the JavaScript conformance API with Hono in a runtime, and returns the server's address.
func startHono(t *testing.T, rt js.Runtime) (url string) {
	t.Helper()
	if rt == js.Workerd {
		url = "ws://" + startWorker(t, "hono-worker.mjs")
	} else {
		url, _ = startProcess(t, rt.Command(t, filepath.Join(js.Dir(t), "hono-server.mjs")))
	}
	response, err := http.Get("http" + strings.TrimPrefix(url, "ws") + "/runtime")
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if got, err := io.ReadAll(response.Body); err != nil || string(got) != string(rt) {
		t.Fatalf("the server runs in %q (%v), not in %s", got, err, rt)
	}
	return url
}

// TestGoClientOfHonoServer has Go call kkrpc 0.2 and the minimal compact server, both behind Hono's upgradeWebSocket.
func TestGoClientOfHonoServer(t *testing.T) {
	for _, rt := range append(slices.Clone(js.Runtimes), js.Workerd) {
		t.Run(string(rt), func(t *testing.T) {
			t.Parallel()
			have(t, rt)
			url := startHono(t, rt)
			for _, codec := range codecs { // one after the other: they share the properties of the API
				t.Run("0.2.2/"+codec, func(t *testing.T) {
					p := peer{version: "0.2.2", channel: check.Base, codec: codec}
					passed, failed := runChecks(t, check.Config{URL: url + "/0.2.2/" + codec, Peer: p.version, Dialect: p.dialect(t)})
					saw(t, rt, seen.Server, p.version, codec, passed, failed)
				})
				t.Run("compact/"+codec, func(t *testing.T) {
					p := minimal(codec)
					between := &relay{t: t, target: url + "/compact/" + codec, of: serverSide}
					front := httptest.NewServer(between)
					t.Cleanup(front.Close)
					passed, failed := runChecks(t, check.Config{
						URL: webSocket(front, "/"), Peer: p.version, Channel: p.channel, Dialect: p.dialect(t),
					})
					wantRecorded(t, codec, between.kept())
					saw(t, rt, seen.Server, "compact", codec, passed, failed)
				})
			}
		})
	}
}
