package source

import (
	"bytes"
	"cmp"
	"errors"
	"go/ast"
	"go/parser"
	"go/scanner"
	"go/types"
	"os"
	"path/filepath"
	"runtime"
	"slices"
)

// file is a file of Go as it was read last.
type file struct {
	text   []byte
	syntax *ast.File // of what could be read
	err    error     // of reading or of the syntax
}

// read parses a file, unless it is what it was.
func (l *Loader) read(name string) *file {
	text, err := l.overlay.read(name)
	old := l.files[name]
	if old != nil && err == nil && old.text != nil && bytes.Equal(old.text, text) {
		return old
	}
	if old != nil && old.syntax != nil {
		l.fset.RemoveFile(l.fset.File(old.syntax.FileStart))
	}
	f := &file{text: text, err: err}
	if err == nil {
		f.syntax, f.err = parser.ParseFile(l.fset, name, text, parser.ParseComments|parser.SkipObjectResolution)
	}
	l.files[name] = f
	return f
}

// sourcePackage is a package that was read from source.
type sourcePackage struct {
	PkgPath   string
	Syntax    []*ast.File
	Types     *types.Package
	TypesInfo *types.Info
}

// checkedPackage is a package that was read from source without errors.
type checkedPackage struct {
	*sourcePackage
	files   []*file
	imports []*types.Package // those that were read from source
}

// check reads a package from source, behind those that it imports, unless it is what it was. A package that could not be
// read is in failed. One that imports it is too, and has no errors of its own.
func (l *Loader) check(pkg *listed, failed map[string]bool) []error {
	var files []*file
	var errs []error
	for _, name := range slices.Sorted(slices.Values(slices.Concat(pkg.GoFiles, pkg.CgoFiles))) {
		f := l.read(filepath.Join(pkg.Dir, name))
		files = append(files, f)
		if f.err != nil {
			errs = append(errs, l.syntaxErrors(f.err)...)
		}
	}
	failed[pkg.ImportPath] = len(errs) > 0
	var imports []*types.Package
	for _, path := range pkg.Imports {
		failed[pkg.ImportPath] = failed[pkg.ImportPath] || failed[path]
		if sourced := l.sourced(path); sourced != nil {
			imports = append(imports, sourced)
		}
	}
	if failed[pkg.ImportPath] {
		return errs
	}
	old := l.checked[pkg.ImportPath]
	if old != nil && slices.Equal(old.files, files) && slices.Equal(old.imports, imports) {
		return nil
	}
	checked := &checkedPackage{files: files, imports: imports, sourcePackage: &sourcePackage{
		PkgPath: pkg.ImportPath,
		TypesInfo: &types.Info{
			Types: map[ast.Expr]types.TypeAndValue{}, Instances: map[*ast.Ident]types.Instance{},
			Defs: map[*ast.Ident]types.Object{}, Uses: map[*ast.Ident]types.Object{},
			Implicits: map[ast.Node]types.Object{}, Selections: map[*ast.SelectorExpr]*types.Selection{},
			Scopes: map[ast.Node]*types.Scope{},
		},
	}}
	for _, f := range files {
		checked.Syntax = append(checked.Syntax, f.syntax)
	}
	config := types.Config{
		Importer:    importing(l.importPackage),
		FakeImportC: true, // no type of C crosses
		Sizes:       types.SizesFor("gc", l.arch()),
		Error: func(err error) {
			if e, ok := err.(types.Error); ok {
				err = problem(l.dir, l.fset.Position(e.Pos).String(), e.Msg)
			}
			errs = append(errs, err)
		},
	}
	if pkg.Module != nil && pkg.Module.GoVersion != "" {
		config.GoVersion = "go" + pkg.Module.GoVersion
	}
	checked.Types, _ = config.Check(pkg.ImportPath, l.fset, checked.Syntax, checked.TypesInfo) // its error is the first one
	if l.lenient && pkg == l.list.root {
		l.typeErrs, errs = errs, nil
	}
	if failed[pkg.ImportPath] = len(errs) > 0; !failed[pkg.ImportPath] {
		l.checked[pkg.ImportPath] = checked
	}
	return errs
}

// sourced returns a package that was read from source, or nil.
func (l *Loader) sourced(path string) *types.Package {
	if pkg := l.list.all[path]; pkg != nil && pkg.sourced && l.checked[path] != nil {
		return l.checked[path].Types
	}
	return nil
}

// importing is a types.Importer.
type importing func(path string) (*types.Package, error)

func (f importing) Import(path string) (*types.Package, error) { return f(path) }

func (l *Loader) importPackage(path string) (*types.Package, error) {
	if pkg := l.sourced(path); pkg != nil {
		return pkg, nil
	}
	if path != "unsafe" && l.exports[path] == "" {
		l.isOld = true
	}
	return l.libraries.Import(path)
}

// arch is the architecture that the program is built for. It decides which constants overflow an int.
func (l *Loader) arch() string {
	if l.list.env != nil {
		return "wasm"
	}
	return cmp.Or(os.Getenv("GOARCH"), runtime.GOARCH)
}

func (l *Loader) syntaxErrors(err error) []error {
	var list scanner.ErrorList
	if !errors.As(err, &list) {
		return []error{err}
	}
	var errs []error
	for _, e := range list {
		errs = append(errs, problem(l.dir, e.Pos.String(), e.Msg))
	}
	return errs
}
