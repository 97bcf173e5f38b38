// Package interop_test has real kkrpc, in real runtimes, talk to Go.
package interop_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/kkrpc-go/kkrpc"
	"github.com/kkrpc-go/kkrpc/internal/interop/api"
	"github.com/kkrpc-go/kkrpc/internal/interop/check"
	"github.com/kkrpc-go/kkrpc/internal/js"
)

const peer = "0.2.2"

// dialects by the name that kkrpc 0.2 has for the codec.
var dialects = map[string]kkrpc.Dialect{"json": kkrpc.Classic, "superjson": kkrpc.ClassicSuperJSON}

func TestKkrpcClientOfGoServer(t *testing.T) {
	server := httptest.NewServer(api.Handler(nil))
	t.Cleanup(server.Close) // after the parallel subtests
	url := "ws" + strings.TrimPrefix(server.URL, "http") + "/ws-text"
	each(t, func(t *testing.T, rt js.Runtime, codec string) {
		t.Parallel()
		cmd := rt.Command(t, filepath.Join(js.Dir(t), "client.mjs"), url, codec)
		var stderr bytes.Buffer
		cmd.Stderr = &stderr
		out, err := cmd.Output()
		if exit := new(exec.ExitError); err != nil && !errors.As(err, &exit) {
			t.Fatal(err)
		}
		passed, failed := readResults(t, out)
		t.Logf("kkrpc %s in %s, %s: %d checks passed, %d failed", peer, rt, codec, passed, failed)
		if t.Failed() || err != nil {
			t.Errorf("the client ended with %v and said:\n%s", err, stderr.Bytes())
		}
	})
}

// readResults reports failed checks. It wants the totals at the end, which a client that died has not printed.
func readResults(t *testing.T, out []byte) (passed, failed int) {
	t.Helper()
	complete := false
	for line := range bytes.Lines(out) {
		var result struct {
			Check          string
			OK             bool
			Error          string
			Passed, Failed *int
		}
		if err := json.Unmarshal(line, &result); err != nil {
			t.Logf("%s", line) // what kkrpc prints
			continue
		}
		switch {
		case result.Passed != nil && result.Failed != nil:
			complete = true
			passed, failed = *result.Passed, *result.Failed
		case !result.OK:
			t.Errorf("%s: %s", result.Check, result.Error)
		}
	}
	if !complete || passed == 0 {
		t.Errorf("the client did not finish its checks; %d bytes of output", len(out))
	}
	return passed, failed
}

func TestGoClientOfKkrpcServer(t *testing.T) {
	each(t, func(t *testing.T, rt js.Runtime, codec string) {
		t.Parallel()
		url := startServer(t, rt, codec)
		config := check.Config{URL: url, Peer: peer, Dialect: dialects[codec]}
		passed, failed, err := check.Run(t.Context(), config, func(r check.Result) {
			if r.Err != nil {
				t.Errorf("%s: %v", r.Name, r.Err)
			}
		})
		if err != nil {
			t.Fatal(err)
		}
		t.Logf("kkrpc %s in %s, %s: %d checks passed, %d failed", peer, rt, codec, passed, failed)
	})
}

// startServer runs server.mjs until the test ends and returns its URL.
func startServer(t *testing.T, rt js.Runtime, codec string) (url string) {
	t.Helper()
	url, _ = startProcess(t, rt, codec)
	return url
}

// startProcess is startServer that returns the process too, which the test may kill.
func startProcess(t *testing.T, rt js.Runtime, codec string) (url string, process *os.Process) {
	t.Helper()
	cmd := rt.Command(t, filepath.Join(js.Dir(t), "server.mjs"), codec)
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
	for _, row := range []struct {
		peer, path string
		dialect    kkrpc.Dialect
	}{
		{"2.1.0", "/ws", kkrpc.Compact},
		{"2.1.0", "/ws", kkrpc.CompactSuperJSON},
		{"0.7.0", "/ws", kkrpc.Classic},
		{"0.7.0", "/ws", kkrpc.ClassicSuperJSON},
	} {
		t.Run(fmt.Sprintf("%s as %s", row.dialect, row.peer), func(t *testing.T) {
			t.Parallel()
			server := httptest.NewServer(api.Handler(nil)) // one for each: the checks write its properties
			defer server.Close()
			url := "ws" + strings.TrimPrefix(server.URL, "http")
			config := check.Config{URL: url + row.path, Peer: row.peer, Dialect: row.dialect}
			passed, failed, err := check.Run(t.Context(), config, func(r check.Result) {
				if r.Err != nil {
					t.Errorf("%s: %v", r.Name, r.Err)
				}
			})
			if err != nil {
				t.Fatal(err)
			}
			t.Logf("%d checks passed, %d failed", passed, failed)
		})
	}
}

func each(t *testing.T, run func(t *testing.T, rt js.Runtime, codec string)) {
	for _, rt := range js.Runtimes {
		for _, codec := range []string{"json", "superjson"} {
			t.Run(fmt.Sprintf("%s/%s", rt, codec), func(t *testing.T) { run(t, rt, codec) })
		}
	}
}
