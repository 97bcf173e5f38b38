package interop_test

import (
	"testing"

	"github.com/kkrpc-go/kkrpc/interop/js"
)

// TestNpmClientPlain has real kkrpc over npm/client make the checks on plain connections.
func TestNpmClientPlain(t *testing.T) {
	eachOverNpmClient(t, func(t *testing.T, rt js.Runtime, p peer) {
		runClient(t, rt, p.command(t, rt, "npm-client.mjs", goServer(t, p.version)))
	})
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
