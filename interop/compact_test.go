package interop_test

import (
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/kkrpc-go/kkrpc/interop/api"
	"github.com/kkrpc-go/kkrpc/interop/check"
	"github.com/kkrpc-go/kkrpc/interop/js"
	"github.com/kkrpc-go/kkrpc/interop/seen"
)

// minimal is the peer of compact.mjs as the checks see it: it can do what the streaming channel of kkrpc 2.1 can, under
// which name it is checked.
func minimal(codec string) peer {
	return peer{version: "2.1.0", channel: check.Streaming, codec: codec}
}

func webSocket(server *httptest.Server, path string) (url string) {
	return "ws" + strings.TrimPrefix(server.URL, "http") + path
}

// goServer serves the conformance API until the test ends, and returns its WebSocket for a peer.
func goServer(t *testing.T, version string) (url string) {
	t.Helper()
	server := httptest.NewServer(api.Handler(nil)) // one for each: the checks write its properties and count its streams
	t.Cleanup(server.Close)
	if version == "0.2.2" {
		return webSocket(server, "/ws-text")
	}
	return webSocket(server, "/ws")
}

// TestMinimalClientOfGoServer has the minimal compact client make every check.
func TestMinimalClientOfGoServer(t *testing.T) {
	each(t, func(t *testing.T, rt js.Runtime, codec string) {
		t.Parallel()
		have(t, rt)
		between := &relay{t: t, target: goServer(t, "compact"), of: clientSide}
		front := httptest.NewServer(between)
		t.Cleanup(front.Close)
		p := peer{version: "compact", channel: check.Streaming, codec: codec}
		passed, failed := runClient(t, rt, p.command(t, rt, "client.mjs", webSocket(front, "/")))
		wantRecorded(t, codec, between.kept())
		saw(t, rt, seen.Client, "compact", codec, passed, failed)
	})
}

// TestMinimalClientOfGoInHono has the minimal compact client, in Node, make every check with Go that runs inside Hono.
func TestMinimalClientOfGoInHono(t *testing.T) {
	eachHost(t, func(t *testing.T, h host) {
		for _, codec := range codecs {
			t.Run(codec, func(t *testing.T) {
				t.Parallel()
				between := &relay{t: t, target: serve(t, h, "wasmserver", "").url, of: clientSide}
				front := httptest.NewServer(between)
				t.Cleanup(front.Close)
				p := peer{version: "compact", channel: check.Streaming, codec: codec}
				passed, failed := runClient(t, js.Node, p.command(t, js.Node, "client.mjs", webSocket(front, "/")))
				wantRecorded(t, codec, between.kept())
				saw(t, h.runtime(), seen.Inside, "compact", codec, passed, failed)
			})
		}
	})
}
