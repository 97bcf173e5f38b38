package js

import (
	"bufio"
	"bytes"
	"encoding/json"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
)

// Output is what a process prints while it runs.
type Output struct {
	mu   sync.Mutex
	text bytes.Buffer
}

// Write implements io.Writer.
func (o *Output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.Write(p)
}

// String is what has been printed so far.
func (o *Output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.String()
}

// Serve runs workerd with a configuration until the test ends, and returns the host and port of the socket that it
// opens, and what it prints. The configuration is written into dir, where its embedded files are; its socket has the address 127.0.0.1:0.
func Serve(tb testing.TB, dir, config string) (host string, out *Output) {
	tb.Helper()
	exe := Workerd.Path(tb)
	file := filepath.Join(dir, "config.capnp")
	if err := os.WriteFile(file, []byte(config), 0o666); err != nil {
		tb.Fatal(err)
	}
	cmd := exec.Command(exe, "serve", file, "--control-fd=1")
	out = new(Output)
	cmd.Stderr = out
	stdout, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		tb.Fatal(err)
	}
	var reading sync.WaitGroup
	tb.Cleanup(func() {
		_ = cmd.Process.Kill()
		reading.Wait()
		_ = cmd.Wait() // killed
		if tb.Failed() {
			tb.Logf("workerd said:\n%s", out)
		}
	})
	lines := bufio.NewReader(stdout)
	for {
		line, err := lines.ReadBytes('\n')
		if err != nil {
			_ = cmd.Process.Kill()
			_ = cmd.Wait()
			tb.Fatalf("workerd does not listen: %v\n%s", err, out)
		}
		var event struct {
			Event string
			Port  json.Number
		}
		if json.Unmarshal(line, &event) == nil && event.Event == "listen" {
			reading.Go(func() { _, _ = io.Copy(out, lines) }) // what console.log prints; ends with the process
			return "127.0.0.1:" + event.Port.String(), out
		}
	}
}

// WorkerConfig is a configuration for [Serve] with the module worker.mjs as its only Worker, which may connect to this
// machine.
const WorkerConfig = `using Workerd = import "/workerd/workerd.capnp";

const config :Workerd.Config = (
  services = [
    (name = "main", worker = (
      modules = [(name = "worker.mjs", esModule = embed "worker.mjs")],
      compatibilityDate = "2026-01-01",
      compatibilityFlags = ["nodejs_compat"],
    )),
    (name = "internet", network = (allow = ["public", "private"])),
  ],
  sockets = [(name = "http", address = "127.0.0.1:0", http = (), service = "main")],
);
`
