package wasm

import (
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// TestPackagesOfAProgram holds what every program that calls Serve is made of: net/http or encoding/json would each make it
// larger by a third of a megabyte and more.
func TestPackagesOfAProgram(t *testing.T) {
	const file = "testdata/packages.txt"
	cmd := exec.Command("go", "list", "-deps", ".")
	cmd.Env = append(os.Environ(), "GOOS=js", "GOARCH=wasm", "GOFLAGS=")
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, name := range strings.Fields(string(out)) {
		// What the standard library needs of its own is a matter of Go's version.
		own := strings.HasPrefix(name, "github.com/kkrpc-go/kkrpc")
		if own || !slices.ContainsFunc(strings.Split(name, "/"), func(s string) bool { return s == "internal" || s == "vendor" }) {
			got = append(got, name)
		}
	}
	slices.Sort(got)
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	want := strings.Fields(string(text))
	for _, name := range got {
		if !slices.Contains(want, name) {
			t.Errorf("%s is new in every program for a JavaScript server: do without it, or add it to wasm/%s", name, file)
		}
	}
	for _, name := range want {
		if !slices.Contains(got, name) {
			t.Errorf("%s is in no program any more: take it out of wasm/%s", name, file)
		}
	}
}
