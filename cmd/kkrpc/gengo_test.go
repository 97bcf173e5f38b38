package main

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var (
	clientsPage = filepath.FromSlash("../../docs/guide/typed-clients.md")
	clientBlock = regexp.MustCompile("(?ms)^```(go|ts)( client)?\n(.*?)^```$")
	apiType     = regexp.MustCompile(`(?m)^(?:export )?(?:type|interface|const) (\w+)`)
)

// TestClientsPage runs kkrpc gen go on each block of the page, builds what it writes, and compares that with the block
// that follows.
func TestClientsPage(t *testing.T) {
	if testing.Short() {
		t.Skip("it loads many programs")
	}
	page, err := os.ReadFile(clientsPage)
	if err != nil {
		t.Fatal(err)
	}
	var source [][]byte
	pairs := 0
	page = clientBlock.ReplaceAllFunc(page, func(all []byte) []byte {
		m := clientBlock.FindSubmatch(all)
		if len(m[2]) == 0 {
			source = m
			return all
		}
		pairs++
		got := clientOf(t, string(source[1]), source[3])
		if !*update && got != string(m[3]) {
			t.Errorf("kkrpc gen go wrote\n%s\nand the page shows\n%s", got, m[3])
		}
		return []byte("```go client\n" + got + "```")
	})
	if want := bytes.Count(page, []byte("\n```go client\n")); pairs != want || pairs < 4 {
		t.Errorf("%d pairs, want the %d of the page", pairs, want)
	}
	if *update {
		if err := os.WriteFile(clientsPage, page, 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// clientOf runs the command on a file of the first API that it declares, and builds the result.
func clientOf(t *testing.T, language string, source []byte) string {
	t.Helper()
	name := string(apiType.FindSubmatch(source)[1])
	files := map[string]string{"api." + language: string(source)}
	var dir string
	var args []string
	if language == "ts" {
		dir = typescriptFolder(t, compilers[0], files)
		args = []string{"--ts", dir + "/api.ts", "--package", "api"}
	} else {
		dir = packageFolder(t, files)
		args = []string{dir}
	}
	out := filepath.Join(dir, "client.gen.go")
	args = append([]string{"gen", "go", "--type", name, "-o", out}, args...)
	if code, _, stderr := runGo(t, args...); code != 0 {
		t.Fatalf("exit %d: %s", code, stderr)
	}
	vet(t, dir)
	text, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// vet has the Go command build and check a package.
func vet(t *testing.T, dir string) {
	t.Helper()
	if text, err := exec.Command("go", "vet", dir).CombinedOutput(); err != nil {
		t.Errorf("go vet: %v\n%s", err, text)
	}
}

// packageFolder returns a folder of this module, whose dependencies a package in it needs.
func packageFolder(t *testing.T, files map[string]string) string {
	t.Helper()
	dir, err := os.MkdirTemp("testdata", "client-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return "./" + filepath.ToSlash(dir)
}

func runGo(t *testing.T, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	var o, e bytes.Buffer
	code = run(t.Context(), args, &o, &e)
	return code, o.String(), e.String()
}

// TestGeneratedClientsAreCurrent compares the clients that package gogentest runs.
func TestGeneratedClientsAreCurrent(t *testing.T) {
	if testing.Short() {
		t.Skip("it loads programs")
	}
	for name, file := range map[string]string{"Server": "server.gen.go", "Funcs": "funcs.gen.go", "Account": "account.gen.go"} {
		const pkg = "./internal/gogen/gogentest"
		code, stdout, stderr := runGo(t, "gen", "go", pkg, "--type", name, "-o", filepath.Join(pkg, file), "--check")
		if code != 0 {
			t.Errorf("exit %d, %s%s", code, stdout, stderr)
		}
	}
}

// TestClientFiles writes, checks and keeps a file whose package does not compile without it.
func TestClientFiles(t *testing.T) {
	if testing.Short() {
		t.Skip("it loads many programs")
	}
	const old = `package api

type API interface{ Add(a, b int) (int, error) }

var _ = NewAPIClient(nil)
`
	dir := packageFolder(t, map[string]string{"api.go": old})
	source, out, other := filepath.Join(dir, "api.go"), filepath.Join(dir, "client.gen.go"), filepath.Join(dir, "other", "client.gen.go")
	for _, step := range []struct {
		name           string
		api            string // empty: as it is
		args           []string
		code           int
		stdout, stderr string // parts
	}{
		{"check of nothing", "", []string{dir, "--type", "API", "-o", out, "--check"}, 1, "+type APIClient struct {", "is out of date; run kkrpc gen go " + dir + " --type API -o "},
		{"write", "", []string{dir, "--type", "API", "-o", out}, 0, "", "APIClient, 1 methods ("},
		{"check", "", []string{dir, "--type", "API", "-o", out, "--check"}, 0, "", ""},
		{"again", "", []string{dir, "--type", "API", "-o", out}, 0, "", "is up to date ("},
		{"to the standard output, beside it", "", []string{dir, "--type", "API"}, 1, "", "the client is called APIClient, as what is declared at"},
		{"into another package", "", []string{dir, "--type", "API", "-o", other, "--package", "client", "--check"}, 1, "+var _ api.API = (*APIClient)(nil)", "out of date"},
		{"into another package without its name", "", []string{dir, "--type", "API", "-o", other}, 1, "", "is not in the folder of " + dir + "; name its package with --package"},
		{"into its own package by name", "", []string{dir, "--type", "API", "-o", out, "--package", "api"}, 1, "", "; leave out --package"},
		{"the old client does not compile", strings.ReplaceAll(old, "Add(a, b int)", "Sub(a, b int)"), []string{dir, "--type", "API", "-o", out, "--check"}, 1, "+func (c *APIClient) Sub(a, b int)", "out of date"},
		{"no type", "", []string{dir, "--type", "Server", "-o", out}, 1, "", "has no type Server; there is API"},
		{"a type that is not known", strings.ReplaceAll(old, "b int)", "b Number)"), []string{dir, "--type", "API", "-o", out}, 1, "", "undefined: Number"},
		{"a file that is no Go", "func", []string{dir, "--type", "API", "-o", out}, 1, "", "expected 'package'"},
		{"two packages", "", []string{dir, dir, "--type", "API"}, 2, "", "want one package"},
		{"a file", "", []string{source, "--type", "API"}, 2, "", "want a package, such as ./api, not the file "},
		{"a type that is not known in a part", strings.ReplaceAll(old, "b int)", "b Part)") + "type Part struct { N []Number }\n", []string{dir, "--type", "API", "-o", out}, 1, "", "undefined: Number"},
		{"no --type", "", []string{dir}, 2, "", "--type is empty"},
		{"--check without a file", "", []string{dir, "--type", "API", "--check"}, 2, "", "name it with -o"},
		{"a name that is none", "", []string{dir, "--type", "API", "--package", "a-b"}, 2, "", `--package "a-b": want the name of a Go package`},
		{"help", "", []string{"-h"}, 0, "", "usage: kkrpc gen go <package> --type name"},
	} {
		t.Run(step.name, func(t *testing.T) {
			if step.api != "" {
				if err := os.WriteFile(source, []byte(step.api), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			before, _ := os.ReadFile(out)
			code, stdout, stderr := runGo(t, append([]string{"gen", "go"}, step.args...)...)
			if code != step.code || !strings.Contains(stdout, step.stdout) || !strings.Contains(stderr, step.stderr) || step.stderr == "" && stderr != "" {
				t.Errorf("exit %d, %q, %q", code, stdout, stderr)
			}
			if step.api != "" {
				if err := os.WriteFile(source, []byte(old), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			if after, _ := os.ReadFile(out); step.name != "write" && !bytes.Equal(before, after) {
				t.Errorf("the file has changed:\n%s", after)
			}
		})
	}
}
