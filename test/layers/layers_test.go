// Package layers holds the test that imports go in one direction only:
//
//	superjson ← internal/wire ← kkrpc ← transport/* ← cmd, examples
//
// Its table names every folder and what that may import. A new folder fails until it has a row. The files of package kkrpc
// have such an order too, their floors. A new file fails until it has one.
package layers_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const (
	module = "github.com/kkrpc-go/kkrpc"

	jsonV2   = "github.com/go-json-experiment/json"
	gobwas   = "github.com/gobwas/ws"
	httphead = "github.com/gobwas/httphead"
	goCmp    = "github.com/google/go-cmp"
	goleak   = "go.uber.org/goleak"
	xTime    = "golang.org/x/time"
)

// rule says what the package in a folder may import besides the standard library. In dir, "*" stands for one folder
// name. In the lists, a name without a dot is a folder of this repository ("." is the root package), others are
// modules or their packages; "any" allows all of the other modules.
type rule struct {
	dir   string
	may   []string
	tests []string // what its tests may import besides may, themselves and everyTest
	not   []string // what of the standard library it may not import, not even through others
}

// everyTest is allowed in all tests.
var everyTest = []string{goCmp, goleak}

// noNetwork keeps sockets and logging policy out of the layers that know only frames.
var noNetwork = []string{"net", "net/http", "log/slog", "log"}

var rules = []rule{
	{dir: "internal/verbatim", not: noNetwork},
	{dir: "internal/jsonform", may: []string{jsonV2}, not: append([]string{"encoding/json"}, noNetwork...)},
	{dir: "superjson", may: []string{"internal/jsonform", "internal/verbatim", jsonV2}, not: noNetwork},
	{
		dir:   "internal/wire",
		may:   []string{"internal/verbatim", "superjson", jsonV2},
		tests: []string{"internal/wire/classic", "internal/wire/compact"},
		not:   noNetwork,
	},
	{dir: "internal/wire/classic", may: []string{"internal/wire", "superjson", jsonV2}, not: noNetwork},
	{dir: "internal/wire/compact", may: []string{"internal/wire", "superjson", jsonV2}, not: noNetwork},
	{dir: "internal/wire/codecs", may: []string{"internal/wire", "internal/wire/classic", "internal/wire/compact"}, not: noNetwork},
	{dir: "internal/bind", may: []string{"internal/jsonform", "internal/wire", "superjson"}, tests: []string{"internal/wire/compact"}, not: noNetwork},
	{dir: "internal/budget", not: noNetwork},
	{dir: "internal/outbox", may: []string{"internal/budget"}, not: noNetwork},
	{
		dir:   ".",
		may:   []string{"internal/bind", "internal/budget", "internal/hibernate", "internal/outbox", "internal/wire", "internal/wire/codecs", "superjson", jsonV2},
		tests: []string{"internal/wire/classic", "internal/wire/compact", "transport/transporttest", "transport/ws"},
		not:   []string{"net", "net/http", "log/slog"},
	},

	{dir: "interceptor", may: []string{".", "superjson", xTime}, not: []string{"net", "net/http"}},

	{dir: "schema", may: []string{".", "internal/bind", "internal/jsonform", "superjson"}, not: []string{"net", "net/http"}},
	{dir: "tsgen", may: []string{"schema"}, not: []string{"net", "net/http"}},

	{dir: "contract", may: []string{".", "internal/errlog", "schema", "tsgen"}, tests: []string{"transport/kkhttp", "transport/ws"}},

	{dir: "rooms", may: []string{".", "superjson"}, tests: []string{"rooms/roomstest"}, not: append([]string{"encoding/json"}, noNetwork...)},
	{dir: "rooms/roomstest", may: []string{"rooms", goCmp}},

	{dir: "transport/transporttest", may: []string{".", "superjson"}},
	{dir: "internal/origin", not: noNetwork},
	{dir: "internal/hibernate", not: noNetwork},
	{dir: "internal/admission", may: []string{"internal/origin"}},
	{dir: "internal/announce", may: []string{"."}, not: noNetwork},
	{dir: "internal/errlog", may: []string{xTime}, not: noNetwork},
	{dir: "internal/wstest"},
	{dir: "transport/ws", may: []string{".", "internal/admission", "internal/announce", "internal/budget", "internal/errlog", gobwas, httphead}, tests: []string{"internal/wstest", "superjson", "transport/transporttest"}},
	{
		dir:   "transport/kkhttp",
		may:   []string{".", "internal/admission", "internal/errlog", "internal/wire", "internal/wire/codecs", "superjson"},
		tests: []string{"transport/ws"},
	},
	{
		dir: "transport/stdio", // what is no message passes through, so that it has to tell the two apart
		may: []string{".", "internal/wire", "internal/wire/codecs"}, tests: []string{"superjson", "transport/transporttest"},
	},
	{dir: "transport/*", may: []string{"."}, tests: []string{"superjson", "transport/transporttest"}},

	{dir: "wasm", may: []string{".", "internal/announce", "internal/errlog", "internal/hibernate", "internal/origin", "superjson", "wasm/internal/owner", "wasm/internal/testhost"}, tests: []string{"transport/transporttest"}, not: []string{"net", "net/http", "log/slog", "encoding/json", jsonV2}},
	{dir: "wasm/internal/owner", not: noNetwork},
	{dir: "wasm/internal/testhost", not: noNetwork},
	{dir: "wasm/wasmtest", may: []string{"superjson", "wasm", "wasm/internal/testhost"}, tests: []string{"."}},
	{dir: "wasm/fetch", may: []string{"wasm/internal/owner"}, tests: []string{".", "wasm"}, not: []string{"net", "net/http", "log/slog", "encoding/json", jsonV2}},
	{dir: "wasm/durable", may: []string{"internal/hibernate", "internal/wire", "superjson", "wasm", "wasm/internal/owner"}, tests: []string{".", "rooms"}, not: []string{"net", "net/http", "log/slog", "encoding/json", jsonV2}},
	{dir: "wasm/fetch/roundtrip", may: []string{"wasm/fetch"}},
	{dir: "wasm/console", not: []string{"net", "net/http"}},
	{dir: "npm"},

	{dir: "scripts/release", may: []string{"golang.org/x/mod"}},
	{dir: "scripts/llms"},
	{dir: "scripts/licenses", may: []string{"github.com/google/licensecheck"}},

	{dir: "test/replay", may: []string{".", "internal/wire", "internal/wire/classic", "internal/wire/compact", "superjson", jsonV2}},
	{dir: "test/layers"},
	{dir: "test/mutate"},
	{dir: "test/attack", may: []string{".", "superjson", "transport/ws", gobwas}},

	{dir: "interop/js"},
	{dir: "interop", may: []string{".", "internal/wstest", "superjson", "transport/kkhttp", "transport/stdio", "transport/ws", "interop/api", "interop/check", "interop/forms", "interop/js", "interop/seen", "interop/studioclient", "interop/typedclient", "any"}},
	{dir: "interop/forms", may: []string{".", "adapter/kkvalidator"}},
	{dir: "interop/wasmroundtrip", may: []string{".", "wasm", "wasm/fetch/roundtrip"}},
	{dir: "interop/wasmdurable", may: []string{".", "rooms", "wasm", "wasm/durable"}},
	{dir: "interop/wasmfetch", may: []string{".", "wasm", "wasm/console", "wasm/fetch"}},
	{dir: "interop/*", may: []string{".", "wasm", "superjson", "transport/kkhttp", "transport/stdio", "transport/ws", "interop/api", "interop/check", "interop/seen", "interop/js", "contract", "any"}},
	{dir: "bench", may: []string{"bench/host", "bench/load", "bench/plots", "bench/results", "any"}},
	{dir: "bench/results"},
	{dir: "bench/plots", may: []string{"bench/results", "any"}},
	{dir: "bench/*", may: []string{".", "rooms", "wasm", "transport/ws", "bench/host", "bench/load", "any"}},
	{dir: "adapter/*", may: []string{".", "rooms", "superjson", "transport/kkhttp", "transport/stdio", "transport/ws", "interceptor", "any"}},
	{dir: "adapter/kknats", may: []string{"rooms", "any"}, tests: []string{"adapter/kknats/embedded", "rooms/roomstest"}},
	{dir: "adapter/kknats/embedded", may: []string{"adapter/kknats", "rooms", "any"}},
	{dir: "cmd/kkrpc/internal/gogen", may: []string{"internal/bind", "schema"}},
	{dir: "cmd/kkrpc/internal/gogen/gogentest", may: []string{"."}},
	{
		dir: "cmd/kkrpc/internal/source", may: []string{"cmd/kkrpc/internal/gogen", "internal/bind", "internal/jsonform", "schema", "any"},
		tests: []string{".", "cmd/kkrpc/internal/source/testdata/remotes", "tsgen"},
	},
	{dir: "cmd/kkrpc/internal/shrink"},
	{dir: "cmd/kkrpc/internal/tsread", may: []string{"schema"}},
	{dir: "cmd/kkrpc", may: []string{".", "cmd/kkrpc/internal/gogen", "cmd/kkrpc/internal/shrink", "cmd/kkrpc/internal/source", "cmd/kkrpc/internal/tsread", "contract", "interceptor", "npm", "schema", "tsgen", "superjson", "transport/kkhttp", "transport/stdio", "transport/ws", "any"}},
	{dir: "cmd/kkrpc/*", may: []string{".", "superjson", "transport/kkhttp", "transport/stdio", "transport/ws", "any"}},
	{dir: "examples/deploy", may: []string{".", "transport/ws"}, tests: []string{"interop/js"}},
	{dir: "examples/observability", may: []string{".", "interceptor", "transport/ws"}},
	{dir: "examples/testing", may: []string{".", "wasm"}, tests: []string{"interop/js", "transport/ws", "wasm/wasmtest"}},
	{dir: "examples/users", may: []string{".", "interceptor", "transport/ws", "examples/users/api", "examples/users/sqlite"}},
	{
		dir: "examples/users/api", may: []string{".", "adapter/kkvalidator", "rooms", "superjson"},
		tests: []string{"examples/users/api/storetest"}, not: []string{"database/sql"},
	},
	{dir: "examples/users/api/storetest", may: []string{"examples/users/api", goCmp}},
	{dir: "examples/users/hono", may: []string{".", "wasm", "examples/users/api"}, not: []string{"database/sql"}},
	{dir: "examples/users/sqlite", may: []string{"examples/users/api", "examples/users/sqlite/query", "any"}, tests: []string{"examples/users/api/storetest"}},
	{dir: "examples/users/sqlite/query"},
	{dir: "examples", tests: []string{"interop/js"}},
	{dir: "examples/apiproxy", may: []string{".", "interceptor", "transport/ws", "examples/apiproxy/proxy", "examples/apiproxy/upstream"}},
	{dir: "examples/apiproxy/hono", may: []string{"wasm", "wasm/fetch/roundtrip", "examples/apiproxy/proxy", "examples/apiproxy/upstream"}},
	{
		dir: "examples/apiproxy/proxy", may: []string{".", "github.com/pquerna/cachecontrol", "resenje.org/singleflight"},
		tests: []string{"examples/apiproxy/upstream", "transport/ws"},
	},
	{dir: "examples/apiproxy/upstream"},
	{
		dir:   "examples/chat",
		may:   []string{".", "adapter/kknats", "adapter/kknats/embedded", "interceptor", "rooms", "transport/ws", "examples/chat/api", "examples/chat/signin", "examples/chat/sqlite", "examples/chat/web", "any"},
		tests: []string{"interop/js"},
	},
	{dir: "examples/chat/api", may: []string{".", "rooms"}},
	{dir: "examples/hono-workers/api", may: []string{".", "rooms", "wasm", "wasm/durable"}},
	{dir: "examples/chat/hono", may: []string{".", "interceptor", "wasm", "examples/chat/api"}},
	{dir: "examples/chat/signin"},
	{dir: "examples/chat/sqlite", may: []string{"rooms", "examples/chat/sqlite/internal/db", "any"}, tests: []string{"rooms/roomstest"}},
	{dir: "examples/chat/sqlite/internal/db"},
	{dir: "examples/chat/web"},
	{dir: "examples/*", may: []string{".", "rooms", "wasm", "superjson", "transport/kkhttp", "transport/stdio", "transport/ws", "interceptor", "adapter/kkvalidator", "any"}, tests: []string{"interop/js"}},
	{dir: "examples/*/*", may: []string{".", "rooms", "wasm", "superjson", "transport/kkhttp", "transport/stdio", "transport/ws", "interceptor", "adapter/kkvalidator", "any"}, tests: []string{"interop/js", "wasm/wasmtest"}},
	{dir: "examples/*/*/*", may: []string{".", "rooms", "wasm", "superjson", "transport/kkhttp", "transport/stdio", "transport/ws", "interceptor", "adapter/kkvalidator", "any"}, tests: []string{"interop/js"}},
}

// ruleFor prefers the row that names the folder itself.
func ruleFor(dir string) (rule, bool) {
	for _, r := range rules {
		if r.dir == dir {
			return r, true
		}
	}
	for _, r := range rules {
		if ok, _ := path.Match(r.dir, dir); ok {
			return r, true
		}
	}
	return rule{}, false
}

func TestImportsGoOneWay(t *testing.T) {
	files := goFiles(t, root(t))
	if len(files) == 0 {
		t.Fatal("no Go files found")
	}
	for _, f := range files {
		for _, problem := range check(f) {
			t.Error(problem)
		}
	}
}

// TestNothingForbiddenThroughOthers looks at what is linked in the end: a dependency may bring net/http along.
func TestNothingForbiddenThroughOthers(t *testing.T) {
	dir := root(t)
	for _, r := range rules {
		if r.not == nil {
			continue
		}
		t.Run(r.dir, func(t *testing.T) {
			cmd := exec.Command("go", "list", "-deps", "-json=ImportPath,Imports", ".")
			cmd.Dir = filepath.Join(dir, filepath.FromSlash(r.dir))
			out, err := cmd.Output()
			if err != nil {
				t.Fatalf("go list: %v", err)
			}
			for dec := json.NewDecoder(bytes.NewReader(out)); dec.More(); {
				var p struct{ ImportPath string }
				if err := dec.Decode(&p); err != nil {
					t.Fatal(err)
				}
				if slices.Contains(r.not, p.ImportPath) {
					t.Errorf("%s depends on %s", r.dir, p.ImportPath)
				}
			}
		})
	}
}

// TestEveryModuleIsInTheWorkspace keeps a new module from being left out of every make target. In place of versions of this
// repository, a module takes the folder beside it. A user's build ignores that, so nothing else may be replaced.
func TestEveryModuleIsInTheWorkspace(t *testing.T) {
	dir := root(t)
	var work struct{ Use []struct{ DiskPath string } }
	edit(t, &work, "work", filepath.Join(dir, "go.work"))
	var used []string
	for _, use := range work.Use {
		used = append(used, filepath.Join(dir, filepath.FromSlash(use.DiskPath)))
	}
	walk(t, dir, func(name string) {
		if filepath.Base(name) != "go.mod" {
			return
		}
		at := filepath.Dir(name)
		if !slices.Contains(used, at) {
			t.Errorf("%s is not in go.work: run go work use %s", name, at)
		}
		var mod struct {
			Require []struct{ Path string }
			Replace []struct{ Old, New struct{ Path string } }
		}
		edit(t, &mod, "mod", name)
		replaced := map[string]bool{}
		for _, r := range mod.Replace {
			replaced[r.Old.Path] = true
			if want := filepath.Join(dir, filepath.FromSlash(strings.TrimPrefix(r.Old.Path, module))); !isOurs(r.Old.Path) || filepath.Join(at, filepath.FromSlash(r.New.Path)) != want {
				t.Errorf("%s replaces %s by %s", name, r.Old.Path, r.New.Path)
			}
		}
		for _, r := range mod.Require {
			if isOurs(r.Path) && !replaced[r.Path] {
				t.Errorf("%s requires %s without a replace directive for its folder", name, r.Path)
			}
		}
	})
}

// edit reads a go.mod or go.work file, as kind says.
func edit(t *testing.T, into any, kind, name string) {
	t.Helper()
	out, err := exec.Command("go", kind, "edit", "-json", name).Output()
	if err != nil {
		t.Fatalf("go %s edit: %v", kind, err)
	}
	if err := json.Unmarshal(out, into); err != nil {
		t.Fatal(err)
	}
}

func isOurs(path string) bool { return path == module || strings.HasPrefix(path, module+"/") }

// TestCheckFails shows that each kind of wrong import is seen.
func TestCheckFails(t *testing.T) {
	tests := []struct {
		name string
		file goFile
		want string // part of the problem; empty for none
	}{
		{"allowed", goFile{"transport/ws", "ws.go", []string{module, "net/http", gobwas + "/wsutil"}}, ""},
		{"points back", goFile{"superjson", "a.go", []string{module + "/internal/wire"}}, "superjson/a.go imports internal/wire"},
		{"root imports a transport", goFile{".", "a.go", []string{module + "/transport/ws"}}, "imports transport/ws"},
		{"a test of the root may", goFile{".", "a_test.go", []string{module + "/transport/ws", goCmp + "/cmp"}}, ""},
		{"root imports net/http", goFile{".", "a.go", []string{"net/http"}}, "imports net/http"},
		{"a new dependency", goFile{"transport/ws", "a.go", []string{"example.com/x"}}, "imports example.com/x"},
		{"a name that only begins alike", goFile{"transport/ws", "a.go", []string{gobwas + "x"}}, "imports " + gobwas + "x"},
		{"a module of its own may take any", goFile{"adapter/kkgin", "a.go", []string{"example.com/x", module}}, ""},
		{"but not look inside", goFile{"adapter/kkgin", "a.go", []string{module + "/internal/wire"}}, "imports internal/wire"},
		{"an unlisted folder", goFile{"internal/new", "a.go", nil}, "internal/new has no row"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := strings.Join(check(tt.file), "\n")
			if tt.want == "" && got != "" || !strings.Contains(got, tt.want) {
				t.Errorf("problems %q, want %q", got, tt.want)
			}
		})
	}
}

type goFile struct {
	dir, name string
	imports   []string
}

func check(f goFile) []string {
	r, ok := ruleFor(f.dir)
	if !ok {
		return []string{fmt.Sprintf("%s has no row in test/layers: add one that says what it may import", f.dir)}
	}
	allowed := r.may
	test := strings.HasSuffix(f.name, "_test.go")
	if test {
		allowed = slices.Concat(r.may, r.tests, everyTest, []string{r.dir, f.dir})
	}
	var problems []string
	for _, imp := range f.imports {
		name, ok := imp, false
		switch first, _, _ := strings.Cut(imp, "/"); {
		case imp == module:
			name = "."
			ok = slices.Contains(allowed, name)
		case strings.HasPrefix(imp, module+"/"):
			name = strings.TrimPrefix(imp, module+"/")
			ok = slices.Contains(allowed, name)
		case !strings.Contains(first, "."):
			ok = test || !slices.Contains(r.not, imp)
		default:
			ok = slices.Contains(allowed, "any") || slices.ContainsFunc(allowed, func(a string) bool {
				return imp == a || strings.HasPrefix(imp, a+"/")
			})
		}
		if !ok {
			problems = append(problems, fmt.Sprintf("%s imports %s, which test/layers does not allow", path.Join(f.dir, f.name), name))
		}
	}
	return problems
}

// goFiles reads all files of all modules, whatever their build constraints.
func goFiles(t *testing.T, dir string) []goFile {
	t.Helper()
	var files []goFile
	walk(t, dir, func(name string) {
		if filepath.Ext(name) != ".go" {
			return
		}
		parsed, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.ImportsOnly)
		if err != nil {
			t.Fatal(err)
		}
		rel, err := filepath.Rel(dir, filepath.Dir(name))
		if err != nil {
			t.Fatal(err)
		}
		f := goFile{dir: filepath.ToSlash(rel), name: filepath.Base(name)}
		for _, spec := range parsed.Imports {
			imp, err := strconv.Unquote(spec.Path.Value)
			if err != nil {
				t.Fatal(err)
			}
			f.imports = append(f.imports, imp)
		}
		files = append(files, f)
	})
	return files
}

// walk visits the files in the folders that the go command would look at.
func walk(t *testing.T, dir string, visit func(name string)) {
	t.Helper()
	err := filepath.WalkDir(dir, func(name string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case !d.IsDir():
			visit(name)
		case name != dir && (d.Name() == "testdata" || d.Name() == "node_modules" || strings.HasPrefix(d.Name(), ".") || strings.HasPrefix(d.Name(), "_")):
			return filepath.SkipDir
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func root(t *testing.T) string {
	t.Helper()
	dir, err := filepath.Abs(filepath.Join("..", ".."))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(dir, "go.work")); err != nil {
		t.Fatal(err)
	}
	return dir
}
