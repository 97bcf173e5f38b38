package source

import (
	"go/ast"
	"go/parser"
	"go/token"
	"go/types"
	"maps"
	"path/filepath"
	"slices"
)

// MethodNames returns the names of the methods that a program may expose, in ascending order: those of all types in the
// packages of the user. For an interface, these are also the unexported ones.
func (p *Program) MethodNames() []string {
	names := map[string]bool{}
	for _, pkg := range p.users {
		if pkg == nil {
			continue
		}
		for _, name := range pkg.Scope().Names() {
			if of, ok := pkg.Scope().Lookup(name).(*types.TypeName); ok {
				addMethods(names, of.Type())
			}
		}
	}
	for _, file := range p.unread {
		addDeclared(names, file)
	}
	return slices.Sorted(maps.Keys(names))
}

// addDeclared adds the methods that a file declares. One that cannot be read is an error of the go command.
func addDeclared(names map[string]bool, file string) {
	parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.SkipObjectResolution)
	if err != nil {
		return
	}
	ast.Inspect(parsed, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.FuncDecl:
			if n.Recv != nil && n.Name.IsExported() {
				names[n.Name.Name] = true
			}
		case *ast.InterfaceType:
			for _, method := range n.Methods.List {
				for _, name := range method.Names {
					names[name.Name] = true
				}
			}
		}
		return true
	})
}

func addMethods(names map[string]bool, t types.Type) {
	iface := types.IsInterface(t)
	if !iface {
		t = types.NewPointer(t)
	}
	for method := range types.NewMethodSet(t).Methods() {
		if iface || method.Obj().Exported() {
			names[method.Obj().Name()] = true
		}
	}
}

// IsUsers reports whether a package of the program is one of the user: of the modules in the workspace, or of a
// module that a folder replaces. path is an import path, or "main" for the program itself.
func (p *Program) IsUsers(path string) bool {
	_, is := p.users[path]
	return is || path == "main"
}

// usersPackages returns the packages of the user by their paths: nil for one that l has not read and that none of those
// imports. unread are the files of these.
func (l *Loader) usersPackages() (all map[string]*types.Package, unread []string) {
	all = map[string]*types.Package{}
	for _, pkg := range l.list.sourced {
		read := l.checked[pkg.ImportPath].Types
		for _, pkg := range append(read.Imports(), read) {
			if listed := l.list.all[pkg.Path()]; listed != nil && listed.isUsers(l.list.root) {
				all[pkg.Path()] = pkg
			}
		}
	}
	for path, pkg := range l.list.all {
		if all[path] != nil || !pkg.isUsers(l.list.root) {
			continue
		}
		all[path] = nil
		for _, name := range pkg.GoFiles {
			unread = append(unread, filepath.Join(pkg.Dir, name))
		}
	}
	return all, unread
}

// isUsers reports whether p is a package of the user in the program of root.
func (p *listed) isUsers(root *listed) bool { return p == root || p.isLocal() && !p.isLibrary() }
