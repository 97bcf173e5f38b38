package source

import (
	"encoding/json"
	"errors"
	"fmt"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
)

// overlay is a file that is read as if nothing stood in it. The zero overlay is none.
type overlay struct {
	name, text string
	file       string // for the flag -overlay of the go command
}

// empty makes l read the generated file as an empty one of its package, if it is there. remove is called at the end.
func (l *Loader) empty(generated string) (remove func(), err error) {
	remove = func() {}
	name, err := filepath.Abs(generated)
	if err != nil {
		return remove, err
	}
	text, err := os.ReadFile(name)
	if errors.Is(err, fs.ErrNotExist) {
		return remove, nil
	}
	if err != nil {
		return remove, err
	}
	clause, err := parser.ParseFile(token.NewFileSet(), name, text, parser.PackageClauseOnly)
	if err != nil {
		return remove, fmt.Errorf("%s is not a file that kkrpc gen go has written: %w", generated, err)
	}
	dir, err := os.MkdirTemp("", "kkrpc-overlay-")
	if err != nil {
		return remove, err
	}
	remove = func() { os.RemoveAll(dir) }
	l.overlay = overlay{name, "package " + clause.Name.Name, filepath.Join(dir, "overlay.json")}
	stub := filepath.Join(dir, "stub.go")
	list, err := json.Marshal(map[string]map[string]string{"Replace": {name: stub}})
	err = errors.Join(err, os.WriteFile(stub, []byte(l.overlay.text), 0o600), os.WriteFile(l.overlay.file, list, 0o600))
	if err != nil {
		remove()
	}
	return remove, err
}

// read returns what stands in a file.
func (o overlay) read(name string) ([]byte, error) {
	if o.file != "" && name == o.name {
		return []byte(o.text), nil
	}
	return os.ReadFile(name)
}
