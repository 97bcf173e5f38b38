package main

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/fsnotify/fsnotify"
	"github.com/kkrpc-go/kkrpc/cmd/kkrpc/internal/source"
)

// devTree is that of a copy of testdata/dev, in which the test works, with some files more.
func devTree(t *testing.T, files ...string) (tree *source.Tree, dir string) {
	t.Helper()
	chdirToCopy(t, "testdata/dev")
	for _, name := range files {
		put(t, name)
	}
	tree, err := source.NewLoader(".", ".").Tree(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if dir, err = os.Getwd(); err != nil {
		t.Fatal(err)
	}
	return tree, dir
}

func put(t *testing.T, name string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(name), 0o700); err != nil {
		t.Fatal(err)
	}
	write(t, name, "package some\n")
}

func TestWatchConcerns(t *testing.T) {
	tree, dir := devTree(t, "testdata/a.go", "node_modules/a/a.go", ".git/a.go", "other/go.mod", "other/a.go", "sub/a.go", "empty/a.txt", "web/api.gen.ts")
	w, err := newWatcher(tree, filepath.Join(dir, "web", "api.gen.ts"))
	if err != nil {
		t.Fatal(err)
	}
	defer w.notify.Close()
	for folder, want := range map[string]bool{
		".": true, "sub": true, "web": true, "empty": true, "testdata": false, "node_modules": false, "node_modules/a": false, ".git": false,
		"other": false, // a module that the program does not use
	} {
		if got := w.folders[filepath.Join(dir, folder)]; got != want {
			t.Errorf("%s is watched: %v", folder, got)
		}
	}
	for _, row := range []struct {
		name string
		op   fsnotify.Op
		want bool
	}{
		{"main.go", fsnotify.Write, true},
		{"main.go", fsnotify.Create, true},
		{"main.go", fsnotify.Rename, true},
		{"main.go", fsnotify.Chmod, false},
		{"main.go", fsnotify.Write | fsnotify.Chmod, true},
		{"go.mod", fsnotify.Write, true},
		{"main_test.go", fsnotify.Write, false},
		{"web/api.gen.ts", fsnotify.Create, false},
		{"web/.kkrpc-123", fsnotify.Create, false},
		{"README.md", fsnotify.Write, false},
		{"sub", fsnotify.Create, true}, // with a file of Go
		{"empty", fsnotify.Create, false},
		{"testdata", fsnotify.Create, false},
		{"node_modules", fsnotify.Create, false},
		{"sub", fsnotify.Rename, true},
		{"sub", fsnotify.Remove, false}, // it was renamed
	} {
		if got := w.concerns(fsnotify.Event{Name: filepath.Join(dir, filepath.FromSlash(row.name)), Op: row.op}); got != row.want {
			t.Errorf("%s %s: got %v", row.op, row.name, got)
		}
	}
}

func TestWatchNewFolders(t *testing.T) {
	tree, dir := devTree(t)
	w, err := watch(tree, "")
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	told := func(what string) {
		t.Helper()
		select {
		case <-w.changed:
		case <-time.After(20 * time.Second):
			t.Errorf("it does not tell of %s", what)
		}
	}
	put(t, "new/folder/a.go")
	told("a new folder")
	put(t, "new/folder/b.go")
	told("a file in a new folder")
	if err := os.Rename(filepath.Join(dir, "new"), filepath.Join(t.TempDir(), "new")); err != nil {
		t.Fatal(err)
	}
	told("a folder that has gone")
}
