package main

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/aymanbagabas/go-udiff"
	"github.com/kkrpc-go/kkrpc/cmd/kkrpc/internal/source"
	"github.com/kkrpc-go/kkrpc/schema"
	"github.com/kkrpc-go/kkrpc/tsgen"
)

const genUsage = `usage: kkrpc gen ts <package> [-o file] [--codec json|superjson] [--api name] [--values] [--check]

Writes the TypeScript types of the API that a Go package exposes, with comments and names of parameters. The API is
what the package passes to ws.Handler, kkrpc.Expose and the like, or to a field Expose.

`

// gen runs the command `kkrpc gen`.
func gen(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	flags := flag.NewFlagSet("kkrpc gen", flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.Usage = func() {
		fmt.Fprint(stderr, genUsage)
		flags.PrintDefaults()
	}
	var g generation
	flags.StringVar(&g.out, "o", "", "`file` to write to; empty for the standard output")
	flags.StringVar(&g.codec, "codec", "json", "`codec` of the client: json, the default of kkrpc 2, or superjson, that of kkrpc 0.x")
	flags.StringVar(&g.api, "api", "", "`name` of the API, or file:line where it is exposed, if the package exposes several")
	flags.BoolVar(&g.values, "values", false, "write the constants of enumerations too, for use when the program runs")
	flags.BoolVar(&g.check, "check", false, "write nothing; exit with 1 and a list of changes if the file is out of date")
	words, err := parse(flags, args)
	if errors.Is(err, flag.ErrHelp) {
		return 0
	} else if err != nil {
		return 2
	}
	switch {
	case len(words) == 0 || words[0] != "ts":
		fmt.Fprint(stderr, "kkrpc gen: say what to write: ts\n\n", genUsage)
		return 2
	case len(words) != 2:
		fmt.Fprintf(stderr, "kkrpc gen ts: want one package, such as ./cmd/server, got %d\n", len(words)-1)
		return 2
	case g.codec != string(tsgen.JSON) && g.codec != string(tsgen.SuperJSON):
		fmt.Fprintf(stderr, "kkrpc gen ts: --codec %q: want json or superjson\n", g.codec)
		return 2
	case g.check && g.out == "":
		fmt.Fprintln(stderr, "kkrpc gen ts: --check compares a file: name it with -o")
		return 2
	}
	g.pkg = words[1]
	if err := g.run(ctx, stdout, stderr); err != nil {
		for line := range strings.Lines(err.Error()) {
			fmt.Fprintln(stderr, "kkrpc gen ts:", strings.TrimSuffix(line, "\n"))
		}
		return 1
	}
	return 0
}

// generation is one run of kkrpc gen ts.
type generation struct {
	pkg, out, codec, api string
	check, values        bool
}

func (g *generation) run(ctx context.Context, stdout, stderr io.Writer) error {
	start := time.Now()
	program, err := source.Load(ctx, ".", g.pkg)
	if err != nil {
		return err
	}
	apis, err := program.APIs()
	if err != nil {
		return err
	}
	api, err := g.choose(apis)
	if err != nil {
		return err
	}
	text, err := tsgen.Generate(api.API, &tsgen.Options{Codec: tsgen.Codec(g.codec), Values: g.values, Command: "kkrpc gen ts"})
	if err != nil {
		return err
	}
	for _, t := range api.Types {
		if t.Type.Kind == schema.Unknown && t.TypeScript == "" {
			fmt.Fprintf(stderr, "%s: %s is unknown in TypeScript, since its own methods write it; a line //kkrpc:ts string above it, for example, says what it is\n", t.At, t.Name)
		}
	}
	if g.out == "" {
		_, err := stdout.Write(text)
		return err
	}
	old, err := os.ReadFile(g.out)
	switch {
	case err != nil && !errors.Is(err, fs.ErrNotExist):
		return err
	case g.check:
		return g.compare(old, text, stdout)
	case err == nil && bytes.Equal(old, text):
		fmt.Fprintf(stderr, "%s is up to date (%v)\n", g.out, time.Since(start).Round(time.Millisecond))
		return nil
	}
	if err := writeFile(g.out, text); err != nil {
		return err
	}
	fmt.Fprintf(stderr, "wrote %s: %s, %d types (%v)\n", g.out, api.Name, len(api.Types), time.Since(start).Round(time.Millisecond))
	return nil
}

// choose returns the API that the flag names, or the only one.
func (g *generation) choose(apis []source.API) (source.API, error) {
	chosen := slices.DeleteFunc(slices.Clone(apis), func(a source.API) bool {
		if g.api == "" {
			return a.Part
		}
		return g.api != a.Name && !strings.HasPrefix(a.At+":", g.api+":")
	})
	switch {
	case len(apis) == 0:
		return source.API{}, fmt.Errorf("%s exposes no API: pass one to ws.Handler or kkrpc.Expose, or set the field Expose", g.pkg)
	case len(chosen) == 1:
		return chosen[0], nil
	}
	var list []string
	for _, a := range apis {
		list = append(list, fmt.Sprintf("%s at %s", a.Name, a.At))
	}
	if len(chosen) == 0 {
		return source.API{}, fmt.Errorf("no API %q in %s; there is %s", g.api, g.pkg, strings.Join(list, ", "))
	}
	return source.API{}, fmt.Errorf("%s exposes several APIs; choose one by --api: %s", g.pkg, strings.Join(list, ", "))
}

// compare lists the lines that differ, and fails if there are any.
func (g *generation) compare(old, text []byte, stdout io.Writer) error {
	if bytes.Equal(old, text) {
		return nil
	}
	fmt.Fprint(stdout, udiff.Unified(g.out, g.out+" (new)", string(old), string(text)))
	return fmt.Errorf("%s is out of date; run kkrpc gen ts %s -o %s", g.out, g.pkg, g.out)
}

// writeFile replaces a file as a whole, so that a reader never sees a part of it.
func writeFile(name string, text []byte) error {
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		return err
	}
	f, err := os.CreateTemp(filepath.Dir(name), ".kkrpc-*")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name()) // does nothing once it has its name
	_, err = f.Write(text)
	if err := errors.Join(err, f.Chmod(0o644), f.Close()); err != nil {
		return err
	}
	return os.Rename(f.Name(), name)
}
