// Package source describes the APIs that a Go program exposes, from its source.
package source

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/tools/go/packages"
)

// Program is a Go program, or a package, with all that it imports.
type Program struct {
	fset *token.FileSet
	dir  string
	own  []*packages.Package // of its module, in the order of their paths
	root *packages.Package   // of own, the one that was asked for
	docs *docs
	errs []error // of types, which only matter where they are met; nil unless LoadBeside has loaded it
}

// Load reads the package that pattern names, such as ./cmd/server, as seen from the folder dir. The error has a line for
// each problem.
func Load(ctx context.Context, dir, pattern string) (*Program, error) {
	p, err := load(ctx, dir, pattern, nil)
	if err == nil && len(p.errs) > 0 {
		return nil, errors.Join(p.errs...)
	}
	return p, err
}

// LoadBeside is Load for a package that a generated file is a part of. It reads the package as if nothing stood in that
// file. So the package may have errors: it uses what the file declares. generated may be empty.
func LoadBeside(ctx context.Context, dir, pattern, generated string) (*Program, error) {
	if generated == "" {
		return load(ctx, dir, pattern, nil)
	}
	file, err := filepath.Abs(filepath.Join(dir, generated))
	if err != nil {
		return nil, err
	}
	text, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		return load(ctx, dir, pattern, nil)
	}
	if err != nil {
		return nil, err
	}
	clause, err := parser.ParseFile(token.NewFileSet(), file, text, parser.PackageClauseOnly)
	if err != nil {
		return nil, fmt.Errorf("%s is not a file that kkrpc gen go has written: %w", generated, err)
	}
	return load(ctx, dir, pattern, map[string][]byte{file: []byte("package " + clause.Name.Name)})
}

func load(ctx context.Context, dir, pattern string, overlay map[string][]byte) (*Program, error) {
	p := &Program{fset: token.NewFileSet(), dir: dir}
	config := &packages.Config{
		Mode: packages.NeedName | packages.NeedFiles | packages.NeedImports | packages.NeedDeps | packages.NeedModule,
		Dir:  dir, Context: ctx, Overlay: overlay,
	}
	roots, err := packages.Load(config, pattern)
	if err == nil && onlyWebAssembly(roots) {
		config.Env = append(os.Environ(), "GOOS=js", "GOARCH=wasm")
		roots, err = packages.Load(config, pattern)
	}
	if err != nil {
		return nil, fmt.Errorf("load %s: %w", pattern, err)
	}
	if len(roots) != 1 {
		return nil, fmt.Errorf("%s: want one package, this names %d", pattern, len(roots))
	}
	var own []string
	packages.Visit(roots, nil, func(pkg *packages.Package) {
		if pkg.Module != nil && roots[0].Module != nil && pkg.Module.Path == roots[0].Module.Path || slices.Contains(roots, pkg) {
			own = append(own, pkg.PkgPath)
		}
	})
	// Only these are read from source. The types of libraries come from what the compiler has kept.
	config.Mode = packages.NeedName | packages.NeedSyntax | packages.NeedTypes | packages.NeedTypesInfo | packages.NeedImports
	config.Fset = p.fset
	if p.own, err = packages.Load(config, own...); err != nil {
		return nil, fmt.Errorf("load %s: %w", pattern, err)
	}
	var errs []error
	for _, pkg := range p.own {
		if pkg.PkgPath == roots[0].PkgPath {
			p.root = pkg
		}
		for _, e := range pkg.Errors {
			if e.Kind == packages.ListError && strings.HasPrefix(e.Msg, "# ") {
				continue // what the compiler said of the package; the type checker says it with places
			}
			if pkg == p.root && e.Kind == packages.TypeError {
				p.errs = append(p.errs, p.compilerError(e))
			} else {
				errs = append(errs, p.compilerError(e))
			}
		}
	}
	if len(errs) > 0 {
		return nil, errors.Join(append(errs, p.errs...)...)
	}
	slices.SortFunc(p.own, func(a, b *packages.Package) int { return cmp.Compare(a.PkgPath, b.PkgPath) })
	p.docs = newDocs(p)
	return p, nil
}

// onlyWebAssembly reports whether the build constraints leave no file of a package for this system.
func onlyWebAssembly(roots []*packages.Package) bool {
	return slices.ContainsFunc(roots, func(pkg *packages.Package) bool {
		return len(pkg.GoFiles) == 0 && len(pkg.IgnoredFiles) > 0
	})
}

func (p *Program) compilerError(e packages.Error) error {
	place, message := e.Pos, strings.ReplaceAll(strings.TrimSpace(e.Msg), "\n", " ")
	if place == "" || place == "-" {
		return errors.New(message)
	}
	if file, rest, ok := strings.Cut(place, ":"); ok {
		place = p.relative(file) + ":" + rest
	}
	return fmt.Errorf("%s: %s", place, message)
}

// at is the place of pos for people.
func (p *Program) at(pos token.Pos) string {
	place := p.fset.Position(pos)
	place.Filename = p.relative(place.Filename)
	return place.String()
}

func (p *Program) relative(file string) string {
	dir, err := filepath.Abs(p.dir)
	if err != nil {
		return file
	}
	if short, err := filepath.Rel(dir, file); err == nil && !strings.HasPrefix(short, "..") {
		return short
	}
	return file
}
