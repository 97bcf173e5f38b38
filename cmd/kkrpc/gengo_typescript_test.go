package main

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// compilers are the packages of interop/js by which a TypeScript file is read.
var compilers = []string{"typescript", "typescript7"}

// typescriptFolder returns a folder of a project with this compiler, and with these files.
func typescriptFolder(t *testing.T, compiler string, files map[string]string) string {
	t.Helper()
	dir := packageFolder(t, files)
	from, err := filepath.Abs(filepath.FromSlash("../../interop/js/node_modules/" + compiler))
	if err != nil {
		t.Fatal(err)
	}
	switch _, err := os.Stat(from); {
	case err == nil:
	case os.Getenv("KKRPC_REQUIRE_JS") != "":
		t.Fatalf("no TypeScript: run make js: %v", err)
	default:
		t.Skip("no TypeScript: run make js")
	}
	modules := filepath.Join(dir, "node_modules")
	if err := os.Mkdir(modules, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(from, filepath.Join(modules, "typescript")); err != nil {
		t.Fatal(err)
	}
	return dir
}

// eachCompiler runs a subtest by each compiler.
func eachCompiler(t *testing.T, test func(t *testing.T, compiler string)) {
	if testing.Short() {
		t.Skip("it runs the TypeScript compiler")
	}
	for _, compiler := range compilers {
		t.Run(compiler, func(t *testing.T) { test(t, compiler) })
	}
}

const declarations = `
export interface User { name: string }
export interface Page<T> { items: T[] }
interface Tree { left?: Tree; nodes: Tree[]; parent: Tree }
interface Box<T> { value: T }
interface Account { deposit(n: number): number }
class Point { private secret = 1; constructor(public x: number) {} move() {} }
type Status = "open" | "in-progress"
enum Level { Low = 1, High = 10 }
enum Only { One = "one" }
type Branded = string & { readonly __brand: "id" }
type Either<T> = T extends string ? number : boolean
declare const value: { a: number; b?: string }
`

// TestGoTypesOfTypeScript has a function that returns each type.
func TestGoTypesOfTypeScript(t *testing.T) {
	rows := []struct{ typescript, want string }{
		{"string", "(string, error)"},
		{"Promise<number>", "(float64, error)"},
		{"PromiseLike<boolean>", "(bool, error)"},
		{"true", "(bool, error)"},
		{"bigint", "(*big.Int, error)"},
		{"Date", "(time.Time, error)"},
		{"Promise<Date | null>", "(*time.Time, error)"},
		{"RegExp", "(superjson.RegExp, error)"},
		{"URL", "(*url.URL, error)"},
		{"TypeError", "(*superjson.Error, error)"},
		{"Uint8Array", "([]byte, error)"},
		{"Float64Array", "(superjson.Float64Array, error)"},
		{"Map<string, Set<number>>", "(*superjson.Map, error)"},
		{"ReadonlySet<string>", "(*superjson.Set, error)"},
		{"void", "error"},
		{"Promise<void>", "error"},
		{"Promise<undefined>", "error"},
		{"never", "error"},
		{"unknown", "(any, error)"},
		{"Promise<any>", "(any, error)"},
		{"null", "(any, error)"},
		{"string | undefined", "(*string, error)"},
		{"Promise<string> | string", "(string, error)"},
		{"Promise<Promise<string>>", "(string, error)"},
		{"string[]", "([]string, error)"},
		{"readonly (string | null)[]", "([]*string, error)"},
		{"Array<Date>[]", "([][]time.Time, error)"},
		{"[number, number]", "([2]float64, error)"},
		{"[number, string]", "(any, error)"},
		{"[number, number?]", "(any, error)"},
		{"string[] | null", "(*[]string, error)"},
		{"Record<string, User>", "(map[string]User, error)"},
		{"{ [id: number]: string }", "(map[string]string, error)"},
		{"{ [id: string]: number; a: number }", "(any, error)"},
		{"Record<Status, number>", "(M%dResult, error)"},
		{"User", "(User, error)"},
		{"User | null | undefined", "(*User, error)"},
		{"Page<User>", "(PageUser, error)"},
		{"Page<Page<string>>", "(PagePageString, error)"},
		{"Page<User[]>", "(PageUserList, error)"},
		{"Box<Status>", "(BoxStatus, error)"},
		{"Partial<User>", "(PartialUser, error)"},
		{"Omit<User, 'name'>", "(any, error)"},
		{"Tree", "(Tree, error)"},
		{"{ a: { b: number } }", "(M%dResult, error)"},
		{"{ n: number }[]", "([]M%dResultItem, error)"},
		{"User & { age: number }", "(M%dResult, error)"},
		{"typeof value", "(M%dResult, error)"},
		{"Awaited<Promise<User>>", "(User, error)"},
		{"{}", "(any, error)"},
		{"Status", "(Status, error)"},
		{"Status | null", "(*Status, error)"},
		{`"in-progress" | "open"`, "(Status, error)"},
		{`"asc" | "desc"`, "(M%dResult, error)"},
		{`"one"`, "(string, error)"},
		{"`a${string}`", "(string, error)"},
		{"Level", "(Level, error)"},
		{"Level | undefined", "(*Level, error)"},
		{"Level.Low", "(Level, error)"},
		{"Only | null", "(*Only, error)"},
		{"Level | 3", "(M%dResult, error)"},
		{"Level | Only", "(any, error)"},
		{"1 | 2.5", "(M%dResult, error)"},
		{"Branded", "(string, error)"},
		{"Either<string>", "(float64, error)"},
		{"keyof User", "(string, error)"},
		{"User['name']", "(string, error)"},
		{"string | number", "(any, error)"},
		{"symbol", "(any, error)"},
		{"WeakMap<object, string>", "(any, error)"},
		{"Account", "(kkrpc.RefTo[Account], error)"},
		{"Account | null", "(*kkrpc.RefTo[Account], error)"},
		{"Promise<() => string>", "(kkrpc.RefTo[func(context.Context) (string, error)], error)"},
		{"{ call: () => string }", "(kkrpc.RefTo[M%dResult], error)"},
		{"{ 'no-name': () => string }", "(*kkrpc.Ref, error)"},
		{"AsyncIterable<User>", "iter.Seq2[User, error]"},
		{"AsyncGenerator<string | null, void, unknown>", "iter.Seq2[*string, error]"},
		{"Promise<AsyncIterable<number>>", "iter.Seq2[float64, error]"},
		{"AsyncIterable<string> & Promise<AsyncIterable<string>>", "iter.Seq2[string, error]"},
		{"{ s: AsyncIterable<string> }", "(M%dResult, error)"},
	}
	var api strings.Builder
	api.WriteString(declarations + "export interface API {\n")
	for i, row := range rows {
		fmt.Fprintf(&api, "\tm%d(): %s\n", i, row.typescript)
	}
	api.WriteString("}\n")
	eachCompiler(t, func(t *testing.T, compiler string) {
		text := goOfTypeScript(t, compiler, api.String())
		for i, row := range rows {
			want := row.want
			if strings.Contains(want, "%d") {
				want = fmt.Sprintf(want, i)
			}
			line := regexp.MustCompile(fmt.Sprintf(`\) M%d\(ctx context.Context\) (.*) {`, i)).FindStringSubmatch(text)
			if line == nil || line[1] != want {
				t.Errorf("%s is %q, want %s", row.typescript, line, want)
			}
		}
	})
}

// TestGoReferencesOfTypeScript has each form of what references are to. What is generated compiles.
func TestGoReferencesOfTypeScript(t *testing.T) {
	const api = `
type Self = () => Promise<Self>
type Answer = (text: string, times?: number, ...rest: (string | null)[]) => boolean
type Feed = () => AsyncIterable<Date>
/** Node leads to others. */
interface Node {
	/** next is null at the end. */
	next(): Promise<Node | null>
	peek: (at: number) => Node[]
	is_odd(): boolean
	watch(each: (n: number) => void): void
	items(): AsyncIterable<string>
	name: string
	readonly size: Promise<number>
	parent: Node | null
	maybe?(): void
	either: string | (() => void)
}
interface Odd { is_odd(): void; "a-b": () => void }
interface Box<T> { open(): T; fill: (value: T) => void }
class Thing {
	n = 1
	go() {}
	static make() { return new Thing() }
}
export interface API {
	node(like?: Node): Node
	self: Self
	answers(list: Answer[], by: Record<string, Answer>, last?: Answer): Feed | null
	odd(o: Odd | null): Odd
	box(): Box<Box<string>>
	Thing: typeof Thing
	thing(): Thing
	inline(list: ((a: { b: number }) => { c: string })[]): void
	/** @kkrpc notify */
	is_odd(): void
}
`
	eachCompiler(t, func(t *testing.T, compiler string) {
		dir := typescriptFolder(t, compiler, map[string]string{"api.ts": api})
		out := filepath.Join(dir, "client.gen.go")
		code, _, stderr := runGo(t, "gen", "go", "--ts", filepath.Join(dir, "api.ts"), "--type", "API", "--package", "api", "-o", out)
		if code != 0 {
			t.Fatalf("exit %d: %s", code, stderr)
		}
		vet(t, dir)
		text, err := os.ReadFile(out)
		if err != nil {
			t.Fatal(err)
		}
		source := regexp.MustCompile(` +`).ReplaceAllString(string(text), " ")
		for _, want := range []string{
			"Node(ctx context.Context, like *kkrpc.RefTo[Node]) (kkrpc.RefTo[Node], error) {",
			"// NodeClient calls the Node that a reference is to, by that reference.",
			"func NewNodeClient(caller kkrpc.Caller) *NodeClient {",
			"func (c *APIClient) IsOdd() error {\n\treturn kkrpc.Notify(c.caller, \"is_odd\")",
			"func (c *NodeClient) IsOdd(ctx context.Context) (bool, error) {\n\treturn kkrpc.Call[bool](ctx, c.caller, \"is_odd\")",
			"func (c *NodeClient) SetName(ctx context.Context, value string) error {",
			"func (c *NodeClient) Size(ctx context.Context) (float64, error) {",
			"func (c *NodeClient) Parent(ctx context.Context) (*kkrpc.RefTo[Node], error) {",
			"// Node leads to others.\ntype Node interface {\n\t// next is null at the end.\n\tNext(ctx context.Context) (*kkrpc.RefTo[Node], error)\n" +
				"\tPeek(ctx context.Context, at float64) ([]kkrpc.RefTo[Node], error)\n\tWatch(ctx context.Context, each func(n float64)) error\n" +
				"\tItems(ctx context.Context) iter.Seq2[string, error]\n\tMaybe(ctx context.Context) error\n}",
			"Self(ctx context.Context) (kkrpc.RefTo[Self], error)",
			"type Self func(context.Context) (kkrpc.RefTo[Self], error)",
			"type Answer func(context.Context, string, *float64, ...*string) (bool, error)",
			"type Feed func(context.Context) iter.Seq2[time.Time, error]",
			"list []kkrpc.RefTo[Answer], by map[string]kkrpc.RefTo[Answer]",
			"last func(text string, times *float64, rest ...*string)) (*kkrpc.RefTo[Feed], error) {",
			"Odd(ctx context.Context, o *kkrpc.Ref) (*kkrpc.Ref, error) {",
			"func (c *OddClient) AB(ctx context.Context) error {",
			"Box(ctx context.Context) (kkrpc.RefTo[BoxBoxString], error) {",
			"NewThing(ctx context.Context) (Thing, error) {",
			"Thing(ctx context.Context) (kkrpc.RefTo[Thing2], error) {",
			"type Thing struct {\n\tN float64 `json:\"n\"`\n}",
			"type Thing2 interface {\n\tGo(ctx context.Context) error\n}",
			"list []kkrpc.RefTo[func(context.Context, InlineListItemA) (InlineListItemResult, error)]",
		} {
			if !strings.Contains(source, want) {
				t.Errorf("no %q in\n%s", want, text)
			}
		}
	})
}

// goOfTypeScript returns the client for the exported API.
func goOfTypeScript(t *testing.T, compiler, api string) string {
	t.Helper()
	dir := typescriptFolder(t, compiler, map[string]string{"api.ts": api})
	code, stdout, stderr := runGo(t, "gen", "go", "--ts", filepath.Join(dir, "api.ts"), "--type", "API", "--package", "api")
	if code != 0 {
		t.Fatalf("exit %d: %s", code, stderr)
	}
	return stdout
}

// TestGoMembersOfTypeScript has each form of a member and of a field.
func TestGoMembersOfTypeScript(t *testing.T) {
	const api = declarations + `
interface Fields {
	"odd,name": string
	optional?: User
	list?: string[]
	nothing?: string | null
	in_progress: number
	inProgress: number
	/** @kkrpc int64 */
	size: number | null
	/** @deprecated use size */
	old: unknown
	kind: "a" | "b" | null
}
/** API is called. */
export interface API {
	fields(type: Fields, tree: Tree): void
	optional(a: string, b?: number, c?: string[]): void
	rest(a?: string, ...b: number[]): void
	callback(f: (done: number, user?: User) => void, g: (func: string) => Promise<string>): void
	stream(items: AsyncIterable<User>): void
	/** @kkrpc int64 */
	count(/** @kkrpc int64 */ n: number): Promise<number | null>
	/** It only tells. @kkrpc notify */
	tell(line: string): void
	overloaded(a: string): void
	overloaded(a: number): void
	generic<T>(a: T): void
	Point: typeof Point
	theme: string
	readonly version: Promise<string>
	getter: { get zoom(): Promise<number>; set zoom(value: number); ping(): void }
	constant: { a: number }
	point: Point
	maybe?(): void
	[Symbol.iterator](): void
	"with.dot"(): void
	$odd(c: string, caller: string, $x: string, { a }: User & { a: number }): void
}
`
	eachCompiler(t, func(t *testing.T, compiler string) {
		dir := typescriptFolder(t, compiler, map[string]string{"api.ts": api})
		out := filepath.Join(dir, "client.gen.go")
		code, _, stderr := runGo(t, "gen", "go", "--ts", filepath.Join(dir, "api.ts"), "--type", "API", "--package", "api", "-o", out)
		if code != 0 {
			t.Fatalf("exit %d: %s", code, stderr)
		}
		vet(t, dir)
		text, err := os.ReadFile(out)
		if err != nil {
			t.Fatal(err)
		}
		source := regexp.MustCompile(` +`).ReplaceAllString(string(text), " ")
		for _, want := range []string{
			"// API is called.\ntype APIClient struct {",
			"OddName string `json:\"'odd,name'\"`",
			"Optional *User `json:\"optional,omitzero\"`",
			"List []string `json:\"list,omitzero\"`",
			"Nothing *string `json:\"nothing,omitzero\"`",
			"InProgress float64 `json:\"in_progress\"`",
			"InProgress2 float64 `json:\"inProgress\"`",
			"Size *int64 `json:\"size\"`",
			"// Deprecated: use size\n\tOld any `json:\"old\"`",
			"Kind *FieldsKind `json:\"kind\"`",
			"FieldsKindA FieldsKind = \"a\"",
			"Left *Tree `json:\"left,omitzero\"`",
			"Nodes []Tree `json:\"nodes\"`",
			"Parent *Tree `json:\"parent\"`",
			"Fields(ctx context.Context, type_ Fields, tree Tree) error",
			"Optional(ctx context.Context, a string, b *float64, c []string) error",
			"Rest(ctx context.Context, a *string, b ...float64) error",
			"Callback(ctx context.Context, f func(done float64, user *User), g func(func_ string)) error",
			"Stream(ctx context.Context, items iter.Seq2[User, error]) error",
			"Count(ctx context.Context, n int64) (*int64, error)",
			"// It only tells.\nfunc (c *APIClient) Tell(line string) error {\n\treturn kkrpc.Notify(c.caller, \"tell\", line)",
			"Overloaded(ctx context.Context, a string) error",
			"Generic(ctx context.Context, a any) error",
			"NewPoint(ctx context.Context, x float64) (Point, error) {\n\treturn kkrpc.Construct[Point](ctx, c.caller, \"Point\", x)",
			"type Point struct {\n\tX float64 `json:\"x\"`\n}",
			"Theme(ctx context.Context) (string, error) {\n\treturn kkrpc.Get[string](",
			"SetTheme(ctx context.Context, value string) error {\n\treturn kkrpc.Set(",
			"Version(ctx context.Context) (string, error)",
			"Zoom(ctx context.Context) (float64, error) {\n\treturn kkrpc.Get[float64](ctx, c.caller, \"getter.zoom\")",
			"SetZoom(ctx context.Context, value float64) error",
			"Constant(ctx context.Context) (Constant, error)",
			"Point APIClientPoint",
			"Maybe(ctx context.Context) error",
			`kkrpc.Do(ctx, c.caller, "with\\.dot")`,
			"func (client *APIClient) Odd(ctx context.Context, c, caller, _x string, arg4 OddArg4) error",
		} {
			if !strings.Contains(source, want) {
				t.Errorf("there is no %q", want)
			}
		}
		if strings.Contains(source, "SetVersion") || strings.Contains(source, "Secret") || strings.Contains(source, "iterator") {
			t.Error("there are members that a client cannot use")
		}
		if t.Failed() {
			t.Log(source)
		}
		for _, want := range []string{
			"what this callback returns does not come back from Go", "overloaded has 2 forms; the client has the first", "only a call says what T is; it is any",
		} {
			if !regexp.MustCompile(`api\.ts:\d+:\d+: ` + regexp.QuoteMeta(want)).MatchString(stderr) {
				t.Errorf("no warning %q in\n%s", want, stderr)
			}
		}
	})
}

// TestTypeScriptThatCannotBeRead has a file for each reason, and a client that stays.
func TestTypeScriptThatCannotBeRead(t *testing.T) {
	eachCompiler(t, func(t *testing.T, compiler string) {
		for i, row := range []struct{ name, file, typ, want string }{
			{"does not compile", "export interface API { f(a: Strnig): void }", "API", "api.ts:1:29: Cannot find name 'Strnig'"},
			{"no TypeScript", "export interface API {", "API", "api.ts:1:23: '}' expected. (TS1005)"},
			{"a module that is missing", `import type { X } from "./x"; export interface API { f(): X }`, "API", "api.ts:1:24: Cannot find module './x'"},
			{"not exported", "interface API { f(): void }\nexport type Other = string", "API", "exports no type API; there is Other"},
			{"exports nothing", "interface API { f(): void }", "API", "exports no type API"},
			{"generic", "export interface API<T> { f(): T }", "API", "api.ts:1:1: API has type parameters; export a type with all of them, as in type API = API<string>"},
			{"nothing to call", "export type API = string[]", "API", "has nothing to call: want an object type with functions"},
		} {
			if i > 1 && compiler == "typescript" {
				continue // it is slow, and what follows is not up to the compiler
			}
			t.Run(row.name, func(t *testing.T) {
				dir := typescriptFolder(t, compiler, map[string]string{"api.ts": row.file, "client.gen.go": "package old\n"})
				out := filepath.Join(dir, "client.gen.go")
				code, stdout, stderr := runGo(t, "gen", "go", "--ts", filepath.Join(dir, "api.ts"), "--type", row.typ, "--package", "api", "-o", out)
				if code != 1 || stdout != "" || !strings.Contains(stderr, row.want) {
					t.Errorf("exit %d, %q, %q; want %q", code, stdout, stderr, row.want)
				}
				if text, err := os.ReadFile(out); string(text) != "package old\n" {
					t.Errorf("the old client is %q, %v", text, err)
				}
			})
		}
	})
}

// TestTypeScriptProject reads a file with the options of its project, from another folder.
func TestTypeScriptProject(t *testing.T) {
	eachCompiler(t, func(t *testing.T, compiler string) {
		dir := typescriptFolder(t, compiler, map[string]string{
			"tsconfig.json": `{"compilerOptions": {"strict": false, "module": "esnext", "moduleResolution": "bundler", "paths": {"@types": ["./types.ts"]}, "composite": true}, "include": ["other.ts"]}`,
			"other.ts":      "export const wrong: string = 1",
			"types.ts":      "export interface User { name: string | null }",
			"api.ts":        `import type { User } from "@types"; export type { API } from "./real"`,
			"real.ts":       `import type { User } from "@types"; export interface API { find(id: string): Promise<User> }`,
		})
		code, stdout, stderr := runGo(t, "gen", "go", "--ts", filepath.Join(dir, "api.ts"), "--type", "API", "--package", "api")
		if code != 0 || !strings.Contains(stdout, "Name string `json:\"name\"`") || stderr != "strictNullChecks is off in tsconfig.json, so that null is not seen\n" {
			t.Errorf("exit %d, %s, %s", code, stdout, stderr)
		}
	})
}

// TestTypeScriptIsMissing has no compiler, no Node.js, no file.
func TestTypeScriptIsMissing(t *testing.T) {
	if testing.Short() {
		t.Skip("it runs Node.js")
	}
	dir := t.TempDir() // outside of a project
	file := filepath.Join(dir, "api.ts")
	if err := os.WriteFile(file, []byte("export interface API { f(): void }"), 0o600); err != nil {
		t.Fatal(err)
	}
	gen := func(args ...string) string {
		t.Helper()
		code, stdout, stderr := runGo(t, append([]string{"gen", "go"}, args...)...)
		if code == 0 || stdout != "" || strings.Count(stderr, "\n") != 1 {
			t.Errorf("exit %d, %q, %q; want one line", code, stdout, stderr)
		}
		return stderr
	}
	for _, row := range []struct {
		want string
		args []string
	}{
		{"no TypeScript in the project of api.ts; run in its folder: npm install --save-dev typescript", []string{"--ts", file, "--type", "API", "--package", "api"}},
		{"no such file", []string{"--ts", file + "x", "--type", "API", "--package", "api"}},
		{"--package is empty: name the package of the Go file", []string{"--ts", file, "--type", "API"}},
		{"--ts names the file; want no package, got ./api", []string{"--ts", file, "--type", "API", "./api"}},
	} {
		if got := gen(row.args...); !strings.Contains(got, row.want) {
			t.Errorf("%q, want %q", got, row.want)
		}
	}
	t.Setenv("PATH", dir)
	if got := gen("--ts", file, "--type", "API", "--package", "api"); !strings.Contains(got, "no node in PATH: install Node.js 20 or newer") {
		t.Errorf("without Node.js: %q", got)
	}
}
