package source

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

// listing is what the go command says of a program and of all that it imports.
type listing struct {
	root *listed
	all  map[string]*listed // by import path
	env  []string           // beside that of this process
	args []string           // of each go list
	// sourced are the packages whose source is read, each behind those that it imports. own are those of the program.
	sourced, own []*listed
	problems     []error
	exported     bool // findExports was called
}

// listed is a package. The names are those of the go command.
type listed struct {
	ImportPath, Name, Dir, Export               string
	GoFiles, CgoFiles, IgnoredGoFiles           []string
	CFiles, CXXFiles, HFiles, SFiles, SysoFiles []string
	EmbedPatterns, EmbedFiles                   []string
	Imports                                     []string
	DepOnly                                     bool
	Module                                      *module
	Error                                       *struct{ Pos, Err string }

	sourced bool // see listing
}

type module struct {
	Path, Dir, GoMod, GoVersion string
	Main                        bool
	Replace                     *struct{ Version string }
}

// isLocal reports whether the source is in a folder of the user, where it changes, and not in the cache of modules.
func (p *listed) isLocal() bool {
	return p.Module != nil && (p.Module.Main || p.Module.Replace != nil && p.Module.Replace.Version == "")
}

// isLibrary reports whether p is of this library, whose module has programs too, in cmd.
func (p *listed) isLibrary() bool {
	return p.Module != nil && p.Module.Path == kkrpcPath && !strings.HasPrefix(p.ImportPath, kkrpcPath+"/cmd/")
}

// isBeside reports whether other belongs to the same program: to its module, but not to this library.
func (p *listed) isBeside(other *listed) bool {
	return p.Module != nil && other.Module != nil && p.Module.Path == other.Module.Path && !other.isLibrary()
}

const listedFields = "-json=ImportPath,Name,Dir,GoFiles,CgoFiles,IgnoredGoFiles,CFiles,CXXFiles,HFiles,SFiles,SysoFiles," +
	"EmbedPatterns,EmbedFiles,Imports,DepOnly,Module,Error"

// webAssembly is the environment of the go command for programs in a browser or a JavaScript server.
var webAssembly = []string{"GOOS=js", "GOARCH=wasm"}

// ask asks the go command about the package that the pattern names.
func (l *Loader) ask(ctx context.Context) (*listing, error) {
	list := &listing{env: l.env, args: slices.Clone(l.flags)}
	if l.overlay.file != "" {
		list.args = append(list.args, "-overlay", l.overlay.file)
	}
	deps := slices.Concat(list.args, []string{"-deps", listedFields, "--", l.pattern})
	packages, err := goList(ctx, l.dir, list.env, deps...)
	if err == nil && list.env == nil && onlyWebAssembly(packages) {
		list.env = webAssembly
		packages, err = goList(ctx, l.dir, list.env, deps...)
	}
	if err != nil {
		return nil, fmt.Errorf("load %s: %w", l.pattern, err)
	}
	list.all = map[string]*listed{}
	roots := 0
	for _, p := range packages {
		list.all[p.ImportPath] = p
		if !p.DepOnly {
			list.root = p
			roots++
		}
	}
	if roots != 1 {
		return nil, fmt.Errorf("%s: want one package, this names %d", l.pattern, roots)
	}
	for _, p := range packages {
		if p.Error != nil {
			list.problems = append(list.problems, problem(l.dir, p.Error.Pos, p.Error.Err))
		}
		if p == list.root || list.root.isBeside(p) {
			list.own = append(list.own, p)
		}
	}
	slices.SortFunc(list.own, func(a, b *listed) int { return cmp.Compare(a.ImportPath, b.ImportPath) })
	list.order()
	return list, nil
}

// onlyWebAssembly reports whether the build constraints leave no file of a package for this system.
func onlyWebAssembly(packages []*listed) bool {
	return slices.ContainsFunc(packages, func(p *listed) bool {
		return !p.DepOnly && len(p.GoFiles)+len(p.CgoFiles) == 0 && len(p.IgnoredGoFiles) > 0
	})
}

// order finds the packages that are read from source: those of the program, and libraries that import one of them. A
// type of the program would else be two types.
func (l *listing) order() {
	for _, p := range l.own {
		p.sourced = true
	}
	visited := map[*listed]bool{nil: true}
	var visit func(p *listed)
	visit = func(p *listed) {
		if visited[p] {
			return
		}
		visited[p] = true
		for _, path := range p.Imports {
			imported := l.all[path]
			visit(imported)
			p.sourced = p.sourced || imported != nil && imported.sourced
		}
		if p.sourced {
			l.sourced = append(l.sourced, p)
		}
	}
	visit(l.root)
}

// findExports asks the go command for the types of the libraries that the source imports. It compiles those that it has
// not kept.
func (l *listing) findExports(ctx context.Context, dir string) error {
	paths := map[string]bool{}
	for _, p := range l.sourced {
		for _, path := range p.Imports {
			if imported := l.all[path]; path != "C" && path != "unsafe" && (imported == nil || !imported.sourced) {
				paths[path] = true
			}
		}
	}
	if len(paths) == 0 {
		return nil
	}
	args := slices.Concat(l.args, []string{"-export", "-json=ImportPath,Export,Error", "--"}, slices.Sorted(maps.Keys(paths)))
	packages, err := goList(ctx, dir, l.env, args...)
	if err != nil {
		return fmt.Errorf("load the imports of %s: %w", l.root.ImportPath, err)
	}
	for _, p := range packages {
		if known := l.all[p.ImportPath]; known != nil {
			known.Export = p.Export
		}
		if p.Error != nil {
			l.problems = append(l.problems, problem(dir, p.Error.Pos, p.Error.Err))
		}
	}
	return nil
}

// goList runs go list in the folder dir. Errors of packages are in what it returns.
func goList(ctx context.Context, dir string, env []string, args ...string) ([]*listed, error) {
	cmd := exec.CommandContext(ctx, "go", append([]string{"list", "-e"}, args...)...)
	cmd.Dir = dir
	cmd.Env = append(cmd.Environ(), env...)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	switch {
	case ctx.Err() != nil:
		return nil, context.Cause(ctx)
	case errors.Is(err, exec.ErrNotFound):
		return nil, errors.New("the go command is not in PATH: install Go from https://go.dev/dl")
	case err != nil && stderr.Len() > 0:
		return nil, errors.New(strings.TrimSpace(stderr.String()))
	case err != nil:
		return nil, err
	}
	var packages []*listed
	for d := json.NewDecoder(bytes.NewReader(out)); d.More(); {
		p := &listed{}
		if err := d.Decode(p); err != nil {
			return nil, fmt.Errorf("go list: %w", err)
		}
		packages = append(packages, p)
	}
	return packages, nil
}

// problem is an error of a package. Its place is a file:line:column, or empty.
func problem(dir, place, message string) error {
	message = strings.NewReplacer("\n\t", " ", "\n", " ").Replace(strings.TrimSpace(message))
	if place == "" || place == "-" {
		return errors.New(message)
	}
	if file, rest, ok := strings.Cut(place, ":"); ok && filepath.IsAbs(file) {
		place = relative(dir, file) + ":" + rest
	}
	return fmt.Errorf("%s: %s", place, message)
}

// relative is file as seen from the folder dir, if it is in there.
func relative(dir, file string) string {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return file
	}
	if short, err := filepath.Rel(dir, file); err == nil && !strings.HasPrefix(short, "..") {
		return short
	}
	return file
}
