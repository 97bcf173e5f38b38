package main

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/kkrpc-go/kkrpc/cmd/kkrpc/internal/shrink"
	"github.com/kkrpc-go/kkrpc/cmd/kkrpc/internal/source"
)

const buildUsage = `usage: kkrpc build hono <package> --runtime bun|deno|node|workers [--plain] [-o dist]
                        [--codec json|json+bytes|superjson] [--api name]
                        [--tags list] [--all-methods] [--all-lines] [--sizes]

Builds a Go main package that calls wasm.Serve into a folder whose index.mjs exports
createHonoWebSocketHandler and the type API, with a server to start from.

`

// runtimes are the targets of `kkrpc build hono`, with the command that starts the folder.
var runtimes = map[string]string{
	"bun":     "bun install && bun server.mjs",
	"deno":    "deno install && deno run -A server.mjs",
	"node":    "npm install && node server.mjs",
	"workers": "npm install && npx wrangler dev",
}

// wasmPackage is the package that a program must import.
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
	flags.StringVar(&b.tags, "tags", "", "build `tags` for the go command")
	flags.BoolVar(&b.allMethods, "all-methods", false, "keep the exported methods of all types: for an API with types of other modules; a larger program")
	flags.StringVar(&b.types.codec, "codec", "", "`codec` of the clients, for the type API: that of kkrpc gen ts")
	flags.StringVar(&b.types.api, "api", "", "`name` of the API, or file:line where it is exposed, if the program exposes several")
	flags.BoolVar(&b.allLines, "all-lines", false, "keep the tables of functions as Go has linked them, for the lines of libraries in stack traces; a larger program")
	flags.BoolVar(&b.sizes, "sizes", false, "print how much of the program the code of each package is")
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
	case b.out == "":
		fmt.Fprintln(stderr, "kkrpc build hono: -o is empty: want a folder to write to, such as dist")
		return 2
	case b.types.wrong() != "":
		fmt.Fprintln(stderr, "kkrpc build hono:", b.types.wrong())
		return 2
	}
	b.pkg = words[1]
	if err := b.run(ctx); err != nil {
		if ctx.Err() != nil {
			err = context.Cause(ctx)
		}
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
	pkg, runtime, out, tags            string
	plain, allMethods, allLines, sizes bool
	types                              generation           // of which text makes the type API
	packages                           []shrink.PackageCode // of the program, if sizes is true, as is data
	data                               []byte
	stdout, stderr                     io.Writer
}

// run creates everything before it writes to the folder. A build that fails or is interrupted therefore leaves the
// folder unchanged.
func (b *bundle) run(ctx context.Context) error {
	files, err := b.hostFiles()
	if err != nil {
		return err
	}
	if err := b.checkFolder(files); err != nil {
		return err
	}
	if files[loaderName], err = b.loader(ctx); err != nil {
		return err
	}
	if err := b.check(ctx); err != nil {
		return err
	}
	described, unknown := source.LoadWebAssembly(ctx, ".", b.pkg, b.tagFlags()...)
	program, err := b.compile(ctx, described)
	if err != nil {
		return err
	}
	files[programName] = program
	if files[typesName], err = b.apiTypes(ctx, described, unknown); err != nil {
		return err
	}
	kept, err := b.write(files)
	if err != nil {
		return err
	}
	zipped, err := gzipSize(program)
	if err != nil {
		return err
	}
	fmt.Fprintf(b.stdout, "%s: %.2f MB, %.2f MB gzip\n", filepath.Join(b.out, programName), float64(len(program))/1e6, float64(zipped)/1e6)
	if b.sizes {
		if err := printSizes(b.stdout, b.packages, b.data); err != nil {
			return err
		}
	}
	for _, name := range kept {
		fmt.Fprintf(b.stdout, "%s: left as it was\n", filepath.Join(b.out, name))
	}
	fmt.Fprintf(b.stdout, "\n%s has a server to begin with. There: %s\n", b.out, runtimes[b.runtime])
	return nil
}

// goCommand is the go command as it builds for a JavaScript host.
func (b *bundle) goCommand(ctx context.Context, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, "go", args...)
	cmd.Env = append(os.Environ(), "GOOS=js", "GOARCH=wasm")
	cmd.Stderr = b.stderr
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) } // then it removes what it has begun
	cmd.WaitDelay = 5 * time.Second
	return cmd
}

// tagFlags are none if no tags were given: a flag counts more than the one in GOFLAGS, even if it is empty.
func (b *bundle) tagFlags() []string {
	if b.tags == "" {
		return nil
	}
	return []string{"-tags", b.tags}
}

// loader reads wasm_exec.js of the Go that is to compile the program: the two belong together.
func (b *bundle) loader(ctx context.Context) ([]byte, error) {
	out, err := b.goCommand(ctx, "env", "GOROOT").Output()
	if errors.Is(err, exec.ErrNotFound) {
		return nil, errors.New("the go command is not in PATH: install Go from https://go.dev/dl")
	} else if err != nil {
		return nil, fmt.Errorf("go env GOROOT: %w", err)
	}
	data, err := os.ReadFile(filepath.Join(strings.TrimSpace(string(out)), "lib", "wasm", loaderName))
	if err != nil {
		return nil, fmt.Errorf("this Go came without what its WebAssembly needs, take one of https://go.dev/dl: %w", err)
	}
	return data, nil
}

// check refuses a package that would build and then do nothing.
func (b *bundle) check(ctx context.Context) error {
	args := append([]string{"list", "-f", "{{.Name}} {{join .Deps \" \"}}"}, b.tagFlags()...)
	out, err := b.goCommand(ctx, append(args, b.pkg)...).Output()
	if err != nil && isFolder(b.pkg) {
		return fmt.Errorf("go list %s: %w: the package in the folder is ./%[1]s", b.pkg, err)
	} else if err != nil {
		return fmt.Errorf("go list %s: %w", b.pkg, err)
	}
	lines := slices.Collect(strings.Lines(string(out)))
	if len(lines) != 1 {
		return fmt.Errorf("%s matches %d packages: want one", b.pkg, len(lines))
	}
	words := strings.Fields(lines[0])
	if words[0] != "main" {
		return fmt.Errorf("%s is package %s: want a main package", b.pkg, words[0])
	}
	if !slices.Contains(words[1:], wasmPackage) {
		return fmt.Errorf("%s does not import %s: its main function has to call wasm.Serve", b.pkg, wasmPackage)
	}
	return nil
}

// isFolder tells whether pkg, which to the go command is an import path, was meant as a folder.
func isFolder(pkg string) bool {
	info, err := os.Stat(pkg)
	return err == nil && info.IsDir() && filepath.IsLocal(pkg) && !strings.HasPrefix(pkg, ".")
}

// small are flags of the go command for a program that is small when compressed. Inlining adds a tenth of the size. It
// pays only for short and frequent calls: in the runtime and its own dependencies. If two patterns match, the last one
// counts.
var small = []string{
	"-gcflags=all=-l",
	"-gcflags=runtime/...=", "-gcflags=internal/...=", "-gcflags=sync/...=", "-gcflags=unicode/...=", "-gcflags=math/bits=",
}

// compile returns the program. described is its source, or nil if that could not be read.
func (b *bundle) compile(ctx context.Context, described *source.Program) (program []byte, err error) {
	dir, err := os.MkdirTemp("", "kkrpc-build-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	methods, err := b.methodFlags(ctx, dir, described)
	if err != nil {
		return nil, err
	}
	file := filepath.Join(dir, programName)
	args := slices.Concat([]string{"build", "-trimpath", "-ldflags=-s -w", "-o", file}, small, methods, []string{b.pkg})
	cmd := b.goCommand(ctx, args...)
	cmd.Stdout = b.stdout
	if err := cmd.Run(); err != nil {
		return nil, fmt.Errorf("go build %s: %w", b.pkg, err)
	}
	if program, err = os.ReadFile(file); err != nil {
		return nil, err
	}
	version, err := b.goCommand(ctx, "env", "GOVERSION").Output()
	if err != nil {
		return nil, fmt.Errorf("go env GOVERSION: %w", err)
	}
	var keepsLines func(pkg string) bool
	if described != nil {
		keepsLines = described.IsUsers
	}
	return b.shrink(program, strings.TrimSpace(string(version)), keepsLines)
}

// shrink returns a smaller program for what the linker of a version of Go has written. Tables that it does not know stay: the
// program works with them too. If keepsLines is nil, all packages keep their lines.
func (b *bundle) shrink(linked []byte, version string, keepsLines func(pkg string) bool) ([]byte, error) {
	program, err := shrink.Read(linked)
	if err != nil {
		return nil, err
	}
	if b.sizes {
		b.packages, err = program.Packages()
		if err != nil {
			fmt.Fprintf(b.stderr, "kkrpc build hono: the sizes of packages are unknown: %v\n", err)
		}
	}
	if !b.allLines && shrink.Knows(version) {
		if keepsLines == nil {
			keepsLines = func(string) bool { return true }
		}
		if err = program.DropTables(keepsLines); err == nil {
			err = program.PackTables()
		}
		if err != nil {
			fmt.Fprintf(b.stderr, "kkrpc build hono: the program is larger than it has to be: %v\n", err)
		}
	}
	if b.sizes {
		b.data = program.Data()
	}
	return program.Bytes()
}

// noTypes is the type API of a program whose API cannot be read from its source.
const noTypes = "// Code generated by kkrpc build hono. DO NOT EDIT.\n\ntype API = unknown\nexport type { API as default }\n"

// apiTypes returns the types of what the program exposes. A program whose API the source does not tell works all the same,
// so it has no types then, unless the user has named one by --api. unknown says why its source could not be read.
func (b *bundle) apiTypes(ctx context.Context, program *source.Program, unknown error) (text []byte, err error) {
	if err = unknown; err == nil {
		text, err = b.readTypes(program)
	}
	if err == nil || b.types.api != "" || ctx.Err() != nil {
		return text, err
	}
	fmt.Fprintf(b.stderr, "kkrpc build hono: the type API of %s is unknown: %v\n", filepath.Join(b.out, typesName), err)
	return []byte(noTypes), nil
}

func (b *bundle) readTypes(program *source.Program) ([]byte, error) {
	api, err := choose(program, b.pkg, b.types.api)
	if err != nil {
		return nil, err
	}
	b.types.out, b.types.writer = typesName, "kkrpc build hono"
	text, warnings, err := b.types.text(api)
	if err != nil {
		return nil, err
	}
	fmt.Fprint(b.stderr, warnings)
	return fmt.Appendf(text, "\nexport type { %s as default }\n", api.Name), nil // index.d.mts calls it API
}

// gzipSize is how many bytes of data a server sends.
func gzipSize(data []byte) (int, error) {
	var b bytes.Buffer
	z, err := gzip.NewWriterLevel(&b, gzip.BestCompression)
	if err == nil {
		_, err = z.Write(data)
	}
	if err == nil {
		err = z.Close()
	}
	return b.Len(), err
}
