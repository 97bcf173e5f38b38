package js

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
)

// Worker is a module that workerd serves.
type Worker struct {
	Script       string   // in a folder that resolves the packages that it imports; see [Bundle]
	Wasm         []string // files beside it that it imports as modules, such as "api.wasm"
	Object       string   // an exported class of Durable Objects, bound to its name in upper case; "" if there is none
	Date         string   // the compatibility date, as 2006-01-02
	Flags        []string // compatibility flags
	Local        bool     // it may connect to this machine
	Experimental bool     // workerd is told that compatibility flags may be experimental
	Disk         string   // a folder for the storage of objects, which outlives them there; "" for memory

	Started  func(process *os.Process) // is told of workerd, which the test may send a signal; nil for nobody
	CfHeader string                    // a header of clients that becomes request.cf; "" for none
	Bindings []string                  // more of c.env, in Cap'n Proto's text, as (name = "A", text = "b")
}

// Start serves the worker until the test ends, on a port of its own, and returns its address as "127.0.0.1:port", and what
// it prints.
func (w Worker) Start(tb testing.TB) (addr string, out *Output) {
	tb.Helper()
	exe := Workerd.Path(tb)
	dir := tb.TempDir()
	external := []string{"cloudflare:workers", "workerd:unsafe"}
	for _, name := range w.Wasm {
		external = append(external, "./"+name)
		if err := os.Symlink(filepath.Join(filepath.Dir(w.Script), name), filepath.Join(dir, name)); err != nil {
			tb.Fatal(err)
		}
	}
	Bundle(tb, w.Script, filepath.Join(dir, "worker.mjs"), external...)
	file := filepath.Join(dir, "config.capnp")
	if err := os.WriteFile(file, []byte(w.config()), 0o666); err != nil {
		tb.Fatal(err)
	}

	cmd := exec.Command(exe, "serve", file, "--control-fd=1")
	if w.Experimental {
		cmd.Args = append(cmd.Args, "--experimental")
	}
	EndWithTest(cmd, syscall.SIGKILL)
	out = new(Output)
	cmd.Stderr = out
	stdout, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		tb.Fatal(err)
	}
	if w.Started != nil {
		w.Started(cmd.Process)
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
			tb.Fatalf("workerd does not listen: %v", err)
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

// config is what tells workerd to serve the bundle, in Cap'n Proto's text.
func (w Worker) config() string {
	modules := []string{`(name = "worker.mjs", esModule = embed "worker.mjs")`}
	for _, name := range w.Wasm {
		modules = append(modules, fmt.Sprintf("(name = %q, wasm = embed %q)", name, name))
	}
	flags := make([]string, len(w.Flags))
	for i, name := range w.Flags {
		flags[i] = fmt.Sprintf("%q", name)
	}
	services, objects, bindings := "", "", slices.Clone(w.Bindings)
	http := ""
	if w.CfHeader != "" {
		http = fmt.Sprintf("cfBlobHeader = %q", w.CfHeader)
	}
	if w.Local {
		services = `, (name = "internet", network = (allow = ["public", "private"]))`
	}
	if w.Object != "" {
		storage := "inMemory = void"
		if w.Disk != "" {
			storage = `localDisk = "disk"`
			services += fmt.Sprintf(`, (name = "disk", disk = (path = %q, writable = true))`, w.Disk)
		}
		objects = fmt.Sprintf(`
  durableObjectNamespaces = [(className = %q, uniqueKey = %q, enableSql = true)],
  durableObjectStorage = (%s),`, w.Object, w.Object, storage)
		bindings = append(bindings, fmt.Sprintf("(name = %q, durableObjectNamespace = %q)", strings.ToUpper(w.Object), w.Object))
	}
	return fmt.Sprintf(`using Workerd = import "/workerd/workerd.capnp";

const config :Workerd.Config = (
  services = [(name = "main", worker = .worker)%s],
  sockets = [(name = "http", address = "127.0.0.1:0", http = (%s), service = "main")],
);

const worker :Workerd.Worker = (
  modules = [%s],
  compatibilityDate = %q,
  compatibilityFlags = [%s],%s
  bindings = [%s],
);
`, services, http, strings.Join(modules, ", "), w.Date, strings.Join(flags, ", "), objects, strings.Join(bindings, ", "))
}
