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
	for name, test := range map[string]struct{ text, want string }{
		"a parameter": {
			"func main() { serve(kkrpc.Object{}) }\nfunc serve(api any) { ws.Handler(api, nil) }",
			"main.go:13:34: cannot see what api is; it is declared at main.go:13:12 without a value",
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
			"main.go:12:26: schema: f: parameter 1: a complex128 cannot cross",
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
