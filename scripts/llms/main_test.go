package main

import (
	"os"
	"path/filepath"
	"testing"
)

// The files are those that the command writes now: a page that is new or has another first sentence makes them old.
func TestFilesAreNew(t *testing.T) {
	const root = "../.."
	for name, write := range files {
		want, err := write(root)
		if err != nil {
			t.Fatal(err)
		}
		got, err := os.ReadFile(filepath.Join(root, filepath.FromSlash(name)))
		if err != nil || string(got) != want {
			t.Errorf("%s is old (%v): run go run ./scripts/llms", name, err)
		}
	}
}
