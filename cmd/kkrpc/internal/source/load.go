// Package source describes the APIs that a Go program exposes, from its source.
package source

import (
	"context"
	"errors"
	"go/importer"
	"go/token"
	"go/types"
	"io"
	"maps"
	"os"
	"path/filepath"
)

// Program is a Go program, or a package, with all that it imports.
type Program struct {
	fset   *token.FileSet
	dir    string
	root   *sourcePackage
	own    []*sourcePackage          // of its module, in the order of their paths
	users  map[string]*types.Package // by path, see usersPackages
	unread []string                  // likewise
	docs   *docs
	errs   []error // of the types of root; see LoadBeside
}

// Load reads the package that pattern names, such as ./cmd/server, as seen from the folder dir. The error has a line for
// each problem.
func Load(ctx context.Context, dir, pattern string) (*Program, error) {
	return NewLoader(dir, pattern).Load(ctx)
}

// LoadWebAssembly is Load for a program as the go command builds it for GOOS=js GOARCH=wasm with these flags, such as -tags.
func LoadWebAssembly(ctx context.Context, dir, pattern string, flags ...string) (*Program, error) {
	l := NewLoader(dir, pattern)
	l.env, l.flags = webAssembly, flags
	return l.Load(ctx)
}

// LoadBeside is Load for a package that a generated file is a part of. It reads the package as if nothing stood in that
// file. So the types of the package may have errors: it uses what the file declares. generated may be empty.
func LoadBeside(ctx context.Context, dir, pattern, generated string) (*Program, error) {
	l := NewLoader(dir, pattern)
	l.lenient = true
	if generated != "" {
		remove, err := l.empty(filepath.Join(dir, generated))
		if err != nil {
			return nil, err
		}
		defer remove()
	}
	return l.Load(ctx)
}

// Loader reads one program as often as it changes. It keeps what the go command has told, the types of libraries, and
// the packages of the program that have not changed. Its methods must not be called at the same time.
type Loader struct {
	dir, pattern string
	fset         *token.FileSet
	list         *listing          // nil if it has to be made
	isOld        bool              // the source has an import that is not in list
	facts        map[string]string // by file; the list holds as long as they do
	files        map[string]*file  // of packages that are read from source, by name
	checked      map[string]*checkedPackage
	libraries    types.Importer
	exports      map[string]string // the files that libraries reads, by import path
	overlay      overlay
	env          []string // what the go command is given beside the environment of this process; nil for what the program needs
	flags        []string // likewise
	lenient      bool     // errors of the types of the package itself are none of Load
	typeErrs     []error  // these
}

// NewLoader returns a Loader of the package that pattern names, as seen from the folder dir. It reads nothing yet.
func NewLoader(dir, pattern string) *Loader {
	l := &Loader{dir: dir, pattern: pattern, fset: token.NewFileSet(), files: map[string]*file{}}
	l.forget()
	return l
}

// forget drops all that depends on libraries.
func (l *Loader) forget() {
	l.checked, l.exports = map[string]*checkedPackage{}, map[string]string{}
	l.libraries = importer.ForCompiler(l.fset, "gc", l.open)
}

// open returns what the compiler has kept of a library.
func (l *Loader) open(path string) (io.ReadCloser, error) {
	name := l.exports[path]
	if name == "" {
		return nil, errors.New("the go command has not compiled it")
	}
	return os.Open(name)
}

// Load reads what has changed since the last call. The error has a line for each problem. The Program that the last call
// returned must not be used any more.
func (l *Loader) Load(ctx context.Context) (*Program, error) {
	if err := l.refresh(ctx); err != nil {
		return nil, err
	}
	if err := l.compiled(ctx); err != nil {
		return nil, err
	}
	p := &Program{fset: l.fset, dir: l.dir}
	var errs []error
	failed := map[string]bool{}
	for _, pkg := range l.list.sourced {
		errs = append(errs, l.check(pkg, failed)...)
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	for _, pkg := range l.list.own {
		p.own = append(p.own, l.checked[pkg.ImportPath].sourcePackage)
	}
	p.root, p.errs = l.checked[l.list.root.ImportPath].sourcePackage, l.typeErrs
	p.users, p.unread = l.usersPackages()
	p.docs = newDocs(p)
	return p, nil
}

// refresh asks the go command again if what it has told may have changed.
func (l *Loader) refresh(ctx context.Context) error {
	facts := map[string]string{}
	if l.list != nil {
		facts = l.factsOf(l.list)
		if maps.Equal(facts, l.facts) && !l.isOld {
			return nil
		}
	}
	l.list, l.isOld = nil, false
	list, err := l.ask(ctx)
	if err != nil {
		return err
	}
	// A fact from before counts more: the file may have changed while the go command looked.
	all := l.factsOf(list)
	for name := range all {
		if fact, known := facts[name]; known {
			all[name] = fact
		}
	}
	l.list, l.facts = list, all
	return nil
}

// compiled has the go command compile the libraries, unless it has since they were listed.
func (l *Loader) compiled(ctx context.Context) error {
	list := l.list
	if !list.exported && len(list.problems) == 0 {
		if err := list.findExports(ctx, l.dir); err != nil {
			return err
		}
		list.exported = true
		for path, pkg := range list.all {
			if old := l.exports[path]; old != "" && pkg.Export != "" && old != pkg.Export {
				l.forget()
				break
			}
		}
		for path, pkg := range list.all {
			if pkg.Export != "" {
				l.exports[path] = pkg.Export
			}
		}
	}
	if err := errors.Join(list.problems...); err != nil {
		l.list = nil // a file that was missing may be there next time
		return err
	}
	return nil
}

// at is the place of pos for people.
func (p *Program) at(pos token.Pos) string {
	place := p.fset.Position(pos)
	place.Filename = p.relative(place.Filename)
	return place.String()
}

func (p *Program) relative(file string) string { return relative(p.dir, file) }
