package npm_test

import (
	"encoding/json"
	"os"
	"path"
	"regexp"
	"slices"
	"testing"
)

// TestPackage has what package.json promises in its place: each file that it exports, and what that imports.
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
	if len(about.Exports) == 0 {
		t.Error("nothing is exported")
	}
	for _, name := range about.Exports {
		if !slices.Contains(about.Files, path.Clean(name)) {
			t.Errorf("%s is exported, and not among the files", name)
		}
	}
	imports := regexp.MustCompile(`from "(\.[^"]+)"`)
	for _, name := range about.Files {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Error(err)
		}
		for _, found := range imports.FindAllSubmatch(text, -1) {
			if from := path.Join(path.Dir(name), string(found[1])); !slices.Contains(about.Files, from) {
				t.Errorf("%s imports %s, which is not among the files", name, from)
			}
		}
	}
}
