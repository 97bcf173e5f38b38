package interop

import (
	"bufio"
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
	dir := js.TempDir(t, filepath.Join(js.Dir(t), "tsconfig.json"), "testdata/contract/client.mts", "testdata/contract/wrong.mts")
	generate := func(out, codec string) {
		t.Helper()
		cmd := exec.CommandContext(t.Context(), "go", "run", "../cmd/kkrpc", "gen", "ts", "./contract", "-o", filepath.Join(dir, out), "--codec", codec, "--values")
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
	}
	generate("shop.gen.ts", "superjson")
	generate("json.gen.ts", "json")
	both := `export type { Article, Color, SellerID, Shop } from "./shop.gen.ts"
export type { ArticleInput, Shop as ShopJSON } from "./json.gen.ts"
`
	if err := os.WriteFile(filepath.Join(dir, "both.ts"), []byte(both), 0o600); err != nil {
		t.Fatal(err)
	}

	tsc := filepath.Join(js.Dir(t), "node_modules", "typescript", "bin", "tsc")
	check := func() (string, error) {
		out, err := exec.CommandContext(t.Context(), js.Node.Path(t), tsc, "-p", dir).CombinedOutput()
		return string(out), err
	}
	if out, err := check(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}

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
	client := js.Node.Command(t, filepath.Join(dir, "client.mts"), "ws://"+strings.TrimSpace(address))
	if out, err := client.CombinedOutput(); err != nil || string(out) != "as typed\n" {
		t.Errorf("%v: %s", err, out)
	}

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
	if out, err := check(); err == nil || !strings.Contains(out, "Property 'search' does not exist on type 'Shop'") {
		t.Errorf("after a function was renamed the compiler says %v, %s", err, out)
	}
}
