package check

import (
	"context"
	"errors"
	"fmt"
	"math"
	"regexp"
	"strings"

	"github.com/kkrpc-go/kkrpc"
)

func basicChecks() []check {
	return []check{
		{name: "basic/greet", run: returns("Hello, World!", "greet", "World")},
		{name: "basic/add", run: returns(8, "add", 5, 3)},
		{name: "basic/add-fractions", run: returns(0.30000000000000004, "add", 0.1, 0.2)},
		{name: "basic/nested", run: returns(24.0, "math.multiply", 4, 6)},
		{name: "basic/divide", run: returns(0.25, "math.divide", 1, 4)},
		{name: "basic/count-none", run: returns(0, "count")},
		{name: "basic/count", run: returns(5, "count", 1, "2", []int{3}, map[string]int{"four": 4}, nil)},
		{name: "basic/nothing", run: returns[any](nil, "nothing")},
		{name: "basic/result-ignored", run: func(ctx context.Context, t *target) error {
			return t.ch.Call(ctx, nil, "greet", "nobody")
		}},
		{name: "basic/null", run: returns[*string](nil, "nul")},
		{name: "basic/remote", run: remote},
		{name: "basic/missing", run: rejects("", notFunction, "noSuchMethod", 1)},
		{name: "basic/missing-nested", run: rejects("", notFunction, "math.noSuchMethod", 1)},
		{name: "basic/missing-parent", run: rejects("", ".", "no.such.method")},
		{name: "basic/namespace-is-no-function", run: rejects("", notFunction, "math")},
		{name: "basic/value-is-no-function", needs: properties, run: rejects("", notFunction, "version")},
	}
}

const notFunction = "not a function"

// remote calls through a struct of funcs.
func remote(ctx context.Context, t *target) error {
	api := kkrpc.Remote[struct {
		Greet func(ctx context.Context, name string) (string, error)
		Math  struct {
			Multiply func(ctx context.Context, a, b float64) (float64, error)
		}
	}](t.ch)
	greeting, err := api.Greet(ctx, "struct")
	if err != nil {
		return err
	}
	product, err := api.Math.Multiply(ctx, 6, 7)
	if err != nil {
		return err
	}
	return errors.Join(same(greeting, "Hello, struct!"), same(product, 42.0))
}

// echoed are values of any codec, as Go holds them after decoding into any.
var echoed = map[string]any{
	"string":             "text",
	"empty":              "",
	"unicode":            "żółw 🐢 \u2028 \x00 \"\\/ é",
	"looks-like-a-frame": `{"json":{"t":"q"}}` + "\n__DESTROY__\n",
	"true":               true,
	"zero":               0.0,
	"negative":           -1.5,
	"large":              float64(1<<53 - 1),
	"tiny":               math.SmallestNonzeroFloat64,
	"huge":               math.MaxFloat64,
	"null":               nil,
	"array":              []any{1.0, "two", []any{3.0, []any{4.0}}, nil},
	"empty-array":        []any{},
	"empty-object":       map[string]any{},
	"object": map[string]any{
		"a":          map[string]any{"b": map[string]any{"c": []any{1.0, map[string]any{"d": nil}}}},
		"dotted.key": 1.0, `back\slash`: 2.0, "": 3.0,
	},
	"64KiB": strings.Repeat("x", 1<<16),
	"1MiB":  strings.Repeat("ż", 1<<19),
}

func echoChecks() (checks []check) {
	for _, name := range sortedKeys(echoed) {
		checks = append(checks, check{name: "echo/" + name, run: returns[any](echoed[name], "echo", echoed[name])})
	}
	type point struct {
		X, Y int
		Tags []string `json:"tags"`
	}
	p := point{X: 1, Y: -2, Tags: []string{"a", "b"}}
	return append(checks,
		check{name: "echo/struct", run: returns(p, "echo", p)},
		check{name: "echo/slice", run: returns([]int{3, 2, 1}, "echo", []int{3, 2, 1})},
		check{name: "echo/nil-slice", run: returns([]int{}, "echo", []int(nil))},
	)
}

// rejects calls path and wants an error that the peer threw, with that name (if any is given, from peers whose errors
// have names) and a message that matches pattern.
func rejects(name, pattern, path string, args ...any) func(context.Context, *target) error {
	re := regexp.MustCompile(pattern)
	return func(ctx context.Context, t *target) error {
		thrown, err := throws(ctx, t, path, args...)
		if err != nil {
			return err
		}
		if name != "" && t.can&errorObjects != 0 && thrown.Name != name {
			return fmt.Errorf("error is named %q, want %q", thrown.Name, name)
		}
		if !re.MatchString(thrown.Message) {
			return fmt.Errorf("message %q does not match %q", thrown.Message, pattern)
		}
		return nil
	}
}

// throws calls path and returns what the peer threw; the error is for anything else that happened.
func throws(ctx context.Context, t *target, path string, args ...any) (*kkrpc.Error, error) {
	result, err := kkrpc.Call[any](ctx, t.ch, path, args...)
	var thrown *kkrpc.Error
	switch {
	case err == nil:
		return nil, fmt.Errorf("%s returned %#v, want an error", path, result)
	case !errors.As(err, &thrown):
		return nil, fmt.Errorf("%s failed on this side: %w", path, err)
	}
	return thrown, nil
}
