package source

import (
	"slices"
	"testing"
)

func TestMethodNames(t *testing.T) {
	p, err := LoadWebAssembly(t.Context(), "../../testdata/honomethods", ".")
	if err != nil {
		t.Fatal(err)
	}
	// Those of interfaces, of pointers, of a package beside the program, and of what a struct embeds, but not of libraries.
	want := []string{"Inner", "Lock", "Open", "Stock", "TryLock", "Unlock", "closed"}
	if got := p.MethodNames(); !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	for path, want := range map[string]bool{"main": true, "sync": false, "github.com/kkrpc-go/kkrpc": false, "": false} {
		if p.IsUsers(path) != want {
			t.Errorf("%s: got %v", path, !want)
		}
	}
}
