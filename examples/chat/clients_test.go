package main

import (
	"bufio"
	"bytes"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/kkrpc-go/kkrpc/interop/js"
)

// TestClients has kkrpc 0.2 of npm talk in each runtime, over a restart of the server.
func TestClients(t *testing.T) {
	for _, rt := range js.Runtimes {
		t.Run(string(rt), func(t *testing.T) {
			rt.Path(t) // skips where it is missing
			dir := t.TempDir()
			server := start(t, "--addr", "127.0.0.1:0", "--dir", dir)
			folder := js.TempDir(t, "testdata/client.mts", "web/src/api.gen.ts")
			cmd := rt.Command(t, filepath.Join(folder, "client.mts"), tokenOf(t, dir, "Ada"))
			stdin, err := cmd.StdinPipe()
			if err != nil {
				t.Fatal(err)
			}
			stdout, err := cmd.StdoutPipe()
			if err != nil {
				t.Fatal(err)
			}
			var stderr bytes.Buffer
			cmd.Stderr = &stderr
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			lines := bufio.NewScanner(stdout)
			talk := func(addr string) (said []string) {
				fmt.Fprintln(stdin, addr)
				for lines.Scan() {
					if lines.Text() == "done" {
						return said
					}
					said = append(said, lines.Text())
				}
				t.Fatalf("the program ended after\n%s\n%s", strings.Join(said, "\n"), stderr.Bytes())
				return nil
			}
			want := []string{
				"a message has a text of at most 4096 bytes, and this one has 0",
				"Access denied", "Access denied", "Access denied", "Access denied",
				"stored once true",
				"heard Ada: once, Ada: the end",
				"newest the end true true",
			}
			if diff := cmp.Diff(want, talk(server.addr)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			eve := dial(t, "http://"+server.addr, tokenOf(t, dir, "Eve"), "lobby")
			eve.say("lobby", "one", "two")
			server.stop(t)

			server = start(t, "--addr", "127.0.0.1:0", "--dir", dir)
			eve = dial(t, "http://"+server.addr, tokenOf(t, dir, "Eve"), "lobby")
			eve.say("lobby", "three")
			want = []string{
				"reset false",
				"stored once true", // before the restart
				"heard Eve: one, Eve: two, Eve: three, Ada: the end",
				"newest the end true true",
			}
			if diff := cmp.Diff(want, talk(server.addr)); diff != "" {
				t.Errorf("after the restart (-want +got):\n%s", diff)
			}
			_ = stdin.Close()
			for lines.Scan() {
				t.Errorf("it said %q", lines.Text())
			}
			if err := cmd.Wait(); err != nil {
				t.Errorf("%v\n%s", err, stderr.Bytes())
			}
		})
	}
}

// TestBuiltPage keeps the files of the page what Vite builds.
func TestBuiltPage(t *testing.T) {
	node := js.Node.Path(t)
	if _, err := os.Stat("web/node_modules/vite"); err != nil {
		if os.Getenv("KKRPC_REQUIRE_JS") != "" {
			t.Fatal("the npm packages of the page are not installed: run `make js`")
		}
		t.Skip("the npm packages of the page are not installed: run `make js`")
	}
	dir := t.TempDir()
	for _, args := range [][]string{{"node_modules/typescript/bin/tsc"}, {"node_modules/vite/bin/vite.js", "build", "--outDir", dir}} {
		cmd := exec.CommandContext(t.Context(), node, args...)
		cmd.Dir = "web"
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%s: %v\n%s", args[0], err, out)
		}
	}
	if diff := cmp.Diff(contents(t, dir), contents(t, "web/dist")); diff != "" {
		t.Errorf("web/dist is not what `npm run build` makes of web/src (-built +committed):\n%s", diff)
	}
}

// contents are the files below a folder.
func contents(t *testing.T, dir string) map[string]string {
	t.Helper()
	files := map[string]string{}
	err := fs.WalkDir(os.DirFS(dir), ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		text, err := os.ReadFile(filepath.Join(dir, name))
		files[name] = string(text)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}
