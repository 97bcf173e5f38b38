package source

import (
	"os"
	"path/filepath"
	"slices"
	"testing"
)

func TestMethodNames(t *testing.T) {
	p, err := LoadWebAssembly(t.Context(), "../../testdata/honomethods", ".")
	if err != nil {
		t.Fatal(err)
	}
	// Those of interfaces, of pointers, of a package beside the program, and of what a struct embeds, but not of libraries.
	want := []string{"Inner", "Lock", "Open", "Stock", "TryLock", "Unlock", "closed"}
	if got := p.MethodNames(); !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	for path, want := range map[string]bool{"main": true, "sync": false, "github.com/kkrpc-go/kkrpc": false, "": false} {
		if p.IsUsers(path) != want {
			t.Errorf("%s: got %v", path, !want)
		}
	}
}

// TestMethodNamesOfOtherModules has types that the types of the program do not show.
func TestMethodNamesOfOtherModules(t *testing.T) {
	t.Setenv("GOWORK", "off")
	dir := t.TempDir()
	for name, text := range map[string]string{
		"go.mod": "module example.com/program\n\ngo 1.24\n\nrequire example.com/shop v0.0.0\n\nreplace example.com/shop => ./shop\n",
		"main.go": `package main

import "example.com/shop/api"

// Über is no ASCII, and Range is a keyword elsewhere.
type Über[T any] struct{ v T }

func (*Über[T]) Öffnen() {}
func (Über[T]) Range()   {}

func main() { _ = api.New(); _ = Über[int]{} }
`,
		"shop/go.mod":      "module example.com/shop\n\ngo 1.24\n",
		"shop/api/api.go":  "package api\n\nimport \"example.com/shop/tea\"\n\ntype service struct{ tea.Pot }\n\nfunc (*service) Sell() {}\n\nfunc New() any { return &service{} }\n",
		"shop/tea/tea.go":  "package tea\n\ntype Pot struct{}\n\nfunc (Pot) Pour() {}\n\nfunc (pot[T]) Brew() {}\n\ntype pot[T any] struct{}\n\ntype Cup interface {\n\tFill()\n\tempty()\n}\n",
		"shop/tea/tea2.go": "//go:build linux\n\npackage tea\n\nfunc (Pot) Whistle() {}\n",
	} {
		file := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(file), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	p, err := LoadWebAssembly(t.Context(), dir, ".")
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"Brew", "Fill", "Pour", "Range", "Sell", "empty", "Öffnen"}
	if got := p.MethodNames(); !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	for _, path := range []string{"example.com/shop/api", "example.com/shop/tea"} {
		if !p.IsUsers(path) {
			t.Errorf("%s is not of the user", path)
		}
	}
}
