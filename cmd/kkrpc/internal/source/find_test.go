package source_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/kkrpc-go/kkrpc/cmd/kkrpc/internal/source"
)

// program writes a main package with this text behind its imports, and loads it.
func program(t *testing.T, text string) (*source.Program, error) {
	t.Helper()
	dir, err := os.MkdirTemp("testdata", "program-") // in this module, whose dependencies it needs
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	text = "package main\n\nimport (\n\t\"net/http\"\n\n\t\"github.com/kkrpc-go/kkrpc\"\n\t\"github.com/kkrpc-go/kkrpc/transport/ws\"\n)\n\n" +
		"var _ http.Handler = (*ws.Server)(nil)\nvar _ kkrpc.Object\n" + text
	if err := os.WriteFile(filepath.Join(dir, "main.go"), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return source.Load(t.Context(), dir, ".")
}

// What cannot be followed is an error with its place, and never left out.
func TestWhatCannotBeSeen(t *testing.T) {
	if testing.Short() {
		t.Skip("it loads many programs")
	}
	for name, test := range map[string]struct{ text, want string }{
		"a parameter": {
			"func main() { serve(kkrpc.Object{}) }\nfunc serve(api any) { ws.Handler(api, nil) }",
			"main.go:13:34: cannot see what the parameter api is; expose the API in the function that makes it, or return it from one",
		},
		"assigned twice": {
			"func main() {\n\tapi := kkrpc.Object{}\n\tif len(api) == 0 {\n\t\tapi = kkrpc.Object{\"a\": 1}\n\t}\n\tws.Handler(api, nil)\n}",
			"main.go:17:13: cannot see what api is: it is assigned at main.go:13:9 and at main.go:15:9",
		},
		"a name that is no constant": {
			"func main() {\n\tapi := kkrpc.Object{}\n\tfor _, name := range []string{\"a\"} {\n\t\tapi[name] = 1\n\t}\n\tws.Handler(api, nil)\n}",
			"main.go:15:7: cannot see which name this is; use a constant",
		},
		"changed elsewhere": {
			"func main() {\n\tapi := kkrpc.Object{}\n\tfill(api)\n\tws.Handler(api, nil)\n}\nfunc fill(o kkrpc.Object) {}",
			"main.go:14:7: cannot see what this call does to the kkrpc.Object; set its members in one function",
		},
		"set through a function": {
			"func with(o kkrpc.Object) kkrpc.Object { o[\"b\"] = 1; return set(o) }\nfunc set(o kkrpc.Object) kkrpc.Object { return o }\nfunc main() { ws.Handler(with(kkrpc.Object{\"a\": 1}), nil) }",
			"main.go:12:65: cannot see what this call does to the kkrpc.Object; set its members in one function",
		},
		"another name": {
			"func main() {\n\tapi := kkrpc.Object{\"a\": 1}\n\tb := api\n\tb[\"x\"] = 2\n\tws.Handler(api, nil)\n}",
			"main.go:14:7: cannot see what is done here to the kkrpc.Object; set its members in one function, by its name",
		},
		"a pointer": {
			"func main() {\n\tapi := kkrpc.Object{\"a\": 1}\n\tp := &api\n\t(*p)[\"x\"] = 2\n\tws.Handler(api, nil)\n}",
			"main.go:14:8: cannot see what is done here to the kkrpc.Object; set its members in one function, by its name",
		},
		"two members at once": {
			"func main() {\n\tapi := kkrpc.Object{\"a\": 1}\n\tapi[\"x\"], api[\"y\"] = two()\n\tws.Handler(api, nil)\n}\nfunc two() (int, int) { return 1, 2 }",
			"main.go:14:2: cannot see what this member is; assign it by itself",
		},
		"an Object in an any": {
			"func main() {\n\tvar api any = kkrpc.Object{\"a\": 1}\n\tapi.(kkrpc.Object)[\"x\"] = 2\n\tws.Handler(api, nil)\n}",
			"main.go:14:2: cannot see what is done here to the kkrpc.Object; set its members in one function, by its name",
		},
		"itself": {
			"var api = kkrpc.Object{\"a\": 1}\nfunc main() { api[\"self\"] = api; ws.Handler(api, nil) }",
			"main.go:12:11: namespaces nest too deeply",
		},
		"a type in itself": {
			"type Node struct { Child *Node `kkrpc:\"child\"` }\nfunc (*Node) A() {}\nfunc main() { ws.Handler(&Node{}, nil) }",
			"main.go:14:26: namespaces nest too deeply: main.Node contains itself",
		},
		"a type parameter": {
			"func obj[T any]() kkrpc.Object {\n\ttype row struct{ X T }\n\treturn kkrpc.Object{\"get\": func() row { return row{} }}\n}\nfunc main() { ws.Handler(obj[int](), nil) }",
			"main.go:12:10: cannot see which type the type parameter T is; expose functions without type parameters",
		},
		"a field that is set twice": {
			"type api struct{ Tools kkrpc.Object }\nfunc main() {\n\ta := &api{Tools: kkrpc.Object{}}\n\ta.Tools = kkrpc.Object{\"x\": 1}\n\tws.Handler(a, nil)\n}",
			"main.go:12:18: cannot see what Tools is: it is assigned at main.go:14:19 and at main.go:15:12",
		},
		"a field that is never set": {
			"type api struct{ Tools kkrpc.Object }\nfunc main() { ws.Handler(new(api), nil) }",
			"main.go:12:18: cannot see what the field Tools holds; set it where the struct is made",
		},
		"two that cannot cross": {
			"func main() { ws.Handler(kkrpc.Object{\"f\": func(c complex128) {}, \"g\": func() (c chan int) { return }}, nil) }",
			"main.go:12:44: f: parameter 1: a complex128 cannot cross\nmain.go:12:72: g: result: a chan cannot cross",
		},
		"a parameter that is assigned": {
			"type A struct{}\nfunc obj(v any) kkrpc.Object {\n\tif v == nil {\n\t\tv = A{}\n\t}\n\treturn kkrpc.Object{\"v\": v}\n}\nfunc main() { ws.Handler(obj(5), nil) }",
			"main.go:17:27: cannot see what the parameter v is: it is assigned at main.go:15:3",
		},
		"an empty directive": {
			"//kkrpc:\nfunc f() {}\nfunc main() { ws.Handler(kkrpc.Object{\"f\": f}, nil) }",
			"main.go:12:1: no directive //kkrpc: for a function; there is //kkrpc:throws ERROR",
		},
		"an error of a field that there is not": {
			"type api struct {\n\t//kkrpc:throws Missing\n\tF func() error `kkrpc:\"f\"`\n}\nfunc main() { ws.Handler(api{}, nil) }",
			"main.go:13:2: //kkrpc:throws Missing: there is no such type or variable here",
		},
		"one type parameter twice": {
			"func obj[T any]() kkrpc.Object {\n\ttype row struct{ X, Y T }\n\treturn kkrpc.Object{\"get\": func() row { return row{} }}\n}\nfunc main() { ws.Handler(obj[int](), nil) }",
			"main.go:12:10: cannot see which type the type parameter T is; expose functions without type parameters",
		},
		"a function that exposes as a value": {
			"func main() {\n\tserve := ws.Handler\n\tserve(kkrpc.Object{}, nil)\n}",
			"main.go:13:14: cannot see what ws.Handler exposes here; call it by its name",
		},
		"an interface that is a type parameter": {
			"func serve[I any](i I) { ws.Handler(kkrpc.As[I](i), nil) }\ntype S interface{ Hello() }\nfunc main() { serve[S](nil) }",
			"main.go:12:37: cannot see which interface the type parameter I is; name the interface",
		},
		"a method of an embedded field": {
			"type base struct{}\nfunc (base) A() {}\ntype api struct{ base }\nfunc (api) B() {}\nfunc main() { ws.Handler(api{}, nil) }",
			"main.go:16:26: method A of main.api is promoted from an embedded field; use kkrpc.As to choose what is exposed",
		},
		"a pointer receiver": {
			"type api struct{}\nfunc (*api) B() {}\nfunc main() { ws.Handler(api{}, nil) }",
			"main.go:14:26: method B has a pointer receiver; expose a *main.api",
		},
		"a directive that there is not": {
			"//kkrpc:brnd\ntype id string\nfunc main() { ws.Handler(kkrpc.Object{\"f\": func(id) {}}, nil) }",
			"main.go:12:1: no directive //kkrpc:brnd for a type; there are //kkrpc:ts TYPE and //kkrpc:brand",
		},
		"a directive that functions do not have": {
			"//kkrpc:brand\nfunc f() {}\nfunc main() { ws.Handler(kkrpc.Object{\"f\": f}, nil) }",
			"main.go:12:1: no directive //kkrpc:brand for a function; there is //kkrpc:throws ERROR",
		},
		"an error that there is not": {
			"//kkrpc:throws Missing\nfunc f() error { return nil }\nfunc main() { ws.Handler(kkrpc.Object{\"f\": f}, nil) }",
			"main.go:12:1: //kkrpc:throws Missing: there is no such type or variable here",
		},
		"no error": {
			"//kkrpc:throws\nfunc f() error { return nil }\nfunc main() { ws.Handler(kkrpc.Object{\"f\": f}, nil) }",
			"main.go:12:1: //kkrpc:throws names no error",
		},
		"an error of another module": {
			"//kkrpc:throws http.ErrServerClosed\nfunc f() error { return nil }\nfunc main() { ws.Handler(kkrpc.Object{\"f\": f}, nil) }",
			"main.go:12:1: //kkrpc:throws http.ErrServerClosed: it belongs to another module; declare an error of this one",
		},
		"an error without a form": {
			"type e struct{}\nfunc main() { ws.Handler(kkrpc.Object{\n\t//kkrpc:throws e\n\t\"f\": func() {},\n}, nil) }",
			"main.go:14:2: //kkrpc:throws e: it has no method RPCError() *kkrpc.Error, which would say how it crosses",
		},
		"an error that no function throws": {
			"var e = &kkrpc.Error{Name: \"E\"}\nfunc main() { ws.Handler(kkrpc.Object{\n\t//kkrpc:throws e\n\t\"f\": 5,\n}, nil) }",
			"main.go:15:2: //kkrpc:throws stands above a constant; only functions throw",
		},
		"an error without a name": {
			"var e = &kkrpc.Error{Message: \"E\"}\n//kkrpc:throws e\nfunc f() {}\nfunc main() { ws.Handler(kkrpc.Object{\"f\": f}, nil) }",
			"main.go:12:10: this error has no name of its own by which a client could know it; set Name",
		},
		"a name that the error computes": {
			"type e struct{ name string }\nfunc (e e) RPCError() *kkrpc.Error { return &kkrpc.Error{Name: e.name} }\n//kkrpc:throws e\nfunc f() {}\nfunc main() { ws.Handler(kkrpc.Object{\"f\": f}, nil) }",
			"main.go:13:64: cannot see the name of this error; use a constant",
		},
		"fields that are made elsewhere": {
			"type e struct{ fields map[string]any }\nfunc (e e) RPCError() *kkrpc.Error { return &kkrpc.Error{Name: \"E\", Fields: e.fields} }\n//kkrpc:throws *e\nfunc f() {}\nfunc main() { ws.Handler(kkrpc.Object{\"f\": f}, nil) }",
			"main.go:13:77: cannot see the fields of this error; write them as map[string]any{…} here",
		},
		"a field that each Error has": {
			"var e = &kkrpc.Error{Name: \"E\", Fields: map[string]any{\"message\": 1}}\n//kkrpc:throws e\nfunc f() {}\nfunc main() { ws.Handler(kkrpc.Object{\"f\": f}, nil) }",
			"main.go:12:56: each Error has a message of its own; rename this field",
		},
		"two errors of one name": {
			"var a, b = &kkrpc.Error{Name: \"E\"}, &kkrpc.Error{Name: \"E\", Fields: map[string]any{\"x\": 1}}\n//kkrpc:throws a b\nfunc f() {}\nfunc main() { ws.Handler(kkrpc.Object{\"f\": f}, nil) }",
			"main.go:15:44: f: main.go:12:5 and main.go:12:8 are errors with the name E and other fields; rename one",
		},
		"two types of one name": {
			"func f() any { type Result struct{ A int }; return func() Result { return Result{} } }\nfunc g() any { type Result struct{ B string }; return func() Result { return Result{} } }\nfunc main() { ws.Handler(kkrpc.Object{\"f\": f(), \"g\": g()}, nil) }",
			"main.go:13:55: g: result: there are two types main.Result; rename one",
		},
		"two APIs of one function": {
			"func main() {\n\tws.HandlerFor(func(r *http.Request) (any, error) {\n\t\tif r.URL.Path == \"/a\" {\n\t\t\treturn kkrpc.Object{\"a\": 1}, nil\n\t\t}\n\t\treturn kkrpc.Object{\"b\": 1}, nil\n\t}, nil)\n}",
			"main.go:17:10: this function exposes another API here than at main.go:15:11; kkrpc gen describes one: make one of them, or expose each in a function of its own",
		},
		"no API": {
			"func main() { ws.Handler(5, nil) }",
			"main.go:12:26: cannot see which API this int is; expose a kkrpc.Object, what kkrpc.As returns, or a struct",
		},
		"a function from a map": {
			"var table map[string]kkrpc.Object\nfunc main() { ws.Handler(table[\"a\"], nil) }",
			"main.go:13:26: cannot see what is in this kkrpc.Object; write it as a composite literal",
		},
		"one name twice": {
			"type api struct { Theme kkrpc.Property[int] `kkrpc:\"get\"` }\nfunc (*api) Get() {}\nfunc main() { ws.Handler(new(api), nil) }",
			"main.go:12:19: \"get\" is exposed at main.go:13:13 already; rename one",
		},
		"a type that cannot cross": {
			"func main() { ws.Handler(kkrpc.Object{\"f\": func(c complex128) {}}, nil) }",
			"main.go:12:44: f: parameter 1: a complex128 cannot cross",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p, err := program(t, test.text)
			if err != nil {
				t.Fatal(err)
			}
			if apis, err := p.APIs(); err == nil || err.Error() != test.want {
				t.Errorf("%v, %v, want %s", apis, err, test.want)
			}
		})
	}
}

// A program that does not compile is an error for each problem, with its place.
func TestProgramThatDoesNotCompile(t *testing.T) {
	_, err := program(t, "func main() {\n\tmissing()\n\treturn 1\n}")
	if err == nil || !strings.Contains(err.Error(), "main.go:13:2: undefined: missing") || !strings.Contains(err.Error(), "main.go:14:9: too many return values") {
		t.Errorf("%v", err)
	}
}
