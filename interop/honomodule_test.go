package interop_test

import (
	"archive/zip"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/kkrpc-go/kkrpc"
	"github.com/kkrpc-go/kkrpc/interop/js"
)

// TestBuildHonoWithModule builds a program whose module requires a version of this library, as those of users do. The go
// command has that in its cache, where nothing may be replaced, or in a folder vendor.
func TestBuildHonoWithModule(t *testing.T) {
	if testing.Short() {
		t.Skip("builds this library as a module: not under -short")
	}
	have(t, js.Node)
	command, err := kkrpcCommand()
	if err != nil {
		t.Fatal(err)
	}
	program, err := os.ReadFile(filepath.Join("wasmmethods", "main.go"))
	if err != nil {
		t.Fatal(err)
	}
	proxies := strings.Fields(goEnv(t, "GOMODCACHE", "GOPROXY"))
	proxy := t.TempDir()
	serveModule(t, proxy, "v0.0.1")
	env := append(os.Environ(), "GOWORK=off", "GOFLAGS=-modcacherw", "GONOSUMDB=github.com/kkrpc-go/kkrpc", "GOMODCACHE="+t.TempDir(),
		fmt.Sprintf("GOPROXY=file://%s,file://%s/cache/download,%s", proxy, proxies[0], proxies[1]))
	module := t.TempDir()
	in := func(dir, command string, args ...string) {
		t.Helper()
		cmd := exec.Command(command, args...)
		cmd.Dir, cmd.Env = dir, env
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%s %s: %v\n%s", command, strings.Join(args, " "), err, out)
		}
	}
	if err := errors.Join(os.Mkdir(filepath.Join(module, "inside"), 0o777), os.WriteFile(filepath.Join(module, "inside", "main.go"), program, 0o666)); err != nil {
		t.Fatal(err)
	}
	in(module, "go", "mod", "init", "example.com/user")
	in(module, "go", "get", "github.com/kkrpc-go/kkrpc@v0.0.1")
	in(module, "go", "mod", "tidy")
	for _, row := range []struct {
		name, dir, pkg string
		vendor         bool
	}{
		{"module cache", module, "./inside", false},
		{"a file in place of a package", filepath.Join(module, "inside"), "main.go", false},
		{"vendor", module, "./inside", true},
	} {
		t.Run(row.name, func(t *testing.T) {
			if row.vendor {
				in(module, "go", "mod", "vendor")
			}
			dir := t.TempDir()
			in(row.dir, command, "build", "hono", row.pkg, "--runtime", "node", "-o", dir)
			if err := os.Symlink(filepath.Join(js.Dir(t), "node_modules"), filepath.Join(dir, "node_modules")); err != nil {
				t.Fatal(err)
			}
			ch := dial(t, serveScript(t, js.Node, filepath.Join(dir, "server.mjs")).url, kkrpc.Options{})
			want(t, "a method", calls[string](t, ch, "shop.name"), "tea")
		})
	}
}

// goEnv returns variables of the go command, one a line.
func goEnv(t *testing.T, names ...string) string {
	t.Helper()
	out, err := exec.Command("go", append([]string{"env"}, names...)...).Output()
	if err != nil {
		t.Fatal(err)
	}
	return string(out)
}

// serveModule makes a folder a module proxy that has the root module of this repository as it is now.
func serveModule(t *testing.T, proxy, version string) {
	t.Helper()
	const name = "github.com/kkrpc-go/kkrpc"
	out, err := exec.Command("git", "-C", "..", "ls-files", "-z", "--cached", "--others", "--exclude-standard").Output()
	if err != nil {
		t.Fatal(err)
	}
	files := strings.Split(strings.TrimSuffix(string(out), "\x00"), "\x00")
	var nested []string // folders of other modules
	for _, f := range files {
		if dir, base := path.Split(f); base == "go.mod" && dir != "" {
			nested = append(nested, dir)
		}
	}
	dir := filepath.Join(proxy, filepath.FromSlash(name), "@v")
	mod, err := os.ReadFile(filepath.Join("..", "go.mod"))
	if err == nil {
		err = os.MkdirAll(dir, 0o777)
	}
	for file, text := range map[string]string{"list": version + "\n", version + ".info": fmt.Sprintf(`{"Version": %q}`, version), version + ".mod": string(mod)} {
		err = errors.Join(err, os.WriteFile(filepath.Join(dir, file), []byte(text), 0o666))
	}
	archive, problem := os.Create(filepath.Join(dir, version+".zip"))
	if err = errors.Join(err, problem); err != nil {
		t.Fatal(err)
	}
	defer archive.Close()
	z := zip.NewWriter(archive)
	for _, f := range files {
		if slices.ContainsFunc(nested, func(dir string) bool { return strings.HasPrefix(f, dir) }) {
			continue
		}
		text, err := os.ReadFile(filepath.Join("..", filepath.FromSlash(f)))
		if errors.Is(err, os.ErrNotExist) {
			continue // it is about to be deleted
		}
		w, problem := z.Create(name + "@" + version + "/" + f)
		if err = errors.Join(err, problem); err == nil {
			_, err = w.Write(text)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
}
