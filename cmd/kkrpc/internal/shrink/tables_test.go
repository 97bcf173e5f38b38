package shrink

import (
	"bytes"
	"errors"
	"os/exec"
	"slices"
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

// TestDataLikeTables finds the tables behind data of the program that has the same bytes as their header.
func TestDataLikeTables(t *testing.T) {
	if testing.Short() {
		t.Skip("links a program: not under -short")
	}
	p := read(t, link(t, "build", "-o", "PROGRAM", "../../testdata/hono"))
	like := append(append([]byte("data "), pcHeader...), make([]byte, 200)...)
	p.memory = append(memory{{0, append(like, pcHeader...)}}, p.memory...)
	if err := p.PackTables(); err != nil {
		t.Error(err)
	}
}

// TestModulesThatCannotStart leaves modules alone that have a start function already, or that lack what one needs.
func TestModulesThatCannotStart(t *testing.T) {
	if testing.Short() {
		t.Skip("links a program: not under -short")
	}
	linked := link(t, "build", "-o", "PROGRAM", "../../testdata/hono")
	for name, change := range map[string]func(p *Program){
		"a start function": func(p *Program) { p.sections = append(p.sections, section{sectionStart, []byte{0}}) },
		"no elements":      func(p *Program) { p.drop(sectionElement) },
		"no imports":       func(p *Program) { p.drop(sectionImport) },
		"a memory that is imported": func(p *Program) {
			p.drop(sectionImport)
			p.sections = append(p.sections, section{sectionImport, []byte("\x01\x01a\x01b\x02\x00\x01")})
		},
	} {
		t.Run(name, func(t *testing.T) {
			p := read(t, linked)
			change(p)
			before := bytesOf(t, p)
			if err := p.PackTables(); !errors.Is(err, ErrTables) {
				t.Errorf("got %v", err)
			}
			if !bytes.Equal(bytesOf(t, p), before) {
				t.Error("the module has changed")
			}
		})
	}
}

// drop takes the sections of an id out.
func (p *Program) drop(id byte) {
	p.sections = slices.DeleteFunc(p.sections, func(s section) bool { return s.id == id })
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
