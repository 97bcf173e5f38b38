package guide_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/kkrpc-go/kkrpc/interop/js"
)

const (
	kkrpc2Clone   = "git clone --depth 1 --branch v2.1.0 https://github.com/kunkunsh/kkrpc kkrpc-2"
	kkrpc2Install = "npm install ./kkrpc-2.1.0.tgz ws"
)

// offline is what npm says where it reaches no registry.
var offline = regexp.MustCompile(`ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ENETUNREACH|ETIMEDOUT`)

// newNode is a version of Node.js that runs tsdown: 22.18 or later.
var newNode = regexp.MustCompile(`^v(?:22\.(?:1[89]|[2-9]\d)\.|24\.(?:1[1-9]|[2-9]\d)\.|2[5-9]\.|[3-9]\d\.)`)

// TestKkrpc2Build types the commands of the guide that build kkrpc 2, and runs a page with the package. The checkout is a clone
// of the one that a variable names. Without a new Node.js, it is Bun that builds.
func TestKkrpc2Build(t *testing.T) {
	if os.Getenv(checkoutVar) == "" {
		t.Skipf("needs kkrpc 2: set %s to a checkout of it, see CONTRIBUTING.md", checkoutVar)
	}
	for _, needed := range []string{"sh", "git", "npm"} {
		if _, err := exec.LookPath(needed); err != nil {
			t.Skip(err)
		}
	}
	bun, dir := js.Bun.Path(t), t.TempDir()
	index, err := os.ReadFile(filepath.Join(pages, "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	build := "npx tsdown"
	if version, err := js.Node.Version(); err != nil || !newNode.MatchString(version) {
		build = "bun x --bun tsdown"
	}
	in := dir
	for _, command := range []string{
		kkrpc2Clone, "cd kkrpc-2/packages/kkrpc", "npm install --no-workspaces --ignore-scripts", build, "npm pack --ignore-scripts",
		kkrpc2Install,
	} {
		if !strings.Contains(string(index), "\n    "+command+"\n") && !strings.Contains(string(index), "`"+command+"`") {
			t.Errorf("the guide does not show the command %q", command)
		}
		switch {
		case command == kkrpc2Clone:
			command = `git clone --quiet "$` + checkoutVar + `" kkrpc-2`
		case strings.HasPrefix(command, "cd "):
			in = filepath.Join(dir, strings.TrimPrefix(command, "cd "))
			continue
		case command == kkrpc2Install:
			write(t, filepath.Join(dir, "package.json"), "{}")
			if err := os.Rename(filepath.Join(in, "kkrpc-2.1.0.tgz"), filepath.Join(dir, "kkrpc-2.1.0.tgz")); err != nil {
				t.Fatal(err)
			}
			in = dir
		}
		cmd := exec.CommandContext(t.Context(), "sh", "-c", command)
		cmd.Dir = in
		cmd.Env = append(os.Environ(), "PATH="+filepath.Dir(bun)+string(os.PathListSeparator)+os.Getenv("PATH"), "npm_config_audit=false", "npm_config_fund=false")
		if out, err := cmd.CombinedOutput(); err != nil && offline.Match(out) {
			t.Skipf("no registry: %s\n%s", command, out)
		} else if err != nil {
			t.Fatalf("%s: %v\n%s", command, err, out)
		}
	}

	server, address := serve(t, program(t, "metadata"))
	text, err := os.ReadFile(filepath.Join("metadata", "client.mts"))
	if err != nil {
		t.Fatal(err)
	}
	client := filepath.Join(dir, "client.mts")
	write(t, client, strings.ReplaceAll(string(text), "localhost:3000", address))
	printed := []string{run(t, js.Bun.Command(t, client)), server.stop()}
	if shown := blocks(t, "metadata", "text"); strings.Join(printed, "") != strings.Join(shown, "") {
		t.Errorf("the programs printed\n%s\nand docs/guide/metadata.md shows\n%s", strings.Join(printed, "and\n"), strings.Join(shown, "and\n"))
	}
}
