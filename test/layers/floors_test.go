package layers_test

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"go/ast"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"io"
	"maps"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// floors are the files of the root package from the bottom up. A file uses what is declared in files before it.
var floors = []string{
	// What all others may know.
	"errors", "limits", "dialect", "gate", "transport", "meta",
	// The state of a channel.
	"kind", "pending", "channel", "handle",
	// Values in messages.
	"decode", "share", "encode",
	// Requests of either side, up to the goroutine that reads.
	"running", "handover", "exchange", "oneway", "intercept", "inbound_call", "serve", "negotiate", "read",
	// The three kinds of values that cross by identity.
	"callback", "callback_kind", "stream_in", "stream_out", "bytestream", "stream", "stream_kind", "ref", "ref_kind",
	// What a program calls.
	"call", "remote", "property", "expose", "hibernate", "options", "stats", "shutdown", "answer", "doc",
}

// exceptions are the arrows of the root package that may run back up.
var exceptions = map[arrow]string{
	{"kind", "encode"}:       "a kind writes its values into the message that is being encoded",
	{"channel", "running"}:   "a channel that closes ends the contexts of its handlers",
	{"channel", "handover"}:  "a channel holds its group and what its leader works with",
	{"channel", "intercept"}: "a channel holds its interceptors, whose type is public",
	{"channel", "exchange"}:  "a channel without a transport has another way to exchange",
	{"intercept", "ref"}:     "interceptors see the reference that a request is on, whose type is public",
}

const (
	mostRootFiles = 41
	mostRootUp    = 10 // percent of the arrows in the root package
	mostProductUp = 15 // percent of the arrows in the whole product
)

// product are the packages that users build into their programs. Files for other platforms than this one are not counted.
var product = []string{".", "./superjson", "./internal/...", "./interceptor", "./transport/...", "./wasm"}

// arrow leads from a file to another one that it uses. It runs back up if the other file is on a higher floor. Files are
// written as on floors, those of other packages with their folder.
type arrow struct{ from, to string }

// uses says for each arrow which names the one file uses of the other.
type uses map[arrow]map[string]bool

// collect adds the uses in pkg, whose names are in info. name returns the file of a position in a package.
//
// A use is the name of a function, type, variable or constant of a package, of a method or of a struct field. A method of an
// interface counts for the file of the interface. A field counts, since code that reads a field knows the struct.
func (u uses) collect(pkg *types.Package, info *types.Info, name func(*types.Package, token.Pos) string) {
	for ident, object := range info.Uses {
		if object.Pkg() == nil || !strings.HasPrefix(object.Pkg().Path()+"/", module+"/") {
			continue
		}
		switch o := object.(type) {
		case *types.Func:
			object = o.Origin()
		case *types.Var:
			if object = o.Origin(); !o.IsField() && o.Parent() != o.Pkg().Scope() {
				continue
			}
		case *types.TypeName, *types.Const:
			if o.Parent() != o.Pkg().Scope() {
				continue
			}
		default:
			continue
		}
		a := arrow{name(pkg, ident.Pos()), name(object.Pkg(), object.Pos())}
		if a.from == a.to {
			continue
		}
		if u[a] == nil {
			u[a] = map[string]bool{}
		}
		u[a][object.Name()] = true
	}
}

// up returns the arrows that run back up, where floor says how high a file is, in the order of the files.
func (u uses) up(floor map[string]int) []arrow {
	var up []arrow
	for a := range u {
		if floor[a.to] > floor[a.from] {
			up = append(up, a)
		}
	}
	slices.SortFunc(up, func(a, b arrow) int {
		return cmp.Or(cmp.Compare(floor[a.from], floor[b.from]), cmp.Compare(floor[a.to], floor[b.to]))
	})
	return up
}

// names returns what the one file of a uses of the other.
func (u uses) names(a arrow) string { return strings.Join(slices.Sorted(maps.Keys(u[a])), ", ") }

// TestFloors looks at the arrows between the files of the root package, and counts those of the whole product.
func TestFloors(t *testing.T) {
	packages := loadProduct(t)
	all := uses{}
	for _, p := range packages {
		p.check(t, all)
	}
	t.Run("root", func(t *testing.T) { checkRoot(t, all) })
	t.Run("product", func(t *testing.T) { checkProduct(t, packages, all) })
}

func checkRoot(t *testing.T, all uses) {
	floor := map[string]int{}
	for i, file := range floors {
		floor[file] = i + 1
	}
	sources, err := filepath.Glob(filepath.Join(root(t), "*.go"))
	if err != nil {
		t.Fatal(err)
	}
	files := 0
	for _, source := range sources {
		if strings.HasSuffix(source, "_test.go") {
			continue
		}
		files++
		if file := fileOf(module, source); floor[file] == 0 {
			t.Errorf("%s.go has no floor: add it to floors in test/layers", file)
		}
	}
	if files > mostRootFiles {
		t.Errorf("the root package has %d files, more than %d", files, mostRootFiles)
	}
	own := all.within(floors)
	up := own.up(floor)
	for _, a := range up {
		if reason := exceptions[a]; reason != "" {
			t.Logf("%s.go uses %s of %s.go: %s", a.from, own.names(a), a.to, reason)
		} else {
			t.Errorf("%s.go uses %s of %s.go, which is on a higher floor", a.from, own.names(a), a.to)
		}
	}
	for a := range exceptions {
		if !slices.Contains(up, a) {
			t.Errorf("the exception from %s.go to %s.go is not needed", a.from, a.to)
		}
	}
	report(t, "the root package", files, len(own), len(up), mostRootUp)
}

// checkProduct gives the files of each package but the root an order of its own. Between packages no arrow runs back up: the
// compiler refuses cycles of imports.
func checkProduct(t *testing.T, packages map[string]*sourcePackage, all uses) {
	files, back := 0, 0
	for _, dir := range slices.Sorted(maps.Keys(packages)) {
		p := packages[dir]
		own := all.within(p.files)
		order := floors
		if dir != "." {
			order = own.order(p.files)
		}
		floor := map[string]int{}
		for i, file := range order {
			floor[file] = i + 1
		}
		up := own.up(floor)
		t.Logf("%s: %d files, %d arrows, %d back up", dir, len(p.files), len(own), len(up))
		files += len(p.files)
		back += len(up)
	}
	report(t, "the product", files, len(all), back, mostProductUp)
}

func report(t *testing.T, what string, files, arrows, up, most int) {
	t.Logf("%s: %d files, %d arrows, %d back up (%.1f %%)", what, files, arrows, up, 100*float64(up)/float64(arrows))
	if 100*up > most*arrows {
		t.Errorf("%s: %d of %d arrows run back up, more than %d %%", what, up, arrows, most)
	}
}

// within returns the uses between these files.
func (u uses) within(files []string) uses {
	some := uses{}
	for a, names := range u {
		if slices.Contains(files, a.from) && slices.Contains(files, a.to) {
			some[a] = names
		}
	}
	return some
}

// order returns the files of one package from the bottom up. Next always comes a file that uses the fewest of those that are
// left, and among these one that most of them use.
func (u uses) order(files []string) []string {
	left := slices.Clone(files)
	var order []string
	for len(left) > 0 {
		next := slices.MinFunc(left, func(a, b string) int {
			usesA, usedA := u.count(a, left)
			usesB, usedB := u.count(b, left)
			return cmp.Or(cmp.Compare(usesA, usesB), cmp.Compare(usedB, usedA))
		})
		order = append(order, next)
		left = slices.DeleteFunc(left, func(file string) bool { return file == next })
	}
	return order
}

// count returns how many of the others a file uses, and how many of them use it.
func (u uses) count(file string, others []string) (used, by int) {
	for _, other := range others {
		if u[arrow{file, other}] != nil {
			used++
		}
		if u[arrow{other, file}] != nil {
			by++
		}
	}
	return used, by
}

// sourcePackage is one package of the product.
type sourcePackage struct {
	importPath string
	dir        string
	sources    []string // names of files, with .go
	files      []string // as in arrows
	exports    map[string]string
}

// loadProduct returns the packages by their folders.
func loadProduct(t *testing.T) map[string]*sourcePackage {
	t.Helper()
	cmd := exec.Command("go", append([]string{"list", "-export", "-deps", "-json=ImportPath,Dir,Export,GoFiles"}, product...)...)
	cmd.Dir = root(t)
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	packages, exports := map[string]*sourcePackage{}, map[string]string{}
	for dec := json.NewDecoder(bytes.NewReader(out)); dec.More(); {
		var p struct {
			ImportPath, Dir, Export string
			GoFiles                 []string
		}
		if err := dec.Decode(&p); err != nil {
			t.Fatal(err)
		}
		exports[p.ImportPath] = p.Export
		if !strings.HasPrefix(p.ImportPath+"/", module+"/") {
			continue
		}
		source := &sourcePackage{importPath: p.ImportPath, dir: p.Dir, sources: p.GoFiles, exports: exports}
		for _, file := range p.GoFiles {
			source.files = append(source.files, fileOf(p.ImportPath, file))
		}
		packages[folderOf(p.ImportPath)] = source
	}
	return packages
}

// folderOf returns the folder of a package of this module, and "." for the root.
func folderOf(importPath string) string {
	return path.Join(".", strings.TrimPrefix(strings.TrimPrefix(importPath, module), "/"))
}

// fileOf returns a file of a package of this module as it stands in arrows.
func fileOf(importPath, file string) string {
	return path.Join(folderOf(importPath), strings.TrimSuffix(filepath.Base(file), ".go"))
}

// check adds what p uses to all. Other packages are read from what the compiler has exported of them.
func (p *sourcePackage) check(t *testing.T, all uses) {
	t.Helper()
	fset := token.NewFileSet()
	var parsed []*ast.File
	for _, name := range p.sources {
		file, err := parser.ParseFile(fset, filepath.Join(p.dir, name), nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		parsed = append(parsed, file)
	}
	lookup := func(importPath string) (io.ReadCloser, error) {
		if p.exports[importPath] == "" {
			return nil, fmt.Errorf("nothing is exported of %s", importPath)
		}
		return os.Open(p.exports[importPath])
	}
	all.checkFiles(t, fset, parsed, p.importPath, importer.ForCompiler(fset, "gc", lookup))
}

func (u uses) checkFiles(t *testing.T, fset *token.FileSet, files []*ast.File, importPath string, imports types.Importer) {
	t.Helper()
	info := &types.Info{Uses: map[*ast.Ident]types.Object{}}
	conf := types.Config{Importer: imports}
	pkg, err := conf.Check(importPath, fset, files, info)
	if err != nil {
		t.Fatal(err)
	}
	u.collect(pkg, info, func(pkg *types.Package, pos token.Pos) string {
		return fileOf(pkg.Path(), fset.Position(pos).Filename)
	})
}

// TestUses shows what counts as a use.
func TestUses(t *testing.T) {
	const below = `package p
type List[T any] struct { first T; next *List[T] }
func (l *List[T]) Len() int { return 0 }
type Runner interface { Run() }
type base struct{ size int }
func (base) grow() {}
type Derived struct{ base }
func help() {}
const limit = 1
var count int
`
	tests := []struct {
		name, above string
		want        string
	}{
		{"a function", `func f() { help() }`, "help"},
		{"a type", `var l List[int]`, "List"},
		{"a constant", `var n = limit`, "limit"},
		{"a variable", `func f() { count++ }`, "count"},
		{"a method of a generic type", `func f(l interface{ Len() int }) { l.Len() }; func g(d Derived) { d.grow() }`, "Derived, grow"},
		{"a method of an interface", `func f[R Runner](r R) { r.Run() }`, "Run, Runner"},
		{"a field", `func f() { var v = own(); v.size++ }; func own() (d struct{ base }) { return }`, "base, size"},
		{"a field of a generic type", `func f(l List[int]) { l.next.first++ }`, "List, first, next"},
		{"names of its own", `func f(count int) { help := count; _ = help; type base int; _ = base(1) }`, ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			fset := token.NewFileSet()
			var files []*ast.File
			for name, text := range map[string]string{"below.go": below, "above.go": "package p\n" + test.above} {
				file, err := parser.ParseFile(fset, name, text, parser.SkipObjectResolution)
				if err != nil {
					t.Fatal(err)
				}
				files = append(files, file)
			}
			u := uses{}
			u.checkFiles(t, fset, files, module, nil)
			if got := u.names(arrow{"above", "below"}); got != test.want {
				t.Errorf("uses %s, want %s", got, test.want)
			}
			if up := u.up(map[string]int{"below": 1, "above": 2}); len(up) > 0 {
				t.Errorf("these run back up: %v", up)
			}
			if up := u.up(map[string]int{"below": 2, "above": 1}); len(up) != min(1, len(test.want)) {
				t.Errorf("in the wrong order these run back up: %v", up)
			}
		})
	}
}
