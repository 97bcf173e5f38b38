package guide_test

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/kkrpc-go/kkrpc/interop/js"
)

// The variables that name checkouts of newer versions of kkrpc: the folders above packages/kkrpc. Bun runs their sources.
const (
	checkoutVar   = "KKRPC_V2"
	checkout07Var = "KKRPC_V07"
)

// runtime is what runs the TypeScript side of a page, and how it finds the package kkrpc.
type runtime struct {
	js.Runtime
	name  string
	paths map[string][]string // of imports to the sources of a checkout; nil for kkrpc 0.2 from npm
}

// runtimes lists those that run a page for the given generation of kkrpc.
func runtimes(t *testing.T, generation int) (all []runtime) {
	t.Helper()
	if generation == 2 {
		if os.Getenv(checkoutVar) == "" {
			t.Skipf("needs kkrpc 2: set %s to a checkout of it, see CONTRIBUTING.md", checkoutVar)
		}
		entries := checkout(t, checkoutVar, "src", "entries")
		return []runtime{{js.Bun, "2", map[string][]string{
			"kkrpc":   {filepath.Join(entries, "mod.ts")},
			"kkrpc/*": {filepath.Join(entries, "*.ts")},
		}}}
	}
	for _, rt := range js.Runtimes {
		all = append(all, runtime{rt, "0.2-" + string(rt), nil})
	}
	if os.Getenv(checkout07Var) != "" {
		all = append(all, runtime{js.Bun, "0.7", map[string][]string{"kkrpc": {checkout(t, checkout07Var, "mod.ts")}}})
	}
	return all
}

// checkout returns the path of something in the checkout that a variable names.
func checkout(t *testing.T, variable string, path ...string) string {
	t.Helper()
	name := filepath.Join(append([]string{os.Getenv(variable), "packages", "kkrpc"}, path...)...)
	if _, err := os.Stat(name); err != nil {
		t.Fatalf("%s names no checkout of that kkrpc: %v", variable, err)
	}
	return name
}

// script copies a TypeScript program with its address replaced to where it finds its packages.
func (r runtime) script(t *testing.T, source string, replace ...string) *exec.Cmd {
	t.Helper()
	dir := js.TempDir(t)
	text, err := os.ReadFile(source)
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(replace); i += 2 {
		if !bytes.Contains(text, []byte(replace[i])) {
			t.Fatalf("%s does not have %s in it", source, replace[i])
		}
	}
	script := filepath.Join(dir, filepath.Base(source))
	write(t, script, strings.NewReplacer(replace...).Replace(string(text)))
	if r.paths == nil {
		write(t, filepath.Join(dir, "package.json"), `{"dependencies": {"kkrpc": "^0.2.2", "tsx": "^4", "ws": "^8"}}`) // as npm install leaves it
	} else {
		write(t, filepath.Join(dir, "tsconfig.json"), tsconfig(t, r.paths))
	}
	cmd := r.Command(t, script)
	if r.paths != nil {
		// The sources of kkrpc find what they import even where the checkout has installed nothing.
		cmd.Env = append(cmd.Env, "NODE_PATH="+filepath.Join(js.Dir(t), "node_modules"))
	}
	return cmd
}

// tsconfig leads imports to the sources of a checkout.
func tsconfig(t *testing.T, paths map[string][]string) string {
	t.Helper()
	config, err := json.Marshal(map[string]any{"compilerOptions": map[string]any{
		"target": "ESNext", "lib": []string{"ESNext", "DOM", "DOM.Iterable"}, "module": "ESNext", "moduleResolution": "Bundler",
		"strict": true, "noEmit": true, "skipLibCheck": true, "allowImportingTsExtensions": true, "types": []string{"node"},
		"paths": paths,
	}})
	if err != nil {
		t.Fatal(err)
	}
	return string(config)
}

// run returns what a program that ends by itself printed.
func run(t *testing.T, cmd *exec.Cmd) string {
	t.Helper()
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s ended with %v and said\n%s%s", filepath.Base(cmd.Args[len(cmd.Args)-1]), err, out, stderr.Bytes())
	}
	return string(out)
}

func write(t *testing.T, name, text string) {
	t.Helper()
	if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}
