package main

import (
	"bufio"
	"bytes"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
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
	dir := js.TempDir(t)
	if err := os.CopyFS(dir, webSources{os.DirFS("web")}); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{{"typescript/bin/tsc", "-p", "."}, {"vite/bin/vite.js", "build"}} {
		args[0] = filepath.Join(dir, "node_modules", filepath.FromSlash(args[0]))
		cmd := exec.CommandContext(t.Context(), node, args...)
		cmd.Dir = dir
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%s: %v\n%s", args[0], err, out)
		}
	}
	if diff := cmp.Diff(contents(t, filepath.Join(dir, "dist")), contents(t, "web/dist")); diff != "" {
		t.Errorf("web/dist is not what `npm run build` makes of web/src (-built +committed):\n%s", diff)
	}
}

// webSources are the files of the page without what is built, installed, or already in a folder of js.TempDir.
type webSources struct{ fs.FS }

func (w webSources) ReadDir(name string) ([]fs.DirEntry, error) {
	entries, err := fs.ReadDir(w.FS, name)
	return slices.DeleteFunc(entries, func(e fs.DirEntry) bool {
		return name == "." && slices.Contains([]string{"dist", "node_modules", "package.json"}, e.Name())
	}), err
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
