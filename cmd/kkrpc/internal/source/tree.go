package source

import (
	"context"
	"errors"
	"path/filepath"
	"slices"
	"strings"
)

// Tree says where the source of a program lies, for those who wait for a change. Names are absolute.
type Tree struct {
	// Package is the name of the package, such as main.
	Package string
	// WebAssembly reports that it is built for js/wasm alone.
	WebAssembly bool
	// Module is the folder of its module, or empty. New packages come there.
	Module string
	// Folders have the files of packages that a user changes: those of the module, of other modules of the workspace,
	// and embedded ones.
	Folders []string

	files  map[string]bool // that are built in and are not Go
	embeds []string        // patterns
}

// Tree tells where the source lies now. The error is that there is no such package, or that the go command fails. Other
// problems are those of Load.
func (l *Loader) Tree(ctx context.Context) (*Tree, error) {
	if err := l.refresh(ctx); err != nil {
		return nil, err
	}
	root := l.list.root
	if root.Name == "" {
		err := errors.Join(l.list.problems...)
		l.list = nil
		return nil, err
	}
	t := &Tree{Package: root.Name, WebAssembly: l.list.env != nil, files: map[string]bool{}}
	if root.Module != nil {
		t.Module = root.Module.Dir
	}
	for _, pkg := range l.list.all {
		if pkg != root && !pkg.isLocal() || pkg.Dir == "" {
			continue
		}
		t.Folders = append(t.Folders, pkg.Dir)
		for _, name := range slices.Concat(pkg.CFiles, pkg.CXXFiles, pkg.HFiles, pkg.SFiles, pkg.SysoFiles, pkg.EmbedFiles) {
			name = filepath.Join(pkg.Dir, filepath.FromSlash(name))
			t.files[name] = true
			t.Folders = append(t.Folders, filepath.Dir(name))
		}
		for _, pattern := range pkg.EmbedPatterns {
			pattern = strings.TrimPrefix(pattern, "all:")
			t.embeds = append(t.embeds, filepath.Join(pkg.Dir, filepath.FromSlash(pattern)))
		}
	}
	slices.Sort(t.Folders)
	t.Folders = slices.Compact(t.Folders)
	return t, nil
}

// Has reports whether the program may be another one when the file with this name has changed. The folder of the file is
// one of Folders, or one of Module.
func (t *Tree) Has(name string) bool {
	switch base := filepath.Base(name); {
	case t.files[name], isSource(name):
		return true
	case base == "go.mod", base == "go.sum", base == "go.work", base == "go.work.sum":
		return true
	case isHidden(base), strings.HasSuffix(base, ".go"):
		return false
	}
	for _, pattern := range t.embeds {
		for at := name; at != filepath.Dir(at); at = filepath.Dir(at) { // a pattern may name a folder
			if ok, _ := filepath.Match(pattern, at); ok {
				return true
			}
		}
	}
	return false
}

// Skips reports whether packages are not looked for in a folder with this name.
func Skips(base string) bool {
	return isHidden(base) || base == "testdata" || base == "node_modules" || base == "vendor"
}
