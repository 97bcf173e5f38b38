package source

import (
	"go/types"
	"maps"
	"slices"
)

// MethodNames returns the names of the methods that a program may expose, in ascending order: those of all types in the
// packages of the user. For an interface, these are also the unexported ones.
func (p *Program) MethodNames() []string {
	names := map[string]bool{}
	for _, pkg := range p.users {
		for _, name := range pkg.Scope().Names() {
			if of, ok := pkg.Scope().Lookup(name).(*types.TypeName); ok {
				addMethods(names, of.Type())
			}
		}
	}
	return slices.Sorted(maps.Keys(names))
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

// IsUsers reports whether a package that the program imports is one of the user: of the modules in the workspace, or of a
// module that a folder replaces. path is an import path, or "main" for the program itself.
func (p *Program) IsUsers(path string) bool { return path == "main" || p.users[path] != nil }

// usersPackages returns the packages of the user that l has read or that these import.
func (l *Loader) usersPackages() map[string]*types.Package {
	seen := map[string]*types.Package{}
	add := func(pkg *types.Package) {
		listed := l.list.all[pkg.Path()]
		if listed == l.list.root || listed != nil && listed.isLocal() && !listed.isLibrary() {
			seen[pkg.Path()] = pkg
		}
	}
	for _, pkg := range l.list.sourced {
		checked := l.checked[pkg.ImportPath]
		add(checked.Types)
		for _, imported := range checked.Types.Imports() {
			add(imported)
		}
	}
	return seen
}
