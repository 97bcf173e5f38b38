package main

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"

	"github.com/kkrpc-go/kkrpc/npm"
)

// The files of a bundle that Go makes.
const (
	programName = "api.wasm"
	loaderName  = "wasm_exec.js"
	typesName   = "api.d.mts"
)

// yours are the files of a bundle that users may change. Later builds keep the changes.
var yours = []string{"server.mjs", "package.json", "wrangler.jsonc"}

// hostFiles returns the JavaScript around the program, by name.
func (b *bundle) hostFiles() (map[string][]byte, error) {
	layers := []string{".", b.runtime} // of two files of one name, the later one counts
	if b.plain {
		layers = append(layers, b.runtime+"/plain")
	}
	files := map[string][]byte{}
	for _, layer := range layers {
		entries, err := fs.ReadDir(npm.Files, layer)
		if err != nil {
			return nil, err
		}
		for _, entry := range entries {
			if entry.IsDir() {
				continue
			}
			data, err := fs.ReadFile(npm.Files, path.Join(layer, entry.Name()))
			if err != nil {
				return nil, err
			}
			files[entry.Name()] = data
		}
	}
	return files, nil
}

// checkFolder refuses a folder that is none, or that has other files of the names of files, which would be lost.
func (b *bundle) checkFolder(files map[string][]byte) error {
	info, err := os.Stat(b.out)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return fmt.Errorf("-o %s: %w", b.out, err)
	case !info.IsDir():
		return fmt.Errorf("-o %s is a file: want a folder", b.out)
	}
	if _, err := os.Stat(filepath.Join(b.out, programName)); err == nil {
		return nil // of an earlier build
	}
	for _, name := range append(slices.Sorted(maps.Keys(files)), loaderName, typesName) {
		if _, err := os.Lstat(filepath.Join(b.out, name)); err == nil && !slices.Contains(yours, name) {
			return fmt.Errorf("-o %s has a file %s that is of no earlier build, without %s beside it: want another folder", b.out, name, programName)
		}
	}
	return nil
}

// write puts the files into the folder, and returns which it left alone.
func (b *bundle) write(files map[string][]byte) (kept []string, err error) {
	if err := os.MkdirAll(b.out, 0o777); err != nil {
		return nil, err
	}
	for _, name := range slices.Sorted(maps.Keys(files)) { // the program first, by which checkFolder knows the folder
		file := filepath.Join(b.out, name)
		if slices.Contains(yours, name) {
			if old, err := os.ReadFile(file); err == nil && !isTemplate(name, old) {
				kept = append(kept, name)
				continue
			}
		}
		if err := os.WriteFile(file, files[name], 0o666); err != nil {
			return nil, err
		}
	}
	return kept, nil
}

// isTemplate tells whether text is what a build for any runtime writes as name.
func isTemplate(name string, text []byte) (is bool) {
	_ = fs.WalkDir(npm.Files, ".", func(file string, entry fs.DirEntry, _ error) error {
		if path.Base(file) == name && !entry.IsDir() {
			data, err := fs.ReadFile(npm.Files, file)
			is = is || err == nil && bytes.Equal(data, text)
		}
		return nil
	})
	return is
}
