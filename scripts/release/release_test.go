package main

import (
	"bytes"
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

var candidate = flag.String("version", "v0.1.0-rc", "the version that TestRelease releases")

// TestRelease releases a copy of this checkout, with changes that are not committed, and installs it from there.
func TestRelease(t *testing.T) {
	if testing.Short() {
		t.Skip("builds and installs everything: not under -short")
	}
	for _, command := range []string{"bash", "git", "npm"} {
		if _, err := exec.LookPath(command); err != nil {
			if os.Getenv("KKRPC_REQUIRE_JS") != "" {
				t.Fatal(err)
			}
			t.Skip(err)
		}
	}
	dir := checkout(t)
	output(t, dir, "scripts/release.sh", *candidate)

	tags := strings.Fields(output(t, dir, "git", "tag", "--points-at", "HEAD"))
	for _, want := range []string{*candidate, "adapter/kkgin/" + *candidate, "adapter/kknats/" + *candidate, "examples/" + *candidate} {
		if !strings.Contains(" "+strings.Join(tags, " ")+" ", " "+want+" ") {
			t.Errorf("there is no tag %s among %q", want, tags)
		}
	}
	if changes := output(t, dir, "git", "status", "--porcelain"); changes != "" {
		t.Errorf("the release left changes:\n%s", changes)
	}
	number := strings.TrimPrefix(*candidate, "v")
	for file, want := range map[string]string{
		"CHANGELOG.md":            "## [Unreleased]\n\n## [" + number + "] - ",
		"npm/package.json":        `"version": "` + number + `"`,
		"npm/client/package.json": `"version": "` + number + `"`,
		"examples/go.mod":         "github.com/kkrpc-go/kkrpc/adapter/kknats " + *candidate + "\n",
	} {
		text, err := os.ReadFile(filepath.Join(dir, file))
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Contains(text, []byte(want)) {
			t.Errorf("%s has no %q", file, want)
		}
	}

	t.Run("again", func(t *testing.T) {
		out, err := command(dir, "scripts/release.sh", *candidate).CombinedOutput()
		if want := "the tag " + *candidate + " exists already"; err == nil || !bytes.Contains(out, []byte(want)) {
			t.Errorf("got %v and %s, want %s", err, out, want)
		}
	})
	t.Run("with changes", func(t *testing.T) {
		if err := os.WriteFile(filepath.Join(dir, "new"), nil, 0o644); err != nil {
			t.Fatal(err)
		}
		out, err := command(dir, "scripts/release.sh", "v0.9.0").CombinedOutput()
		if want := "changes that are not committed"; err == nil || !bytes.Contains(out, []byte(want)) {
			t.Errorf("got %v and %s, want %s", err, out, want)
		}
	})
}

// checkout copies the files of this checkout into a new repository, and returns its folder.
func checkout(t *testing.T) string {
	t.Helper()
	top, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	for name := range strings.SplitSeq(output(t, top, "git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"), "\x00") {
		from := filepath.Join(top, name)
		info, err := os.Lstat(from)
		if os.IsNotExist(err) || name == "" {
			continue // deleted and not committed yet
		}
		if err != nil {
			t.Fatal(err)
		}
		to := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
			t.Fatal(err)
		}
		text, err := os.ReadFile(from)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(to, text, info.Mode().Perm()); err != nil {
			t.Fatal(err)
		}
	}
	for _, args := range []string{
		"init -q -b main", "config user.name Test", "config user.email test@example.com", "config commit.gpgsign false", "config tag.gpgsign false",
		"add -A", "commit -q -m checkout",
	} {
		output(t, dir, "git", strings.Fields(args)...)
	}
	return dir
}

// command does not inherit what another go command or git hook has set for the repository that the test runs in.
func command(dir, name string, args ...string) *exec.Cmd {
	cmd := exec.Command(name, args...)
	if strings.Contains(name, "/") {
		cmd.Path = filepath.Join(dir, name)
	}
	cmd.Dir = dir
	for _, variable := range cmd.Environ() {
		if key, _, _ := strings.Cut(variable, "="); !strings.HasPrefix(key, "GIT_") && key != "GOWORK" {
			cmd.Env = append(cmd.Env, variable)
		}
	}
	return cmd
}

func output(t *testing.T, dir, name string, args ...string) string {
	t.Helper()
	cmd := command(dir, name, args...)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s %s: %v\n%s%s", name, strings.Join(args, " "), err, out, &stderr)
	}
	if filepath.Ext(name) == ".sh" {
		t.Logf("%s", out)
	}
	return string(out)
}
