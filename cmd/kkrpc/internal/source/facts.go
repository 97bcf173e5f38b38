package source

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// factsOf returns what the go command made the list from, by file. Of the program that is all but its declarations.
func (l *Loader) factsOf(list *listing) map[string]string {
	facts := map[string]string{}
	if work := l.workspace(); work != "" {
		facts[work] = stamp(work)
	}
	for _, pkg := range list.all {
		if !pkg.sourced && !pkg.isLocal() || pkg.Dir == "" {
			continue
		}
		entries, _ := os.ReadDir(pkg.Dir) // a folder that cannot be read has no files
		for _, entry := range entries {
			switch name := filepath.Join(pkg.Dir, entry.Name()); {
			case !isSource(name):
			case pkg.sourced:
				facts[name] = l.read(name).head()
			default:
				facts[name] = stamp(name)
			}
		}
		if pkg.Module != nil {
			for _, name := range []string{"go.mod", "go.sum"} {
				name = filepath.Join(pkg.Module.Dir, name)
				facts[name] = stamp(name)
			}
		}
	}
	return facts
}

// workspace is the file go.work that the go command uses, or empty.
func (l *Loader) workspace() string {
	if name := os.Getenv("GOWORK"); name != "" {
		return name // or off, which no file is
	}
	dir, err := filepath.Abs(l.dir)
	for err == nil {
		name := filepath.Join(dir, "go.work")
		if _, err := os.Stat(name); err == nil {
			return name
		}
		if dir == filepath.Dir(dir) {
			break
		}
		dir = filepath.Dir(dir)
	}
	return ""
}

// isSource reports whether a file may be one of a package, by its name.
func isSource(name string) bool {
	base := filepath.Base(name)
	return strings.HasSuffix(base, ".go") && !strings.HasSuffix(base, "_test.go") && !isHidden(base)
}

// isHidden reports whether the go command does not look at a file or a folder, by its name.
func isHidden(base string) bool { return strings.HasPrefix(base, ".") || strings.HasPrefix(base, "_") }

// head is the text up to the last import, with the build constraints, and the patterns of embedded files.
func (f *file) head() string {
	if f.syntax == nil || !f.syntax.Package.IsValid() {
		return string(f.text)
	}
	end := f.syntax.Name.End()
	for _, spec := range f.syntax.Imports {
		end = max(end, spec.End())
	}
	head := string(f.text[:min(int(end-f.syntax.FileStart), len(f.text))])
	for _, group := range f.syntax.Comments {
		for _, comment := range group.List {
			if strings.HasPrefix(comment.Text, "//go:embed") {
				head += "\n" + comment.Text
			}
		}
	}
	return head
}

// stamp is another text when the file has changed, and empty if there is none.
func stamp(name string) string {
	info, err := os.Stat(name)
	if err != nil {
		return ""
	}
	return fmt.Sprint(info.Size(), " ", info.ModTime().UnixNano())
}
