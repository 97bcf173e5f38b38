package reminders

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/kkrpc-go/kkrpc/interop/js"
)

// packages returns a folder with a script and the packages that it imports.
func packages(t *testing.T, script string) string {
	t.Helper()
	js.Node.Path(t)
	return js.TempDir(t, script)
}

// The page shows the files of this folder, without their package and imports.
func TestPage(t *testing.T) {
	page, err := os.ReadFile("../../docs/guide/testing.md")
	if err != nil {
		t.Fatal(err)
	}
	head := regexp.MustCompile(`(?s)\A.*?\nimport \(.*?\n\)\n\n`)
	files, err := filepath.Glob("*.[gm]*")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		if file == "page_test.go" {
			continue
		}
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		code := string(text)
		if filepath.Ext(file) == ".go" {
			code = head.ReplaceAllString(code, "")
		}
		if !strings.Contains(string(page), "\n"+code+"```\n") {
			t.Errorf("docs/guide/testing.md does not show %s", file)
		}
	}
}
