package source_test

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/kkrpc-go/kkrpc/cmd/kkrpc/internal/source"
	"github.com/kkrpc-go/kkrpc/schema"
)

const (
	module   = "../../../.." // of package kkrpc
	examples = module + "/examples"
)

// The source of a program and the compiled program describe the same APIs, but for what only the source knows.
func TestSourceAndReflectionAgree(t *testing.T) {
	programs := []string{"testdata/types", "testdata/members", "testdata/guarded", "testdata/rules"}
	patterns := []string{"guide/*", "quickstart/*", "apiproxy", "chat", "users", "middleware", "stdio/*", "hono-*/*"}
	if testing.Short() {
		programs, patterns = programs[1:2], nil // each is built
	}
	for _, pattern := range patterns {
		mains, err := filepath.Glob(filepath.Join(examples, pattern, "main.go"))
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range mains {
			programs = append(programs, filepath.Dir(file))
		}
	}
	if len(programs) < 25 && !testing.Short() {
		t.Fatalf("only %d programs: %v", len(programs), programs)
	}
	for _, dir := range programs {
		t.Run(strings.TrimPrefix(filepath.ToSlash(dir), examples+"/"), func(t *testing.T) {
			t.Parallel()
			program, err := source.Load(t.Context(), dir, ".")
			if err != nil {
				t.Fatal(err)
			}
			apis, err := program.APIs()
			if err != nil {
				t.Fatal(err)
			}
			var fromSource []*schema.API
			opened := perConnection[strings.TrimPrefix(filepath.ToSlash(dir), examples+"/")]
			for _, api := range apis {
				if api.PerConnection && opened == "" {
					t.Fatalf("perConnection does not open a connection of %s", api.Name)
				}
				hash := api.Hash()
				fromSource = append(fromSource, plain(api.API))
				if api.Hash() != hash {
					t.Errorf("the hash of %s depends on what only the source knows", api.Name)
				}
			}
			if len(apis) == 0 {
				t.Skip("it exposes nothing")
			}
			compiled := describeProgram(t, dir, opened, len(fromSource))
			slices.SortFunc(compiled, byText)
			slices.SortFunc(fromSource, byText)
			if diff := cmp.Diff(compiled, fromSource); diff != "" {
				t.Errorf("by reflection (-) and from the source (+):\n%s", diff)
			}
		})
	}
}

// perConnection has the imports and the call that make the API of a connection, of programs that have one for each.
var perConnection = map[string]string{
	"chat": `package main; import chat "github.com/kkrpc-go/kkrpc/examples/chat/api"; ` +
		`func openConnection() (any, error) { c, err := chat.New(nil); if err != nil { return nil, err }; return c.API("Ada", "lobby")`,
	"guide/authentication":  `package main; func openConnection() (any, error) { return API{&client{login: &login{user: "Ada"}}}, nil`,
	"guide/never-returns":   `package main; func openConnection() (any, error) { return api, nil`,
	"guide/hono":            openWASM + `open(&wasm.Request{URL: &url.URL{RawQuery: "user=Ada"}})`,
	"guide/hono-middleware": `package main; func openConnection() (any, error) { return newAPI(claims{Name: "Ada"}), nil`,
	"guide/limits":          openHTTP + `apiFor(httptest.NewRequest("GET", "/ws?token=secret-a", nil))`,
	"guide/routers":         openHTTP + `room(httptest.NewRequest("GET", "/rooms/go", nil))`,
	"guide/presence":        openHub + `import "net/http/httptest"; ` + withHub + `chat{hub, hub.Room("lobby")}.open(httptest.NewRequest("GET", "/ws?user=Ada", nil))`,
	"guide/typescript-client": `package main; import ("net/http"; "net/http/httptest"); func openConnection() (any, error) { ` +
		`r := httptest.NewRequest(http.MethodGet, "/ws", nil); r.Header.Set("Sec-WebSocket-Protocol", "kkrpc.token.secret"); return connected(r)`,
	"hono-node/api": openHub + `import ("net/url"; "github.com/kkrpc-go/kkrpc/wasm"); ` + withHub +
		`server{hub}.open(&wasm.Request{URL: &url.URL{RawQuery: "token=ada-token"}, Params: map[string]string{"room": "go"}})`,
}

const (
	openWASM = `package main; import ("net/url"; "github.com/kkrpc-go/kkrpc/wasm"); func openConnection() (any, error) { return `
	openHTTP = `package main; import "net/http/httptest"; func openConnection() (any, error) { return `
	openHub  = `package main; import "github.com/kkrpc-go/kkrpc/rooms"; `
	withHub  = `func openConnection() (any, error) { hub, err := rooms.NewHub[Message](nil); if err != nil { return nil, err }; return `
)

// byText gives descriptions an order, which that of the source need not be.
func byText(a, b *schema.API) int { return strings.Compare(memberNames(a), memberNames(b)) }

func memberNames(api *schema.API) string {
	var names []string
	for _, m := range api.Members {
		names = append(names, m.Name)
	}
	return strings.Join(names, " ")
}

// plain is a description without what reflection cannot know.
func plain(api *schema.API) *schema.API {
	api.Source, api.Doc, api.Errors = false, "", nil
	plainMembers(api.Members)
	for i := range api.Types {
		named := &api.Types[i]
		named.Doc, named.Values, named.At, named.TypeScript, named.Brand = "", nil, "", "", false
		plainType(&named.Type)
	}
	used := uses{api: api, types: map[string]bool{}}
	used.members(api.Members)
	api.Types = slices.DeleteFunc(api.Types, func(t schema.Named) bool { return !used.types[t.Package+"."+t.Name] })
	return api
}

// uses finds the named types of an API that not only its errors have.
type uses struct {
	api   *schema.API
	types map[string]bool
}

func (u uses) members(members []schema.Member) {
	for _, m := range members {
		u.function(m.Function)
		u.typ(m.Type)
		u.members(m.Members)
	}
}

func (u uses) function(f *schema.Function) {
	if f == nil {
		return
	}
	for _, p := range f.Params {
		u.typ(&p.Type)
	}
	u.typ(f.Result)
}

func (u uses) typ(t *schema.Type) {
	if t == nil {
		return
	}
	u.typ(t.Elem)
	u.typ(t.Key)
	u.function(t.Function)
	u.members(t.Members)
	for _, f := range t.Fields {
		u.typ(&f.Type)
	}
	if name := t.Package + "." + t.Name; t.Kind == schema.NamedType && !u.types[name] {
		u.types[name] = true
		for i, named := range u.api.Types {
			if named.Package+"."+named.Name == name {
				u.typ(&u.api.Types[i].Type)
			}
		}
	}
}

func plainMembers(members []schema.Member) {
	for i := range members {
		m := &members[i]
		m.Doc = ""
		plainFunction(m.Function)
		plainType(m.Type)
		plainMembers(m.Members)
	}
}

func plainFunction(f *schema.Function) {
	if f == nil {
		return
	}
	f.Errors = nil
	for i := range f.Params {
		f.Params[i].Name = ""
		plainType(&f.Params[i].Type)
	}
	plainType(f.Result)
}

func plainType(t *schema.Type) {
	if t == nil {
		return
	}
	plainType(t.Elem)
	plainType(t.Key)
	plainFunction(t.Function)
	plainMembers(t.Members)
	for i := range t.Fields {
		t.Fields[i].Doc, t.Fields[i].At = "", ""
		plainType(&t.Fields[i].Type)
	}
	for i := range t.Unsent {
		t.Unsent[i].At = ""
	}
}

// hook is added to package kkrpc, and describe to the program, when it is compiled for the test.
const (
	hook = `
// Exposed is called with each compiled API.
var Exposed func(*API)
`
	describe = `package main

import (
	"encoding/json"
	"os"

	"github.com/kkrpc-go/kkrpc"
	"github.com/kkrpc-go/kkrpc/schema"
)

func init() {
	out := os.NewFile(3, "descriptions")
	kkrpc.Exposed = func(api *kkrpc.API) {
		described, err := schema.Of(api)
		if err != nil {
			panic(err)
		}
		if err := json.NewEncoder(out).Encode(described); err != nil {
			panic(err)
		}
	}
	api, err := openConnection()
	if err == nil && api != nil {
		_, err = kkrpc.Expose(api)
	}
	if err != nil {
		panic(err)
	}
}
`
	noConnection = `package main; func openConnection() (any, error) { return nil, nil`
)

// describeProgram runs the program in dir until it has compiled n APIs, and returns what package schema says of each.
// opened makes the API of a connection.
func describeProgram(t *testing.T, dir, opened string, n int) []*schema.API {
	t.Helper()
	if opened == "" {
		opened = noConnection
	}
	expose, err := filepath.Abs(filepath.Join(module, "expose.go"))
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(expose)
	if err != nil {
		t.Fatal(err)
	}
	const made = "return &API{bound: bound}, nil"
	if !strings.Contains(string(text), made) {
		t.Fatalf("expose.go has no %q", made)
	}
	hooked := strings.Replace(string(text), made, "made := &API{bound: bound}\n\tif Exposed != nil {\n\t\tExposed(made)\n\t}\n\treturn made, nil", 1) + hook
	added, err := filepath.Abs(filepath.Join(dir, "describe_hook.go"))
	if err != nil {
		t.Fatal(err)
	}
	open, err := filepath.Abs(filepath.Join(dir, "open_hook.go"))
	if err != nil {
		t.Fatal(err)
	}
	temp := t.TempDir()
	overlay := map[string]map[string]string{"Replace": {
		expose: write(t, temp, "expose.go", hooked),
		added:  write(t, temp, "describe.go", describe),
		open:   write(t, temp, "open.go", opened+" }"),
	}}
	list, err := json.Marshal(overlay)
	if err != nil {
		t.Fatal(err)
	}
	program := filepath.Join(temp, "program")
	build := exec.Command("go", "build", "-overlay", write(t, temp, "overlay.json", string(list)), "-o", program, ".")
	build.Dir = dir
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	run := exec.Command(program)
	run.Dir, run.ExtraFiles = temp, []*os.File{w}
	run.Env = append(os.Environ(), "HOME="+temp, "XDG_CACHE_HOME="+temp) // where some keep their files
	if err := run.Start(); err != nil {
		t.Fatal(err)
	}
	w.Close()
	defer run.Wait()
	defer run.Process.Kill()
	var apis []*schema.API
	for lines := bufio.NewReader(r); len(apis) < n; {
		line, err := lines.ReadBytes('\n')
		if err != nil {
			t.Fatalf("the program exposed %d APIs, the source %d", len(apis), n)
		}
		api := new(schema.API)
		if err := json.Unmarshal(line, api); err != nil {
			t.Fatal(err)
		}
		if len(api.Members) > 0 { // else it is that of a client, who exposes nothing
			apis = append(apis, api)
		}
	}
	return slices.Clip(apis)
}

func write(t *testing.T, dir, name, text string) string {
	t.Helper()
	name = filepath.Join(dir, name)
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		t.Fatal(fmt.Errorf("write %s: %w", name, err))
	}
	return name
}
