package source_test

import (
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/kkrpc-go/kkrpc/cmd/kkrpc/internal/source"
)

func TestTree(t *testing.T) {
	dir := workspace(t, map[string]string{
		"app/cmd/server/main.go":           "package main\n\nimport (\n\t\"embed\"\n\n\t\"example.com/lib\"\n)\n\n//go:embed all:web/dist *.sql\nvar files embed.FS\n\nfunc main() { lib.Use(files) }\n",
		"app/cmd/server/web/dist/a.js":     "1",
		"app/cmd/server/web/dist/_b.js":    "1",
		"app/cmd/server/1.sql":             "1",
		"lib/lib.go":                       "package lib\n\nfunc Use(any) {}\n",
		"lib/add_" + runtime.GOARCH + ".s": "// nothing\n",
	})
	tree, err := source.NewLoader(dir, "./cmd/server").Tree(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if tree.Package != "main" || tree.WebAssembly || tree.Module != dir {
		t.Errorf("got %+v", tree)
	}
	for _, folder := range []string{"cmd/server", "cmd/server/web/dist", "../lib"} {
		if !slices.Contains(tree.Folders, filepath.Join(dir, folder)) {
			t.Errorf("%s is missing: %v", folder, tree.Folders)
		}
	}
	for name, want := range map[string]bool{
		"cmd/server/main.go":                  true,
		"cmd/server/new.go":                   true,
		"new/new.go":                          true,
		"go.mod":                              true,
		"go.sum":                              true,
		"../go.work":                          true,
		"../lib/lib.go":                       true,
		"../lib/add_" + runtime.GOARCH + ".s": true,
		"../lib/add_other.txt":                false,
		"cmd/server/1.sql":                    true,
		"cmd/server/2.sql":                    true, // the pattern names it
		"cmd/server/web/dist/a.js":            true,
		"cmd/server/web/dist/_b.js":           true,
		"cmd/server/web/dist/sub/c.js":        true,
		"cmd/server/web/dist/.kkrpc-123":      false,
		"cmd/server/web/other.js":             false,
		"cmd/server/main_test.go":             false,
		"cmd/server/.#main.go":                false, // of an editor
		"cmd/server/main.go~":                 false,
		"README.md":                           false,
	} {
		if got := tree.Has(filepath.Join(dir, filepath.FromSlash(name))); got != want {
			t.Errorf("%s: got %v", name, got)
		}
	}
}

func TestNoTree(t *testing.T) {
	dir := workspace(t, map[string]string{"app/main.go": "package main\n", "app/broken/broken.go": "packag broken\n"})
	for pattern, want := range map[string]string{
		"./nothing": "directory not found",
		"./broken":  "expected 'package', found packag",
		"./...":     "./...: want one package, this names 2",
	} {
		if _, err := source.NewLoader(dir, pattern).Tree(t.Context()); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", pattern, err)
		}
	}
}
