package superjson_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/kkrpc-go/kkrpc/superjson"
)

// libraryGraphs are values of the library whose objects are in several places.
func libraryGraphs(t *testing.T, library string) map[string]struct{ text, graph string } {
	all := map[string]struct{ text, graph string }{}
	for _, line := range node(t, library, "graphs", nil) {
		var g struct{ Name, Text, Graph string }
		if err := json.Unmarshal([]byte(line), &g); err != nil {
			t.Fatal(err)
		}
		all[g.Name] = struct{ text, graph string }{g.Text, g.Graph}
	}
	return all
}

// graphsIn returns what the library sees in texts of Go.
func graphsIn(t *testing.T, library string, texts []string) []string {
	lines := node(t, library, "graph", texts)
	for i, line := range lines {
		if err := json.Unmarshal([]byte(line), &lines[i]); err != nil {
			t.Fatal(err)
		}
	}
	return lines
}

type author struct {
	Name  string   `json:"name"`
	Posts []*essay `json:"posts"`
}

type essay struct {
	Author *author `json:"author"`
	Title  string  `json:"title"`
}

// The other order of fields, in which the library meets the objects.
type lateAuthor struct {
	Posts []*lateEssay `json:"aPosts"`
	Name  string       `json:"name"`
}

type lateEssay struct {
	Title  string      `json:"aTitle"`
	Author *lateAuthor `json:"author"`
}

func TestGoGraphsInTheLibrary(t *testing.T) {
	user := &author{Name: "u"}
	post := &essay{user, "p"}
	user.Posts = []*essay{post}
	late := &lateAuthor{Name: "u"}
	latePost := &lateEssay{"p", late}
	late.Posts = []*lateEssay{latePost}
	one, two := map[string]any{"k": "1"}, map[string]any{}
	one["two"], two["one"] = two, one
	ring := []any{1, nil, nil}
	ring[1], ring[2] = ring, map[string]any{"ring": ring}
	rows := []struct {
		name string
		v    any
		want string
	}{
		{"user, post", []any{user, post}, "[{name:\"u\",posts:[{author:#1,title:\"p\"}]},#3]"},
		{"post, user", []any{post, user}, "[{author:{name:\"u\",posts:[#1]},title:\"p\"},#2]"},
		{"user and post as members", map[string]any{"b": post, "a": user}, "{a:{name:\"u\",posts:[{author:#1,title:\"p\"}]},b:#3}"},
		{"post in a deeper place first", map[string]any{"a": []any{[]any{post}}, "b": user, "c": post},
			"{a:[[{author:{name:\"u\",posts:[#3]},title:\"p\"}]],b:#4,c:#3}"},
		{"late user, post", []any{late, latePost}, "[{aPosts:[{aTitle:\"p\",author:#1}],name:\"u\"},#3]"},
		{"late post, user", []any{latePost, late}, "[{aTitle:\"p\",author:{aPosts:[#1],name:\"u\"}},#2]"},
		{"maps", []any{one, two, one}, "[{k:\"1\",two:{one:#1}},#2,#1]"},
		{"maps, the other first", []any{two, one, two}, "[{one:{k:\"1\",two:#1}},#2,#1]"},
		{"in a Map", superjson.NewMap(superjson.Entry{Key: "a", Value: user}, superjson.Entry{Key: "b", Value: post}),
			"Map(\"a\"=>{name:\"u\",posts:[{author:#1,title:\"p\"}]},\"b\"=>#3)"},
		{"in a Set", superjson.NewSet(user, post), "Set({name:\"u\",posts:[{author:#1,title:\"p\"}]},#3)"},
		{"root", ring, "[1,#0,{ring:#0}]"},
	}
	var texts []string
	for _, row := range rows {
		text, err := superjson.Marshal(row.v)
		if err != nil {
			t.Fatalf("%s: %v", row.name, err)
		}
		texts = append(texts, string(text))
	}
	for _, library := range libraries {
		for i, got := range graphsIn(t, library, texts) {
			if got != rows[i].want {
				t.Errorf("%s in %s:\n got  %s\n want %s\n wire %s", rows[i].name, library, got, rows[i].want, texts[i])
			}
		}
	}
}

// A Value gives the library back what it wrote, and better: the library reads its own text without the way back.
func TestLibraryGraphsThroughValue(t *testing.T) {
	for _, library := range libraries {
		graphs := libraryGraphs(t, library)
		var texts, names []string
		for name, g := range graphs {
			var v superjson.Value
			if err := superjson.Unmarshal([]byte(g.text), &v); err != nil {
				t.Errorf("%s: %v", name, err)
				continue
			}
			text, err := superjson.Marshal(v)
			if err != nil {
				t.Errorf("%s: %v", name, err)
				continue
			}
			texts, names = append(texts, string(text)), append(names, name)
		}
		for i, got := range graphsIn(t, library, texts) {
			if names[i] != "functions" && got != graphs[names[i]].graph {
				t.Errorf("%s:\n got  %.300s\n want %.300s\n wire %.300s", names[i], got, graphs[names[i]].graph, texts[i])
			}
		}
	}
}

func TestLibraryGraphsInGo(t *testing.T) {
	for _, library := range libraries {
		graphs := libraryGraphs(t, library)
		decode := func(name string, v any) {
			t.Helper()
			if err := superjson.Unmarshal([]byte(graphs[name].text), v); err != nil {
				t.Fatalf("%s: %v", name, err)
			}
		}
		for _, name := range []string{"usersFirst", "postsFirst", "pair"} {
			var v any
			err := superjson.Unmarshal([]byte(graphs[name].text), &v)
			if mismatch, ok := errors.AsType[*superjson.TypeError](err); !ok || mismatch.Got != "a cycle" || !strings.Contains(mismatch.Expected, "superjson.Value") {
				t.Errorf("%s: %v", name, err)
			}
		}

		var grid, deepGrid any
		decode("grid", &grid)
		row := func(v any, i int) []any { return v.([]any)[i].([]any) }
		row(grid, 0)[0].(map[string]any)["k"] = "changed"
		if got := row(grid, 55)[55].(map[string]any)["k"]; got != "changed" {
			t.Errorf("grid: %v", got)
		}
		decode("deepGrid", &deepGrid)
		bounds := func(v any) map[string]any { return v.(map[string]any)["bounds"].(map[string]any) }
		bounds(row(deepGrid, 17)[3])["min"].(map[string]any)["at"] = "changed"
		if got := bounds(row(deepGrid, 55)[55])["max"].(map[string]any)["at"]; got != "changed" {
			t.Errorf("deep grid: %v", got)
		}
		var typed [][]struct{ Bounds any }
		decode("deepGrid", &typed)
		for _, at := range [][2]int{{0, 0}, {0, 1}, {55, 55}} {
			b := typed[at[0]][at[1]].Bounds.(map[string]any)
			b["min"].(map[string]any)["at"] = at
			if b["max"].(map[string]any)["at"] != at {
				t.Errorf("typed grid at %v: the copy is not equal inside", at)
			}
		}
		var kept [][]superjson.Value
		decode("deepGrid", &kept)
		var again []string
		for _, at := range [][2]int{{0, 0}, {55, 55}} {
			text, err := superjson.Marshal(kept[at[0]][at[1]])
			if err != nil {
				t.Fatal(err)
			}
			again = append(again, string(text))
		}
		for _, got := range graphsIn(t, library, again) {
			if got != "{x:1,bounds:{min:{at:Date(1970-01-01T00:00:00.001Z)},max:#2}}" {
				t.Errorf("a Value of the grid is %s", got)
			}
		}

		for _, name := range []string{"notNumbers", "bigints"} {
			var rows []struct{ V any }
			decode(name, &rows)
			if len(rows) != 2049 || name == "bigints" && rows[2048].V.(*big.Int).Int64() != 7 || name != "bigints" && rows[2048].V == rows[2048].V.(float64) {
				t.Errorf("%s: %d rows, the last is %v", name, len(rows), rows[2048].V)
			}
		}

		var tree any
		decode("functions", &tree)
		functions := tree.(map[string]any)
		functions["z"].(map[string]any)["k"] = "changed"
		if got := fmt.Sprint(functions["list"], functions["open"], functions["zz"]); got != "[<nil> 1] <nil> map[k:changed]" {
			t.Errorf("functions: %s", got)
		}

		decode("prices", &tree)
		prices := tree.(map[string]any)
		prices["price"].(*big.Int).SetInt64(1)
		if got := prices["paid"].(*big.Int).Int64(); got != 5 {
			t.Errorf("the other bigint is %d", got)
		}
		decode("dates", &tree)
		if dates := tree.(map[string]any); dates["from"].(time.Time).UnixMilli() != 5 || dates["to"] != dates["from"] {
			t.Errorf("dates: %v", dates)
		}
		decode("urls", &tree) // a URL can be changed in JavaScript too
		if urls := tree.(map[string]any); urls["a"].(*url.URL) != urls["b"].(*url.URL) {
			t.Error("one URL became two")
		}
		var empty map[string]map[string]any
		decode("emptyKeys", &empty)
		if got := empty[""][""].(map[string]any)[""].(*big.Int).Int64(); got != 1 {
			t.Errorf("empty keys: %v", empty)
		}
	}
}

// A second argument that is inside of the first one has null where the first would be.
func TestCyclesThroughTheValueBeside(t *testing.T) {
	text := `{"args":[{"name":"u","posts":[{"author":null}]},{"author":null}]}`
	meta, err := superjson.ParseMeta([]byte(`{"referentialEqualities":{"args.0":["args.0.posts.0.author"],"args.1":["args.0.posts.0"]},"v":1}`))
	if err != nil {
		t.Fatal(err)
	}
	second := meta.Sub("args", "1")
	for _, target := range []any{new(any), new(superjson.Value), new(map[string]any), new(map[string]superjson.Value)} {
		err := superjson.Decode(sj, []byte(`{"author":null}`), second, target)
		if mismatch, ok := errors.AsType[*superjson.TypeError](err); !ok || mismatch.Got != "a cycle through another value" {
			t.Errorf("%T: %v", target, err)
		}
	}
	var whole superjson.Value
	if err := superjson.Decode(sj, []byte(text), meta, &whole); err != nil {
		t.Error(err)
	}
	var typed struct{ Args []author }
	if err := superjson.Decode(sj, []byte(text), meta, &typed); err != nil || typed.Args[0].Posts[0].Author != nil {
		t.Errorf("%+v, %v", typed, err)
	}
}

// What is inside of an object that a value has a copy of is equal as it is in the object.
func TestCopiesInsideOfAnotherValue(t *testing.T) {
	meta, err := superjson.ParseMeta([]byte(`{"referentialEqualities":{"0":["1.p","1.q"],"0.x":["0.y"]},"v":1}`))
	if err != nil {
		t.Fatal(err)
	}
	raw := []byte(`{"p":{"x":{},"y":{}},"q":{"x":{},"y":{}}}`)
	for _, v := range []any{new(any), new(superjson.Value)} {
		if err := superjson.Decode(sj, raw, meta.Sub("1"), v); err != nil {
			t.Fatal(err)
		}
		if kept, ok := v.(*superjson.Value); ok {
			v = new(any)
			if err := kept.Decode(v); err != nil {
				t.Fatal(err)
			}
		}
		tree := (*v.(*any)).(map[string]any)
		tree["p"].(map[string]any)["x"].(map[string]any)["k"] = 1
		if got := fmt.Sprint(tree["q"]); got != "map[x:map[k:1] y:map[k:1]]" {
			t.Errorf("%T: %s", v, got)
		}
	}
}
