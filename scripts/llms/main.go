// Command llms writes llms.txt and docs/coding-assistants.md from the documentation. Run it at the top of the repository:
//
//	go run ./scripts/llms
package main

import (
	"cmp"
	_ "embed"
	"fmt"
	"log"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// files are what the command writes, by their path in the repository.
var files = map[string]func(root string) (string, error){
	"llms.txt":                  index,
	"docs/coding-assistants.md": assistants,
}

// rules is the part of the page that no other page has.
//
//go:embed rules.md
var rules string

const raw = "https://raw.githubusercontent.com/kkrpc-go/kkrpc/main/"

func main() {
	for name, write := range files {
		text, err := write(".")
		if err == nil {
			err = os.WriteFile(filepath.FromSlash(name), []byte(text), 0o644)
		}
		if err != nil {
			log.Fatal(err)
		}
	}
}

// page is one of the documentation.
type page struct {
	path, title, about string // about is its first sentence
}

var (
	links = regexp.MustCompile(`\[([^\]]*)\]\([^)]*\)`)
	// A sentence ends before a space: 0.2.2 and .mts have no end.
	sentence = regexp.MustCompile(`^.*?[.:](\s|$)`)
)

func readPage(root, name string) (page, error) {
	text, err := os.ReadFile(filepath.Join(root, filepath.FromSlash(name)))
	if err != nil {
		return page{}, err
	}
	parts := strings.Split(string(text), "\n\n")
	title, ok := strings.CutPrefix(parts[0], "# ")
	if !ok || len(parts) < 2 {
		return page{}, fmt.Errorf("%s does not begin with a title and a paragraph", name)
	}
	about := links.ReplaceAllString(strings.ReplaceAll(strings.TrimSpace(parts[1]), "\n", " "), "$1")
	if first := sentence.FindString(about); first != "" {
		about = strings.TrimSuffix(strings.TrimSpace(first), ":")
	}
	return page{name, strings.TrimSpace(title), about}, nil
}

// pages reads those of a folder, by title.
func pages(root, folder string, without ...string) ([]page, error) {
	names, err := filepath.Glob(filepath.Join(root, filepath.FromSlash(folder), "*.md"))
	if err != nil {
		return nil, err
	}
	var found []page
	for _, name := range names {
		if base := filepath.Base(name); !slices.Contains(without, base) {
			p, err := readPage(root, path.Join(folder, base))
			if err != nil {
				return nil, err
			}
			found = append(found, p)
		}
	}
	slices.SortFunc(found, func(a, b page) int { return cmp.Compare(a.title, b.title) })
	return found, nil
}

// index is a list of all pages, in the form of llmstxt.org.
func index(root string) (string, error) {
	readme, err := readPage(root, "README.md")
	if err != nil {
		return "", err
	}
	var b strings.Builder
	fmt.Fprintf(&b, "# %s\n\n> %s\n\nRead [the page for coding assistants](%sdocs/coding-assistants.md) first.\n", readme.title, readme.about, raw)
	for _, section := range []struct {
		title, folder string
		without       []string
	}{
		{"Guide", "docs/guide", nil},
		{"Reference", "docs", []string{"coding-assistants.md"}},
	} {
		list, err := pages(root, section.folder, section.without...)
		if err != nil {
			return "", err
		}
		fmt.Fprintf(&b, "\n## %s\n\n", section.title)
		for _, p := range list {
			fmt.Fprintf(&b, "- [%s](%s%s): %s\n", p.title, raw, p.path, p.about)
		}
	}
	return b.String(), nil
}

var fence = regexp.MustCompile("(?ms)^```(\\w+)\n.*?^```$")

// assistants is the page: the programs of the README, the rules, and where each question and symptom is answered.
func assistants(root string) (string, error) {
	readme, err := os.ReadFile(filepath.Join(root, "README.md"))
	if err != nil {
		return "", err
	}
	programs := map[string]string{}
	for _, m := range fence.FindAllStringSubmatch(string(readme), -1) {
		programs[m[1]] = cmp.Or(programs[m[1]], m[0]) // the first of a language
	}
	if programs["go"] == "" || programs["ts"] == "" {
		return "", fmt.Errorf("README.md shows no program in Go or in TypeScript")
	}
	guide, err := pages(root, "docs/guide", "README.md")
	if err != nil {
		return "", err
	}
	trouble, err := os.ReadFile(filepath.Join(root, "docs", "troubleshooting.md"))
	if err != nil {
		return "", err
	}
	var b strings.Builder
	b.WriteString("# For coding assistants\n\nThis page is a summary for programs that write code with kkrpc for Go. `go run ./scripts/llms` writes it from the\n" +
		"other pages, so change those. [llms.txt](../llms.txt) lists all pages.\n\n" +
		"## A server in Go\n\n" + programs["go"] + "\n\n## Its client in TypeScript\n\n" + programs["ts"] + "\n\n" + rules + "\n## Pages\n\n")
	for _, p := range guide {
		fmt.Fprintf(&b, "- [%s](%s): %s\n", p.title, strings.TrimPrefix(p.path, "docs/"), p.about)
	}
	b.WriteString("\n## Symptoms\n\n[Troubleshooting](troubleshooting.md) has the cause and the remedy of each:\n\n")
	for line := range strings.Lines(string(trouble)) {
		if heading, ok := strings.CutPrefix(line, "## "); ok {
			b.WriteString("- " + heading)
		}
	}
	return b.String(), nil
}
