package bind

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
)

// session is what the functions of one connection share.
type session struct{ name string }

func (s *session) Name() string { return s.name }

func (s *session) Point(p point) point { return point{X: p.Y, Y: float64(len(s.name))} }

type named interface{ Name() string }

// of returns the API of one connection, with one of everything.
func (s *session) of(inner *API) object {
	return object{
		"fast":   func(_ context.Context, text string) (string, error) { return s.name + text, nil },
		"slow":   func(p point) point { return s.Point(p) },
		"value":  s.Name,
		"spread": func(texts ...string) string { return s.name + strings.Join(texts, "") },
		"v":      &variable{float64(len(s.name))},
		"const":  s.name,
		"data":   []string{s.name},
		"null":   nil,
		"new":    class{func() string { return s.name }},
		"in":     object{"deep": object{"name": func() string { return s.name }}},
		"z":      &compiled{*inner}, // behind the others
		"zz":     &compiled{*inner},
	}
}

// withMethods is an API of methods, of fields with values that only the tag makes part of it, and of an API in it.
type withMethods struct {
	Free  object
	As    any                  `kkrpc:"as"`
	Say   func() string        `kkrpc:"say"`
	Text  string               `kkrpc:"text"`
	Inner struct{ V variable } `kkrpc:"inner"`
	s     *session
}

func (w *withMethods) Whose() string { return w.s.name }

func (s *session) methods() *withMethods {
	w := &withMethods{Free: object{"name": s.Name}, As: as{(*named)(nil), s}, Say: s.Name, Text: s.name, s: s}
	w.Inner.V.value = float64(len(s.name))
	return w
}

// The APIs of connections share what is compiled, and nothing of another connection.
func TestTheAPIsOfConnectionsShareATree(t *testing.T) {
	types := newTypes()
	whole := func(v any) *API {
		t.Helper()
		api, err := types.Expose(v)
		if err != nil {
			t.Fatal(err)
		}
		return &api
	}
	for _, test := range []struct {
		name    string
		methods bool
		made    func(s *session) any
		answers []string // request, answer; $ is the name, # its length
	}{
		{"Object", false, func(s *session) any { return s.of(whole(object{"name": s.Name, "n": float64(len(s.name))})) }, []string{
			`"op":"call","p":["fast"],"a":["!"]`, `"$!"`,
			`"op":"call","p":["slow"],"a":[{"X":1,"Y":2}]`, `{"X":2,"Y":#}`,
			`"op":"call","p":["value"],"a":[]`, `"$"`,
			`"op":"call","p":["spread"],"a":["a","b"]`, `"$ab"`,
			`"op":"get","p":["v"]`, `#`,
			`"op":"set","p":["v"],"v":9`, `true`,
			`"op":"get","p":["v"]`, `9`,
			`"op":"get","p":["const"]`, `"$"`,
			`"op":"get","p":["data"]`, `["$"]`,
			`"op":"get","p":["null"]`, `null`,
			`"op":"new","p":["new"],"a":[]`, `"$"`,
			`"op":"call","p":["in","deep","name"],"a":[]`, `"$"`,
			`"op":"call","p":["z","name"],"a":[]`, `"$"`,
			`"op":"get","p":["z"]`, `{"n":#}`,
			`"op":"call","p":["zz","name"],"a":[]`, `"$"`,
			`"op":"get","p":["zz","n"]`, `#`,
			`"op":"call","p":["fast"],"a":[]`, `TypeError: fast: argument 1: expected string, got undefined`,
		}},
		{"struct", true, func(s *session) any { return s.methods() }, []string{
			`"op":"call","p":["whose"],"a":[]`, `"$"`,
			`"op":"call","p":["free","name"],"a":[]`, `"$"`,
			`"op":"call","p":["as","name"],"a":[]`, `"$"`,
			`"op":"call","p":["say"],"a":[]`, `"$"`,
			`"op":"get","p":["inner"]`, `{"v":#}`,
			`"op":"get","p":["text"]`, `"$"`,
		}},
		{"interface", true, func(s *session) any { return as{(*named)(nil), s} }, []string{`"op":"call","p":["name"],"a":[]`, `"$"`}},
	} {
		t.Run(test.name, func(t *testing.T) {
			if test.methods {
				needsMethods(t)
			}
			ada, bob := &session{"ada"}, &session{"robert"}
			first, second := whole(test.made(ada)), whole(test.made(bob))
			if first.tree != second.tree {
				t.Error("each has a tree of its own")
			}
			for i := 0; i < len(test.answers); i += 2 {
				for s, api := range map[*session]*API{ada: first, bob: second} {
					want := strings.NewReplacer("$", s.name, "#", fmt.Sprint(len(s.name))).Replace(test.answers[i+1])
					if got := answer(t, api, parse(t, test.answers[i])); got != want {
						t.Errorf("%s, %s: got %s, want %s", s.name, test.answers[i], got, want)
					}
				}
			}
		})
	}
}

// A value that differs in what the compiled form depends on is compiled for itself, and refused where it would be
// refused alone.
func TestWhatDiffersHasAShapeOfItsOwn(t *testing.T) {
	double := func(n float64) float64 { return 2 * n }
	triple := func(n float64) float64 { return 3 * n }
	inner := func(v any) *compiled { return &compiled{*expose(t, v)} }
	known := inner(object{"f": double})
	of := func(key string, v any) object {
		o := object{"f": double, "g": double, "v": &variable{1.0}, "in": object{"f": double}, "api": known, "new": class{double}, "const": 1}
		o[key] = v
		return o
	}
	types := newTypes()
	a, _ := types.Expose(of("f", double))
	if b, err := types.Expose(of("f", double)); err != nil || a.tree != b.tree {
		t.Fatalf("the same has a tree of its own; %v", err)
	}
	for name, v := range map[string]any{
		"another func":           of("f", triple),
		"another type":           of("f", func(n int) int { return n }),
		"a constant for a func":  of("f", 1),
		"nil for a func":         of("f", nil),
		"another constant":       of("const", "1"),
		"nil for a constant":     of("const", nil),
		"another constructor":    of("new", class{triple}),
		"another namespace":      of("in", object{"g": double}),
		"a larger namespace":     of("in", object{"f": double, "g": double}),
		"another API":            of("api", inner(object{"f": double})),
		"nil for an API":         of("api", nil),
		"a func for a property":  of("v", double),
		"another func in a name": of("in", object{"f": triple}),
	} {
		types := newTypes()
		first, err := types.Expose(of("f", double))
		if err != nil {
			t.Fatal(err)
		}
		other, err := types.Expose(v)
		if err != nil {
			t.Errorf("%s: %v", name, err)
		} else if other.tree == first.tree {
			t.Errorf("%s: has the tree of another value", name)
		}
		for _, request := range []string{`"op":"call","p":["f"],"a":[5]`, `"op":"get","p":[]`, `"op":"call","p":["in","f"],"a":[5]`, `"op":"new","p":["new"],"a":[5]`} {
			alone := expose(t, v)
			if got, want := answer(t, &other, parse(t, request)), answer(t, alone, parse(t, request)); got != want {
				t.Errorf("%s, %s: got %s, want %s", name, request, got, want)
			}
		}
	}
	for name, v := range map[string]any{
		"a nil func":         of("f", (func(float64) float64)(nil)),
		"a nil property":     of("v", (*variable)(nil)),
		"a nil constructor":  of("new", class{(func(float64) float64)(nil)}),
		"no constructor":     of("new", class{}),
		"an API that is nil": of("api", inner(nil)),
		"a bad name":         object{"f": double, "\xff": 1},
	} {
		types := newTypes()
		if _, err := types.Expose(of("f", double)); err != nil {
			t.Fatal(err)
		}
		_, err := types.Expose(v)
		_, alone := newTypes().Expose(v)
		if err == nil || alone == nil || err.Error() != alone.Error() {
			t.Errorf("%s: got %v, want %v", name, err, alone)
		}
	}
}

type anonymous struct{}

func (anonymous) Name() string { return "nobody" }

func (anonymous) Point(p point) point { return p }

// So is an implementation in an Object.
func TestAnotherImplementationHasAShapeOfItsOwn(t *testing.T) {
	needsMethods(t)
	type placed interface{ Point(p point) point }
	types := newTypes()
	var apis []API
	for _, v := range []any{as{(*named)(nil), &session{}}, as{(*named)(nil), anonymous{}}, as{(*placed)(nil), anonymous{}}} {
		api, err := types.Expose(object{"in": v})
		if err != nil {
			t.Fatal(err)
		}
		for _, other := range apis {
			if api.tree == other.tree {
				t.Errorf("%v has the tree of another", v)
			}
		}
		apis = append(apis, api)
	}
	for _, v := range []any{as{(*named)(nil), nil}, as{(*named)(nil), (*session)(nil)}} {
		if _, err := types.Expose(object{"in": v}); err == nil {
			t.Errorf("%v was accepted", v)
		}
	}
}

// A struct of a known type is refused if what it holds is nil.
func TestAStructOfAKnownShapeMayBeRefused(t *testing.T) {
	type service struct {
		V *variable
		F func() int `kkrpc:"f"`
	}
	types := newTypes()
	f := func() int { return 1 }
	for _, v := range []service{{&variable{}, f}, {nil, f}, {&variable{}, nil}} {
		if _, err := types.Expose(&v); (err == nil) != (v.V != nil && v.F != nil) {
			t.Errorf("%v: %v", v, err)
		}
	}
	if _, err := types.Expose((*service)(nil)); err == nil {
		t.Error("a nil pointer was accepted")
	}
}

// What a program does with an Object afterwards changes nothing.
func TestAnObjectIsRead(t *testing.T) {
	types := newTypes()
	for range 2 {
		o := object{"f": func() int { return 1 }}
		api, err := types.Expose(o)
		if err != nil {
			t.Fatal(err)
		}
		o["f"], o["g"] = "text", 1
		if got := answer(t, &api, parse(t, `"op":"call","p":["f"],"a":[]`)); got != "1" {
			t.Error(got)
		}
	}
}

// Names that are made for each connection do not fill the memory.
func TestKnownShapesAreBounded(t *testing.T) {
	types := newTypes()
	for i := range 2 * maxShapeNames {
		if _, err := types.Expose(object{fmt.Sprint(i): 1}); err != nil {
			t.Fatal(err)
		}
		if types.shapes.names > maxShapeNames || len(types.shapes.known) > maxShapeNames {
			t.Fatalf("%d names of %d shapes", types.shapes.names, len(types.shapes.known))
		}
	}
	for i := range 2 * maxVariants {
		if _, err := types.Expose(object{"in": object{fmt.Sprint(i): 1}}); err != nil {
			t.Fatal(err)
		}
	}
	names := 0
	for key, variants := range types.shapes.known {
		if len(variants) > maxVariants {
			t.Errorf("%d variants of %v", len(variants), key)
		}
		for _, s := range variants {
			names += s.size()
		}
	}
	if names != types.shapes.names {
		t.Errorf("%d names are counted, there are %d", types.shapes.names, names)
	}
	large := object{}
	for i := range maxShapeNames {
		large[fmt.Sprint(i)] = i
	}
	if api, err := types.Expose(large); err != nil || types.shapes.names != names {
		t.Errorf("a large API: %v, %d names", err, types.shapes.names)
	} else if got := answer(t, &api, parse(t, `"op":"get","p":["77"]`)); got != "77" {
		t.Error(got)
	}
}

// The first connections of a server come at the same time.
func TestExposeAtTheSameTime(t *testing.T) {
	types := newTypes()
	const n = 16
	request := parse(t, `"op":"call","p":["f"],"a":[]`).Message
	errs := make(chan error, n)
	for i := range n {
		go func() {
			for j := range 50 {
				name := fmt.Sprint(i, j)
				api, err := types.Expose(object{"f": func() string { return name }, fmt.Sprint(j): 1})
				if err == nil {
					_, inv, _ := api.Lookup(request)
					if err = inv.Run(t.Context()); err == nil && inv.Outcome() != name {
						err = errors.New("another connection answers")
					}
				}
				if err != nil {
					errs <- err
					return
				}
			}
			errs <- nil
		}()
	}
	for range n {
		if err := <-errs; err != nil {
			t.Error(err)
		}
	}
}
