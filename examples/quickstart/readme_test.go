package quickstart_test

import (
	"os"
	"strings"
	"testing"
)

// TestReadmeShowsThesePrograms keeps the README's code what the other tests run.
func TestReadmeShowsThesePrograms(t *testing.T) {
	readme, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	for name, language := range map[string]string{"server/main.go": "go", "client/main.go": "go", "client.mts": "ts"} {
		source, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if block := "```" + language + "\n" + string(source) + "```\n"; !strings.Contains(string(readme), block) {
			t.Errorf("README.md has no block that is examples/quickstart/%s to the letter", name)
		}
	}
}
