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

var block = regexp.MustCompile("(?ms)^```(go|ts)( json| json\\+bytes| superjson| standard| zod)?\n(.*?)^```$")

// TestTypesPage runs kkrpc gen ts on each Go block of the page and compares what it writes with the block that follows.
func TestTypesPage(t *testing.T) {
	if testing.Short() {
		t.Skip("it loads many programs")
	}
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
		got := genTS(t, source, strings.TrimSpace(string(m[2])))
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

// genTS runs the command on a program of one file, for a codec or with schemas.
func genTS(t *testing.T, source []byte, option string) string {
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
	switch option {
	case "":
	case "json", "json+bytes", "superjson":
		args = append(args, "--codec", option)
	default:
		args = append(args, "--validate", option)
	}
	var stdout, stderr bytes.Buffer
	if code := run(t.Context(), args, &stdout, &stderr); code != 0 {
		t.Fatalf("exit %d: %s", code, stderr.String())
	}
	return stdout.String()
}

// TestGenFiles writes, checks and keeps files.
func TestGenFiles(t *testing.T) {
	if testing.Short() {
		t.Skip("it loads many programs")
	}
	out := filepath.Join(t.TempDir(), "web", "api.gen.ts")
	users := filepath.FromSlash("../../examples/guide/users")
	gen := func(args ...string) (code int, stdout, stderr string) {
		t.Helper()
		var o, e bytes.Buffer
		words := []string{"gen", "ts"}
		if args[0] == "json" {
			words = words[:1]
		}
		code = run(t.Context(), append(words, args...), &o, &e)
		return code, o.String(), e.String()
	}
	for _, step := range []struct {
		name           string
		args           []string
		code           int
		stdout, stderr string // parts
	}{
		{"several", []string{users, "-o", out}, 1, "", "exposes several APIs; choose one by --api: ServerAPI at "},
		{"unknown", []string{users, "--api", "Other"}, 1, "", `no API "Other" in `},
		{"check of nothing", []string{users, "--api", "ServerAPI", "-o", out, "--check"}, 1, "+export interface ServerAPI {", "is out of date; run kkrpc gen ts " + users + " --api ServerAPI -o " + out},
		{"write", []string{users, "--api", "ServerAPI", "-o", out}, 0, "", "ServerAPI, 3 types ("},
		{"check", []string{users, "--api", "ServerAPI", "-o", out, "--check"}, 0, "", ""},
		{"again", []string{users, "--api", "ServerAPI", "-o", out}, 0, "", "is up to date ("},
		{"check of what the codec does not change", []string{users, "--api", "ServerAPI", "-o", out, "--check", "--codec", "superjson"}, 0, "", ""},
		{"a codec that changes types", []string{"../../examples/guide/values"}, 0, "Date", "add --codec superjson for kkrpc 0.x"},
		{"this codec", []string{"../../examples/guide/values", "--codec", "superjson"}, 0, ": Date", ""},
		{"the other one", []string{"../../examples/guide/values", "--codec", "json"}, 0, "string", ""},
		{"no package", []string{"./nothing", "-o", out}, 1, "", "nothing"},
		{"no API", []string{"./internal/source"}, 1, "", "exposes no API: pass one to ws.Handler or kkrpc.Expose"},
		{"codec", []string{users, "--codec", "cbor"}, 2, "", `--codec "cbor": want json, json+bytes or superjson`},
		{"values of types", []string{users, "--api", "ServerAPI", "--values", "-o", "api.d.ts"}, 2, "", "api.d.ts can hold types only"},
		{"schemas", []string{users, "--validate", "joi"}, 2, "", `--validate "joi": want standard or zod`},
		{"schemas in a file of types", []string{users, "--validate", "zod", "-o", "api.d.ts"}, 2, "", "api.d.ts can hold types only"},
		{"rules left to the server", []string{"./internal/source/testdata/rules", "--validate", "zod"}, 0, "export const UserInputSchema = z.object({",
			"main.go:61:2: User.repeat: only the server checks eqfield=Password: Password is no field of this struct that crosses\n"},
		{"description by codec", []string{"json", users, "--codec", "superjson"}, 2, "", "kkrpc gen json: --codec is about TypeScript"},
		{"file of somebody", []string{users, "--api", "ServerAPI", "-o", "gen_test.go"}, 1, "", "gen_test.go was not written by kkrpc gen: remove it first, or name another file"},
		{"check of standard output", []string{users, "--check"}, 2, "", "name it with -o"},
		{"two packages", []string{users, users}, 2, "", "want one package"},
	} {
		t.Run(step.name, func(t *testing.T) {
			before, err := os.ReadFile(out)
			if err != nil && !os.IsNotExist(err) {
				t.Fatal(err)
			}
			code, stdout, stderr := gen(step.args...)
			if code != step.code || !strings.Contains(stdout, step.stdout) || !strings.Contains(stderr, step.stderr) || step.stderr == "" && stderr != "" {
				t.Errorf("exit %d, %q, %q", code, stdout, stderr)
			}
			if step.name == "write" {
				return
			}
			if after, err := os.ReadFile(out); !os.IsNotExist(err) && (err != nil || !bytes.Equal(before, after)) {
				t.Errorf("the file has changed, %v:\n%s", err, after)
			}
		})
	}
}

// What --check says can be typed as it is.
func TestWithoutCheck(t *testing.T) {
	got := withoutCheck([]string{"ts", "./a b", "--check", "-o", "x.ts", "-check=true", "--api", "check"})
	if want := `ts "./a b" -o x.ts --api check`; got != want {
		t.Errorf("%s, want %s", got, want)
	}
}
