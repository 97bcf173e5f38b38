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
	id string
	// even and even2 lead back to themselves, and differ two types away.
	even  struct{ Next *odd }
	odd   struct{ Next *even3 }
	even3 struct{ Next *even }
	even2 struct{ Next *odd2 }
	odd2  struct{ Next *even4 }
	even4 struct {
		Next *even2
		More int
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
	if id := hashOf(t, kkrpc.Object{"f": func(a, b id) {}}); id != hashOf(t, kkrpc.Object{"f": func(a, b string) {}}) {
		t.Error("a name of a string changes the hash")
	}
	if one := hashOf(t, kkrpc.Object{"f": func(a, b person) {}}); one != hashOf(t, kkrpc.Object{"f": func(person, human) {}}) {
		t.Error("two types that are equal differ from one")
	}
	if chain := hashOf(t, kkrpc.Object{"f": func(even) {}}); chain == hashOf(t, kkrpc.Object{"f": func(even2) {}}) {
		t.Error("types that differ far away have one hash")
	}
	withError := describe(t, kkrpc.Object{"f": func(person, ...int) person { return person{} }, "n": kkrpc.Object{"x": 1}})
	withError.Types = append(withError.Types, schema.Named{Name: "Reason", Type: schema.Type{Kind: schema.Struct}})
	withError.Errors = []schema.Exception{{Name: "E", Fields: []schema.Field{{Name: "why", Type: schema.Type{Kind: schema.NamedType, Name: "Reason"}}}}}
	if withError.Hash() != first {
		t.Error("an error that source declares changes the hash")
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
		"a reference":            {"f": func(*kkrpc.Ref) {}},
		"one to a function":      {"f": func(kkrpc.RefTo[func()]) {}},
		"one to another":         {"f": func(kkrpc.RefTo[func(int)]) {}},
		"one to an object":       {"f": func(kkrpc.RefTo[older]) {}},
		"one to another object":  {"f": func(kkrpc.RefTo[newer]) {}},
	} {
		hash := hashOf(t, api)
		if other := seen[hash]; other != "" {
			t.Errorf("%s and %s have one hash", name, other)
		}
		seen[hash] = name
	}
}
