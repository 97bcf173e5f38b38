package interop

import (
	"bufio"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"

	"github.com/kkrpc-go/kkrpc/interop/js"
)

// TestContract has kkrpc gen ts write the types of a program, has the TypeScript compiler check a client that uses each of
// them and one that misuses each, and runs the first against the program.
func TestContract(t *testing.T) {
	dir := contract(t, filepath.Join(js.Dir(t), "tsconfig.json"), "testdata/contract/client.mts", "testdata/contract/wrong.mts")
	both := `export type { Article, Color, SellerID, Shop } from "./shop.gen.ts"
export type { ArticleInput, Shop as ShopJSON } from "./json.gen.ts"
`
	if err := os.WriteFile(filepath.Join(dir, "both.ts"), []byte(both), 0o600); err != nil {
		t.Fatal(err)
	}
	if out, err := compile(t, dir); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	runContract(t, dir, js.Node.Command(t, filepath.Join(dir, "client.mts")))

	// A function that Go renames is an error in the client.
	generated := filepath.Join(dir, "shop.gen.ts")
	text, err := os.ReadFile(generated)
	if err != nil {
		t.Fatal(err)
	}
	renamed := regexp.MustCompile(`\bsearch\(`).ReplaceAll(text, []byte("query("))
	if err := os.WriteFile(generated, renamed, 0o600); err != nil {
		t.Fatal(err)
	}
	if out, err := compile(t, dir); err == nil || !strings.Contains(out, "Property 'search' does not exist on type 'Shop'") {
		t.Errorf("after a function was renamed the compiler says %v, %s", err, out)
	}
}

// TestContractOfKkrpc2 does the same with the types of kkrpc 2, whose sources Bun runs: streams and errors with names.
func TestContractOfKkrpc2(t *testing.T) {
	checkout := os.Getenv("KKRPC_V2")
	if checkout == "" {
		t.Skip("needs kkrpc 2: set KKRPC_V2 to a checkout of it")
	}
	dir := contract(t, "testdata/contract/client2.mts")
	entries := filepath.Join(checkout, "packages", "kkrpc", "src", "entries")
	config := readJSON(t, filepath.Join(js.Dir(t), "tsconfig.json"))
	config["compilerOptions"].(map[string]any)["paths"] = map[string][]string{"kkrpc/*": {filepath.Join(entries, "*.ts")}}
	text, err := json.Marshal(config)
	if err == nil {
		err = os.WriteFile(filepath.Join(dir, "tsconfig.json"), text, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	if out, err := compile(t, dir); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	client := js.Bun.Command(t, filepath.Join(dir, "client2.mts"))
	client.Env = append(client.Env, "NODE_PATH="+filepath.Join(js.Dir(t), "node_modules"))
	runContract(t, dir, client)
}

func readJSON(t *testing.T, name string) (value map[string]any) {
	t.Helper()
	text, err := os.ReadFile(name)
	if err == nil {
		err = json.Unmarshal(text, &value)
	}
	if err != nil {
		t.Fatal(err)
	}
	return value
}

// contract returns a folder with these files and the types of the program, for each codec.
func contract(t *testing.T, files ...string) string {
	t.Helper()
	dir := js.TempDir(t, files...)
	for name, codec := range map[string]string{"shop.gen.ts": "superjson", "json.gen.ts": "json"} {
		cmd := exec.CommandContext(t.Context(), "go", "run", "../cmd/kkrpc", "gen", "ts", "./contract", "-o", filepath.Join(dir, name), "--codec", codec, "--values", "--contract")
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
	}
	return dir
}

// compile has the TypeScript compilers 5 and 7 check the folder, and returns what the first says that finds an error.
func compile(t *testing.T, dir string) (string, error) {
	t.Helper()
	for _, version := range []string{"typescript", "typescript7"} {
		tsc := filepath.Join(js.Dir(t), "node_modules", version, "bin", "tsc")
		if out, err := exec.CommandContext(t.Context(), js.Node.Path(t), tsc, "-p", dir).CombinedOutput(); err != nil {
			return version + ": " + string(out), err
		}
	}
	return "", nil
}

// runContract runs the program, and the client with its address behind it.
func runContract(t *testing.T, dir string, client *exec.Cmd) {
	t.Helper()
	binary := filepath.Join(dir, "contract")
	if out, err := exec.CommandContext(t.Context(), "go", "build", "-o", binary, "./contract").CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	program := exec.CommandContext(t.Context(), binary)
	js.EndWithTest(program, syscall.SIGKILL)
	program.Stderr = t.Output()
	stdout, err := program.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := program.Start(); err != nil {
		t.Fatal(err)
	}
	address, err := bufio.NewReader(stdout).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	client.Args = append(client.Args, "ws://"+strings.TrimSpace(address)+"/?contract=")
	if out, err := client.CombinedOutput(); err != nil || string(out) != "as typed\n" {
		t.Errorf("%v: %s", err, out)
	}
}
