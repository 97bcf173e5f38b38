package kkrpc_test

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/kkrpc-go/kkrpc"
)

// peer is the far end of a channel that exposes something, as raw frames.
type peer struct {
	t    testing.TB
	wire kkrpc.Transport
}

func newPeer(t testing.TB, expose any) *peer {
	t.Helper()
	a, b := kkrpc.Pipe()
	ch, err := kkrpc.New(context.Background(), a, &kkrpc.Options{Expose: expose})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { ch.Close() })
	return &peer{t, b}
}

// ask sends a frame and returns the next one, without its envelope: v and e of a compact response, args of a classic one.
func (p *peer) ask(frame string) string {
	p.t.Helper()
	if err := p.wire.WriteFrames([][]byte{[]byte(frame)}); err != nil {
		p.t.Fatal(err)
	}
	giveUp := time.AfterFunc(5*time.Second, func() { p.wire.Close(1000, "") })
	defer giveUp.Stop()
	answer, _, err := p.wire.ReadFrame(nil)
	for err == nil && strings.HasPrefix(string(answer), `{"t":"cbr"`) { // whenever the garbage collector comes to it
		answer, _, err = p.wire.ReadFrame(nil)
	}
	if err != nil {
		p.t.Fatalf("no answer to %s: %v", frame, err)
	}
	var r struct {
		V, E json.RawMessage
		Args json.RawMessage
	}
	if err := json.Unmarshal(answer, &r); err != nil {
		p.t.Fatalf("%s: %v", answer, err)
	}
	switch {
	case r.Args != nil:
		return string(r.Args)
	case r.E != nil:
		return string(r.E)
	case r.V != nil:
		return string(r.V)
	default:
		return "undefined"
	}
}

// compact asks op of path, which is the text between the brackets; rest is the other members.
func (p *peer) compact(op, path, rest string) string {
	p.t.Helper()
	if rest != "" {
		rest = "," + rest
	}
	return p.ask(`{"t":"q","id":"1","op":"` + op + `","p":[` + path + `]` + rest + `}`)
}

// call calls path, dotted, with bare arguments.
func (p *peer) call(path, args string) string {
	p.t.Helper()
	return p.compact("call", `"`+strings.ReplaceAll(path, ".", `","`)+`"`, `"a":[`+args+`]`)
}

// tree is an API with one of each.
func exampleObject() kkrpc.Object {
	theme := kkrpc.NewProperty("light")
	return kkrpc.Object{
		"greet":   func(name string) string { return "Hello, " + name + "!" },
		"version": "1.0.0",
		"nul":     nil,
		"list":    []any{1, map[string]any{"x": 2}},
		"math":    kkrpc.Object{"add": func(a, b float64) float64 { return a + b }},
		"settings": kkrpc.Object{
			"theme": theme,
			"deep":  kkrpc.Object{"a": 1},
		},
		"computed": kkrpc.ReadOnly[string](func(context.Context) (string, error) { return "getter", nil }),
		"bad":      kkrpc.ReadOnly[int](func(context.Context) (int, error) { return 0, errors.New("getter failed") }),
		"Counter": kkrpc.Constructor(func(start *int) (map[string]int, error) {
			n := 0
			if start != nil {
				n = *start
			}
			if n < 0 {
				return nil, &kkrpc.Error{Name: "RangeError", Message: "negative"}
			}
			return map[string]int{"count": n}, nil
		}),
		"a.b": func() string { return "dotted key" },
		"a":   kkrpc.Object{"b": func() string { return "nested" }},
		"":    func() string { return "empty key" },
		"nothing": func() {
		},
		"null": func() *int { return nil },
	}
}

// The texts are those of the recordings missing-method, property-get, property-set, constructor-new and path-with-dot of
// 2.1.0-json, but where an engine worded them, and for what the original lets a peer overwrite.
func TestCompactOperations(t *testing.T) {
	object := exampleObject()
	delete(object, "bad")
	p := newPeer(t, object)
	type row struct{ name, op, path, rest, want string }
	e := func(name, message string) string { return `{"n":"` + name + `","m":"` + message + `"}` }
	for _, r := range []row{
		{"call", "call", `"greet"`, `"a":["Ada"]`, `"Hello, Ada!"`},
		{"nested call", "call", `"math","add"`, `"a":[1,2]`, `3`},
		{"white space in the path", "call", ` "math" , "add" `, `"a":[1,2]`, `3`},
		{"escaped path", "call", `"\u006dath","add"`, `"a":[1,2]`, `3`},
		{"dotted key", "call", `"a.b"`, `"a":[]`, `"dotted key"`},
		{"namespace beside a dotted key", "call", `"a","b"`, `"a":[]`, `"nested"`},
		{"empty key", "call", `""`, `"a":[]`, `"empty key"`},
		{"root call", "call", ``, `"a":[]`, e("Error", "The API itself is not a function")},
		{"no result", "call", `"nothing"`, `"a":[]`, `undefined`},
		{"nil pointer", "call", `"null"`, `"a":[]`, `null`},
		{"unknown", "call", `"nope"`, `"a":[]`, e("Error", "nope is not a function")},
		{"unknown parent", "call", `"nope","deep"`, `"a":[]`, e("Error", "Cannot access deep on undefined")},
		{"unknown grandparent", "call", `"nope","deep","er"`, `"a":[]`, e("Error", "Cannot access deep on undefined")},
		{"constant", "call", `"version"`, `"a":[]`, e("Error", "version is not a function")},
		{"namespace", "call", `"settings"`, `"a":[]`, e("Error", "settings is not a function")},
		{"property", "call", `"settings","theme"`, `"a":[]`, e("Error", "settings.theme is not a function")},
		{"unknown in a namespace", "call", `"math","sub"`, `"a":[]`, e("Error", "math.sub is not a function")},
		{"through null", "call", `"nul","x"`, `"a":[]`, e("Error", "Cannot access x on null")},
		{"through a constant", "call", `"version","toUpperCase"`, `"a":[]`, e("Error", "version.toUpperCase is not a function")},
		{"class without new", "call", `"Counter"`, `"a":[5]`, e("TypeError", "Class constructor Counter cannot be invoked without 'new'")},
		{"prototype", "call", `"toString"`, `"a":[]`, e("Error", "toString is not a function")},
		{"prototype of a function", "call", `"greet","call"`, `"a":[null,"x"]`, e("Error", "greet.call is not a function")},
		{"Function", "call", `"constructor","constructor"`, `"a":["return 1"]`, e("Error", "Cannot access constructor on undefined")},

		{"get constant", "get", `"version"`, ``, `"1.0.0"`},
		{"get null", "get", `"nul"`, ``, `null`},
		{"get through null", "get", `"nul","x"`, ``, e("Error", "Cannot access x on null")},
		{"get missing", "get", `"missing"`, ``, `undefined`},
		{"get through missing", "get", `"missing","x"`, ``, e("Error", "Cannot access x on undefined")},
		{"get property", "get", `"settings","theme"`, ``, `"light"`},
		{"get namespace", "get", `"settings"`, ``, `{"deep":{"a":1},"theme":"light"}`},
		{"get computed", "get", `"computed"`, ``, `"getter"`},
		{"get function", "get", `"greet"`, ``, `undefined`},
		{"get member of a function", "get", `"greet","name"`, ``, `undefined`},
		{"get into a constant", "get", `"list","0"`, ``, `undefined`},
		{"get class", "get", `"Counter"`, ``, `undefined`},
		{"get prototype", "get", `"__proto__"`, ``, `undefined`},
		{"get everything", "get", ``, ``, `{"a":{},"computed":"getter","list":[1,{"x":2}],"math":{},"nul":null,"settings":{"deep":{"a":1},"theme":"light"},"version":"1.0.0"}`},

		{"set property", "set", `"settings","theme"`, `"v":"dark"`, `true`},
		{"set was stored", "get", `"settings","theme"`, ``, `"dark"`},
		{"set wrong type", "set", `"settings","theme"`, `"v":5`, e("TypeError", "settings.theme: expected string, got number")},
		{"set undefined", "set", `"settings","theme"`, ``, e("TypeError", "settings.theme: expected string, got undefined")},
		{"set new", "set", `"newProp"`, `"v":1`, e("TypeError", "Cannot add property newProp")},
		{"set constant", "set", `"version"`, `"v":1`, e("TypeError", "Cannot assign to read only property version")},
		{"set computed", "set", `"computed"`, `"v":1`, e("TypeError", "Cannot assign to read only property computed")},
		{"set function", "set", `"math","add"`, `"v":1`, e("TypeError", "Cannot assign to read only property math.add")},
		{"set missing parent", "set", `"missing","x"`, `"v":1`, e("Error", "Cannot set missing.x on undefined")},
		{"set null parent", "set", `"nul","x"`, `"v":1`, e("Error", "Cannot set nul.x on null")},
		{"set deep missing", "set", `"missing","x","y"`, `"v":1`, e("Error", "Cannot access x on undefined")},
		{"set root", "set", ``, `"v":1`, e("Error", "Cannot set empty path")},
		{"set prototype", "set", `"__proto__","polluted"`, `"v":1`, e("Error", "Cannot set __proto__.polluted on undefined")},

		{"new", "new", `"Counter"`, `"a":[5]`, `{"count":5}`},
		{"new without argument", "new", `"Counter"`, `"a":[]`, `{"count":0}`},
		{"new that throws", "new", `"Counter"`, `"a":[-1]`, e("RangeError", "negative")},
		{"new of a function", "new", `"greet"`, `"a":[]`, e("TypeError", "greet is not a constructor")},
		{"new of nothing", "new", `"missing"`, `"a":[]`, e("TypeError", "missing is not a constructor")},
		{"new below nothing", "new", `"missing","deep"`, `"a":[]`, e("Error", "Cannot access deep on undefined")},
		{"new Function", "new", `"greet","constructor"`, `"a":["return 1"]`, e("TypeError", "greet.constructor is not a constructor")},
		{"reference", "ref", `"x","apply"`, `"a":[]`, e("Error", "Remote reference operations require kkrpc/remote-refs")},
	} {
		if got := p.compact(r.op, r.path, r.rest); got != r.want {
			t.Errorf("%s: got %s, want %s", r.name, got, r.want)
		}
	}
}

// The texts are those of the same recordings of 0.7.0-json.
func TestClassicOperations(t *testing.T) {
	p := newPeer(t, exampleObject())
	object := func(name, message string) string {
		return `{"error":{"name":"` + name + `","message":"` + message + `"}}`
	}
	text := func(message string) string { return `{"error":"` + message + `"}` }
	result := func(v string) string { return `{"result":` + v + `}` }
	for _, r := range []struct{ name, typ, method, rest, want string }{
		{"call", "request", "math.add", `"args":[1,2]`, result(`3`)},
		{"escaped", "request", `m\u0061th.add`, `"args":[1,2]`, result(`3`)},
		{"dots are nesting", "request", "a.b", `"args":[]`, result(`"nested"`)},
		{"empty", "request", "", `"args":[]`, result(`"empty key"`)},
		{"no result", "request", "nothing", `"args":[]`, `{}`},
		{"unknown", "request", "nope", `"args":[]`, text("Method nope is not a function")},
		{"unknown parent", "request", "nope.deep.er", `"args":[]`, text("Method path nope.deep.er not found at nope")},
		{"through null", "request", "nul.x.y", `"args":[]`, text("Method path nul.x.y not found at nul")},
		{"constant", "request", "version", `"args":[]`, text("Method version is not a function")},
		{"class without new", "request", "Counter", `"args":[5]`, object("TypeError", "Class constructor Counter cannot be invoked without 'new'")},
		{"wrong argument", "request", "math.add", `"args":[1,"2"]`, object("TypeError", "math.add: argument 2: expected number, got string")},

		{"get", "get", "", `"args":{},"path":["settings","theme"]`, result(`"light"`)},
		{"get namespace", "get", "", `"args":{},"path":["settings"]`, result(`{"deep":{"a":1},"theme":"light"}`)},
		{"get missing", "get", "", `"args":{},"path":["missing"]`, text("Property path missing not found at missing")},
		{"get through missing", "get", "", `"args":{},"path":["settings","nope","x"]`, text("Property path settings.nope.x not found at nope")},
		{"get null", "get", "", `"args":{},"path":["nul"]`, result(`null`)},
		{"get through null", "get", "", `"args":{},"path":["nul","x"]`, object("TypeError", "Cannot read properties of null (reading 'x')")},
		{"get function", "get", "", `"args":{},"path":["greet"]`, `{}`},
		{"get that fails", "get", "", `"args":{},"path":["bad"]`, object("Error", "getter failed")},
		{"get root with a failing getter", "get", "", `"args":{},"path":[]`, object("Error", "getter failed")},
		{"get without path", "get", "", `"args":{}`, text("Invalid get request: missing path")},

		{"set", "set", "", `"args":{},"path":["settings","theme"],"value":"dark"`, result(`true`)},
		{"set missing parent", "set", "", `"args":{},"path":["missing","x"],"value":1`, text("Property path missing.x not found at missing")},
		{"set null parent", "set", "", `"args":{},"path":["nul","x"],"value":1`, object("TypeError", "Cannot set properties of null (setting 'x')")},
		{"set read only", "set", "", `"args":{},"path":["computed"],"value":1`, object("TypeError", "Cannot assign to read only property computed")},
		{"set new", "set", "", `"args":{},"path":["brandnew"],"value":1`, object("TypeError", "Cannot add property brandnew")},
		{"set without path", "set", "", `"args":{},"value":1`, text("Invalid set request: missing path")},

		{"new", "construct", "Counter", `"args":[5]`, result(`{"count":5}`)},
		{"new of nothing", "construct", "missing", `"args":[]`, text("missing is not a constructor function")},
		{"new below nothing", "construct", "missing.deep", `"args":[]`, text("Constructor path missing.deep not found at missing")},
	} {
		frame := `{"id":"1","method":"` + r.method + `",` + r.rest + `,"type":"` + r.typ + `","version":"json"}` + "\n"
		if got := p.ask(frame); got != r.want {
			t.Errorf("%s: got %s, want %s", r.name, got, r.want)
		}
	}
}

// The texts are those of the recordings no-api-exposed.
func TestNothingExposed(t *testing.T) {
	p := newPeer(t, nil)
	for _, op := range []string{"call", "get", "set", "new"} {
		if got, want := p.compact(op, `"x"`, `"a":[],"v":1`), `{"n":"Error","m":"No API exposed"}`; got != want {
			t.Errorf("%s: got %s, want %s", op, got, want)
		}
	}
	p = newPeer(t, (*kkrpc.API)(nil))
	got := p.ask(`{"id":"1","method":"x","args":[],"type":"request","version":"json"}` + "\n")
	if want := `{"error":"No API implementation available"}`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}
