package js

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// Worker is a bundle that workerd serves, with WebAssembly and Durable Objects; see [Serve] for other configurations.
type Worker struct {
	Script string   // of a folder that resolves the packages that it imports; it is bundled by Bun
	Wasm   []string // files beside it that it imports as modules, such as "api.wasm"
	Object string   // an exported class of Durable Objects, bound to its name in upper case; "" if there is none
	Date   string   // the compatibility date, as 2006-01-02
}

// Start serves the worker until the test ends, on a port of its own, and returns its address as "127.0.0.1:port".
func (w Worker) Start(tb testing.TB) (addr string, out *Output) {
	tb.Helper()
	dir := tb.TempDir()
	bundle := []string{"build", "--external", "cloudflare:workers", "--outfile", filepath.Join(dir, "worker.mjs")}
	for _, name := range w.Wasm {
		bundle = append(bundle, "--external", "./"+name)
		if err := os.Symlink(filepath.Join(filepath.Dir(w.Script), name), filepath.Join(dir, name)); err != nil {
			tb.Fatal(err)
		}
	}
	bundler := exec.Command(Bun.Path(tb), append(bundle, "./"+filepath.Base(w.Script))...)
	bundler.Dir = filepath.Dir(w.Script) // which --external is relative to
	if out, err := bundler.CombinedOutput(); err != nil {
		tb.Fatalf("%s: %v\n%s", bundler, err, out)
	}
	return Serve(tb, dir, w.config())
}

// config is what tells workerd to serve the bundle, in Cap'n Proto's text.
func (w Worker) config() string {
	modules := []string{`(name = "worker.mjs", esModule = embed "worker.mjs")`}
	for _, name := range w.Wasm {
		modules = append(modules, fmt.Sprintf("(name = %q, wasm = embed %q)", name, name))
	}
	objects := ""
	if w.Object != "" {
		objects = fmt.Sprintf(`
  durableObjectNamespaces = [(className = %q, uniqueKey = %q, enableSql = true)],
  durableObjectStorage = (inMemory = void),
  bindings = [(name = %q, durableObjectNamespace = %q)],`, w.Object, w.Object, strings.ToUpper(w.Object), w.Object)
	}
	return fmt.Sprintf(`using Workerd = import "/workerd/workerd.capnp";

const config :Workerd.Config = (
  services = [(name = "main", worker = .worker)],
  sockets = [(name = "http", address = "127.0.0.1:0", http = (), service = "main")],
);

const worker :Workerd.Worker = (
  modules = [%s],
  compatibilityDate = %q,%s
);
`, strings.Join(modules, ", "), w.Date, objects)
}
