package npm_test

import (
	"encoding/json"
	"maps"
	"os"
	"slices"
	"testing"
)

// TestPackage has what package.json promises in its place.
func TestPackage(t *testing.T) {
	data, err := os.ReadFile("package.json")
	if err != nil {
		t.Fatal(err)
	}
	var about struct {
		Exports map[string]string
		Files   []string
	}
	if err := json.Unmarshal(data, &about); err != nil {
		t.Fatal(err)
	}
	if len(about.Exports) == 0 || len(about.Exports) != len(about.Files) {
		t.Errorf("%d exports of %d files", len(about.Exports), len(about.Files))
	}
	for _, name := range slices.Concat(slices.Collect(maps.Values(about.Exports)), about.Files) {
		if _, err := os.Stat(name); err != nil {
			t.Error(err)
		}
	}
}
