package npm_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// relied is what runtime.mjs relies on in Go's private runtime, with the forms in the sources of Go, apart from spaces.
var relied = []struct {
	item  string // as runtime.mjs names it
	file  string // of Go
	forms []string
}{
	{"resume", "src/cmd/link/internal/wasm/asm.go", []string{`for _, name := range []string{"run", "resume", "getsp"} {`}},
	{"resume", "src/runtime/rt0_js_wasm.s", []string{
		"// wasm_export_resume gets called from JavaScript. It resumes the execution of Go code until it needs to wait for // an event.",
	}},
	{"mem", "src/cmd/link/internal/wasm/asm.go", []string{`writeName(ctxt.Out, "mem")`}},
	{"mem", wasmExec, []string{
		`this.mem = new DataView(this._inst.exports.mem.buffer);`,
		`"runtime.resetMemoryDataView": (sp) => { sp >>>= 0; this.mem = new DataView(this._inst.exports.mem.buffer); },`,
	}},
	{"Go", wasmExec, []string{`globalThis.Go = class { constructor() {`}},
	{"importObject", wasmExec, []string{`this.importObject = {`}},
	{"exit", wasmExec, []string{`this.exit(code);`}},
	{"run", wasmExec, []string{
		`async run(instance) { if (!(instance instanceof WebAssembly.Instance)) {`,
		`this._inst.exports.run(argc, argv); if (this.exited) { this._resolveExitPromise(); } await this._exitPromise; }`, // no await before
	}},
	{"_resume", wasmExec, []string{
		`_resume() { if (this.exited) { throw new Error("Go program has already exited"); } this._inst.exports.resume();`,
		`() => { this._resume(); while (`,
		`go._pendingEvent = event; go._resume(); return event.result;`,
	}},
	{"_inst", wasmExec, []string{
		`throw new Error("Go.run: WebAssembly.Instance expected"); } this._inst = instance;`,
		`} catch (err) { sp = this._inst.exports.getsp() >>> 0;`,
		`this.exited = true; delete this._inst;`,
	}},
	{"_scheduledTimeouts", wasmExec, []string{
		`this._scheduledTimeouts = new Map();`,
		`this._scheduledTimeouts.set(id, setTimeout(`,
		`clearTimeout(this._scheduledTimeouts.get(id)); this._scheduledTimeouts.delete(id);`,
	}},
	{"gojs", wasmExec, []string{`gojs: {`}},
	{"runtime.scheduleTimeoutEvent", wasmExec, []string{
		`// func scheduleTimeoutEvent(delay int64) int32 "runtime.scheduleTimeoutEvent": (sp) => { sp >>>= 0;`,
		`getInt64(sp + 8), )); this.mem.setInt32(sp + 16, id, true); },`,
	}},
	{"runtime.scheduleTimeoutEvent", "src/runtime/lock_js.go", []string{
		`//go:wasmimport gojs runtime.scheduleTimeoutEvent func scheduleTimeoutEvent(ms int64) int32`,
	}},
	{"runtime.clearTimeoutEvent", wasmExec, []string{
		`// func clearTimeoutEvent(id int32) "runtime.clearTimeoutEvent": (sp) => { sp >>>= 0; const id = this.mem.getInt32(sp + 8, true);`,
	}},
	{"runtime.clearTimeoutEvent", "src/runtime/lock_js.go", []string{
		`//go:wasmimport gojs runtime.clearTimeoutEvent func clearTimeoutEvent(id int32)`,
	}},
}

const wasmExec = "lib/wasm/wasm_exec.js"

// TestGoRuntime finds in the installed Go what runtime.mjs relies on. A release may change it without a word.
func TestGoRuntime(t *testing.T) {
	out, err := exec.Command("go", "env", "GOVERSION", "GOROOT").Output()
	if err != nil {
		t.Fatal(err)
	}
	version, root, _ := strings.Cut(strings.TrimSpace(string(out)), "\n")
	host := read(t, "runtime.mjs")
	for _, r := range relied {
		if !regexp.MustCompile(`\b` + regexp.QuoteMeta(r.item) + `\b`).MatchString(host) {
			t.Errorf("%s is looked for, but npm/runtime.mjs does not name it: take it out of npm/runtime_test.go", r.item)
		}
		source := spaced(read(t, filepath.Join(root, filepath.FromSlash(r.file))))
		for _, form := range r.forms {
			if !strings.Contains(source, spaced(form)) {
				t.Errorf("%s has changed %s, on which npm/runtime.mjs relies: %s no longer has\n\t%s\n"+
					"Read what is there now, make npm/runtime.mjs right for it and for the versions of Go before, and then npm/runtime_test.go.",
					version, r.item, r.file, form)
			}
		}
	}
}

// TestPrivateNames holds that runtime.mjs alone uses what is private in Go's runtime.
func TestPrivateNames(t *testing.T) {
	private := regexp.MustCompile(`\b_(resume|inst|scheduledTimeouts|pendingEvent|values|ids|makeFuncWrapper)\b|` +
		`\bgojs\b|"runtime\.|exports\.(mem|resume|run|getsp)\b|\bgo\.mem\b`)
	var files []string
	for _, pattern := range []string{"*.mjs", "bun/*.mjs", "deno/*.mjs", "node/*.mjs", "workers/*.mjs", "workers/plain/*.mjs"} {
		found, err := filepath.Glob(pattern)
		if err != nil || len(found) == 0 {
			t.Fatalf("no files %s: %v", pattern, err)
		}
		files = append(files, found...)
	}
	for _, name := range files {
		if name == "runtime.mjs" {
			continue
		}
		for i, line := range strings.Split(read(t, name), "\n") {
			if found := private.FindString(line); found != "" {
				t.Errorf("npm/%s:%d uses %s, which is private in Go's runtime: give npm/runtime.mjs a function for it",
					filepath.ToSlash(name), i+1, found)
			}
		}
	}
}

// spaced has one space for each run of white space.
func spaced(text string) string { return strings.Join(strings.Fields(text), " ") }

func read(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
