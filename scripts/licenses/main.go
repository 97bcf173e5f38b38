// Command licenses checks the licenses of all modules that are linked into packages, commands and tests of the workspace,
// direct and indirect ones. It fails if one has no license file, or another license than those that are allowed.
package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/google/licensecheck"
)

// allowed are the licenses, by their SPDX identifiers, under which a dependency may be linked into a program of any license.
// MPL-2.0 asks only for the source of its own files.
var allowed = []string{"0BSD", "Apache-2.0", "BSD-2-Clause", "BSD-3-Clause", "ISC", "MIT", "MIT-0", "MPL-2.0", "Unlicense", "Zlib"}

// reviewed are modules with other licenses, and why they may be used.
var reviewed = map[string]string{
	"codeberg.org/go-fonts/liberation": "SIL Open Font License 1.1, only in the pictures of bench",
	"github.com/ajstarks/svgo":         "Creative Commons Attribution 4.0, only for the pictures of bench",
	"github.com/golang/freetype":       "FreeType License, which licenses/ftl.txt has; only for the pictures of bench",
}

// recognized is how much of a license file has to be text of known licenses. The rest is often names of authors.
const recognized = 70 // percent

// systems are those whose packages are looked at. Most others import a part of these.
var systems = []string{"linux", "windows", "darwin"}

type module struct {
	Path, Version, Dir string
	Main               bool
	Replace            *module
}

func main() {
	modules, err := linked()
	if err != nil {
		fmt.Fprintln(os.Stderr, "licenses:", err)
		os.Exit(1)
	}
	count, problems := map[string]int{}, 0
	for _, m := range modules {
		if why := reviewed[m.Path]; why != "" {
			fmt.Printf("%s: %s\n", m.Path, why)
			continue
		}
		ids, err := licenses(os.DirFS(m.Dir))
		for _, id := range ids {
			count[id]++
		}
		if err != nil {
			fmt.Fprintf(os.Stderr, "%s %s: %v\n", m.Path, m.Version, err)
			problems++
		}
	}
	var summary []string
	for _, id := range slices.Sorted(maps.Keys(count)) {
		summary = append(summary, fmt.Sprintf("%d %s", count[id], id))
	}
	fmt.Printf("licenses of %d modules: %s\n", len(modules), strings.Join(summary, ", "))
	if problems > 0 {
		os.Exit(1)
	}
}

// linked are the modules of other authors that have a package which the workspace imports, in the order of their paths.
func linked() ([]*module, error) {
	found := map[string]*module{}
	for _, system := range systems {
		cmd := exec.Command("go", "list", "-e", "-deps", "-test", "-json=Module", "work")
		cmd.Env = append(cmd.Environ(), "GOOS="+system, "CGO_ENABLED=0")
		cmd.Stderr = os.Stderr
		out, err := cmd.Output()
		if err != nil {
			return nil, fmt.Errorf("go list: %w", err)
		}
		for d := json.NewDecoder(bytes.NewReader(out)); d.More(); {
			var p struct{ Module *module }
			if err := d.Decode(&p); err != nil {
				return nil, fmt.Errorf("go list: %w", err)
			}
			if p.Module == nil || p.Module.Main || p.Module.Replace != nil {
				continue
			}
			if p.Module.Dir == "" {
				return nil, fmt.Errorf("%s %s is not downloaded", p.Module.Path, p.Module.Version)
			}
			found[p.Module.Path] = p.Module
		}
	}
	return slices.SortedFunc(maps.Values(found), func(a, b *module) int { return strings.Compare(a.Path, b.Path) }), nil
}

// licenseFile is the name of a file that holds a license. NOTICE and AUTHORS hold none.
var licenseFile = regexp.MustCompile(`(?i)^(un)?(licen[sc]e|copying)([-._].*)?$`)

// licenses returns what the license files of a module say, and an error if that is not allowed.
func licenses(dir fs.FS) ([]string, error) {
	entries, err := fs.ReadDir(dir, ".")
	if err != nil {
		return nil, err
	}
	var ids []string
	for _, entry := range entries {
		if entry.IsDir() || !licenseFile.MatchString(entry.Name()) || filepath.Ext(entry.Name()) == ".go" {
			continue
		}
		text, err := fs.ReadFile(dir, entry.Name())
		if err != nil {
			return ids, err
		}
		coverage := licensecheck.Scan(text)
		if coverage.Percent < recognized {
			return ids, fmt.Errorf("%s: %.0f %% of it is text of known licenses, want %d %%", entry.Name(), coverage.Percent, recognized)
		}
		for _, match := range coverage.Match {
			if !slices.Contains(allowed, match.ID) {
				return ids, fmt.Errorf("%s: the license %s is not allowed", entry.Name(), match.ID)
			}
			ids = append(ids, match.ID)
		}
	}
	if len(ids) == 0 {
		return nil, fmt.Errorf("there is no license file")
	}
	slices.Sort(ids)
	return slices.Compact(ids), nil
}
