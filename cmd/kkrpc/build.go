package main

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/kkrpc-go/kkrpc/npm"
)

const buildUsage = `usage: kkrpc build hono <package> --runtime bun|deno|node|workers [--plain] [-o dist]

Builds a Go main package that calls wasm.Serve into a folder whose index.mjs exports
createHonoWebSocketHandler, with a server to start from.

`

// runtimes are what `kkrpc build hono` builds for, with how the folder is started.
var runtimes = map[string]string{
	"bun":     "bun install && bun server.mjs",
	"deno":    "deno install && deno run -A server.mjs",
	"node":    "npm install && node server.mjs",
	"workers": "npm install && npx wrangler dev",
}

// wasmPackage is what a program must use to be built.
const wasmPackage = "github.com/kkrpc-go/kkrpc/wasm"

// build runs the command `kkrpc build`.
func build(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	flags := flag.NewFlagSet("kkrpc build", flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.Usage = func() {
		fmt.Fprint(stderr, buildUsage)
		flags.PrintDefaults()
	}
	b := bundle{stdout: stdout, stderr: stderr}
	flags.StringVar(&b.runtime, "runtime", "", "`name` of the JavaScript runtime: bun, deno, node or workers")
	flags.BoolVar(&b.plain, "plain", false, "for workers: a Worker without a Durable Object, whose connections meet only where they reach the same isolate")
	flags.StringVar(&b.out, "o", "dist", "`folder` to write to; what you have changed of server.mjs, package.json and wrangler.jsonc stays")
	flags.StringVar(&b.tags, "tags", "", "build `tags` for the go command; kkrpc_functions leaves out methods, for a smaller program")
	words, err := parse(flags, args)
	if errors.Is(err, flag.ErrHelp) {
		return 0
	} else if err != nil {
		return 2
	}
	switch {
	case len(words) == 0 || words[0] != "hono":
		fmt.Fprint(stderr, "kkrpc build: say what to build: hono\n\n", buildUsage)
		return 2
	case len(words) != 2:
		fmt.Fprintf(stderr, "kkrpc build hono: want one package, such as ./cmd/api, got %d\n", len(words)-1)
		return 2
	case runtimes[b.runtime] == "":
		fmt.Fprintf(stderr, "kkrpc build hono: --runtime %q: want bun, deno, node or workers\n", b.runtime)
		return 2
	case b.plain && b.runtime != "workers":
		fmt.Fprintf(stderr, "kkrpc build hono: --plain is for --runtime workers, not %s\n", b.runtime)
		return 2
	}
	b.pkg = words[1]
	if err := b.run(ctx); err != nil {
		fmt.Fprintln(stderr, "kkrpc build hono:", err)
		return 1
	}
	return 0
}

// parse is flags.Parse for flags that may also stand behind and between other words, which it returns.
func parse(flags *flag.FlagSet, args []string) (words []string, err error) {
	for {
		if err := flags.Parse(args); err != nil {
			return nil, err
		}
		if flags.NArg() == 0 {
			return words, nil
		}
		words = append(words, flags.Arg(0))
		args = flags.Args()[1:]
	}
}

// bundle is a folder that `kkrpc build hono` makes.
type bundle struct {
	pkg, runtime, out, tags string
	plain                   bool
	stdout, stderr          io.Writer
}

func (b *bundle) run(ctx context.Context) error {
	if err := b.check(ctx); err != nil {
		return err
	}
	if err := os.MkdirAll(b.out, 0o777); err != nil {
		return err
	}
	program := filepath.Join(b.out, "api.wasm")
	if err := b.compile(ctx, program); err != nil {
		return err
	}
	if err := b.addLoader(ctx); err != nil {
		return err
	}
	kept, err := b.addHost()
	if err != nil {
		return err
	}
	raw, zipped, err := sizes(program)
	if err != nil {
		return err
	}
	fmt.Fprintf(b.stdout, "%s: %.2f MB, %.2f MB gzip\n", program, float64(raw)/1e6, float64(zipped)/1e6)
	for _, name := range kept {
		fmt.Fprintf(b.stdout, "%s: left as it was\n", filepath.Join(b.out, name))
	}
	fmt.Fprintf(b.stdout, "\nStart it in %s: %s\n", b.out, runtimes[b.runtime])
	return nil
}

// goCommand is the go command as it builds for a JavaScript host.
func (b *bundle) goCommand(ctx context.Context, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, "go", args...)
	cmd.Env = append(os.Environ(), "GOOS=js", "GOARCH=wasm")
	cmd.Stderr = b.stderr
	return cmd
}

// check refuses a package that would build and then do nothing.
func (b *bundle) check(ctx context.Context) error {
	out, err := b.goCommand(ctx, "list", "-tags", b.tags, "-f", "{{.Name}}\n{{join .Deps \"\\n\"}}", b.pkg).Output()
	if errors.Is(err, exec.ErrNotFound) {
		return errors.New("the go command is not in PATH: install Go from https://go.dev/dl")
	} else if err != nil {
		return fmt.Errorf("go list %s: %w", b.pkg, err)
	}
	lines := strings.Split(strings.TrimSpace(string(out)), "\n")
	if lines[0] != "main" {
		return fmt.Errorf("%s is package %s: want a main package", b.pkg, lines[0])
	}
	if !slices.Contains(lines[1:], wasmPackage) {
		return fmt.Errorf("%s does not import %s: its main function has to call wasm.Serve", b.pkg, wasmPackage)
	}
	return nil
}

func (b *bundle) compile(ctx context.Context, program string) error {
	abs, err := filepath.Abs(program)
	if err != nil {
		return err
	}
	cmd := b.goCommand(ctx, "build", "-trimpath", "-ldflags=-s -w", "-tags", b.tags, "-o", abs, b.pkg)
	cmd.Stdout = b.stdout
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("go build %s: %w", b.pkg, err)
	}
	return nil
}

// addLoader copies wasm_exec.js of the Go that has compiled the program: the two belong together.
func (b *bundle) addLoader(ctx context.Context) error {
	out, err := b.goCommand(ctx, "env", "GOROOT").Output()
	if err != nil {
		return fmt.Errorf("go env GOROOT: %w", err)
	}
	const name = "wasm_exec.js"
	data, err := os.ReadFile(filepath.Join(strings.TrimSpace(string(out)), "lib", "wasm", name))
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(b.out, name), data, 0o666)
}

// yours are the files of a bundle that are only a beginning: what is there already stays.
var yours = []string{"server.mjs", "package.json", "wrangler.jsonc"}

// addHost writes the JavaScript around the program, and returns which files it left alone.
func (b *bundle) addHost() (kept []string, err error) {
	layers := []string{".", b.runtime} // of two files of one name, the later one counts
	if b.plain {
		layers = append(layers, b.runtime+"/plain")
	}
	files := map[string][]byte{}
	for _, layer := range layers {
		entries, err := fs.ReadDir(npm.Files, layer)
		if err != nil {
			return nil, err
		}
		for _, entry := range entries {
			if entry.IsDir() {
				continue
			}
			data, err := fs.ReadFile(npm.Files, path.Join(layer, entry.Name()))
			if err != nil {
				return nil, err
			}
			files[entry.Name()] = data
		}
	}
	for _, name := range slices.Sorted(maps.Keys(files)) {
		file := filepath.Join(b.out, name)
		if old, err := os.ReadFile(file); err == nil && slices.Contains(yours, name) {
			if !bytes.Equal(old, files[name]) {
				kept = append(kept, name)
			}
			continue
		}
		if err := os.WriteFile(file, files[name], 0o666); err != nil {
			return nil, err
		}
	}
	return kept, nil
}

// sizes are the bytes of a file, as it is and as a server sends it.
func sizes(file string) (raw, zipped int, err error) {
	data, err := os.ReadFile(file)
	if err != nil {
		return 0, 0, err
	}
	var b bytes.Buffer
	z, err := gzip.NewWriterLevel(&b, gzip.BestCompression)
	if err == nil {
		_, err = z.Write(data)
	}
	if err == nil {
		err = z.Close()
	}
	return len(data), b.Len(), err
}
