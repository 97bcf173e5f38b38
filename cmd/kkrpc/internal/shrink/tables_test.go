package shrink

import (
	"bytes"
	"errors"
	"os/exec"
	"strings"
	"testing"
)

// TestTablesOfThisGo fails with a version of Go that has not been looked at, whose programs therefore keep all tables.
func TestTablesOfThisGo(t *testing.T) {
	out, err := exec.Command("go", "env", "GOVERSION").Output()
	if err != nil {
		t.Fatal(err)
	}
	version := strings.TrimSpace(string(out))
	if strings.HasPrefix(version, "devel") {
		t.Skipf("%s is no release", version)
	}
	if !Knows(version) {
		t.Errorf("%s: compare runtime.pcHeader, runtime._func and runtime.moduledata with tables.go; then add it to knownVersions", version)
	}
}

func TestKnows(t *testing.T) {
	for version, want := range map[string]bool{
		"go1.26": true, "go1.26.8": true, "go1.26-custom": true, "go1.26.1 X:jsonv2": true,
		"go1.25.4": false, "go1.260": false, "go1.2": false, "": false, "devel go1.26": false,
	} {
		if got := Knows(version); got != want {
			t.Errorf("%q: got %v", version, got)
		}
	}
}

// TestTablesOfOthers leaves programs alone that have other tables.
func TestTablesOfOthers(t *testing.T) {
	short := append([]byte("data"), pcHeader...)
	backwards := append(bytes.Clone(short), make([]byte, 100)...)
	backwards[4+32] = 0xff
	many := append(bytes.Clone(short), make([]byte, 100)...)
	many[4+8] = 0xff
	for name, data := range map[string][]byte{"none": []byte("data"), "cut": short, "backwards": backwards, "too many functions": many} {
		p := Program{memory: memory{{0, bytes.Clone(data)}}}
		if err := p.DropTables(func(string) bool { return false }); !errors.Is(err, ErrTables) {
			t.Errorf("%s: dropping: got %v", name, err)
		}
		if err := p.PackTables(); !errors.Is(err, ErrTables) {
			t.Errorf("%s: packing: got %v", name, err)
		}
		if _, err := p.Packages(); !errors.Is(err, ErrTables) && !errors.Is(err, errModule) {
			t.Errorf("%s: packages: got %v", name, err)
		}
		if !bytes.Equal(p.memory[0].data, data) || p.start != nil {
			t.Errorf("%s: the program has changed", name)
		}
	}
}

func TestPackageOf(t *testing.T) {
	for function, want := range map[string]string{
		"main.main":                              "main",
		"main.(*API).Greet":                      "main",
		"example.com/a/b.(*T[go.shape.int]).F":   "example.com/a/b",
		"gopkg.in/yaml%2ev3.Marshal":             "gopkg.in/yaml.v3",
		"slices.Sort[go.shape.[]a/b.T]":          "slices",
		"type:.eq.main.T":                        "type:",
		"runtime.gcenable.func1.deferwrap1":      "runtime",
		"_rt0_wasm_js":                           "",
		"github.com/kkrpc-go/kkrpc.(*Ref).Call":  "github.com/kkrpc-go/kkrpc",
		"github.com/kkrpc-go/kkrpc/wasm.Serve-5": "github.com/kkrpc-go/kkrpc/wasm",
	} {
		if got := packageOf(function); got != want {
			t.Errorf("%s: got %q, want %q", function, got, want)
		}
	}
}
