package examples_test

import (
	"bytes"
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/kkrpc-go/kkrpc/interop/js"
)

// usersChecks is what testdata/users/checks.mts prints.
const usersChecks = `list: Ada Lovelace, Grace Hopper, Katherine Johnson
created: Bob, bob@example.com, viewer, new, version 1 true
told: Bob, bob@example.com, viewer, new, version 1 and Bob, bob@example.com, viewer, new, version 1
changed: Robert, bob@example.com, viewer, new, version 2 true
changed: Robert, bob@example.com, viewer, null, version 3 true
changed: Robert, bob@example.com, editor, null, version 4 true
changed: Robert, bob@example.com, editor, back, version 5 true
invalid: true RPCValidationError 0.name: name is required, 0.email: email must satisfy email, 0.role: role must satisfy oneof=admin editor viewer, 0.note: note must satisfy max=200
invalid: true RPCValidationError 1.name: name must satisfy min=1, 1.email: email must satisfy email, 1.note: note must satisfy max=200
taken: true EmailTakenError ada@example.com | another user has the email "ada@example.com"
taken: true EmailTakenError ada@example.com | another user has the email "ada@example.com"
missing: true NotFoundError nobody
at once: fulfilled and rejected
conflict: true true 6 true
told once: 6
message only: there is no user "nobody"
a wrong type: updateUser: argument 2.name: expected string, got number
deleted: true true
again: true NotFoundError true
too late: NotFoundError
list: Ada Lovelace, Grace Hopper, Katherine Johnson
`

// usersPage is what testdata/users/page.mjs prints.
const usersPage = `both show: Ada Lovelace, Grace Hopper, Katherine Johnson
a change reaches the other page: Ada King, Grace Hopper, Katherine Johnson
errors of the schema: name: Fill this in. email: Fill this in.
errors of the schema: email: This is not an email address.
errors of the server: email: Another user has this email.
added: Ada King, Bob, Grace Hopper, Katherine Johnson
another field follows: Somebody else has changed this user. The form shows the changes.
the same field: Somebody else has changed this too. Version 3 has:  Name Bobby Take theirs Keep mine
kept: Ada King, Grace Hopper, Katherine Johnson, Robert
deleted while it is edited: true
then: Ada King, Grace Hopper, Katherine Johnson
connected again: Ada King, Admiral Hopper
controls without a name: 0 of many
forms: 0 pixels too wide
forms-phone: 0 pixels too wide
`

// buildUsers compiles the server.
func buildUsers(t *testing.T) (exe string) {
	t.Helper()
	exe = filepath.Join(t.TempDir(), "users.exe")
	if out, err := exec.CommandContext(t.Context(), "go", "build", "-o", exe, "./users").CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	return exe
}

// startUsers starts a server with a database of its own and returns its address.
func startUsers(t *testing.T, exe string) (addr string) {
	t.Helper()
	addr, _ = start(t, exec.CommandContext(t.Context(), exe, "-addr", "localhost:0", "-db", filepath.Join(t.TempDir(), "users.db")))
	return addr
}

// checkUsers has a script of testdata/users call the server.
func checkUsers(t *testing.T, rt js.Runtime, addr string) {
	t.Helper()
	dir := js.TempDir(t, "testdata/users/checks.mts", "users/web/src/api.gen.ts")
	expectOutput(t, rt.Command(t, filepath.Join(dir, "checks.mts"), "ws://"+addr+"/ws"), usersChecks)
}

func expectOutput(t *testing.T, cmd *exec.Cmd, want string) {
	t.Helper()
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	if out, err := cmd.Output(); err != nil || string(out) != want {
		t.Errorf("%v\nprinted\n%s%s\nwant\n%s", err, out, stderr.Bytes(), want)
	}
}

func TestUsers(t *testing.T) {
	js.Node.Path(t) // skips where it is missing, before anything is built
	exe := buildUsers(t)
	for _, rt := range js.Runtimes {
		t.Run(string(rt), func(t *testing.T) {
			t.Parallel()
			rt.Path(t)
			checkUsers(t, rt, startUsers(t, exe))
		})
	}
	t.Run("page", func(t *testing.T) {
		t.Parallel()
		chromium := js.Chromium.Path(t)
		args := []string{chromium, "http://" + startUsers(t, exe) + "/"}
		if folder := os.Getenv("KKRPC_SCREENSHOTS"); folder != "" {
			args = append(args, folder)
		}
		expectOutput(t, js.Node.Command(t, "testdata/users/page.mjs", args...), usersPage)
	})
}

// An interrupt ends the server. Its database has the users that were added.
func TestUsersShutdown(t *testing.T) {
	js.Node.Path(t)
	exe, db := buildUsers(t), filepath.Join(t.TempDir(), "users.db")
	for _, folder := range []string{"made", "opened"} {
		ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
		defer cancel()
		cmd := exec.CommandContext(ctx, exe, "-addr", "localhost:0", "-db", db)
		var stderr bytes.Buffer
		cmd.Stderr = &stderr
		stdout, err := cmd.StdoutPipe()
		if err == nil {
			err = cmd.Start()
		}
		if err != nil {
			t.Fatal(err)
		}
		read := make([]byte, 1024)
		for text := ""; !strings.Contains(text, "serving"); {
			n, err := stdout.Read(read)
			if err != nil {
				t.Fatalf("%s: %v\n%s", folder, err, stderr.String())
			}
			text += string(read[:n])
		}
		if err := cmd.Process.Signal(syscall.SIGTERM); errors.Is(err, errors.ErrUnsupported) {
			t.Skip("no signals here")
		} else if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Wait(); err != nil {
			t.Errorf("%s: %v\n%s", folder, err, stderr.String())
		}
		if info, err := os.Stat(db); err != nil || info.Size() == 0 {
			t.Errorf("%s: the database: %v", folder, err)
		}
	}
}

// TestUsersInHono is the same in the servers of users/hono, for the client in Node.
func TestUsersInHono(t *testing.T) {
	for _, rt := range []js.Runtime{js.Bun, js.Deno, js.Node, js.Workerd} {
		t.Run(string(rt), func(t *testing.T) {
			t.Parallel()
			rt.Path(t)
			dir := buildHonoUsers(t, rt)
			if rt == js.Workerd {
				main := filepath.Join(dir, "dist", "main.mjs")
				write(t, main, strings.ReplaceAll(read(t, filepath.Join(dir, "workers.mjs")), `"./dist/`, `"./`))
				addr, _ := js.Worker{Script: main, Wasm: []string{"api.wasm"}, Object: "Users", Date: "2026-10-01"}.Start(t)
				checkUsers(t, js.Node, addr)
				return
			}
			cmd := rt.Command(t, filepath.Join(dir, string(rt)+".mjs"))
			cmd.Env = append(cmd.Env, "PORT=0")
			addr, _ := start(t, cmd)
			checkUsers(t, js.Node, addr)
			if rt == js.Node { // the page is the same
				t.Run("page", func(t *testing.T) {
					chromium := js.Chromium.Path(t)
					expectOutput(t, js.Node.Command(t, "testdata/users/page.mjs", chromium, "http://"+addr+"/"), usersPage)
				})
			}
		})
	}
}

// buildHonoUsers compiles the program into dist of a new folder, with the servers beside it and the page where they look
// for it.
func buildHonoUsers(t *testing.T, rt js.Runtime) (dir string) {
	t.Helper()
	servers, err := filepath.Glob("users/hono/*.mjs")
	if err != nil || len(servers) != 4 {
		t.Fatalf("servers %v, %v", servers, err)
	}
	root := js.TempDir(t)
	dir = filepath.Join(root, "hono")
	for _, name := range append(servers, "users/web/dist/index.html", "users/web/dist/index.js", "users/web/dist/index.css") {
		to := filepath.Join(root, strings.TrimPrefix(name, "users/"))
		if err := os.MkdirAll(filepath.Dir(to), 0o777); err != nil {
			t.Fatal(err)
		}
		write(t, to, read(t, name))
	}
	name := string(rt)
	if rt == js.Workerd {
		name = "workers"
	}
	if command := " build hono . --runtime " + name + " -o dist && "; !strings.Contains(read(t, "users/hono/package.json"), command) {
		t.Errorf("package.json does not have %q", command)
	}
	cmd := exec.CommandContext(t.Context(), "go", "run", "github.com/kkrpc-go/kkrpc/cmd/kkrpc", "build", "hono", "./users/hono", "--runtime", name, "-o", filepath.Join(dir, "dist"))
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return dir
}

// TestUsersPageIsBuilt keeps the page that the server embeds what Vite makes of its source, which TypeScript accepts.
func TestUsersPageIsBuilt(t *testing.T) {
	dir := js.TempDir(t)
	for _, name := range append(find(t, ".ts"), "users/web/index.html", "users/web/src/style.css", "users/web/tsconfig.json") {
		if within, ok := strings.CutPrefix(name, filepath.FromSlash("users/web/")); ok {
			if err := os.MkdirAll(filepath.Join(dir, filepath.Dir(within)), 0o777); err != nil {
				t.Fatal(err)
			}
			write(t, filepath.Join(dir, within), read(t, name))
		}
	}
	write(t, filepath.Join(dir, "tsconfig.json"), read(t, "users/web/tsconfig.json"))
	for _, program := range [][]string{{"typescript/bin/tsc", "-p", "."}, {"vite/bin/vite.js", "build", "--logLevel", "warn"}} {
		args := append([]string{filepath.Join(dir, "node_modules", filepath.FromSlash(program[0]))}, program[1:]...)
		cmd := exec.CommandContext(t.Context(), js.Node.Path(t), args...)
		cmd.Dir = dir
		if out, err := cmd.CombinedOutput(); err != nil || len(out) > 0 {
			t.Fatalf("%s: %v\n%s", program[0], err, out)
		}
	}
	var names [2][]string
	for i, folder := range []string{"users/web/dist", filepath.Join(dir, "dist")} {
		entries, err := os.ReadDir(folder)
		if err != nil {
			t.Fatal(err)
		}
		for _, entry := range entries {
			names[i] = append(names[i], entry.Name())
		}
	}
	if !slices.Equal(names[0], names[1]) {
		t.Fatalf("users/web/dist has %v, and a build makes %v", names[0], names[1])
	}
	for _, name := range names[0] {
		if read(t, filepath.Join("users/web/dist", name)) != read(t, filepath.Join(dir, "dist", name)) {
			t.Errorf("users/web/dist/%s is not what is built now: run npm ci && npm run build in examples/users/web", name)
		}
	}
}

// TestUsersOnPages keeps the code on the pages about the example what is run: each block is part of a file.
func TestUsersOnPages(t *testing.T) {
	var all strings.Builder
	for _, ending := range []string{".go", ".ts", ".sql"} {
		for _, name := range find(t, ending) {
			if strings.HasPrefix(filepath.ToSlash(name), "users/") {
				all.WriteString("\n" + read(t, name))
			}
		}
	}
	for page, least := range map[string]int{"../docs/guide/database.md": 12, "users/README.md": 0} {
		text := read(t, page)
		blocks := fence.FindAllStringSubmatch(text, -1)
		if len(blocks) < least {
			t.Errorf("%s has %d blocks of code, want %d", page, len(blocks), least)
		}
		for _, block := range blocks {
			if !strings.Contains(all.String(), "\n"+block[2]) {
				t.Errorf("%s shows what no file of examples/users has:\n%s", page, block[2])
			}
		}
		for _, link := range markdownLink.FindAllStringSubmatch(text, -1) {
			if target, _, _ := strings.Cut(link[1], "#"); !strings.Contains(target, "://") {
				if _, err := os.Stat(filepath.Join(filepath.Dir(page), target)); err != nil {
					t.Errorf("%s leads to %s: %v", page, target, err)
				}
			}
		}
	}
	for _, g := range generated {
		if command := strings.Join(append([]string{"gen ts", "./examples/users"}, g.options...), " ") + " -o examples/"; g.program == "./users" &&
			!strings.Contains(read(t, "users/README.md"), command+g.file) {
			t.Errorf("the README does not say to run %q", command)
		}
	}
}

var markdownLink = regexp.MustCompile(`\]\(([^)]+)\)`)
