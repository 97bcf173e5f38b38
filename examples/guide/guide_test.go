// Package guide_test runs the programs that docs/guide shows, against each other and against Go peers.
package guide_test

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/kkrpc-go/kkrpc/interop/js"
)

const pages = "../../docs/guide"

// features are the pages, each with a folder of that name here.
var features = []struct {
	name       string
	generation int // of the kkrpc that the TypeScript side needs: 2, or 0 for any
	run        func(t *testing.T, name string, r runtime) (printed []string)
	peer       func(t *testing.T) // checks the Go program without TypeScript
}{
	{"calling", 0, goServes, peerCalling},
	{"errors", 2, goServes, peerErrors},
	{"values", 0, goServes, peerValues},
	{"callbacks", 0, goServes, peerCallbacks},
	{"properties", 2, goServes, peerProperties},
	{"both-directions", 0, typeScriptServes, peerBothDirections},
	{"users", 0, goServes, peerUsers},
	{"streams", 2, goServes, peerStreams},
	{"bytes", 2, goServes, peerBytes},
	{"references", 2, goServes, peerReferences},
	{"metadata", 2, goServes, peerMetadata},
	{"interceptors", 2, goServes, peerInterceptors},
	{"validation", 2, goServes, peerValidation},
	{"fan-out", 0, goServes, peerFanOut},
	{"rooms", 0, goServes, peerRooms},
	{"presence", 0, goServes, peerPresence},
	{"reconnecting", 0, typeScriptServes, peerReconnecting},
	{"typescript-client", 0, goServesClient, peerTypeScriptClient},
	{"authentication", 0, goServesClient, peerAuthentication},
	{"never-returns", 0, goServesNpm, peerNeverReturns},
	{"from-hono", 0, goBeforeHono, peerFromHono},
	{"generations", 2, bothGenerations, peerGenerations},
	{"stdio", 0, bothParents, peerStdio},
	{"http", 0, goServes, peerHTTP},
	{"routers", 0, goServes, peerRouters},
	{"hono", 0, goInHono, peerHono},
	{"hono-middleware", 0, goInHono, peerHono},
	{"limits", 0, goServes, peerLimits},
}

// TestPages runs both sides of each page, which has to show what they print.
func TestPages(t *testing.T) {
	for _, f := range features {
		t.Run(f.name, func(t *testing.T) {
			for _, r := range runtimes(t, f.generation) {
				t.Run(r.name, func(t *testing.T) {
					printed := slices.DeleteFunc(f.run(t, f.name, r), func(text string) bool { return text == "" })
					if shown := blocks(t, f.name, "text"); !slices.Equal(printed, shown) {
						t.Errorf("the programs printed\n%s\nand docs/guide/%s.md shows\n%s",
							strings.Join(printed, "and\n"), f.name, strings.Join(shown, "and\n"))
					}
				})
			}
		})
	}
}

// goServes runs client.mts against the Go program and returns what both print.
func goServes(t *testing.T, name string, r runtime) []string {
	server, address := serve(t, program(t, name))
	client := run(t, r.script(t, filepath.Join(name, "client.mts"), "localhost:3000", address))
	return []string{client, server.stop()}
}

// goServesClient is goServes for a program that imports npm/client.
func goServesClient(t *testing.T, name string, r runtime) []string {
	server, address := serve(t, program(t, name))
	client, err := filepath.Abs("../../npm/client/index.js")
	if err != nil {
		t.Fatal(err)
	}
	script := r.script(t, filepath.Join(name, "client.mts"), "localhost:3000", address, `"kkrpc-go-client"`, strconv.Quote("file://"+filepath.ToSlash(client)))
	return []string{run(t, script), server.stop()}
}

// goServesNpm is goServesClient for a page about the kkrpc that npm has.
func goServesNpm(t *testing.T, name string, r runtime) []string {
	if r.paths != nil {
		t.Skip("the page is about kkrpc 0.2.2")
	}
	return goServesClient(t, name, r)
}

// typeScriptServes runs the Go program against server.mts and returns what both print.
func typeScriptServes(t *testing.T, name string, r runtime) []string {
	client := program(t, name)
	script := r.script(t, filepath.Join(name, "server.mts"), `"localhost"`, `"127.0.0.1"`, "3000", "0")
	appendTo(t, script.Args[len(script.Args)-1], "\nserver.on(\"listening\", () => console.error(server.address().port))\n")
	server, port := serve(t, script)
	client.Env = append(os.Environ(), "GUIDE_URL=ws://127.0.0.1:"+port+"/ws")
	return []string{run(t, client), server.stop()}
}

// goBeforeHono runs client.mts against the Hono server itself, and against the Go program in front of it. It returns what the
// clients print, once if it is the same.
func goBeforeHono(t *testing.T, name string, r runtime) []string {
	node := runtime{js.Node, "0.2-node", nil}
	script := node.script(t, filepath.Join(name, "hono.mts"), `"localhost"`, `"127.0.0.1"`, "port: 8787", "port: 0")
	appendTo(t, script.Args[len(script.Args)-1], "\nserver.on(\"listening\", () => console.error(server.address().port))\n")
	_, port := serve(t, script)
	program := program(t, name)
	program.Env = append(os.Environ(), "GUIDE_HONO=127.0.0.1:"+port)
	_, address := serve(t, program)
	client := filepath.Join(name, "client.mts")
	before := run(t, r.script(t, client, `"localhost:3000"`, `"127.0.0.1:`+port+`"`))
	return slices.Compact([]string{before, run(t, r.script(t, client, `"localhost:3000"`, strconv.Quote(address)))})
}

// bothGenerations has clients of kkrpc 0.2 and 2 talk to each other. It returns what they and the server print.
func bothGenerations(t *testing.T, name string, r runtime) []string {
	server, address := serve(t, program(t, name))
	old, _ := serve(t, runtime{js.Bun, "0.2-bun", nil}.script(t, filepath.Join(name, "old.mts"), "localhost:3000", address))
	printed := run(t, r.script(t, filepath.Join(name, "new.mts"), "localhost:3000", address))
	old.stdout.await(t.Context(), 3)
	return []string{old.stop(), printed, server.stop()}
}

// bothParents runs each program as the parent of one in the other language, and returns what the parents print.
func bothParents(t *testing.T, name string, r runtime) []string {
	goParent, goChild := program(t, "parent"), program(t, "child")
	goParent.Args = append(goParent.Args, r.script(t, filepath.Join(name, "child.mts")).Args...)
	if r.Runtime == js.Bun {
		r.Runtime = js.Node // in Bun, the NodeIo of kkrpc 0.2 loses messages of a child that come together
	}
	script := r.script(t, filepath.Join(name, "parent.mts"))
	script.Args = append(script.Args, goChild.Path)
	return []string{run(t, goParent), run(t, script)}
}

// TestPagesSayWhatNeedsKkrpc2 keeps the top of each page whose program needs kkrpc 2 leading to how one gets it.
func TestPagesSayWhatNeedsKkrpc2(t *testing.T) {
	for _, f := range features {
		text, err := os.ReadFile(filepath.Join(pages, f.name+".md"))
		if err != nil {
			t.Fatal(err)
		}
		top, _, _ := strings.Cut(string(text), "\n## ")
		says := strings.Contains(top, "[Build it](README.md#kkrpc-2)") && strings.Contains(top, kkrpc2Install)
		if needs := f.generation == 2; says != needs {
			t.Errorf("the top of docs/guide/%s.md says that it needs kkrpc 2: %v, and its program needs it: %v", f.name, says, needs)
		}
	}
}

func appendTo(t *testing.T, name, text string) {
	t.Helper()
	f, err := os.OpenFile(name, os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := f.WriteString(text); err != nil {
		t.Fatal(err)
	}
}

// TestPagesShowThesePrograms keeps the code of each page what the other tests run.
func TestPagesShowThesePrograms(t *testing.T) {
	shown := map[string]bool{}
	for _, f := range features {
		for language, patterns := range map[string][]string{"go": {"*.go", "*/*.go"}, "ts": {"*.mts"}, "js": {"*.mjs"}} {
			code := blocks(t, f.name, language)
			var programs []string
			for _, source := range sources(f.name, patterns...) {
				text, err := os.ReadFile(source)
				if err != nil {
					t.Fatal(err)
				}
				programs = append(programs, string(text))
				if !slices.Contains(code, string(text)) {
					t.Errorf("docs/guide/%s.md has no block that is examples/guide/%s to the letter", f.name, filepath.ToSlash(source))
				}
			}
			for _, block := range code {
				if !slices.Contains(programs, block) {
					t.Errorf("docs/guide/%s.md shows code that is no program of examples/guide/%[1]s:\n%s", f.name, block)
				}
			}
		}
		shown[f.name] = true
	}
	for _, source := range sources("*", "main.go") {
		if name := filepath.Dir(source); !shown[name] {
			t.Errorf("examples/guide/%s is on no page", name)
		}
	}
	index, err := os.ReadFile(filepath.Join(pages, "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range features {
		if !strings.Contains(string(index), "("+f.name+".md)") {
			t.Errorf("docs/guide/README.md does not lead to %s.md", f.name)
		}
	}
}

var fence = regexp.MustCompile("(?ms)^```(\\w+)\n(.*?)^```$")

// blocks returns the fenced blocks of a language on a page.
func blocks(t *testing.T, page, language string) []string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(pages, page+".md"))
	if err != nil {
		t.Fatal(err)
	}
	var found []string
	for _, m := range fence.FindAllStringSubmatch(string(text), -1) {
		if m[1] == language {
			found = append(found, m[2])
		}
	}
	return found
}
