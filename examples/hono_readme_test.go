package examples_test

import (
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/kkrpc-go/kkrpc/interop/js"
)

var fence = regexp.MustCompile("(?ms)^```(\\w+)\n(.*?)^```$")

// blocks returns the README's fenced blocks of a language.
func (e example) blocks(t *testing.T, language string) (found []string) {
	t.Helper()
	for _, m := range fence.FindAllStringSubmatch(read(t, filepath.Join(e.dir(), "README.md")), -1) {
		if m[1] == language {
			found = append(found, m[2])
		}
	}
	return found
}

// TestReadmesShowThesePrograms keeps the server and the command of each README what is run, and has it lead to the programs.
func TestReadmesShowThesePrograms(t *testing.T) {
	for _, e := range examples {
		t.Run(e.name, func(t *testing.T) {
			servers, _ := filepath.Glob(filepath.Join(e.dir(), "server.*"))
			var want []string
			for _, name := range servers {
				want = append(want, read(t, name))
			}
			if code := append(e.blocks(t, "ts"), e.blocks(t, "go")...); len(want) == 0 || !slices.Equal(code, want) {
				t.Errorf("the blocks of code are not %q to the letter:\n%s", servers, strings.Join(code, "\n"))
			}
			readme := read(t, filepath.Join(e.dir(), "README.md"))
			for _, name := range []string{"api/main.go", "client.mts", "client/main.go"} {
				if _ = read(t, filepath.Join(e.dir(), name)); !strings.Contains(readme, "]("+name+")") {
					t.Errorf("the README does not lead to %s", name)
				}
			}
			if !strings.Contains(readme, "\n    "+e.start+"\n") {
				t.Errorf("the README does not say to run %q", e.start)
			}
			for _, g := range generated {
				command := strings.Join(append([]string{"gen ts", "./api", "-o", "api.gen.ts"}, g.options...), " ")
				if g.file == e.dir()+"/api.gen.ts" && !strings.Contains(readme, "    go run github.com/kkrpc-go/kkrpc/cmd/kkrpc "+command+"\n") {
					t.Errorf("the README does not say to run %q", command)
				}
			}
			if steps := strings.Split(e.scripts(t)["start"], " && "); !strings.HasSuffix(steps[len(steps)-2], " build") || !strings.HasSuffix(steps[len(steps)-1], " serve") {
				t.Errorf("the script start is %q: want it to build and serve", steps)
			}
			if !strings.Contains(read(t, "../README.md"), "(examples/"+e.dir()+")") {
				t.Errorf("the README of the repository does not lead to %s", e.dir())
			}
		})
	}
}

// TestCommandOfTheGuide runs the build that the guide shows for a checkout, into another folder.
func TestCommandOfTheGuide(t *testing.T) {
	if testing.Short() {
		t.Skip("links programs: not under -short")
	}
	command := regexp.MustCompile(`(?m)^    go (run \./cmd/kkrpc build hono .*-o )\S+$`)
	const page = "docs/guide/hono.md"
	shown := command.FindAllStringSubmatch(read(t, filepath.Join("..", page)), -1)
	if len(shown) != 3 {
		t.Errorf("%s shows %d commands, want one each for Bun, Deno and Node.js", page, len(shown))
	}
	for _, m := range shown {
		cmd := exec.CommandContext(t.Context(), "go", append(strings.Fields(m[1]), t.TempDir())...)
		cmd.Dir = ".."
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Errorf("%s: %v\n%s", m[0], err, out)
		}
	}
}

// TestPinned keeps what the examples install what they are tested with.
func TestPinned(t *testing.T) {
	tested := read(t, "../interop/js/package.json") + read(t, "../interop/wrangler/package.json")
	pins := regexp.MustCompile(`(?:"|npx )([@\w/-]+)(?:": "(?:npm:[\w-]+@)?|@)(\d+\.\d+\.\d+)`) // in JSON, or for npx
	files := []string{"apiproxy/hono/package.json", "chat/hono/package.json", "users/hono/package.json", "users/web/package.json"}
	for _, e := range examples {
		name := "package.json"
		if e.name == "deno" {
			name = "deno.json"
		}
		files = append(files, filepath.Join(e.dir(), name))
	}
	for _, name := range files {
		all := pins.FindAllStringSubmatch(read(t, name), -1)
		if len(all) < 2 {
			t.Errorf("%s pins %d packages", name, len(all))
		}
		for _, pin := range all {
			if !strings.Contains(tested, `"`+pin[1]+`": "`+pin[2]+`"`) {
				t.Errorf("%s pins %s %s, with which nothing is tested", name, pin[1], pin[2])
			}
		}
	}
}

// TestTypesOfIndex has the TypeScript compiler check what a server and a client import from the folders of a build.
func TestTypesOfIndex(t *testing.T) {
	dir := js.TempDir(t, "testdata/server.ts", filepath.Join(js.Dir(t), "tsconfig.json"))
	for _, args := range [][]string{
		{"./hono-node/api", "--runtime", "node", "-o", filepath.Join(dir, "dist")},
		{"./hono-workers/api", "--runtime", "workers", "-o", filepath.Join(dir, "workers"), "--codec", "superjson"},
	} {
		args = append([]string{"run", "github.com/kkrpc-go/kkrpc/cmd/kkrpc", "build", "hono"}, args...)
		if out, err := exec.CommandContext(t.Context(), "go", args...).CombinedOutput(); err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
	}
	tsc := filepath.Join(dir, "node_modules", "typescript", "bin", "tsc")
	if out, err := exec.CommandContext(t.Context(), js.Node.Path(t), tsc, "-p", dir).CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}
