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

// functionsTag leaves out the methods of types, except those that method_names.go of package bind has.
const functionsTag = "kkrpc_functions"

const bindPackage = "github.com/kkrpc-go/kkrpc/internal/bind"

// methodFlags are the flags of the go command by which the program has only the methods that its source declares. The
// linker would else keep all exported methods of all types, since kkrpc looks them up by reflection. Files that the flags
// name are written to dir.
func (b *bundle) methodFlags(ctx context.Context, dir string, program *source.Program) ([]string, error) {
	out, err := b.goCommand(ctx, "env", "GOFLAGS").Output()
	if err != nil {
		return nil, fmt.Errorf("go env GOFLAGS: %w", err)
	}
	tags, overlaid := b.tags, false
	for _, flag := range strings.Fields(string(out)) {
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
	out, err = b.goCommand(ctx, slices.Concat([]string{"list", "-f", "{{.Dir}}"}, b.tagFlags(), []string{bindPackage})...).Output()
	if err != nil {
		return nil, fmt.Errorf("go list %s: %w", bindPackage, err)
	}
	names := filepath.Join(dir, "method_names.go")
	overlay := filepath.Join(dir, "overlay.json")
	replaced := filepath.Join(strings.TrimSpace(string(out)), "method_names.go")
	replace, err := json.Marshal(map[string]map[string]string{"Replace": {replaced: names}})
	err = errors.Join(err, os.WriteFile(names, methodNamesFile(program.MethodNames()), 0o600), os.WriteFile(overlay, replace, 0o600))
	if err != nil {
		return nil, err
	}
	return []string{"-tags", strings.Join(append(list, functionsTag), ","), "-overlay", overlay}, nil
}

// methodNamesFile takes the place of method_names.go. names are in ascending order.
func methodNamesFile(names []string) []byte {
	var b bytes.Buffer
	b.WriteString("package bind\n\nimport \"reflect\"\n\n")
	fmt.Fprintf(&b, "var methodNames = %#v\n\n", names)
	b.WriteString("func methodNamed(t reflect.Type, name string) (m reflect.Method, ok bool) {\n\tswitch name {\n")
	for _, name := range names {
		fmt.Fprintf(&b, "\tcase %q:\n\t\treturn t.MethodByName(%[1]q)\n", name)
	}
	b.WriteString("\t}\n\treturn m, false\n}\n")
	return b.Bytes()
}
