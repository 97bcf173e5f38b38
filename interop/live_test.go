// Package interop_test has real kkrpc, in real runtimes, talk to Go.
package interop_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"

	"github.com/kkrpc-go/kkrpc"
	"github.com/kkrpc-go/kkrpc/interop/check"
	"github.com/kkrpc-go/kkrpc/interop/js"
	"github.com/kkrpc-go/kkrpc/interop/seen"
)

// peer is a kkrpc that talks to Go: a version of it, on one of its kinds of channel, with one codec.
type peer struct {
	version  string // of the checks, see check.Peers
	channel  check.Channel
	codec    string
	variable string // names the environment variable with the checkout to run; "" is the version that npm installed
}

func (p peer) dialect(t *testing.T) (d kkrpc.Dialect) {
	generation := "classic-"
	if p.version == "2.1.0" {
		generation = "compact-"
	}
	if err := d.UnmarshalText([]byte(generation + p.codec)); err != nil {
		t.Fatal(err)
	}
	return d
}

// command runs a script of the npm workspace as the peer. It skips the test when there is no checkout to run.
func (p peer) command(t *testing.T, rt js.Runtime, script string, args ...string) *exec.Cmd {
	t.Helper()
	dir := js.Dir(t)
	if p.variable != "" {
		haveCheckout(t, p.variable, p.version)
	}
	cmd := rt.Command(t, filepath.Join(dir, script), append(args, p.codec, p.version, string(p.channel))...)
	if p.variable != "" {
		// The sources of kkrpc find what they import even where the checkout has installed nothing.
		cmd.Env = append(cmd.Env, "NODE_PATH="+filepath.Join(dir, "node_modules"))
		t.Logf("%s has kkrpc %s", p.variable, checkoutVersion(t, os.Getenv(p.variable)))
	}
	return cmd
}

func haveCheckout(t *testing.T, variable, version string) {
	t.Helper()
	if os.Getenv(variable) == "" {
		t.Skipf("needs a checkout of kkrpc %s: set %s to its folder, see CONTRIBUTING.md", version, variable)
	}
}

func checkoutVersion(t *testing.T, dir string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(dir, "packages", "kkrpc", "package.json"))
	var pkg struct{ Version string }
	if err == nil {
		err = json.Unmarshal(text, &pkg)
	}
	if err != nil {
		t.Fatalf("no kkrpc in the checkout: %v", err)
	}
	return pkg.Version
}

// checkouts are the newer versions, which npm's registry does not have. Bun runs their sources as they are.
var checkouts = []struct {
	variable, version string
	channels          []check.Channel
}{
	{"KKRPC_V07", "0.7.0", []check.Channel{check.Base}},
	{"KKRPC_V2", "2.1.0", []check.Channel{check.Base, check.Streaming, check.RemoteRefs}},
}

var codecs = []string{"json", "superjson"}

// each runs a subtest for kkrpc 0.2 in every runtime, with every codec.
func each(t *testing.T, run func(t *testing.T, rt js.Runtime, codec string)) {
	for _, rt := range js.Runtimes {
		for _, codec := range codecs {
			t.Run(fmt.Sprintf("%s/%s", rt, codec), func(t *testing.T) { run(t, rt, codec) })
		}
	}
}

// eachPeer runs a subtest for every peer in every runtime that can run it.
func eachPeer(t *testing.T, run func(t *testing.T, rt js.Runtime, p peer)) {
	for _, codec := range codecs {
		for _, rt := range js.Runtimes {
			t.Run(fmt.Sprintf("0.2.2/%s/%s", rt, codec), func(t *testing.T) {
				t.Parallel()
				run(t, rt, peer{version: "0.2.2", channel: check.Base, codec: codec})
			})
		}
		for _, c := range checkouts {
			for _, channel := range c.channels {
				t.Run(fmt.Sprintf("%s/%s/%s", c.version, channel, codec), func(t *testing.T) {
					t.Parallel()
					run(t, js.Bun, peer{c.version, channel, codec, c.variable})
				})
			}
		}
	}
}

func TestKkrpcClientOfGoServer(t *testing.T) {
	eachPeer(t, func(t *testing.T, rt js.Runtime, p peer) {
		have(t, rt)
		cmd := p.command(t, rt, "client.mjs", goServer(t, p.version))
		passed, failed := runClient(t, rt, cmd)
		if p.variable == "" { // the table is of what everybody can run
			saw(t, rt, seen.Client, p.version, p.codec, passed, failed)
		}
	})
}

// runClient runs a client of the npm workspace to its end, and reports failed checks.
func runClient(t *testing.T, rt js.Runtime, cmd *exec.Cmd) (passed, failed int) {
	t.Helper()
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if exit := new(exec.ExitError); err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	passed, failed = readResults(t, rt, out)
	if t.Failed() || err != nil {
		t.Errorf("the client ended with %v and said:\n%s", err, stderr.Bytes())
	}
	return passed, failed
}

// readResults reports failed checks. It wants totals that count them, which a client that died has not printed, from the
// runtime that the test is about.
func readResults(t *testing.T, rt js.Runtime, out []byte) (passed, failed int) {
	t.Helper()
	complete, checks := false, 0
	for line := range bytes.Lines(out) {
		var result struct {
			Check          string
			OK             bool
			Error          string
			Passed, Failed *int
			Runtime        js.Runtime
		}
		if err := json.Unmarshal(line, &result); err != nil {
			t.Logf("%s", line) // what kkrpc prints
			continue
		}
		switch {
		case result.Passed != nil && result.Failed != nil:
			complete = true
			passed, failed = *result.Passed, *result.Failed
			if passed+failed != checks {
				t.Errorf("%d checks passed and %d failed, of the %d that were printed", passed, failed, checks)
			}
			if result.Runtime != rt {
				t.Errorf("the checks ran in %s, not in %s", result.Runtime, rt)
			}
		case !result.OK:
			t.Errorf("%s: %s", result.Check, result.Error)
			fallthrough
		default:
			checks++
		}
	}
	if !complete || passed == 0 {
		t.Errorf("the client did not finish its checks; %d bytes of output", len(out))
	}
	t.Logf("%d checks passed, %d failed", passed, failed)
	return passed, failed
}

func TestGoClientOfKkrpcServer(t *testing.T) {
	eachPeer(t, func(t *testing.T, rt js.Runtime, p peer) {
		runChecks(t, check.Config{URL: startServer(t, rt, p), Peer: p.version, Channel: p.channel, Dialect: p.dialect(t)})
	})
}

func runChecks(t *testing.T, config check.Config) (passed, failed int) {
	t.Helper()
	passed, failed, err := check.Run(t.Context(), config, func(r check.Result) {
		if r.Err != nil {
			t.Errorf("%s: %v", r.Name, r.Err)
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%d checks passed, %d failed", passed, failed)
	return passed, failed
}

// startServer runs server.mjs until the test ends and returns its URL.
func startServer(t *testing.T, rt js.Runtime, p peer) (url string) {
	t.Helper()
	url, _ = startProcess(t, p.command(t, rt, "server.mjs"))
	return url
}

// startProcess runs a server of the npm workspace until the test ends, and returns its URL and its process, which the
// test may kill.
func startProcess(t *testing.T, cmd *exec.Cmd) (url string, process *os.Process) {
	t.Helper()
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var reading sync.WaitGroup
	t.Cleanup(func() {
		stdin.Close() // ends the server
		reading.Wait()
		_ = cmd.Wait() // the end of the test may have killed it
		if t.Failed() {
			t.Logf("the server said:\n%s", stderr.Bytes())
		}
	})
	lines := bufio.NewReader(stdout)
	line, err := lines.ReadString('\n')
	var started struct{ URL string }
	if err == nil {
		err = json.Unmarshal([]byte(line), &started)
	}
	if err != nil || started.URL == "" {
		t.Fatalf("the server printed %q (%v), not its URL", line, err)
	}
	reading.Go(func() { _, _ = io.Copy(io.Discard, lines) }) // ends with the server
	return started.URL, cmd.Process
}

// TestChecksAgainstGoServer has both sides in Go, in every dialect: what the checks know of each version of kkrpc, the
// Go server has to show.
func TestChecksAgainstGoServer(t *testing.T) {
	for _, p := range []peer{
		{version: "0.7.0", channel: check.All, codec: "json"},
		{version: "0.7.0", channel: check.All, codec: "superjson"},
		{version: "2.1.0", channel: check.All, codec: "json"},
		{version: "2.1.0", channel: check.All, codec: "superjson"},
	} {
		t.Run(fmt.Sprintf("%s/%s", p.version, p.codec), func(t *testing.T) {
			t.Parallel()
			runChecks(t, check.Config{URL: goServer(t, p.version), Peer: p.version, Channel: p.channel, Dialect: p.dialect(t)})
		})
	}
}
