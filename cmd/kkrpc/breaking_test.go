package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestBreakingCommand compares an API with descriptions of itself, one of which somebody has changed.
func TestBreakingCommand(t *testing.T) {
	if testing.Short() {
		t.Skip("it loads many programs")
	}
	users := filepath.FromSlash("../../examples/guide/users")
	file := filepath.Join(t.TempDir(), "api.json")
	kkrpc := func(args ...string) (code int, stdout, stderr string) {
		t.Helper()
		var o, e bytes.Buffer
		code = run(t.Context(), args, &o, &e)
		return code, o.String(), e.String()
	}
	if code, _, stderr := kkrpc("gen", "json", users, "--api", "ServerAPI", "-o", file); code != 0 {
		t.Fatalf("exit %d, %s", code, stderr)
	}
	if code, stdout, stderr := kkrpc("breaking", users, "--api", "ServerAPI", "--against", file); code != 0 || stdout+stderr != "" {
		t.Errorf("nothing has changed: exit %d, %s%s", code, stdout, stderr)
	}
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	changed := bytes.Replace(text, []byte(`"name": "getUsers"`), []byte(`"name": "listUsers"`), 1)
	if err := os.WriteFile(file, changed, 0o600); err != nil {
		t.Fatal(err)
	}
	if code, stdout, stderr := kkrpc("breaking", users, "--api", "ServerAPI", "--against", file); code != 1 || stdout != "listUsers: is gone\n" || !strings.Contains(stderr, "breaking changes since "+file+": 1") {
		t.Errorf("exit %d, %q, %q", code, stdout, stderr)
	}
	if err := os.WriteFile(file, []byte("no JSON"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, bad := range []struct {
		args   []string
		code   int
		stderr string
	}{
		{[]string{users, "--against", file}, 1, "no description of an API: invalid character 'o' in literal null (expecting 'u'); want a file that kkrpc gen json has written"},
		{[]string{users, "--against", file + "x"}, 1, "no such file"},
		{[]string{users}, 2, "--against is empty"},
		{[]string{"--against", file}, 2, "want one package"},
	} {
		if code, _, stderr := kkrpc(append([]string{"breaking"}, bad.args...)...); code != bad.code || !strings.Contains(stderr, bad.stderr) {
			t.Errorf("%v: exit %d, %s", bad.args, code, stderr)
		}
	}
}
