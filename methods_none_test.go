//go:build kkrpc_functions

package kkrpc_test

import (
	"strings"
	"testing"

	"github.com/kkrpc-go/kkrpc"
)

type host struct{}

func (host) Greet(name string) string { return "Hello, " + name + "!" }

type welcome interface{ Greet(name string) string }

func TestWithoutMethods(t *testing.T) {
	for _, c := range []struct {
		name string
		api  any
		want string // "": it can be exposed
	}{
		{"functions", kkrpc.Object{"greet": host{}.Greet}, ""},
		{"a struct of functions", &struct {
			Math kkrpc.Object
		}{kkrpc.Object{"neg": func(a float64) float64 { return -a }}}, ""},
		{"methods", host{}, "host: this program was built without its methods"},
		{"an interface", kkrpc.As[welcome](host{}), "welcome: this program was built without its methods"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := kkrpc.Expose(c.api)
			if c.want == "" && err != nil {
				t.Errorf("got %v", err)
			}
			if c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
				t.Errorf("got %v, want %q", err, c.want)
			}
		})
	}
}

// needsMethods skips a test that exposes methods.
func needsMethods(tb testing.TB) {
	tb.Helper()
	tb.Skip("this build has no methods of types")
}
