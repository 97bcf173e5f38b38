package js

import (
	"bytes"
	"os"
	"os/exec"
	"syscall"
	"testing"
	"time"
)

// Browse shows a page in Chromium, without a window, until the test ends. What the page has found out it has to send
// somewhere.
func Browse(tb testing.TB, url string) {
	tb.Helper()
	exe := Chromium.Path(tb)
	profile, err := os.MkdirTemp("", "kkrpc-chromium-") // TempDir fails on what a dying process still writes
	if err != nil {
		tb.Fatal(err)
	}
	cmd := exec.Command(exe, "--headless=new", "--user-data-dir="+profile, "--disable-gpu", "--disable-dev-shm-usage",
		"--no-first-run", "--disable-extensions", "--disable-background-networking", "--disable-component-update",
		"--disable-background-timer-throttling", "--remote-debugging-port=0",
		"--no-sandbox", // a container offers none, and the page is the test's own
		url)
	EndWithTest(cmd, syscall.SIGKILL)
	cmd.WaitDelay = time.Second // its children keep its output open
	var output bytes.Buffer
	cmd.Stdout, cmd.Stderr = &output, &output
	if err := cmd.Start(); err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		_ = cmd.Process.Signal(os.Interrupt) // so that it ends its children
		kill := time.AfterFunc(3*time.Second, func() { _ = cmd.Process.Kill() })
		_ = cmd.Wait() // by a signal
		kill.Stop()
		_ = os.RemoveAll(profile)
		if tb.Failed() {
			tb.Logf("chromium said:\n%s", output.Bytes())
		}
	})
}
