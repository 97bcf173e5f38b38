package js

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"sync"
	"syscall"
	"testing"
	"time"
)

// wranglerPatience bounds how long a command of wrangler may take, and wrangler dev until it listens.
const wranglerPatience = time.Minute

// Wrangler prepares a run of Cloudflare's command in the folder of a Worker, which resolves the packages that it imports (see
// [TempDir]). The command asks nothing, sends no telemetry, and keeps its settings in a folder of the test. Without wrangler the
// test is skipped, or fails, as without a runtime. Elsewhere than on Linux it is always skipped if Node.js is too old. The command
// and all that it has started are killed after a minute.
func Wrangler(tb testing.TB, dir string, args ...string) *exec.Cmd {
	tb.Helper()
	ctx, cancel := context.WithTimeout(tb.Context(), wranglerPatience)
	tb.Cleanup(cancel)
	cmd, _ := wrangler(ctx, tb, dir, args)
	return cmd
}

func wrangler(ctx context.Context, tb testing.TB, dir string, args []string) (cmd *exec.Cmd, kill func()) {
	tb.Helper()
	packages := filepath.Join(Dir(tb), "..", "wrangler", "node_modules")
	script := filepath.Join(packages, "wrangler", "bin", "wrangler.js")
	if _, err := os.Stat(script); err != nil {
		unavailable(tb, errors.New("wrangler is not installed: run `make js`"))
	}
	node := nodeFor(tb, filepath.Join(packages, ".bin", "node"))
	home := tb.TempDir()
	cmd = exec.CommandContext(ctx, node, append([]string{script}, args...)...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "CI=1", "NO_COLOR=1", "HOME="+home, "XDG_CONFIG_HOME="+home,
		"WRANGLER_SEND_METRICS=false", "WRANGLER_SEND_ERROR_REPORTS=false", "WRANGLER_HIDE_BANNER=true", "CLOUDFLARE_CF_FETCH_ENABLED=false")
	EndWithTest(cmd, syscall.SIGTERM) // it passes that on to what it has started
	kill = inGroup(cmd)
	cmd.Cancel = func() error {
		kill()
		return nil
	}
	return cmd, kill
}

// newNode is a version of Node.js that runs wrangler: 22.12 or later.
var newNode = regexp.MustCompile(`^v(?:22\.(?:1[2-9]|[2-9]\d)\.|2[3-9]\.|[3-9]\d\.)`)

// nodeFor returns the first Node.js that is new enough: that of npm, which has one for Linux, or the machine's.
func nodeFor(tb testing.TB, ofNpm string) (exe string) {
	tb.Helper()
	var found []string
	for _, name := range []string{ofNpm, "node"} {
		version, err := exec.CommandContext(tb.Context(), name, "--version").Output()
		if err == nil && newNode.Match(version) {
			return name
		}
		found = append(found, fmt.Sprintf("%s: %q, %v", name, version, err))
	}
	err := fmt.Errorf("wrangler needs Node.js 22.12 or later: install it, or on Linux run `make js`. Found %q", found)
	if _, missing := os.Stat(ofNpm); missing != nil && runtime.GOOS != "linux" {
		tb.Skip(err) // npm has none, so the machine's is all that there is
	}
	unavailable(tb, err)
	return ""
}

var listens = regexp.MustCompile(`Ready on http://(127\.0\.0\.1:\d+)`)

// StartWrangler serves the Worker of a folder by `wrangler dev` until the test ends, on a port of its own. It returns the
// address, as "127.0.0.1:port", and what wrangler prints.
func StartWrangler(tb testing.TB, dir string, args ...string) (addr string, out *Output) {
	tb.Helper()
	out = new(Output)
	args = append([]string{"dev", "--local", "--ip=127.0.0.1", "--port=0", "--inspector-port=0", "--show-interactive-dev-session=false"}, args...)
	cmd, kill := wrangler(context.Background(), tb, dir, args) // a cleanup ends it
	printed, w := io.Pipe()
	cmd.Stdout, cmd.Stderr = w, w
	if err := cmd.Start(); err != nil {
		tb.Fatal(err)
	}
	ended := make(chan struct{})
	go func() { // ends with the process
		defer close(ended)
		_ = cmd.Wait()
		_ = w.Close()
	}()
	ready := make(chan string, 1)
	var reading sync.WaitGroup
	reading.Go(func() { _, _ = io.Copy(&until{out: out, pattern: listens, found: ready}, printed) }) // ends with the process
	tb.Cleanup(func() {
		kill()
		<-ended
		reading.Wait()
		if tb.Failed() {
			tb.Logf("wrangler said:\n%s", out)
		}
	})
	select {
	case addr = <-ready:
	case <-ended:
		tb.Fatal("wrangler dev has ended")
	case <-time.After(wranglerPatience):
		tb.Fatalf("wrangler dev does not listen after %v", wranglerPatience)
	}
	return addr, out
}

// until is an Output that tells of a pattern when it is printed.
type until struct {
	out     *Output
	pattern *regexp.Regexp
	found   chan<- string // its first group; has room for one
	told    bool
}

func (u *until) Write(p []byte) (int, error) {
	n, err := u.out.Write(p)
	if m := u.pattern.FindStringSubmatch(u.out.String()); m != nil && !u.told {
		u.told = true
		u.found <- m[1]
	}
	return n, err
}
