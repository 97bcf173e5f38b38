package superjson_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/kkrpc-go/kkrpc/superjson"
)

func TestHostileInput(t *testing.T) {
	deepMeta := func(n int) string {
		return `{"json":null,"meta":{"values":` + strings.Repeat(`{"a":`, n) + `["Date"]` + strings.Repeat("}", n) + `}}`
	}
	nested := func(n int) string {
		return `{"json":` + strings.Repeat("[", n) + strings.Repeat("]", n) + `}`
	}
	values := func(value, annotation string) string {
		return `{"json":` + value + `,"meta":{"values":` + annotation + `,"v":1}}`
	}
	rows := []struct {
		name, text, want string // want is part of the error, "" for none
	}{
		{"unknown type", values("1", `["Nope"]`), "unknown annotation"},
		{"no type", values("1", `[]`), "without a type"},
		{"class", values("{}", `[["class","Foo"]]`), "unknown annotation"},
		{"custom", values("1", `[["custom","Foo"]]`), "unknown annotation"},
		{"symbol", values(`"y"`, `[["symbol","y"]]`), "unknown annotation"},
		{"simple type as a pair", values(`"y"`, `[["Date","y"]]`), "unknown annotation"},
		{"typed-array without a name", values(`[1]`, `["typed-array"]`), "unknown annotation"},
		{"typed-array of unknown name", values("[1]", `[["typed-array","Evil"]]`), "unknown annotation"},
		{"typed-array of three", values("[1]", `[["typed-array","Uint8Array","x"]]`), "unknown annotation"},
		{"number as type", values("[1]", `[5]`), "unknown annotation"},
		{"typed-array by length", values("4294967295", `[["typed-array","Uint8Array"]]`), "annotated Uint8Array"},
		{"typed-array on a string", values(`"10"`, `[["typed-array","Float64Array"]]`), "annotated Float64Array"},
		{"typed-array of objects", values(`[{}]`, `[["typed-array","Float64Array"]]`), "annotated Float64Array"},
		{"Buffer", values("[1]", `[["typed-array","Buffer"]]`), ""},
		{"bad bigint", values(`"12x"`, `["bigint"]`), "annotated bigint"},
		{"signed hex bigint", values(`"0x-1"`, `["bigint"]`), "annotated bigint"},
		{"fraction as bigint", values("1.5", `["bigint"]`), "annotated bigint"},
		{"long bigint", values(`"`+strings.Repeat("9", 16385)+`"`, `["bigint"]`), "annotated bigint"},
		{"longest bigint", values(`"`+strings.Repeat("9", 16384)+`"`, `["bigint"]`), ""},
		{"map of a number", values("5", `["map"]`), "annotated map"},
		{"map of non-pairs", values("[[1]]", `["map"]`), "annotated map"},
		{"map of triples", values("[[1,2,3]]", `["map"]`), "annotated map"},
		{"set of a number", values("5", `["set"]`), "annotated set"},
		{"error of a string", values(`"x"`, `["Error"]`), "annotated Error"},
		{"number of an object", values(`{}`, `["number"]`), "annotated number"},
		{"bad URL", values(`"::"`, `["URL"]`), "annotated URL"},
		{"relative URL", values(`"/a"`, `["URL"]`), "annotated URL"},
		{"URL without host", values(`"http:///x"`, `["URL"]`), "annotated URL"},
		{"URL of a number", values(`1`, `["URL"]`), "annotated URL"},
		{"regexp unbalanced", values(`"/(/"`, `["regexp"]`), "annotated regexp"},
		{"regexp closing", values(`"/)/"`, `["regexp"]`), "annotated regexp"},
		{"regexp class", values(`"/[/"`, `["regexp"]`), "annotated regexp"},
		{"regexp class with parenthesis", values(`"/[(]/"`, `["regexp"]`), ""},
		{"regexp quantifier", values(`"/*/"`, `["regexp"]`), "annotated regexp"},
		{"regexp quantifier in group", values(`"/(+)/"`, `["regexp"]`), "annotated regexp"},
		{"regexp quantifier after bar", values(`"/a|?/"`, `["regexp"]`), "annotated regexp"},
		{"regexp group kinds", values(`"/(?:a)?(?<n>b)+/"`, `["regexp"]`), ""},
		{"regexp escape at the end", values(`"/a\\/"`, `["regexp"]`), "annotated regexp"},
		{"regexp flag", values(`"/a/x"`, `["regexp"]`), "annotated regexp"},
		{"regexp flag twice", values(`"/a/gg"`, `["regexp"]`), "annotated regexp"},
		{"regexp u and v", values(`"/a/uv"`, `["regexp"]`), "annotated regexp"},
		{"regexp bare", values(`"a"`, `["regexp"]`), "annotated regexp"},
		{"regexp slash", values(`"/"`, `["regexp"]`), "annotated regexp"},
		{"regexp of a number", values(`1`, `["regexp"]`), "annotated regexp"},
		{"__proto__", values("{}", `{"__proto__.x":["Date"]}`), "__proto__"},
		{"constructor", values("{}", `{"a.constructor":["Date"]}`), "constructor"},
		{"prototype", values("{}", `{"prototype":["Date"]}`), "prototype"},
		{"nested __proto__", values("[]", `["set",{"0.__proto__":["Date"]}]`), "__proto__"},
		{"equal to __proto__", `{"json":{},"meta":{"referentialEqualities":{"a":["__proto__"]}}}`, "__proto__"},
		{"equal from __proto__", `{"json":{},"meta":{"referentialEqualities":{"__proto__":["a"]}}}`, "__proto__"},
		{"escape under v1", values(`{"a\\b":1}`, `{"a\\b":["Date"]}`), "invalid escape"},
		{"escape at the end", values(`{}`, `{"a\\":["Date"]}`), "invalid escape"},
		{"escape without v", `{"json":{"a\\b":1},"meta":{"values":{"a\\b":["Date"]}}}`, ""},
		{"annotation in a string", values("1", `"Date"`), "an annotation is a string"},
		{"empty string for a tree", values("1", `""`), ""},
		{"number for a tree", values("1", `5`), ""},
		{"true for a tree", values("1", `true`), ""},
		{"null for a tree", values("1", `null`), ""},
		{"inner annotations in an array", values("[]", `["set",[]]`), "not an object"},
		{"no inner annotations", values("[]", `["set",null]`), ""},
		{"more after the inner ones", values("[]", `["set",{},5]`), ""},
		{"missing path", values("{}", `{"q.w":["Date"]}`), ""},
		{"meta depth 64", deepMeta(64), ""},
		{"meta depth 65", deepMeta(65), "too deep"},
		{"depth 1000", nested(1000), ""},
		{"depth 1001", nested(1001), "deeper than 1000"},
		{"objects too deep", `{"json":` + strings.Repeat(`{"a":`, 1001) + "1" + strings.Repeat("}", 1001) + "}", "deeper than 1000"},
		{"equality to nowhere", `{"json":{"a":{}},"meta":{"referentialEqualities":{"a":["b"]},"v":1}}`, ""},
		{"equality from nowhere", `{"json":{"a":{}},"meta":{"referentialEqualities":{"b":["a"]},"v":1}}`, ""},
		{"equality through a scalar", `{"json":{"a":1},"meta":{"referentialEqualities":{"a":["a.b.c"]},"v":1}}`, ""},
		{"equality past the end", `{"json":[[],1],"meta":{"referentialEqualities":{"0":["2"]},"v":1}}`, ""},
		{"equality at the end", `{"json":[[],1],"meta":{"referentialEqualities":{"0":["1"]},"v":1}}`, ""},
		{"equality into a set", `{"json":[[],[1]],"meta":{"values":{"1":["set"]},"referentialEqualities":{"0":["1.1"]},"v":1}}`, ""},
		{"equality into a map", `{"json":[[],[[1,2]]],"meta":{"values":{"1":["map"]},"referentialEqualities":{"0":["1.1.0"]},"v":1}}`, ""},
		{"equality to a pair", `{"json":[[],[[1,2]]],"meta":{"values":{"1":["map"]},"referentialEqualities":{"0":["1.0"]},"v":1}}`, ""},
		{"equality to a third", `{"json":[[],[[1,2]]],"meta":{"values":{"1":["map"]},"referentialEqualities":{"0":["1.0.2"]},"v":1}}`, ""},
		{"equality to the name of an error", `{"json":{"e":{"name":"a"},"o":{}},"meta":{"values":{"e":["Error"]},"referentialEqualities":{"o":["e.name"]},"v":1}}`, ""},
		{"equalities not in an array", `{"json":{},"meta":{"referentialEqualities":{"a":"b"}}}`, "not an array"},
		{"equal path not a string", `{"json":{},"meta":{"referentialEqualities":{"a":[1]}}}`, "not a string"},
		{"equality fan-out", `{"json":{"a":{}},"meta":{"referentialEqualities":{"a":["` + strings.Repeat(`a","`, 1000) + `a"]},"v":1}}`, ""},
		{"more segments than bytes allow", values("1", `{"`+strings.Repeat(".", 5000)+`":["Date"]}`), "too many path segments"},
		{"as many segments as bytes allow", values("1", `{"`+strings.Repeat("a.", 5000)+`":["Date"]}`), ""},
		{"segments of a described place", `{"json":{},"meta":{"referentialEqualities":{"` + strings.Repeat(".", 5000) + `":["a"]},"v":1}}`, "too many path segments"},
		{"equal segments", `{"json":{},"meta":{"referentialEqualities":{"a":["` + strings.Repeat(".", 5000) + `"]},"v":1}}`, "too many path segments"},
		{"number out of range", `{"json":1e999}`, "out of range"},
		{"not an object", `[]`, "not an object"},
		{"empty", ``, "not an object"},
		{"two values", `{"json":1} 2`, "more than one value"},
		{"cut off", `{"json":[1`, "malformed"},
		{"cut off in meta", `{"json":1,"meta":{"values":`, "malformed"},
		{"no json", `{}`, ""},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			var v any
			err := superjson.Unmarshal([]byte(row.text), &v)
			switch {
			case row.want == "" && err != nil:
				t.Fatal(err)
			case row.want != "" && (err == nil || !strings.Contains(err.Error(), row.want)):
				t.Fatalf("got %v, want an error with %q", err, row.want)
			}
			if row.want != "" {
				if _, ok := errors.AsType[*superjson.DataError](err); !ok {
					t.Errorf("%T is no *DataError", err)
				}
			}
		})
	}
}

// n references can ask for 2^n bytes when what was decoded by reference is written again.
func TestSharedObjectsCannotExplode(t *testing.T) {
	var v any = map[string]any{"leaf": strings.Repeat("x", 100)}
	for range 40 {
		v = []any{v, v}
	}
	out, err := superjson.Marshal(v)
	if err == nil || !strings.Contains(err.Error(), "repeat too much data") || out != nil {
		t.Fatalf("%d bytes, %v", len(out), err)
	}
}

func TestCycles(t *testing.T) {
	m := map[string]any{}
	m["x"] = []any{m}
	type link struct{ Next *link }
	ring := &link{}
	ring.Next = ring
	set := superjson.NewSet()
	set.Add(set)
	for _, row := range []struct {
		v    any
		want string
	}{
		{m, `{"json":{"x":[null]},"meta":{"referentialEqualities":[["x.0"]],"v":1}}`},
		{[]any{1, m, m}, `{"json":[1,{"x":[null]},{"x":[null]}],"meta":{"referentialEqualities":{"1":["1.x.0","2"]},"v":1}}`},
		{ring, `{"json":{"Next":null},"meta":{"referentialEqualities":[["Next"]],"v":1}}`},
		{set, `{"json":[null],"meta":{"values":["set"],"referentialEqualities":[["0"]],"v":1}}`},
	} {
		out, err := superjson.Marshal(row.v)
		if err != nil || string(out) != row.want {
			t.Errorf("%v\n got  %s\n want %s", err, out, row.want)
		}
	}
	for _, mode := range []superjson.Mode{superjson.ModeJSON, superjson.ModeTaggedJSON} {
		e := superjson.NewEncoder(mode)
		for _, v := range []any{m, ring} {
			out, err := e.Append([]byte("x"), "", v)
			if err == nil || !strings.HasSuffix(err.Error(), "cycle") || string(out) != "x" {
				t.Errorf("%v: %q %v", mode, out, err)
			}
		}
		if out, err := e.Append(nil, "", "after"); err != nil || string(out) != `"after"` {
			t.Errorf("after an error: %s %v", out, err)
		}
	}
	var deep any
	for range 1001 {
		deep = []any{deep}
	}
	if _, err := superjson.Marshal(deep); err == nil || !strings.Contains(err.Error(), "deeper than 1000") {
		t.Error(err)
	}
	if _, err := superjson.Marshal(deep.([]any)[0]); err != nil {
		t.Error(err)
	}
}

type selfPointer *selfPointer

func TestPointerToItself(t *testing.T) {
	var p selfPointer
	p = &p
	if _, err := superjson.Marshal(p); err == nil || !strings.HasSuffix(err.Error(), "a pointer that leads to itself") {
		t.Error(err)
	}
	var v selfPointer
	if err := superjson.Decode(superjson.ModeJSON, []byte("1"), nil, &v); err == nil {
		t.Error("decoded")
	}
}

// Metadata can make a short text stand for a value without end, or for a huge one.
func TestSharingIsBoundedOnReading(t *testing.T) {
	doubling := func(levels int) string {
		// Each object has the next one twice.
		var json, groups strings.Builder
		for i := range levels {
			fmt.Fprintf(&json, `"%d":{"a":0,"b":0},`, i)
			if i > 0 {
				fmt.Fprintf(&groups, `"%d":["%d.a","%d.b"],`, i, i-1, i-1)
			}
		}
		text := json.String()
		return `{"json":{` + text[:len(text)-1] + `},"meta":{"referentialEqualities":{` + strings.TrimSuffix(groups.String(), ",") + `},"v":1}}`
	}
	chain := func(n int) string {
		groups := make([]string, n)
		for i := range groups {
			groups[i] = fmt.Sprintf(`"%d":["%d.0"]`, i+1, i)
		}
		return `{"json":[` + strings.Repeat("[0],", n) + `[0]],"meta":{"referentialEqualities":{` + strings.Join(groups, ",") + `},"v":1}}`
	}
	for _, row := range []struct{ name, text, want string }{
		{"itself", `{"json":{"a":{"b":null}},"meta":{"referentialEqualities":{"a":["a.b"]},"v":1}}`, "a.b: expected a value without cycles (only a superjson.Value keeps them), got a cycle"},
		{"the root", `{"json":{"a":null},"meta":{"referentialEqualities":[["a"]],"v":1}}`, "a: expected a value without cycles"},
		{"crosswise", `{"json":{"a":{"x":0},"b":{"x":0}},"meta":{"referentialEqualities":{"a":["b.x"],"b":["a.x"]},"v":1}}`, "got a cycle"},
		{"crosswise in arrays", `{"json":[[0],[0]],"meta":{"referentialEqualities":{"0":["1.0"],"1":["0.0"]},"v":1}}`, "got a cycle"},
		{"a Map as its key", `{"json":[[1,2]],"meta":{"values":["map"],"referentialEqualities":[["0.0"]],"v":1}}`, "got a cycle"},
		{"a Set in itself", `{"json":[1],"meta":{"values":["set"],"referentialEqualities":[["0"]],"v":1}}`, "[0]: expected a value without cycles"},
		{"an Error as its cause", `{"json":{"name":"E","message":"m","cause":null},"meta":{"values":["Error"],"referentialEqualities":[["cause"]],"v":1}}`, "cause: expected a value without cycles"},
		{"2^15 copies", doubling(16), ""},
		{"2^40 copies", doubling(40), "shared objects repeat too much data"},
		{"1.4 KB for 128 MiB", doubling(24), "shared objects repeat too much data"},
		{"a URL many times", `{"json":["http://x/` + strings.Repeat("x", 1000) + `"` + strings.Repeat(",0", 20_000) + `],"meta":{"values":{"0":["URL"]},"referentialEqualities":{"0":[` + everyIndex(20_000) + `]},"v":1}}`, "shared objects repeat too much data"},
		{"a chain", chain(900), ""},
		{"a long chain", chain(5000), "deeper than 1000"},
	} {
		var v any
		err := superjson.Unmarshal([]byte(row.text), &v)
		if row.want == "" && err != nil || row.want != "" && (err == nil || !strings.Contains(err.Error(), row.want)) {
			t.Errorf("%s: %v, want %q", row.name, err, row.want)
		}
		var in struct{ Any any }
		_ = superjson.Unmarshal([]byte(row.text), &in)
		var kept superjson.Value
		if err := superjson.Unmarshal([]byte(row.text), &kept); err != nil {
			t.Errorf("%s: a Value: %v", row.name, err)
		}
	}
	var m *superjson.Map
	if err := superjson.Unmarshal([]byte(`{"json":[[1,2]],"meta":{"values":["map"],"referentialEqualities":[["0.1"]],"v":1}}`), &m); err == nil || !strings.Contains(err.Error(), "got a cycle") {
		t.Errorf("a *Map: %v", err)
	}
}

func everyIndex(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, `,"%d"`, i+1)
	}
	return b.String()[1:]
}

// The work for each place is that of its own equalities, not of all.
func TestManyEqualities(t *testing.T) {
	const n = 100_000
	text := []byte(`{"json":[` + strings.Repeat(`{"any":[1]},`, n) + `{"any":[1]}],"meta":{"referentialEqualities":{"0.any":[` + strings.ReplaceAll(everyIndex(n), `",`, `.any",`) + `]},"v":1}}`)
	text = []byte(strings.Replace(string(text), fmt.Sprintf(`"%d"]`, n), fmt.Sprintf(`"%d.any"]`, n), 1))
	began := time.Now()
	var typed []user
	if err := superjson.Unmarshal(text, &typed); err != nil {
		t.Error(err)
	}
	var tree any
	if err := superjson.Unmarshal(text, &tree); err != nil {
		t.Error(err)
	}
	if took := time.Since(began); took > time.Minute { // it was refused, since each place looked at all paths
		t.Errorf("it took %v", took)
	}
	tree.([]any)[0].(map[string]any)["any"].([]any)[0] = 2.0
	if got := tree.([]any)[n].(map[string]any)["any"].([]any)[0]; got != 2.0 {
		t.Errorf("the last is not the first: %v", got)
	}
}

// Places that are copies of one described place have everything below it in common. A short text must not have that gathered
// for each of them.
func TestManyCopiesOfOnePlace(t *testing.T) {
	if testing.Short() {
		t.Skip("decodes a lot on one goroutine: not under -short")
	}
	const n = 5_000 // 170 KB: it would take seconds
	var pairs strings.Builder
	for i := range n {
		fmt.Fprintf(&pairs, `,"0.a%d":["0.b%[1]d"]`, i)
	}
	text := []byte(`{"json":[{}` + strings.Repeat(`,{}`, n) + `],"meta":{"referentialEqualities":{"0":[` + everyIndex(n) + `]` + pairs.String() + `},"v":1}}`)
	for _, target := range []any{new([]any), new([]superjson.Value)} {
		if err := superjson.Unmarshal(text, target); err == nil || !strings.Contains(err.Error(), "too many equalities") {
			t.Errorf("%T: %v", target, err)
		}
	}
	deep := "1" + strings.Repeat(".x", 900)
	text = []byte(`{"json":[{},{}],"meta":{"referentialEqualities":{"0":["` + deep + `"]` + pairs.String() + `},"v":1}}`)
	if err := superjson.Unmarshal(text, new([]any)); err == nil || !strings.Contains(err.Error(), "too many equalities") {
		t.Errorf("a deep copy: %v", err)
	}
}

// Members whose names differ from a field's in the case take one place for the field, however many they are.
func TestManyNamesInAnotherCase(t *testing.T) {
	text := `{` + strings.Repeat(`"A":1,`, 200_000) + `"b":"x"}` // 1.2 MB: it would take minutes
	var v struct{ A, B int }
	m := superjson.Meter{Limit: 1 << 20}
	if err := superjson.DecodeMetered(superjson.ModeJSON, []byte(text), nil, &v, nil, &m); err == nil || !strings.Contains(err.Error(), "b: expected") {
		t.Errorf("%.200v", err)
	}
}
