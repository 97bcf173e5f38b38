package main

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write the blocks of docs/guide/types.md anew")

var typesPage = filepath.FromSlash("../../docs/guide/types.md")

var block = regexp.MustCompile("(?ms)^```(go|ts)( json| superjson)?\n(.*?)^```$")

// TestTypesPage runs kkrpc gen ts on each Go block of the page and compares what it writes with the block that follows.
func TestTypesPage(t *testing.T) {
	page, err := os.ReadFile(typesPage)
	if err != nil {
		t.Fatal(err)
	}
	var source []byte
	pairs := 0
	page = block.ReplaceAllFunc(page, func(all []byte) []byte {
		m := block.FindSubmatch(all)
		if string(m[1]) == "go" {
			source = m[3]
			return all
		}
		pairs++
		codec := strings.TrimSpace(string(m[2]))
		got := genTS(t, source, codec)
		if !*update && got != string(m[3]) {
			t.Errorf("kkrpc gen ts wrote\n%s\nand the page shows\n%s", got, m[3])
		}
		return []byte("```ts" + string(m[2]) + "\n" + got + "```")
	})
	if pairs < 4 {
		t.Errorf("only %d pairs", pairs)
	}
	if *update {
		if err := os.WriteFile(typesPage, page, 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// genTS runs the command on a program of one file.
func genTS(t *testing.T, source []byte, codec string) string {
	t.Helper()
	dir, err := os.MkdirTemp("testdata", "program-") // in this module, whose dependencies it needs
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	if err := os.WriteFile(filepath.Join(dir, "main.go"), source, 0o600); err != nil {
		t.Fatal(err)
	}
	args := []string{"gen", "ts", "./" + filepath.ToSlash(dir)}
	if codec != "" {
		args = append(args, "--codec", codec)
	}
	var stdout, stderr bytes.Buffer
	if code := run(t.Context(), args, &stdout, &stderr); code != 0 {
		t.Fatalf("exit %d: %s", code, stderr.String())
	}
	return stdout.String()
}
