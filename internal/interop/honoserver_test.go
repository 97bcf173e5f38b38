package interop_test

import (
	"net/http/httptest"
	"path/filepath"
	"slices"
	"testing"

	"github.com/kkrpc-go/kkrpc/internal/interop/check"
	"github.com/kkrpc-go/kkrpc/internal/interop/seen"
	"github.com/kkrpc-go/kkrpc/internal/js"
)

// startHono serves the JavaScript conformance API with Hono in a runtime, and returns the server's address.
func startHono(t *testing.T, rt js.Runtime) (url string) {
	t.Helper()
	if rt == js.Workerd {
		dir := t.TempDir()
		js.Bundle(t, filepath.Join(js.Dir(t), "hono-worker.mjs"), filepath.Join(dir, "worker.mjs"))
		host, _ := js.Serve(t, dir, js.WorkerConfig)
		return "ws://" + host
	}
	url, _ = startProcess(t, rt.Command(t, filepath.Join(js.Dir(t), "hono-server.mjs")))
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
					saw(t, rt, seen.Server, "compact", codec, passed, failed)
					wantRecorded(t, codec, between.kept())
				})
			}
		})
	}
}
