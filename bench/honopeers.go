package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// goInHono runs the Go server as WebAssembly in Hono in a runtime.
func goInHono(rt runtimeName) func(*bench, string) (*exec.Cmd, error) {
	return func(b *bench, dialect string) (*exec.Cmd, error) {
		dir, err := b.program(string(rt))
		if err != nil {
			return nil, err
		}
		if rt == workerd {
			return b.worker(dir, fmt.Sprintf(`
				import { createHonoWebSocketHandler } from %q
				export default worker((c) => createHonoWebSocketHandler(c))`, filepath.Join(dir, "index.mjs")))
		}
		cmd, err := script(rt, "", "hono.mjs", "go")(b, dialect)
		if err == nil {
			cmd.Env = append(cmd.Env, "GO_IN_HONO="+dir)
		}
		return cmd, err
	}
}

// kkrpcInWorker runs kkrpc 2 in workerd.
func kkrpcInWorker(b *bench, _ string) (*exec.Cmd, error) {
	checkout := os.Getenv("KKRPC_V2")
	if checkout == "" {
		return nil, noCheckout("KKRPC_V2")
	}
	return b.worker(filepath.Join(b.outDir, "worker-kkrpc2"), fmt.Sprintf(`
		import { createHonoWebSocketHandler } from %q
		import { makeAPI } from %q
		const expose = makeAPI()
		export default worker(() => {
			const events = createHonoWebSocketHandler({ expose })
			let open = false
			return {
				...events,
				onMessage(event, ws) {
					if (!open) events.onOpen(event, ws) // which Hono does not call on Workers
					open = true
					events.onMessage(event, ws)
				},
			}
		})`,
		filepath.Join(checkout, "packages", "kkrpc", "src", "entries", "ws-hono.ts"), filepath.Join(b.jsDir, "api.mjs")))
}

// program builds the Go server for a runtime, once.
func (b *bench) program(runtime string) (dir string, err error) {
	id := "hono-" + runtime
	if done, ok := b.built[id]; ok {
		return done.exe, done.err
	}
	command, err := b.build(".", "./cmd/kkrpc")
	if err == nil {
		dir = filepath.Join(b.outDir, id)
		args := []string{"build", "hono", "./bench/server", "-o", dir, "--runtime"}
		if runtime == string(workerd) {
			args = append(args, "workers", "--plain")
		} else {
			args = append(args, runtime)
		}
		var out []byte
		if out, err = exec.Command(command, args...).CombinedOutput(); err != nil {
			err = fmt.Errorf("kkrpc %s: %w: %s", strings.Join(args, " "), err, bytes.Join(bytes.Fields(out), []byte{' '}))
		}
	}
	b.built[id] = built{dir, err}
	return dir, err
}

// worker bundles a script that exports what workers.mjs makes, and returns what serves it. A program api.wasm stands in dir.
func (b *bench) worker(dir, script string) (*exec.Cmd, error) {
	bundler, err := b.find(bun)
	if err != nil {
		return nil, err
	}
	exe, err := b.find(workerd)
	if err != nil {
		return nil, err
	}
	modules := `(name = "worker.mjs", esModule = embed "worker.mjs")`
	if _, err := os.Stat(filepath.Join(dir, "api.wasm")); err == nil {
		modules += `, (name = "api.wasm", wasm = embed "api.wasm")`
	}
	script = fmt.Sprintf("import { worker } from %q\n%s", filepath.Join(b.jsDir, "workers.mjs"), script)
	config := fmt.Sprintf(`using Workerd = import "/workerd/workerd.capnp";

const config :Workerd.Config = (
  services = [(name = "main", worker = .worker)],
  sockets = [(name = "http", address = "127.0.0.1:0", http = (), service = "main")],
);

const worker :Workerd.Worker = (modules = [%s], compatibilityDate = "2026-10-01");
`, modules)
	err = os.MkdirAll(dir, 0o755)
	for name, text := range map[string]string{"entry.mjs": script, "config.capnp": config} {
		if err == nil {
			err = os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644)
		}
	}
	if err != nil {
		return nil, err
	}
	bundle := exec.Command(bundler, "build", "--external", "./api.wasm", "--external", "cloudflare:workers", "--outfile", "worker.mjs", "./entry.mjs")
	bundle.Dir = dir
	bundle.Env = append(os.Environ(), "NODE_PATH="+filepath.Join(b.jsDir, "node_modules"))
	if out, err := bundle.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("%s: %w: %s", bundle, err, out)
	}
	cmd := exec.Command(exe, "serve", "config.capnp", "--control-fd=1")
	cmd.Dir = dir
	return cmd, nil
}
