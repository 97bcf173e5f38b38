package superjson_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"math/big"
	"net/url"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/kkrpc-go/kkrpc/superjson"
)

// libraries are the packages of the versions that peers have: 2.2.7 is what npm install brings, 2.2.6 writes some values
// in other forms.
var libraries = []string{"superjson", "superjson-2.2.6"}

var installOnce = sync.OnceValue(func() error {
	if _, err := os.Stat("testdata/js/node_modules/" + libraries[1]); err == nil {
		return nil
	}
	install := exec.Command("npm", "ci", "--no-audit", "--no-fund")
	install.Dir = "testdata/js"
	if out, err := install.CombinedOutput(); err != nil {
		return fmt.Errorf("npm ci: %w\n%s", err, out)
	}
	return nil
})

// node runs a command of testdata/js/peer.mjs with one of the libraries. It gives it lines on its input and returns the lines
// of its output.
func node(t *testing.T, library, command string, input []string) []string {
	t.Helper()
	return nodeScript(t, input, "peer.mjs", command, library)
}

// nodeScript is node for any script there.
func nodeScript(t *testing.T, input []string, args ...string) []string {
	t.Helper()
	if _, err := exec.LookPath("node"); err != nil {
		t.Skip("node is not on PATH")
	}
	if err := installOnce(); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("node", args...)
	cmd.Dir = "testdata/js"
	cmd.Stdin = strings.NewReader(strings.Join(input, "\n"))
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	return strings.Split(strings.TrimSpace(string(out)), "\n")
}

type named struct {
	Name string `json:"name"`
	Text string `json:"text"`
}

func TestLibraryValuesThroughGo(t *testing.T) {
	for _, library := range libraries {
		t.Run(library, func(t *testing.T) { testLibraryValues(t, library) })
	}
}

func testLibraryValues(t *testing.T, library string) {
	encoded := node(t, library, "encode", nil)
	var viaAny, viaValue []string
	for _, line := range encoded {
		var v named
		if err := json.Unmarshal([]byte(line), &v); err != nil {
			t.Fatal(err)
		}
		var tree any
		switch err := superjson.Unmarshal([]byte(v.Text), &tree); {
		case strings.HasPrefix(v.Name, "cyclic"):
			if mismatch, ok := errors.AsType[*superjson.TypeError](err); !ok || mismatch.Got != "a cycle" {
				t.Errorf("%s: %v", v.Name, err)
			}
		case err != nil:
			t.Errorf("%s: %v\n%s", v.Name, err, v.Text)
			continue
		default:
			again, err := superjson.Marshal(tree)
			if err != nil {
				t.Errorf("%s: %v", v.Name, err)
				continue
			}
			viaAny = append(viaAny, line2(v.Name, again))
		}
		var kept superjson.Value
		if err := superjson.Unmarshal([]byte(v.Text), &kept); err != nil {
			t.Errorf("%s: %v", v.Name, err)
			continue
		}
		verbatim, err := superjson.Marshal(kept)
		if err != nil || !sameJSON(verbatim, []byte(v.Text)) {
			t.Errorf("%s: %v\n%s\n%s", v.Name, err, v.Text, verbatim)
		}
		viaValue = append(viaValue, line2(v.Name, verbatim))
	}
	if len(viaAny) < 25 {
		t.Fatalf("only %d values", len(viaAny))
	}
	for _, answers := range [][]string{node(t, library, "verify", viaAny), node(t, library, "verify", viaValue)} {
		for _, line := range answers {
			if !strings.Contains(line, `"ok":true`) {
				t.Error(line)
			}
		}
	}
}

func line2(name string, text []byte) string {
	out, _ := json.Marshal(named{name, string(text)})
	return string(out)
}

func TestGoValuesInTheLibrary(t *testing.T) {
	type inner struct {
		When *time.Time     `json:"when"`
		Bits []byte         `json:"bits"`
		Big  *big.Int       `json:"big,omitempty"`
		F32  float32        `json:"f32"`
		Any  any            `json:"any"`
		M    map[string]any `json:"m"`
	}
	when := time.Date(2024, 2, 29, 12, 34, 56, 789_999_999, time.FixedZone("x", 3600))
	u, _ := url.Parse("https://example.com/p?q=1")
	shared := map[string]any{"x": big.NewInt(1)}
	cyclic := map[string]any{}
	cyclic["me"] = cyclic
	rows := []struct {
		name string
		v    any
		want string
	}{
		{"struct", inner{When: &when, Bits: []byte{1, 255}, Big: big.NewInt(7), F32: 0.1, Any: math.NaN()},
			"{when:Date(2024-02-29T11:34:56.789Z),bits:Uint8Array(1,255),big:7n,f32:0.1,any:NaN,m:{}}"},
		{"omitted", inner{}, "{when:null,bits:Uint8Array(),f32:0,any:null,m:{}}"},
		{"map and set", superjson.NewMap(superjson.Entry{Key: "a.b", Value: superjson.NewSet(1, math.Inf(-1))}, superjson.Entry{Key: 2, Value: superjson.Undefined}),
			`Map("a.b"=>Set(1,-Infinity),2=>undefined)`},
		{"regexp", superjson.RegExp{Source: "a/b", Flags: "gi"}, `RegExp(/a\/b/gi)`},
		{"empty regexp", &superjson.RegExp{}, "RegExp(/(?:)/)"},
		{"url", u, "URL(https://example.com/p?q=1)"},
		{"error", &superjson.Error{Name: "TypeError", Message: "bad", Cause: errors.New("inner")}, "Error(TypeError,bad,Error(Error,inner))"},
		{"go error", fmt.Errorf("outer: %w", os.ErrNotExist), "Error(Error,outer: file does not exist,Error(Error,file does not exist))"},
		{"typed arrays", []any{superjson.Int8Array{-1}, superjson.Uint8ClampedArray{255}, superjson.Int16Array{-2}, superjson.Uint16Array{3}, superjson.Int32Array{-4}, superjson.Uint32Array{5}, superjson.Float32Array{0.5}, superjson.Float64Array{0.1, math.NaN()}},
			"[Int8Array(-1),Uint8ClampedArray(255),Int16Array(-2),Uint16Array(3),Int32Array(-4),Uint32Array(5),Float32Array(0.5),Float64Array(0.1,NaN)]"},
		{"minus zero", []any{math.Copysign(0, -1), float32(math.Copysign(0, -1))}, "[-0,-0]"},
		{"undefined", superjson.Undefined, "undefined"},
		{"zero time", time.Time{}, "Date(0001-01-01T00:00:00.000Z)"},
		{"far time", time.Date(-271821, 4, 20, 0, 0, 0, 0, time.UTC), "Date(-271821-04-20T00:00:00.000Z)"},
		{"shared", []any{shared, shared}, "[{x:1n},{x:1n}]"},
		{"escapes", map[string]any{"a.b\\": superjson.Undefined, "": big.NewInt(2)}, `{:2n,a.b\:undefined}`},
		{"invalid utf-8", "a\xffb", "\"a\ufffdb\""},
	}
	var input []string
	for _, row := range rows {
		out, err := superjson.Marshal(row.v)
		if err != nil {
			t.Fatalf("%s: %v", row.name, err)
		}
		if bytes.ContainsRune(out, '\n') {
			t.Fatalf("%s: a newline in %s", row.name, out)
		}
		input = append(input, string(out))
	}
	for _, library := range libraries {
		for i, line := range node(t, library, "describe", input) {
			var got string
			if err := json.Unmarshal([]byte(line), &got); err != nil {
				t.Fatal(err)
			}
			if got != rows[i].want {
				t.Errorf("%s in %s:\n got  %s\n want %s\n wire %s", rows[i].name, library, got, rows[i].want, input[i])
			}
		}
	}
}

// superjson 2.2.6 has no typed arrays of bigints.
func TestGoBigIntArraysInTheLibrary(t *testing.T) {
	out, err := superjson.Marshal([]any{superjson.BigInt64Array{math.MinInt64, 1}, superjson.BigUint64Array{math.MaxUint64}, superjson.BigInt64Array{}})
	if err != nil {
		t.Fatal(err)
	}
	want := `"[BigInt64Array(-9223372036854775808,1),BigUint64Array(18446744073709551615),BigInt64Array()]"`
	if got := node(t, libraries[0], "describe", []string{string(out)}); len(got) != 1 || got[0] != want {
		t.Errorf("%q, want %s of %s", got, want, out)
	}
}
