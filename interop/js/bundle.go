package js

import (
	"os/exec"
	"path/filepath"
	"testing"
)

// Bundle puts a script and what it imports into one file for a page or a Worker. external are modules that the
// runtime has, such as cloudflare:workers.
func Bundle(tb testing.TB, script, out string, external ...string) {
	tb.Helper()
	args := []string{"build", filepath.Base(script), "--target=browser", "--outfile=" + out}
	for _, name := range external {
		args = append(args, "--external="+name)
	}
	cmd := exec.CommandContext(tb.Context(), Bun.Path(tb), args...)
	cmd.Dir = filepath.Dir(script) // which external is relative to
	if text, err := cmd.CombinedOutput(); err != nil {
		tb.Fatalf("bundling %s: %v\n%s", script, err, text)
	}
}
