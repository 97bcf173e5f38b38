package gogen

import (
	"cmp"
	"path"
	"slices"
	"strconv"
	"strings"
)

// Imports are what a file imports, and the names that it uses for the packages.
type Imports struct {
	names map[string]string // by import path
	taken map[string]bool
}

// NewImports returns the imports of a file in a package that declares these names.
func NewImports(declared []string) *Imports {
	i := &Imports{names: map[string]string{}, taken: map[string]bool{}}
	for _, name := range declared {
		i.taken[name] = true
	}
	return i
}

// Name imports the package at path, which is called name, and returns the name that it has in the file.
func (i *Imports) Name(path, name string) string {
	if known, ok := i.names[path]; ok {
		return known
	}
	unique := name
	for n := 2; i.taken[unique]; n++ {
		unique = name + strconv.Itoa(n)
	}
	i.names[path], i.taken[unique] = unique, true
	return unique
}

// text is the declaration: packages of the standard library, then the others.
func (i *Imports) text() string {
	var paths []string
	for p := range i.names {
		paths = append(paths, p)
	}
	slices.SortFunc(paths, func(a, b string) int {
		if isStandard(a) != isStandard(b) {
			if isStandard(a) {
				return -1
			}
			return 1
		}
		return cmp.Compare(a, b)
	})
	var b strings.Builder
	b.WriteString("import (\n")
	for n, p := range paths {
		if n > 0 && isStandard(paths[n-1]) && !isStandard(p) {
			b.WriteByte('\n')
		}
		if name := i.names[p]; name != path.Base(p) {
			b.WriteString(name + " ")
		}
		b.WriteString(strconv.Quote(p) + "\n")
	}
	b.WriteString(")\n")
	return b.String()
}

// isStandard reports whether an import path is of the standard library, none of which begins with a host.
func isStandard(path string) bool {
	first, _, _ := strings.Cut(path, "/")
	return !strings.Contains(first, ".")
}
