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
)

const genGoUsage = `usage: kkrpc gen go <package> --type name [-o file] [--package name] [--check]

Writes a Go client: a type with a method for each function of an API, which calls it without reflection. The API is an
interface of the Go package, or a struct of funcs as kkrpc.Remote takes it.

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
	flags.StringVar(&g.inPackage, "package", "", "`name` of the package of the file, if it is not that of the type")
	flags.BoolVar(&g.check, "check", false, "write nothing; exit with 1 and a list of changes if the file is out of date")
	words, err := parse(flags, args)
	wrong := ""
	switch {
	case errors.Is(err, flag.ErrHelp):
		return 0
	case err != nil:
		return 2
	case len(words) != 1:
		wrong = fmt.Sprintf("want one package, such as ./api, got %d", len(words))
	case g.typ == "":
		wrong = "--type is empty: name the interface or the struct of funcs"
	case g.inPackage != "" && !token.IsIdentifier(g.inPackage):
		wrong = fmt.Sprintf("--package %q: want the name of a Go package", g.inPackage)
	case g.check && g.out == "":
		wrong = "--check compares a file: name it with -o"
	}
	if wrong != "" {
		fmt.Fprintln(stderr, "kkrpc gen go:", wrong)
		return 2
	}
	g.pkg = words[0]
	if err := g.run(ctx, stdout, stderr); err != nil {
		return failed(stderr, "kkrpc gen go", err)
	}
	return 0
}

// clientGeneration is one run of kkrpc gen go.
type clientGeneration struct {
	pkg, typ, out, inPackage string
	check                    bool
}

func (g *clientGeneration) run(ctx context.Context, stdout, stderr io.Writer) error {
	start := time.Now()
	file, err := g.fromGo(ctx, stderr)
	if err != nil {
		return err
	}
	text, err := gogen.Write(file)
	if err != nil {
		return err
	}
	methods := 0
	for _, c := range file.Clients {
		methods += len(c.Methods)
	}
	out := output{g.out, g.check, g.command(), start}
	return out.put(text, fmt.Sprintf("%s, %d methods", file.Clients[0].Name, methods), stdout, stderr)
}

func (g *clientGeneration) command() string {
	command := fmt.Sprintf("kkrpc gen go %s --type %s -o %s", g.pkg, g.typ, g.out)
	if g.inPackage != "" {
		command += " --package " + g.inPackage
	}
	return command
}

// fromGo describes the client of a type of a Go package.
func (g *clientGeneration) fromGo(ctx context.Context, stderr io.Writer) (*gogen.File, error) {
	program, err := source.LoadBeside(ctx, ".", g.pkg, g.out)
	if err != nil {
		return nil, err
	}
	if g.out != "" {
		folder, err := filepath.Abs(filepath.Dir(g.out))
		if err != nil {
			return nil, err
		}
		switch inside := folder == program.Dir(); {
		case inside && g.inPackage != "":
			return nil, fmt.Errorf("%s is in the folder of %s; leave out --package", g.out, g.pkg)
		case !inside && g.inPackage == "":
			return nil, fmt.Errorf("%s is not in the folder of %s; name its package with --package", g.out, g.pkg)
		}
	}
	file, notes, err := program.Client(g.typ, g.inPackage)
	if err != nil {
		return nil, err
	}
	for _, note := range notes {
		fmt.Fprintln(stderr, note)
	}
	return file, nil
}
