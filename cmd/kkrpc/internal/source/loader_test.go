package source_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/kkrpc-go/kkrpc/cmd/kkrpc/internal/source"
)

// workspace makes a folder with the modules example.com/app and example.com/lib, which use this checkout of kkrpc.
func workspace(t *testing.T, files map[string]string) (dir string) {
	t.Helper()
	kkrpc, err := filepath.Abs(module)
	if err != nil {
		t.Fatal(err)
	}
	dir = t.TempDir()
	writeAll(t, dir, map[string]string{
		"app/go.mod": "module example.com/app\n\ngo 1.26\n",
		"lib/go.mod": "module example.com/lib\n\ngo 1.26\n",
		"go.work":    "go 1.26\n\nuse (\n\t./app\n\t./lib\n\t" + kkrpc + "\n)\n",
	})
	writeAll(t, dir, files)
	t.Setenv("GOWORK", filepath.Join(dir, "go.work"))
	return filepath.Join(dir, "app")
}

func writeAll(t *testing.T, dir string, files map[string]string) {
	t.Helper()
	for name, text := range files {
		name = filepath.Join(dir, filepath.FromSlash(name))
		if text == "" {
			if err := os.Remove(name); err != nil {
				t.Fatal(err)
			}
			continue
		}
		if err := os.MkdirAll(filepath.Dir(name), 0o700); err != nil {
			t.Fatal(err)
		}
		old, err := os.Stat(name)
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if err == nil { // later than before, however coarse the clock of the file system is
			later := old.ModTime().Add(time.Second)
			if err := os.Chtimes(name, later, later); err != nil {
				t.Fatal(err)
			}
		}
	}
}

const mainFile = `package main

import (
	"github.com/kkrpc-go/kkrpc"
	"github.com/kkrpc-go/kkrpc/transport/ws"

	"example.com/app/api"
	"example.com/lib"
)

func main() { ws.Handler(kkrpc.As[api.Server](nil), nil); lib.Use(api.User{}) }
`

// A loader sees each change as a new one would. The library imports a package of the program.
func TestLoaderSeesChanges(t *testing.T) {
	if testing.Short() {
		t.Skip("it runs the go command often")
	}
	dir := workspace(t, map[string]string{
		"app/main.go":       mainFile,
		"app/api/api.go":    "package api\n\ntype Server interface { Find(id string) User }\n",
		"app/api/user.go":   "package api\n\ntype User struct { Name string }\n",
		"lib/lib.go":        "package lib\n\nimport \"example.com/app/api\"\n\nfunc Use(api.User) {}\n",
		"lib/page/page.go":  "package page\n\ntype Page struct { First int }\n",
		"app/api/other.txt": "no Go",
	})
	path := os.Getenv("PATH")
	loader := source.NewLoader(dir, ".")
	for _, step := range []struct {
		name  string
		files map[string]string
		goes  bool // without the go command
		want  string
	}{
		{"first", nil, false, "find(): Name"},
		{"nothing", nil, true, "find(): Name"},
		{"a method", map[string]string{"app/api/api.go": "package api\n\ntype Server interface { Get(id string) User }\n"}, true, "get(): Name"},
		{"a field", map[string]string{"app/api/user.go": "package api\n\ntype User struct { Mail string }\n"}, true, "get(): Mail"},
		{"a wrong type", map[string]string{"app/api/user.go": "package api\n\ntype User struct { Mail strin }\n"}, true, "api/user.go:3:25: undefined: strin"},
		{"bad syntax", map[string]string{"app/api/user.go": "package api\n\ntype User struct { Mail string \n"}, true, "api/user.go:3:33: expected '}', found 'EOF'"},
		{"mended", map[string]string{"app/api/user.go": "package api\n\ntype User struct { Mail string }\n"}, true, "get(): Mail"},
		{"an import that is missing", map[string]string{"app/api/user.go": "package api\n\nimport \"example.com/app/new\"\n\ntype User struct { New new.New }\n"}, false,
			"api/user.go:3:8: no required module provides package example.com/app/new; to add it: go get example.com/app/new"},
		{"the package that was missing", map[string]string{"app/new/new.go": "package new\n\ntype New struct { At int }\n"}, false, "get(): New"},
		{"a file more", map[string]string{"app/api/more.go": "package api\n\nimport \"example.com/lib/page\"\n\ntype More = page.Page\n",
			"app/api/user.go": "package api\n\ntype User struct { More }\n"}, false, "get(): First"},
		{"another module", map[string]string{"lib/page/page.go": "package page\n\ntype Page struct { Last int }\n"}, false, "get(): Last"},
		{"a file for another system", map[string]string{"app/api/more.go": "//go:build ignore\n\npackage api\n\ntype More struct{}\n"}, false, "api/user.go:3:20: undefined: More"},
		{"a file less", map[string]string{"app/api/more.go": "", "app/api/user.go": "package api\n\ntype User struct { Less int }\n"}, false, "get(): Less"},
		{"the library's use", map[string]string{"lib/lib.go": "package lib\n\nimport \"example.com/app/api\"\n\nfunc Use(u api.User) { u.More() }\n"}, true,
			"u.More undefined (type api.User has no field or method More)"},
		{"go.mod", map[string]string{"app/go.mod": "module example.com/app\n\ngo 1.26\n\nrequire example.com/none v1.0.0\nreplace example.com/none => ./nowhere\n"}, false, "nowhere"},
	} {
		writeAll(t, filepath.Dir(dir), step.files)
		if step.goes {
			t.Setenv("PATH", "")
		}
		got := loaded(t, loader)
		t.Setenv("PATH", path)
		if step.want != got && (got == "" || !strings.Contains(got, step.want) || strings.HasPrefix(step.want, "get")) {
			t.Errorf("%s: got %q, want %q", step.name, got, step.want)
		}
	}
}

// loaded says which method the program exposes and of which fields its result is, or what is wrong.
func loaded(t *testing.T, loader *source.Loader) string {
	t.Helper()
	program, err := loader.Load(t.Context())
	if err != nil {
		return err.Error()
	}
	apis, err := program.APIs()
	if err != nil || len(apis) != 1 {
		t.Fatal(apis, err)
	}
	text := apis[0].Members[0].Name + "():"
	for _, field := range apis[0].Types[len(apis[0].Types)-1].Type.Fields {
		text += " " + field.Name
	}
	return text
}

// TestLoadWebAssembly has a package with a file for js/wasm and a tag, which alone does not compile.
func TestLoadWebAssembly(t *testing.T) {
	const dir = "../../testdata/tagged"
	if _, err := source.LoadWebAssembly(t.Context(), dir, "."); err != nil {
		t.Errorf("without the tag: %v", err)
	}
	if _, err := source.LoadWebAssembly(t.Context(), dir, ".", "-tags", "served"); err == nil || !strings.Contains(err.Error(), "undefined: served") {
		t.Errorf("with the tag: %v", err)
	}
}
