package quickstart_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var lineStart = regexp.MustCompile(`(?m)^(.)`)

// TestReadmeShowsThesePrograms keeps the code of the README equal to the programs that the other tests run.
func TestReadmeShowsThesePrograms(t *testing.T) {
	readme := read(t, "../../README.md")
	for name, language := range map[string]string{"server/main.go": "go", "client.mts": "ts", "server.mts": "ts", "child.mjs": "js"} {
		if block := "```" + language + "\n" + read(t, name) + "```\n"; !strings.Contains(readme, block) {
			t.Errorf("README.md has no block that equals examples/quickstart/%s", name)
		}
	}
	bodies := blocks(readme, "go")[1:]
	for i, name := range []string{"client/main.go", "parent/main.go"} {
		if i >= len(bodies) {
			t.Errorf("README.md does not show the body of examples/quickstart/%s", name)
			continue
		}
		body := "error {\n" + lineStart.ReplaceAllString(bodies[i], "\t$1") + "\treturn err\n}\n"
		if !strings.Contains(read(t, name), body) {
			t.Errorf("examples/quickstart/%s does not have the body that README.md shows:\n%s", name, body)
		}
	}
}

// TestPagesInstallWhatNpmHas keeps each page that installs kkrpc together with the remedy for what npm says where TypeScript is
// newer, and free of versions that npm does not have.
func TestPagesInstallWhatNpmHas(t *testing.T) {
	installs, installing := regexp.MustCompile(`npm install [^`+"`"+`\n]*kkrpc@([0-9.]+)`), 0
	err := filepath.WalkDir("../..", func(name string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.IsDir() && (entry.Name() == "node_modules" || entry.Name() == ".git"):
			return fs.SkipDir
		case filepath.Ext(name) != ".md":
			return nil
		}
		page := read(t, name)
		for _, command := range installs.FindAllStringSubmatch(page, -1) {
			installing++
			if command[1] != "0" && !strings.Contains(page, "`"+command[0]+"` ends with") {
				t.Errorf("%s says %q, and npm has kkrpc 0.2.2 only", name, command[0])
			}
			if !strings.Contains(page, override) {
				t.Errorf("%s says %q, and not what helps against ERESOLVE: %s", name, command[0], override)
			}
		}
		return nil
	})
	if err != nil || installing < 20 {
		t.Errorf("%d pages install kkrpc, %v", installing, err)
	}
}

// blocks returns the fenced blocks of a language.
func blocks(page, language string) (found []string) {
	for _, part := range strings.Split(page, "\n```"+language+"\n")[1:] {
		block, _, _ := strings.Cut(part, "```\n")
		found = append(found, block)
	}
	return found
}

// isShown checks that the README has a command, on a line of its own or in its text.
func isShown(t *testing.T, command string) {
	t.Helper()
	readme := read(t, "../../README.md")
	if !strings.Contains(readme, "\n    "+command+"\n") && !strings.Contains(readme, "`"+command+"`") {
		t.Errorf("README.md does not show the command %q", command)
	}
}

func read(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.FromSlash(name))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
