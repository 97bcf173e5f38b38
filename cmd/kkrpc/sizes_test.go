package main

import (
	"path/filepath"
	"regexp"
	"testing"
)

func TestSizes(t *testing.T) {
	if testing.Short() {
		t.Skip("links a program: not under -short")
	}
	said := buildTo(t, filepath.Join(t.TempDir(), "dist"), "./testdata/honomethods", "node", "--sizes")
	for _, want := range []string{
		`KB +KB gzip +functions +code of package\n`,
		`\n +1[0-9]{3}\.[0-9] +[0-9]{3}\.[0-9] +[0-9]+  runtime\n`,
		`\n +[0-9]{3}\.[0-9] +[0-9]{2,3}\.[0-9] +[0-9]{3}  github\.com/kkrpc-go/kkrpc/superjson\n`,
		`  \(others\)\n`,
		`\n +[0-9]{4}\.[0-9] +[0-9]{3}\.[0-9] +\(data: types, texts, tables of functions\)\n`,
	} {
		if !regexp.MustCompile(want).MatchString(said) {
			t.Errorf("want %s in\n%s", want, said)
		}
	}
}
