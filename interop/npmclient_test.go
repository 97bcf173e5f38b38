package interop_test

import (
	"path/filepath"
	"testing"

	"github.com/kkrpc-go/kkrpc/interop/check"
	"github.com/kkrpc-go/kkrpc/interop/js"
)

// TestNpmClientPlain has real kkrpc and the minimal compact peer make the checks over npm/client on plain connections.
func TestNpmClientPlain(t *testing.T) {
	run := func(t *testing.T, rt js.Runtime, p peer) {
		runClient(t, rt, p.command(t, rt, "npm-client.mjs", goServer(t, p.version)))
	}
	eachOverNpmClient(t, run)
	eachMinimalOverNpmClient(t, run)
}

// eachOverNpmClient runs a subtest for every peer that npm/client is for, in every runtime that can run it.
func eachOverNpmClient(t *testing.T, run func(t *testing.T, rt js.Runtime, p peer)) {
	eachPeer(t, func(t *testing.T, rt js.Runtime, p peer) {
		if p.version == "0.7.0" {
			t.Skip("0.7.0 takes the same IO as 0.2.2")
		}
		have(t, rt)
		run(t, rt, p)
	})
}

// eachMinimalOverNpmClient is eachOverNpmClient for the minimal compact peer.
func eachMinimalOverNpmClient(t *testing.T, run func(t *testing.T, rt js.Runtime, p peer)) {
	each(t, func(t *testing.T, rt js.Runtime, codec string) {
		t.Parallel()
		have(t, rt)
		run(t, rt, peer{version: "compact", channel: check.Streaming, codec: codec})
	})
}

// TestNpmClientOfKkrpcServer has npm/client on a server of kkrpc 0.2.2, which knows no sessions.
func TestNpmClientOfKkrpcServer(t *testing.T) {
	for _, codec := range codecs {
		t.Run(codec, func(t *testing.T) {
			t.Parallel()
			p := peer{version: "0.2.2", channel: check.Base, codec: codec}
			server := startServer(t, js.Node, p)
			cmd := js.Node.Command(t, filepath.Join(js.Dir(t), "npm-client-plain.mjs"), server, codec)
			if out, err := cmd.CombinedOutput(); err != nil || string(out) != "open\nHello, plain!\nclosed\n" {
				t.Errorf("%v\n%s", err, out)
			}
		})
	}
}
