package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

const edges = `
interface Full {
	call(): void
	secret(): void
	readonly size: number
	name: string
}
const lent = { greet() { return "" }, version: "1" }
const frozen = Object.freeze({ ...lent })
class Part { static make() { return new Part() } x = 1 }
/** ` + "\uFEFF" + `Dict is all names. */
type Dict = { [key: string]: Dict }
type Forest = Forest[]
type Chain = Chain[] | null
type Both = [Both, Both] | null
type Next = (next: Next) => void
interface Links { [key: string]: Links | null }
interface Knot { left: Knot; right: Knot; both: { a: Knot; b: Knot } }
interface Holder<T> { held: T }
enum Op { "+" = "plus", Plus = "add", "a-b" = "minus" }
type Dir = -1 | 0 | 1
type Rate = 1.5 | 15
type Level = "low" | "high"
type Volume = "low" | "high"
export interface API {
	omitted: Omit<Full, "secret">
	picked: Pick<Full, "call" | "name">
	fixed: Readonly<Full>
	perhaps: Partial<Full>
	frozen: typeof frozen
	constant: { readonly [K in "a" | "b"]: number }
	asserted: typeof asserted
	kids: AsyncIterable<number>
	callable: { (x: number): void; version: string }
	Part: typeof Part
	Either: { new (): { v: number }; new (v: number): { v: number }; (): void }
	dict(): Dict
	forest(): Holder<Forest>
	chain(): Chain
	both(): Both
	next(next: Next): void
	links(links: Links): void
	knot: Knot
	op(): Op
	dir(): Dir
	rate(): Rate
	level(volume: Volume): Promise<Level>
	loud(): Promise<Volume>
	order(by: "z" | "a"): void
}
const asserted = { ping() {}, version: "1" } as const
`

// TestEdgesOfTypeScript has types that lead back to themselves, utility types, and what only a part of a member can do.
func TestEdgesOfTypeScript(t *testing.T) {
	eachCompiler(t, func(t *testing.T, compiler string) {
		dir := typescriptFolder(t, compiler, map[string]string{"api.ts": edges})
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
			`kkrpc.Do(ctx, c.caller, "omitted.call")`, `"picked.call"`, `"fixed.secret"`, `"perhaps.call"`, `"frozen.greet"`, `"asserted.ping"`,
			"func (c *APIClientOmitted) SetName(",
			"func (c *APIClientFixed) Name(",
			"Kids(ctx context.Context) (iter.Seq2[float64, error], error)",
			"// Dict is all names.\ntype Dict map[string]Dict\n",
			"type Forest []Forest\n",
			"type HolderForest struct {\n\tHeld Forest `json:\"held\"`\n}",
			"Chain(ctx context.Context) (*ChainResultItem, error)",
			"type ChainResultItem []*ChainResultItem\n",
			"Both(ctx context.Context) (*[2]any, error)",
			"Next(ctx context.Context, next func(next any)) error",
			"type Links map[string]*Links\n",
			"OpValue Op = \"plus\"\n\tOpPlus Op = \"add\"\n\tOpAB Op = \"minus\"\n",
			"DirMinus1 Dir = -1\n\tDir0 Dir = 0\n\tDir1 Dir = 1\n",
			"Rate1_5 Rate = 1.5\n\tRate15 Rate = 15\n",
			"Level(ctx context.Context, volume Volume) (Level, error)",
			"Loud(ctx context.Context) (Volume, error)",
			"OrderByZ OrderBy = \"z\"\n\tOrderByA OrderBy = \"a\"\n",
		} {
			if !strings.Contains(source, want) {
				t.Errorf("there is no %q", want)
			}
		}
		for _, wrong := range []string{
			"omitted.secret", "picked.secret", "APIClientFixed) SetName", "APIClientFrozen) SetVersion", "APIClientAsserted) SetVersion", "SetKids", "\uFEFF",
		} {
			if strings.Contains(source, wrong) {
				t.Errorf("there is %q", wrong)
			}
		}
		if t.Failed() {
			t.Log(source)
		}
		for _, want := range []string{
			"callable has version beside; the client has only the function",
			"Part has make beside; the client has only the function",
			"Either has a constructor beside; the client has only the function",
			"the tuple [Both, Both] is a part of itself; it is any",
			"the callback Next is a parameter of itself; it is any",
		} {
			if !regexp.MustCompile(`api\.ts:\d+:\d+: ` + regexp.QuoteMeta(want)).MatchString(stderr) {
				t.Errorf("no warning %q in\n%s", want, stderr)
			}
		}
	})
}

// TestTypeScriptWithoutEnd has APIs of which no client can be written, each with the place of the reason.
func TestTypeScriptWithoutEnd(t *testing.T) {
	eachCompiler(t, func(t *testing.T, compiler string) {
		for _, row := range []struct{ name, file, want string }{
			{"namespaces", "export interface API { f(): void; x: API; y: API }", `api\.ts:1:35: x leads back to API, which is a client without end; leave x out`},
			{"interfaces", "interface Box<T> { v: T; inner?: Box<Box<T>> }\nexport interface API { f(): Box<string> }", `api\.ts:1:26: the type arguments of Box grow without end`},
			{"lists", "type Nest<T> = Nest<T[]>[]\nexport interface API { f(): Nest<string> }", `api\.ts:2:24: the type arguments of Nest grow without end`},
			{"callbacks", "type Next<T> = (next: Next<T[]>) => void\nexport interface API { f(next: Next<string>): void }", `api\.ts:1:17: the type arguments of Next grow without end`},
			{"infinity", "enum E { A = 1 / 0 }\nexport interface API { e(): E }", `api\.ts:(1:10: E\.A is no finite number|2:24: e: .*unsupported value: \+Inf)`},
		} {
			t.Run(row.name, func(t *testing.T) {
				dir := typescriptFolder(t, compiler, map[string]string{"api.ts": row.file})
				code, stdout, stderr := runGo(t, "gen", "go", "--ts", filepath.Join(dir, "api.ts"), "--type", "API", "--package", "api")
				if code != 1 || stdout != "" || !regexp.MustCompile(row.want).MatchString(stderr) || strings.Count(stderr, "\n") != 1 {
					t.Errorf("exit %d, %q, %q; want %q", code, stdout, stderr, row.want)
				}
			})
		}
	})
}
