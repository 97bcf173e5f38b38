package bind

import (
	"context"
	"maps"
	"strings"
	"testing"

	"github.com/kkrpc-go/kkrpc/internal/wire"
)

// counter has one of everything that a struct can expose.
type counter struct {
	Start  variable
	Shared *variable
	Nested struct {
		Limit variable
	} `kkrpc:"nested"`
	Free   object
	Hidden int
}

func (c *counter) Add(n float64) float64 {
	c.Start.value = c.Start.value.(float64) + n
	return c.Start.value.(float64)
}

func newCounter() *counter {
	c := &counter{Start: variable{1.0}, Shared: &variable{2.0}}
	c.Nested.Limit.value = 3.0
	return c
}

func TestPropertiesAndNamespaces(t *testing.T) {
	needsMethods(t)
	c := newCounter()
	c.Free = object{
		"twice": func(a float64) float64 { return 2 * a }, "text": "a", "null": nil, "shared": &shared{1},
		"items": (<-chan int)(nil), "new": class{func(n float64) point { return point{X: n} }}, "Ünder.dot": 1,
	}
	api := expose(t, c)
	for _, r := range []struct{ request, want string }{
		{`"op":"get","p":["start"]`, `1`},
		{`"op":"set","p":["start"],"v":5`, `true`},
		{`"op":"get","p":["start"]`, `5`},
		{`"op":"set","p":["start"],"v":-1`, `failed: negative`},
		{`"op":"set","p":["start"],"v":"x"`, `TypeError: start: expected number, got string`},
		{`"op":"set","p":["start"]`, `TypeError: start: expected number, got undefined`},
		{`"op":"call","p":["add"],"a":[2]`, `7`},
		{`"op":"get","p":["nested"]`, `{"limit":3}`},
		{`"op":"get","p":["nested","limit"]`, `3`},
		{`"op":"get","p":["free"]`, `{"null":null,"shared":1,"text":"a","Ünder.dot":1}`},
		{`"op":"get","p":["free","twice"]`, `undefined`},
		{`"op":"get","p":["free","no"]`, `undefined`},
		{`"op":"get","p":["free","Ünder.dot"]`, `1`},
		{`"op":"get","p":["free","tw\u0069ce"]`, `undefined`},
		{`"op":"call","p":["free","tw\u0069ce"],"a":[4]`, `8`},
		{`"op":"new","p":["free","new"],"a":[4]`, `{"X":4,"Y":0}`},
		{`"op":"call","p":["free","new"],"a":[4]`, `TypeError: Class constructor free.new cannot be invoked without 'new'`},
		{`"op":"new","p":["add"],"a":[]`, `TypeError: add is not a constructor`},
		{`"op":"call","p":["hidden"],"a":[]`, `Error: hidden is not a function`},
		{`"op":"call","p":["free","__proto__","x"],"a":[]`, `Error: Cannot access x on undefined`},
		{`"op":"get","p":["free","null","x"]`, `Error: Cannot access x on null`},
		{`"op":"set","p":["free","text"],"v":1`, `TypeError: Cannot assign to read only property free.text`},
		{`"op":"set","p":["free","no"],"v":1`, `TypeError: Cannot add property free.no`},
		{`"op":"call","p":[],"a":[]`, `Error: The API itself is not a function`},
	} {
		if got := answer(t, api, parse(t, r.request)); got != r.want {
			t.Errorf("%s: got %s, want %s", r.request, got, r.want)
		}
	}
}

// A set keeps the stream that it is given, so that nobody ends it behind the request.
func TestOnlyASetKeepsWhatItDecodes(t *testing.T) {
	api := expose(t, &struct{ V variable }{})
	for op, want := range map[string]bool{`"op":"set","p":["v"],"v":1`: true, `"op":"get","p":["v"]`: false} {
		m, _, refusal := api.Lookup(parse(t, op).Message)
		if refusal != nil || m.Keeps != want {
			t.Errorf("%s: keeps %v, %v", op, m.Keeps, refusal)
		}
	}
}

func TestEmptyAPI(t *testing.T) {
	api, err := newTypes().Expose(nil)
	if err != nil || !api.IsEmpty() || !new(API).IsEmpty() || new(API).HasReferences() {
		t.Fatal(err, api.IsEmpty())
	}
	for _, a := range []*API{&api, {}} {
		if got := answer(t, a, parse(t, `"op":"call","p":["f"],"a":[]`)); got != "Error: No API exposed" {
			t.Error(got)
		}
	}
}

// Values of one type share what is compiled, and nothing else.
func TestValuesOfATypeShareATree(t *testing.T) {
	type service struct {
		V     *variable
		Inner *struct{ W variable } `kkrpc:"inner"`
	}
	types := newTypes()
	made := func(v, w float64) *API {
		s := &service{V: &variable{v}, Inner: &struct{ W variable }{variable{w}}}
		api, err := types.Expose(s)
		if err != nil {
			t.Fatal(err)
		}
		return &api
	}
	a, b := made(1, 2), made(3, 4)
	if a.tree != b.tree {
		t.Error("each has a tree of its own")
	}
	for api, want := range map[*API]string{a: `{"inner":{"w":2},"v":1}`, b: `{"inner":{"w":4},"v":3}`} {
		if got := answer(t, api, parse(t, `"op":"get","p":[]`)); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
	if _, err := types.Expose(&service{V: &variable{}}); err == nil {
		t.Error("a nil pointer on the way to a property was accepted")
	}
}

func TestAnAPIInAnAPI(t *testing.T) {
	type inner struct {
		V variable
		R variable
	}
	types := newTypes()
	first, err := types.Expose(&inner{V: variable{1.0}, R: variable{2.0}})
	if err != nil {
		t.Fatal(err)
	}
	api, err := types.Expose(object{"a": &compiled{first}, "b": &compiled{first}, "take": func(*reference) {}})
	if err != nil {
		t.Fatal(err)
	}
	if !api.HasReferences() || first.HasReferences() {
		t.Errorf("references: %v and %v", api.HasReferences(), first.HasReferences())
	}
	if got := answer(t, &api, parse(t, `"op":"set","p":["a","r"],"v":7`)); got != "true" {
		t.Error(got)
	}
	if got := answer(t, &api, parse(t, `"op":"get","p":["b","r"]`)); got != "7" {
		t.Error(got)
	}
	kinds := map[string]EntryKind{}
	if api, err = types.Expose(object{"in": &compiled{*expose(t, object{"c": 1, "p": &variable{1.0}, "o": object{}})}}); err != nil {
		t.Fatal(err)
	}
	for e := range api.Entries() {
		kinds[join(e.Path)] = e.Kind
	}
	if want := map[string]EntryKind{"in": Namespace, "in.c": Constant, "in.p": Property, "in.o": Namespace}; !maps.Equal(kinds, want) {
		t.Errorf("entries: %v, want %v", kinds, want)
	}
	if again, err := types.Expose(&compiled{api}); err != nil || again.tree != api.tree {
		t.Errorf("Expose of an API: %v, %v", again, err)
	}
	if _, err = types.Expose(object{"a": &compiled{}}); err == nil || !strings.Contains(err.Error(), "nothing in it") {
		t.Errorf("an empty API: %v", err)
	}
}

func TestLookupInAReference(t *testing.T) {
	api := expose(t, object{"f": func() int { return 1 }, "v": 2, "in": object{}})
	for _, r := range []struct {
		kind wire.Kind
		path []string
		want string // "": there is something
	}{
		{wire.Call, []string{"f"}, ""},
		{wire.Get, []string{"v"}, ""},
		{wire.Get, nil, ""},
		{wire.Call, nil, "Error:  is not a function"},
		{wire.Call, []string{"v"}, "Error: v is not a function"},
		{wire.Set, nil, "Error: Cannot set empty path"},
		{wire.Get, []string{"v", "x", "y"}, "Error: Cannot access y on undefined"},
	} {
		m, inv, refused := api.LookupIn(r.kind, r.path)
		if refused == nil && (m == nil || inv == nil) || refused != nil && refused.Error() != r.want || refused == nil && r.want != "" {
			t.Errorf("%v %v: got %v, want %s", r.kind, r.path, refused, r.want)
		}
	}
	for path, want := range map[string]string{"f": "", "in": "", "g": "TypeError: the reference has no g", "in.x.y": "Error: Cannot access y on undefined"} {
		got := ""
		if missing := api.Has(strings.Split(path, ".")); missing != nil {
			got = missing.Error()
		}
		if got != want {
			t.Errorf("%s: got %s, want %s", path, got, want)
		}
	}
}

func TestGet(t *testing.T) {
	m, inv := Get(5)
	if err := inv.Decode(nil); err != nil {
		t.Fatal(err)
	}
	if err := inv.Run(context.Background()); err != nil {
		t.Fatal(err)
	}
	dst, _, err := inv.AppendResult(nil, newWriter(), "v")
	if err != nil || string(dst) != "5" || inv.Outcome() != 5 || !m.HasResult {
		t.Errorf("got %s, %v", dst, err)
	}
}
