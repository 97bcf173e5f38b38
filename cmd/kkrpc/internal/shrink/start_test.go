package shrink

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"
)

// compareMemory instantiates modules and prints in how many bytes the memory of each differs from that of the first one. It
// does not run Go.
const compareMemory = `
import { readFileSync } from "node:fs"
const memories = process.argv.slice(2).map((path) => {
	const module = new WebAssembly.Module(readFileSync(path))
	const imports = {}
	for (const { module: from, name } of WebAssembly.Module.imports(module)) (imports[from] ??= {})[name] = () => {}
	return Buffer.from(new WebAssembly.Instance(module, imports).exports.mem.buffer)
})
for (const memory of memories) {
	let differ = Math.abs(memory.length - memories[0].length)
	for (let i = 0; i < memory.length; i++) differ += memory[i] !== memories[0][i]
	console.log(differ)
}
`

// TestPackTables has a JavaScript engine instantiate a program as it was linked, with joined segments, and packed. Go must find
// the same memory each time.
func TestPackTables(t *testing.T) {
	needsNode(t)
	linked := link(t, "build", "-o", "PROGRAM", "../../testdata/hono")
	p := read(t, linked)
	joined := bytesOf(t, p)
	if err := p.PackTables(); err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	script := filepath.Join(dir, "compare.mjs")
	if err := os.WriteFile(script, []byte(compareMemory), 0o600); err != nil {
		t.Fatal(err)
	}
	args := []string{script}
	for i, module := range [][]byte{linked, joined, bytesOf(t, p)} {
		path := filepath.Join(dir, string('a'+rune(i))+".wasm")
		if err := os.WriteFile(path, module, 0o600); err != nil {
			t.Fatal(err)
		}
		args = append(args, path)
	}
	out, err := exec.CommandContext(t.Context(), "node", args...).CombinedOutput()
	if err != nil || string(out) != "0\n0\n0\n" {
		t.Errorf("bytes that differ: %s (%v)", out, err)
	}
}

// link has the go command write a program and returns that. PROGRAM in args stands for its path.
func link(t *testing.T, args ...string) []byte {
	t.Helper()
	path := filepath.Join(t.TempDir(), "linked.wasm")
	args[slices.Index(args, "PROGRAM")] = path
	cmd := exec.CommandContext(t.Context(), "go", args...)
	cmd.Env = append(os.Environ(), "GOOS=js", "GOARCH=wasm")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	module, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return module
}

func read(t *testing.T, module []byte) *Program {
	t.Helper()
	p, err := Read(module)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func bytesOf(t *testing.T, p *Program) []byte {
	t.Helper()
	module, err := p.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	return module
}
