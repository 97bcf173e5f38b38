package interop_test

import (
	"regexp"
	"strings"
	"testing"

	"github.com/kkrpc-go/kkrpc"
)

// TestMethodsInHono calls methods of types, of which kkrpc build hono leaves out all that the source of the program does not
// declare, and reads a stack trace, which has lines of the program alone.
func TestMethodsInHono(t *testing.T) {
	ch := dial(t, serve(t, "node", "wasmmethods", "").url, kkrpc.Options{})
	for _, row := range []struct{ function, want string }{
		{"shop.name", `^tea$`},
		{"named.name", `^cups$`},
		{"promoted", `method Lock of \*main\.locked is promoted from the embedded field Mutex`},
		{"library", `buffer: fmt\.Stringer: this program was built without its methods; .* by kkrpc build hono with --all-methods$`},
		{"shop.stack", `main\.\(\*shop\)\.Stack\([^\n]*\)\n\t[^\n]*wasmmethods/main\.go:21 `},
	} {
		got, err := kkrpc.Call[string](t.Context(), ch, row.function)
		if err != nil {
			t.Errorf("%s: %v", row.function, err)
		} else if !regexp.MustCompile(row.want).MatchString(got) {
			t.Errorf("%s returned\n%s\nwant %s", row.function, got, row.want)
		}
	}
	stack, err := kkrpc.Call[string](t.Context(), ch, "shop.stack")
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(stack, "github.com/kkrpc-go/kkrpc.") || strings.Contains(stack, "serve.go:") {
		t.Errorf("want the functions of libraries without lines, got\n%s", stack)
	}
}
