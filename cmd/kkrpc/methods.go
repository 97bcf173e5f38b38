package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/kkrpc-go/kkrpc/cmd/kkrpc/internal/source"
)

// functionsTag leaves out the methods of types, and methodsTag puts those back that a file in package main names.
const (
	functionsTag = "kkrpc_functions"
	methodsTag   = "kkrpc_methods"
)

// methodNamesName is the name of that file, which the flag -overlay adds.
const methodNamesName = "kkrpc_method_names.go"

// methodFlags are the flags of the go command by which the program has only the methods that its source declares. The
// linker would else keep all exported methods of all types, since kkrpc looks them up by reflection. Files that the flags
// name are written to dir. A program to which the go command adds no file has all methods.
func (b *bundle) methodFlags(ctx context.Context, dir string, program *source.Program) ([]string, error) {
	out, err := b.goCommand(ctx, "env", "GOFLAGS", "GOMODCACHE").Output()
	if err != nil {
		return nil, fmt.Errorf("go env GOFLAGS: %w", err)
	}
	flags, cache, _ := strings.Cut(string(out), "\n")
	tags, overlaid := b.tags, false
	for _, flag := range strings.Fields(flags) {
		switch name, value, _ := strings.Cut(strings.TrimLeft(flag, "-"), "="); {
		case name == "tags" && tags == "": // the option counts more
			tags = value
		case name == "overlay": // the go command takes one
			overlaid = true
		}
	}
	list := strings.FieldsFunc(tags, func(r rune) bool { return r == ',' || r == ' ' }) // the space is from old versions
	if b.allMethods || overlaid || program == nil || slices.Contains(list, functionsTag) {
		return b.tagFlags(), nil
	}
	out, err = b.goCommand(ctx, slices.Concat([]string{"list", "-f", "{{.ImportPath}}\n{{.Dir}}"}, b.tagFlags(), []string{b.pkg})...).Output()
	if err != nil {
		return nil, fmt.Errorf("go list %s: %w", b.pkg, err)
	}
	path, folder, _ := strings.Cut(strings.TrimSpace(string(out)), "\n")
	if path == filesPackage || within(folder, strings.TrimSpace(cache)) {
		return b.tagFlags(), nil
	}
	names := filepath.Join(dir, methodNamesName)
	overlay := filepath.Join(dir, "overlay.json")
	added, err := json.Marshal(map[string]map[string]string{"Replace": {filepath.Join(folder, methodNamesName): names}})
	err = errors.Join(err, os.WriteFile(names, methodNamesFile(program.MethodNames()), 0o600), os.WriteFile(overlay, added, 0o600))
	if err != nil {
		return nil, err
	}
	return []string{"-tags", strings.Join(append(list, functionsTag, methodsTag), ","), "-overlay", overlay}, nil
}

// filesPackage is the import path of a package that is given as a list of files.
const filesPackage = "command-line-arguments"

// within reports whether a path is in a folder.
func within(path, folder string) bool {
	in, err := filepath.Rel(folder, path)
	return err == nil && filepath.IsLocal(in)
}

// methodNamesFile is what package bind has in package main, see method_names_main.go there. names are in ascending order.
func methodNamesFile(names []string) []byte {
	var b bytes.Buffer
	b.WriteString("package main\n\nimport (\n\tkkrpcReflect \"reflect\"\n\t_ \"unsafe\"\n)\n\n")
	fmt.Fprintf(&b, "//go:linkname kkrpcMethodNames\nfunc kkrpcMethodNames() []string { return %#v }\n\n", names)
	b.WriteString("//go:linkname kkrpcMethodNamed\n" +
		"func kkrpcMethodNamed(t kkrpcReflect.Type, name string) (m kkrpcReflect.Method, ok bool) {\n\tswitch name {\n")
	for _, name := range names {
		fmt.Fprintf(&b, "\tcase %q:\n\t\treturn t.MethodByName(%[1]q)\n", name)
	}
	b.WriteString("\t}\n\treturn m, false\n}\n")
	return b.Bytes()
}
