package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"go/token"
	"io"
	"path/filepath"
	"time"

	"github.com/kkrpc-go/kkrpc/cmd/kkrpc/internal/gogen"
	"github.com/kkrpc-go/kkrpc/cmd/kkrpc/internal/source"
	"github.com/kkrpc-go/kkrpc/cmd/kkrpc/internal/tsread"
)

const genGoUsage = `usage: kkrpc gen go <package> --type name [-o file] [--package name] [--check]
       kkrpc gen go --ts file --type name --package name [-o file] [--check]

Writes a Go client: a type with a method for each function of an API, which calls it without reflection. The API is an
interface of the Go package, or a struct of funcs as kkrpc.Remote takes it. With --ts it is what a TypeScript file
exports: an interface, another type of an object, or a constant. Node.js reads it with the TypeScript of its project.

`

// genGo runs the command `kkrpc gen go`.
func genGo(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	flags := flag.NewFlagSet("kkrpc gen go", flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.Usage = func() {
		fmt.Fprint(stderr, genGoUsage)
		flags.PrintDefaults()
	}
	var g clientGeneration
	flags.StringVar(&g.out, "o", "", "`file` to write to; empty for the standard output")
	flags.StringVar(&g.typ, "type", "", "`name` of the type that describes the API")
	flags.StringVar(&g.ts, "ts", "", "TypeScript `file` that exports the API")
	flags.StringVar(&g.inPackage, "package", "", "`name` of the package of the file, if it is not that of the type")
	flags.BoolVar(&g.check, "check", false, "write nothing; exit with 1 and a list of changes if the file is out of date")
	words, err := parse(flags, args)
	wrong := ""
	switch {
	case errors.Is(err, flag.ErrHelp):
		return 0
	case err != nil:
		return 2
	case g.ts != "" && len(words) > 0:
		wrong = fmt.Sprintf("--ts names the file; want no package, got %s", words[0])
	case g.ts == "" && len(words) != 1:
		wrong = fmt.Sprintf("want one package, such as ./api, got %d", len(words))
	case g.ts == "" && filepath.Ext(words[0]) == ".go":
		wrong = fmt.Sprintf("want a package, such as ./api, not the file %s", words[0])
	case g.typ == "":
		wrong = "--type is empty: name the type that describes the API"
	case g.ts != "" && g.inPackage == "":
		wrong = "--package is empty: name the package of the Go file"
	case g.inPackage != "" && !token.IsIdentifier(g.inPackage):
		wrong = fmt.Sprintf("--package %q: want the name of a Go package", g.inPackage)
	case g.check && g.out == "":
		wrong = "--check compares a file: name it with -o"
	}
	if wrong != "" {
		fmt.Fprintln(stderr, "kkrpc gen go:", wrong)
		return 2
	}
	g.command = "kkrpc gen go " + withoutCheck(args)
	if g.ts == "" {
		g.pkg = words[0]
	}
	if err := g.run(ctx, stdout, stderr); err != nil {
		return failed(stderr, "kkrpc gen go", err)
	}
	return 0
}

// clientGeneration is one run of kkrpc gen go.
type clientGeneration struct {
	pkg, ts, typ, out, inPackage string
	check                        bool
	command                      string // which writes the file
}

func (g *clientGeneration) run(ctx context.Context, stdout, stderr io.Writer) error {
	start := time.Now()
	describe := g.fromGo
	if g.ts != "" {
		describe = g.fromTypeScript
	}
	file, notes, err := describe(ctx)
	if err != nil {
		return err
	}
	for _, note := range notes {
		fmt.Fprintln(stderr, note)
	}
	text, err := gogen.Write(file)
	if err != nil {
		return err
	}
	methods := 0
	for _, c := range file.Clients {
		methods += len(c.Methods)
	}
	out := output{g.out, g.check, g.command, start}
	return out.put(text, fmt.Sprintf("%s, %d methods", file.Clients[0].Name, methods), stdout, stderr)
}

// fromTypeScript describes the client of what a TypeScript file exports. The notes are warnings.
func (g *clientGeneration) fromTypeScript(ctx context.Context) (*gogen.File, []string, error) {
	api, err := tsread.Read(ctx, g.ts, g.typ)
	if err != nil {
		return nil, nil, err
	}
	return gogen.Of(api.API, &gogen.Options{Package: g.inPackage, OneWay: api.OneWay}), api.Warnings, nil
}

// fromGo describes the client of a type of a Go package. The notes say why it does not implement the interface.
func (g *clientGeneration) fromGo(ctx context.Context) (*gogen.File, []string, error) {
	program, err := source.LoadBeside(ctx, ".", g.pkg, g.out)
	if err != nil {
		return nil, nil, err
	}
	if g.out != "" {
		folder, err := filepath.Abs(filepath.Dir(g.out))
		if err != nil {
			return nil, nil, err
		}
		switch inside := folder == program.Dir(); {
		case inside && g.inPackage != "":
			return nil, nil, fmt.Errorf("%s is in the folder of %s; leave out --package", g.out, g.pkg)
		case !inside && g.inPackage == "":
			return nil, nil, fmt.Errorf("%s is not in the folder of %s; name its package with --package", g.out, g.pkg)
		}
	}
	return program.Client(g.typ, g.inPackage)
}
