package schema_test

import (
	"context"
	"testing"

	"github.com/kkrpc-go/kkrpc"
	"github.com/kkrpc-go/kkrpc/schema"
)

type (
	person struct {
		Name   string  `json:"name"`
		Age    int     `json:"age"`
		Parent *person `json:"parent"`
	}
	human struct {
		Parent *human `json:"parent"`
		Age    int    `json:"age"`
		Name   string `json:"name"`
	}
)

func hashOf(t *testing.T, api kkrpc.Object) string {
	t.Helper()
	return describe(t, api).Hash()
}

// What crosses decides about the hash, and nothing else.
func TestHash(t *testing.T) {
	first := hashOf(t, kkrpc.Object{"f": func(person, ...int) person { return person{} }, "n": kkrpc.Object{"x": 1}})
	if again := hashOf(t, kkrpc.Object{"f": func(human, ...int) human { return human{} }, "n": kkrpc.Object{"x": 2}}); again != first || len(first) != 12 {
		t.Errorf("a type by another name, fields in another order: %s and %s", first, again)
	}
	seen := map[string]string{first: "the first"}
	for name, api := range map[string]kkrpc.Object{
		"nothing":          {},
		"a function":       {"f": func() {}},
		"another name":     {"g": func() {}},
		"a result":         {"f": func() int { return 0 }},
		"another result":   {"f": func() float64 { return 0 }},
		"a parameter":      {"f": func(int) {}},
		"an optional one":  {"f": func(*int) {}},
		"any number":       {"f": func(...int) {}},
		"two":              {"f": func(int, int) {}},
		"a callback":       {"f": func(func(int)) {}},
		"another callback": {"f": func(func(string)) {}},
		"a property":       {"f": kkrpc.NewProperty(1)},
		"a read-only one":  {"f": kkrpc.ReadOnly[int](func(context.Context) (int, error) { return 0, nil })},
		"a constant":       {"f": 1},
		"a namespace":      {"f": kkrpc.Object{"x": 1}},
		"a name behind it": {"f": kkrpc.Object{}, "x": 1},
		"a class":          {"f": kkrpc.Constructor(func() int { return 0 })},
		"a field":          {"f": func(struct{ A int }) {}},
		"another field":    {"f": func(struct{ B int }) {}},
		"one that may miss": {"f": func(struct {
			A int `json:",omitempty"`
		}) {
		}},
		"one in quotes": {"f": func(struct {
			A int `json:",string"`
		}) {
		}},
		"a list":                 {"f": func([]int) {}},
		"a list of fixed length": {"f": func([2]int) {}},
		"a map":                  {"f": func(map[string]int) {}},
	} {
		hash := hashOf(t, api)
		if other := seen[hash]; other != "" {
			t.Errorf("%s and %s have one hash", name, other)
		}
		seen[hash] = name
	}
}

// A description that another module has written in another form is refused, and not misread.
func TestParse(t *testing.T) {
	if api, err := schema.Parse([]byte(`{"version":1,"name":"API","members":[{"name":"f","kind":"method","new":1}]}`)); err != nil || api.Members[0].Kind != schema.Method {
		t.Errorf("%v, %v", api, err)
	}
	for text, want := range map[string]string{
		`{"name":"API"}`:             "schema: the description has version 0; this module reads 1",
		`{"version":2,"name":"API"}`: "schema: the description has version 2; this module reads 1",
		`[]`:                         "schema: no description of an API: json: cannot unmarshal array into Go value of type schema.API",
	} {
		if _, err := schema.Parse([]byte(text)); err == nil || err.Error() != want {
			t.Errorf("%s: %v, want %s", text, err, want)
		}
	}
}
