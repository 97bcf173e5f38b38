package replay

import (
	"errors"
	"math/big"
	"time"

	"github.com/kkrpc-go/kkrpc"
	"github.com/kkrpc-go/kkrpc/superjson"
)

var domExceptionCodes = map[string]any{
	"code": 20, "INDEX_SIZE_ERR": 1, "DOMSTRING_SIZE_ERR": 2, "HIERARCHY_REQUEST_ERR": 3, "WRONG_DOCUMENT_ERR": 4,
	"INVALID_CHARACTER_ERR": 5, "NO_DATA_ALLOWED_ERR": 6, "NO_MODIFICATION_ALLOWED_ERR": 7, "NOT_FOUND_ERR": 8,
	"NOT_SUPPORTED_ERR": 9, "INUSE_ATTRIBUTE_ERR": 10, "INVALID_STATE_ERR": 11, "SYNTAX_ERR": 12,
	"INVALID_MODIFICATION_ERR": 13, "NAMESPACE_ERR": 14, "INVALID_ACCESS_ERR": 15, "VALIDATION_ERR": 16,
	"TYPE_MISMATCH_ERR": 17, "SECURITY_ERR": 18, "NETWORK_ERR": 19, "ABORT_ERR": 20, "URL_MISMATCH_ERR": 21,
	"QUOTA_EXCEEDED_ERR": 22, "TIMEOUT_ERR": 23, "INVALID_NODE_TYPE_ERR": 24, "DATA_CLONE_ERR": 25,
}

// failing is the errors scenario. What JavaScript throws that is no Error is, in Go, an error with that text.
func failing(r *recording) any {
	fail := func(err error) func() error { return func() error { return err } }
	thrownObject := "[object Object]"
	if r.server.version == "0.2.2" {
		thrownObject = "thrown object" // 0.2.2 sends the message of whatever has one
	}
	return kkrpc.Object{
		"plain":    fail(errors.New("plain failure")),
		"rejected": fail(errors.New("async failure")),
		"type":     fail(&kkrpc.Error{Name: "TypeError", Message: "null is not an object (evaluating 'null.x')"}),
		"typed":    fail(&kkrpc.Error{Name: "TypeError", Message: "typed failure"}),
		"custom": fail(&kkrpc.Error{Name: "CustomError", Message: "custom failure", Fields: map[string]any{
			"code": "E_CUSTOM", "details": map[string]any{"field": "a", "n": []any{1, nil}},
		}}),
		"cause": fail(&kkrpc.Error{Message: "outer", Cause: &kkrpc.Error{Message: "middle",
			Cause: &kkrpc.Error{Name: "TypeError", Message: "root"}}}),
		"causeObj": fail(&kkrpc.Error{Message: "outer", Fields: map[string]any{"cause": map[string]any{"code": 7}}}),
		"riskyOperation": fail(&kkrpc.Error{Message: "Something went wrong!", Cause: errors.New("Root cause"),
			Fields: map[string]any{"timestamp": "2024-01-01T00:00:00.000Z"}}),
		"str":     fail(errors.New("thrown string")),
		"num":     fail(errors.New("42")),
		"obj":     fail(errors.New(thrownObject)),
		"undef":   fail(errors.New("undefined")),
		"nul":     fail(errors.New("null")),
		"empty":   fail(&kkrpc.Error{}),
		"noName":  fail(&kkrpc.Error{Message: "no name"}),
		"noStack": fail(errors.New("no stack")),
		"richProps": fail(&kkrpc.Error{Message: "rich", Fields: map[string]any{
			"when": time.Unix(0, 0), "u": superjson.Undefined, "n": nil, "nested": map[string]any{"a": 1}, "n2": "x",
			"e": "efield", "m": "mfield", "s": "sfield",
		}}),
		"bigProp": fail(&kkrpc.Error{Message: "big", Fields: map[string]any{"b": big.NewInt(1)}}),
		"agg":     fail(&kkrpc.Error{Name: "AggregateError", Message: "several"}),
		"dom":     fail(&kkrpc.Error{Name: "AbortError", Message: "aborted", Fields: domExceptionCodes}),
		"ping":    func() string { return "pong" },
	}
}

func missing(*recording) any {
	return kkrpc.Object{
		"value": 5, "nul": nil, "obj": kkrpc.Object{"a": 1}, "math": kkrpc.Object{}, "str": "text", "und": superjson.Undefined,
	}
}

func dotted(*recording) any {
	return kkrpc.Object{
		"a.b": func() string { return "dotted key" },
		"a":   kkrpc.Object{"b": func() string { return "nested" }},
		"":    func() string { return "empty key" },
	}
}

func prototypePaths(*recording) any {
	return kkrpc.Object{
		"greet":    func(n string) string { return "Hello " + n },
		"settings": kkrpc.Object{"theme": "light"},
		"math":     kkrpc.Object{"add": func(a, b float64) float64 { return a + b }},
		"asy":      func() {},
		"Counter":  kkrpc.Constructor(func() any { return map[string]int{"n": 1} }),
	}
}

func robust(*recording) any {
	return kkrpc.Object{
		"ping": func(...superjson.Value) string { return "pong" },
		"see": func(args ...any) string {
			n := &node{kind: '['}
			for _, a := range args {
				n.items = append(n.items, describe(a))
			}
			return n.json()
		},
		"type": typeOf,
		"val":  kkrpc.NewProperty[any](1),
		"slow": sleep,
	}
}

func sleep(ms int) int {
	time.Sleep(time.Duration(ms) * time.Millisecond)
	return ms
}

func slowEcho(*recording) any { return kkrpc.Object{"slow": sleep} }

func slowAndPing(r *recording) any {
	return kkrpc.Object{
		"slow": func(ms int) { sleep(ms) },
		"ping": func() int { return 1 },
	}
}

func slowOne(*recording) any {
	return kkrpc.Object{"slow": func(ms int) int {
		sleep(ms)
		return 1
	}}
}

func slowText(*recording) any {
	return kkrpc.Object{"slow": func(ms int) string {
		sleep(ms)
		return "slept " + number(float64(ms)).text
	}}
}

// neverAnswering is slow enough that the recordings ended before it.
func neverAnswering(*recording) any {
	return kkrpc.Object{
		"slow": func(...superjson.Value) { sleep(2000) },
		"ping": func() string { return "pong" },
	}
}
