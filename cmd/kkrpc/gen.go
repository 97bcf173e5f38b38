package main

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/kkrpc-go/kkrpc/cmd/kkrpc/internal/source"
	"github.com/kkrpc-go/kkrpc/schema"
	"github.com/kkrpc-go/kkrpc/tsgen"
)

const genUsage = `usage: kkrpc gen ts <package> [-o file] [--codec json|json+bytes|superjson] [--api name] [--values] [--contract]
                    [--validate standard|zod] [--check]
       kkrpc gen json <package> [-o file] [--api name] [--check]
       kkrpc gen go, see kkrpc gen go -h

Writes the TypeScript types of the API that a Go package exposes, with comments and names of parameters, or its
description as JSON, for kkrpc breaking. The API is what the package passes to ws.Handler, kkrpc.Expose and the like,
or to a field Expose.

With --validate, types that clients send get schemas, which check forms by the tags validate of package kkvalidator.

`

// gen runs the command `kkrpc gen`.
func gen(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	if len(args) > 0 && args[0] == "go" {
		return genGo(ctx, args[1:], stdout, stderr)
	}
	flags := flag.NewFlagSet("kkrpc gen", flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.Usage = func() {
		fmt.Fprint(stderr, genUsage)
		flags.PrintDefaults()
	}
	var g generation
	flags.StringVar(&g.out, "o", "", "`file` to write to; empty for the standard output")
	g.addTo(flags)
	flags.BoolVar(&g.check, "check", false, "write nothing; exit with 1 and a list of changes if the file is out of date")
	words, err := parse(flags, args)
	if errors.Is(err, flag.ErrHelp) {
		return 0
	} else if err != nil {
		return 2
	}
	var used string // a flag that is about TypeScript
	flags.Visit(func(f *flag.Flag) {
		if slices.Contains(aboutTypes, f.Name) && f.Name != "api" {
			used = f.Name
		}
	})
	switch {
	case len(words) == 0 || words[0] != "ts" && words[0] != "json":
		fmt.Fprint(stderr, "kkrpc gen: say what to write: ts, go or json\n\n", genUsage)
		return 2
	case len(words) != 2:
		fmt.Fprintf(stderr, "kkrpc gen %s: want one package, such as ./cmd/server, got %d\n", words[0], len(words)-1)
		return 2
	case g.wrong() != "":
		fmt.Fprintf(stderr, "kkrpc gen %s: %s\n", words[0], g.wrong())
		return 2
	case words[0] == "json" && used != "":
		fmt.Fprintf(stderr, "kkrpc gen json: --%s is about TypeScript\n", used)
		return 2
	case g.check && g.out == "":
		fmt.Fprintf(stderr, "kkrpc gen %s: --check compares a file: name it with -o\n", words[0])
		return 2
	}
	g.form, g.pkg, g.command = words[0], words[1], "kkrpc gen "+withoutCheck(args)
	if err := g.run(ctx, stdout, stderr); err != nil {
		return failed(stderr, "kkrpc gen "+g.form, err)
	}
	return 0
}

// failed prints each line of err behind the command, and returns the exit code.
func failed(stderr io.Writer, command string, err error) int {
	for line := range strings.Lines(err.Error()) {
		fmt.Fprintln(stderr, command+":", strings.TrimSuffix(line, "\n"))
	}
	return 1
}

// generation is one run of kkrpc gen.
type generation struct {
	form, pkg, out, codec, api, validate string
	command                              string // with its arguments, which writes the file
	writer                               string // what the file says has written it; empty for kkrpc gen ts
	check, values, contract              bool
}

func (g *generation) run(ctx context.Context, stdout, stderr io.Writer) error {
	start := time.Now()
	api, err := describe(ctx, g.pkg, g.api)
	if err != nil {
		return err
	}
	text, warnings, err := g.text(api)
	if err != nil {
		return err
	}
	fmt.Fprint(stderr, warnings)
	out := output{g.out, g.check, g.command, start}
	return out.put(text, fmt.Sprintf("%s, %d types", api.Name, len(api.Types)), stdout, stderr)
}

// unknownTypes has a line for each type of the program that TypeScript knows nothing of.
func unknownTypes(api *schema.API) string {
	var b strings.Builder
	for _, t := range api.Types {
		if t.Type.Kind == schema.Unknown && t.TypeScript == "" && !strings.HasPrefix(t.At, "$") && !filepath.IsAbs(t.At) {
			fmt.Fprintf(&b, "%s: %s is unknown in TypeScript, since its own methods write it; a line //kkrpc:ts string above it, for example, says what it is\n", t.At, t.Name)
		}
	}
	return b.String()
}

// addTo adds the flags that say what the types are.
func (g *generation) addTo(flags *flag.FlagSet) {
	flags.StringVar(&g.codec, "codec", "", "`codec` of the client: json, that of kkrpc 2 and the default, json+bytes, that of kkrpc-go-client, or superjson, that of kkrpc 0.x")
	flags.StringVar(&g.api, "api", "", "`name` of the API, or file:line where it is exposed, if the package exposes several")
	flags.BoolVar(&g.values, "values", false, "write the constants of enumerations too, for use when the program runs")
	flags.BoolVar(&g.contract, "contract", false, "write the constant contract too, by which a server knows for which API the client was built")
	flags.StringVar(&g.validate, "validate", "", "write schemas in this `form` for types with rules: standard, for Standard Schema, or zod, for Zod 4")
}

// aboutTypes are these flags.
var aboutTypes = []string{"codec", "api", "values", "contract", "validate"}

// wrong says which of them has a value that it cannot have, or nothing.
func (g *generation) wrong() string {
	switch {
	case g.codec != "" && g.codec != string(tsgen.JSON) && g.codec != string(tsgen.JSONBytes) && g.codec != string(tsgen.SuperJSON):
		return fmt.Sprintf("--codec %q: want json, json+bytes or superjson", g.codec)
	case g.validate != "" && g.validate != string(tsgen.Standard) && g.validate != string(tsgen.Zod):
		return fmt.Sprintf("--validate %q: want standard or zod", g.validate)
	case (g.values || g.contract || g.validate != "") && typesOnly(g.out):
		return fmt.Sprintf("--values, --contract and --validate write what a program can run, and %s can hold types only; name it .ts", g.out)
	}
	return ""
}

// typesOnly reports whether a file of TypeScript can hold types only.
func typesOnly(name string) bool {
	return strings.HasSuffix(name, ".d.ts") || strings.HasSuffix(name, ".d.mts")
}

// text is what the file gets, and lines of warnings.
func (g *generation) text(api *schema.API) (text []byte, warnings string, err error) {
	if g.form == "json" {
		text, err := json.MarshalIndent(api, "", "\t")
		return append(text, '\n'), "", err
	}
	var b strings.Builder
	options := tsgen.Options{
		Codec: cmp.Or(tsgen.Codec(g.codec), tsgen.JSON), Values: g.values, Contract: g.contract, TypesOnly: typesOnly(g.out),
		Command: cmp.Or(g.writer, "kkrpc gen ts"), Validate: tsgen.Validation(g.validate), Warn: func(line string) { fmt.Fprintln(&b, line) },
	}
	if text, err = tsgen.Generate(api, &options); err != nil {
		return nil, b.String(), err
	}
	warnings = b.String() + unknownTypes(api)
	if g.codec == "" {
		options.Codec, options.Warn = tsgen.SuperJSON, nil
		if other, err := tsgen.Generate(api, &options); err == nil && !bytes.Equal(text, other) {
			warnings += otherCodec
		}
	}
	return text, warnings, nil
}

// otherCodec tells users of npm's kkrpc, who have said nothing, that a Date would be declared as a string.
const otherCodec = "the types are for clients with JSON, the default of kkrpc 2; add --codec superjson for kkrpc 0.x, or --codec json to confirm\n"

// describe returns the API of a package that has this name, or is exposed at this place, or is the only one.
func describe(ctx context.Context, pkg, name string) (*schema.API, error) {
	program, err := source.Load(ctx, ".", pkg)
	if err != nil {
		return nil, err
	}
	return choose(program, pkg, name)
}

// choose is describe for a program that was loaded.
func choose(program *source.Program, pkg, name string) (*schema.API, error) {
	apis, err := program.APIs()
	if err != nil {
		return nil, err
	}
	chosen := slices.DeleteFunc(slices.Clone(apis), func(a source.API) bool {
		if name == "" {
			return a.Part
		}
		return name != a.Name && !strings.HasPrefix(a.At+":", name+":")
	})
	switch {
	case len(apis) == 0:
		return nil, fmt.Errorf("%s exposes no API: pass one to ws.Handler or kkrpc.Expose, or set the field Expose", pkg)
	case len(chosen) == 1:
		return chosen[0].API, nil
	}
	var list []string
	for _, a := range apis {
		list = append(list, fmt.Sprintf("%s at %s", a.Name, a.At))
	}
	if len(chosen) == 0 {
		return nil, fmt.Errorf("no API %q in %s; there is %s", name, pkg, strings.Join(list, ", "))
	}
	return nil, fmt.Errorf("%s exposes several APIs; choose one by --api: %s", pkg, strings.Join(list, ", "))
}
