package kkrpc_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"strings"
	"sync"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/kkrpc-go/kkrpc"
	"github.com/kkrpc-go/kkrpc/superjson"
)

type user struct {
	Email string `json:"email"`
	Tags  []struct {
		Name string `json:"name"`
	} `json:"tags"`
}

// functions has one function for every way in which arguments are decoded.
func functions() kkrpc.Object {
	return kkrpc.Object{
		"add":       func(a, b float64) float64 { return a + b },
		"addInt":    func(_ context.Context, a, b int) (int, error) { return a + b, nil },
		"upper":     strings.ToUpper,
		"length":    func(s string) int { return len(s) },
		"not":       func(b bool) bool { return !b },
		"small":     func(n int8) int8 { return n },
		"email":     func(u user) string { return u.Email },
		"users":     func(u []user) int { return len(u) },
		"maybe":     func(s *string) bool { return s != nil },
		"any":       func(v any) string { return fmt.Sprintf("%T", v) },
		"raw":       func(v json.RawMessage) string { return string(v) },
		"value":     func(v superjson.Value) superjson.Value { return v },
		"all":       func(v ...any) int { return len(v) },
		"names":     func(first string, rest ...string) string { return first + strings.Join(rest, "") },
		"map":       func(m map[string]int) int { return m["a"] },
		"date":      func(d time.Time) time.Time { return d },
		"big":       func(n *big.Int) string { return fmt.Sprint(n) },
		"bytes":     func(b []byte) int { return len(b) },
		"callback":  func(f func(string)) {},
		"handle":    func(c *kkrpc.Callback) bool { return c != nil },
		"fails":     func(fail bool) (string, error) { return "x", failure(fail) },
		"undefined": func() any { return superjson.Undefined },
		"nan":       func() float64 { return nan() },
		"half":      func() float64 { return 0.5 },
		"huge":      func() int64 { return 1 << 60 },
		"nilSlice":  func() []int { return nil },
		"version":   func() string { return "v\n\"1\"" },
		"onlyError": func(fail bool) error { return failure(fail) },
	}
}

func nan() float64 { var zero float64; return zero / zero }

func failure(fail bool) error {
	if fail {
		return errors.New("failed")
	}
	return nil
}

func TestArguments(t *testing.T) {
	p := newPeer(t, functions())
	const function = `{"__kkrpc_next_arg__":"callback","id":"1"}`
	const undefined = `{"__kkrpc_next_arg__":"value"}`
	for _, r := range []struct{ name, path, args, want string }{
		{"numbers", "add", `1,2.5`, `3.5`},
		{"exponent", "add", `1e2,-0.0`, `100`},
		{"integers", "addInt", `2,3`, `5`},
		{"exponent as integer", "addInt", `1e2,0`, `100`},
		{"string with escapes", "upper", `"\u00e4\n"`, `"Ä\n"`},
		{"string to integer", "length", `"four"`, `4`},
		{"boolean", "not", `true`, `false`},
		{"small integer", "small", `-128`, `-128`},
		{"struct, any case of names", "email", `{"EMAIL":"a@b"}`, `"a@b"`},
		{"null in a struct", "users", `[{"email":"x","tags":null}]`, `1`},
		{"pointer", "maybe", `"x"`, `true`},
		{"pointer left out", "maybe", ``, `false`},
		{"pointer undefined", "maybe", undefined, `false`},
		{"pointer null", "maybe", `null`, `false`},
		{"any left out", "any", ``, `"<nil>"`},
		{"any undefined", "any", undefined, `"superjson.UndefinedType"`},
		{"any null", "any", `null`, `"<nil>"`},
		{"any function", "any", function, `"*kkrpc.Callback"`},
		{"raw", "raw", `{"a": [1]}`, `"{\"a\": [1]}"`},
		{"raw left out", "raw", ``, `""`},
		{"value undefined", "value", undefined, `undefined`},
		{"value keeps the text", "value", `["\ud800",1.0]`, `["\ud800",1.0]`},
		{"variadic", "all", `1,` + undefined + `,null`, `3`},
		{"variadic left out", "all", ``, `0`},
		{"variadic strings", "names", `"a","b","c"`, `"abc"`},
		{"map", "map", `{"a":7}`, `7`},
		{"date", "date", `"2024-02-29T12:34:56.789Z"`, `"2024-02-29T12:34:56.789Z"`},
		{"bytes as an index object", "bytes", `{"0":1,"1":2}`, `2`},
		{"bytes as base64", "bytes", `"AAAA"`, `3`},
		{"bigint as a number", "big", `12`, `"12"`},
		{"handle", "handle", function, `true`},
		{"handle left out", "handle", ``, `false`},
		{"handle null", "handle", `null`, `false`},
		{"no error", "fails", `false`, `"x"`},
		{"error", "fails", `true`, `{"n":"Error","m":"failed"}`},
		{"nil error alone", "onlyError", `false`, `undefined`},
		{"error alone", "onlyError", `true`, `{"n":"Error","m":"failed"}`},
		{"undefined result", "undefined", ``, `undefined`},
		{"fraction", "half", ``, `0.5`},
		{"nil slice", "nilSlice", ``, `[]`},
		{"escaped result", "version", ``, `"v\n\"1\""`},
		{"NaN result", "nan", ``, `{"n":"TypeError","m":"nan: result`},
		{"integer beyond 2^53", "huge", ``, `{"n":"TypeError","m":"huge: result`},

		{"wrong type", "add", `1,"2"`, "TypeError: add: argument 2: expected number, got string"},
		{"null", "add", `null,2`, "TypeError: add: argument 1: expected number, got null"},
		{"undefined", "add", `1,` + undefined, "TypeError: add: argument 2: expected number, got undefined"},
		{"left out", "add", `1`, "TypeError: add: argument 2: expected number, got undefined"},
		{"surplus", "add", `1,2,3`, "TypeError: add: argument 3: expected at most 2 arguments, got 3"},
		{"surplus of one", "upper", `"a","b"`, "TypeError: upper: argument 2: expected at most 1 argument, got 2"},
		{"surplus by reflection", "maybe", `"a","b","c"`, "TypeError: maybe: argument 2: expected at most 1 argument, got 3"},
		{"surplus of none", "half", `1`, "TypeError: half: argument 1: expected at most 0 arguments, got 1"},
		{"function for a scalar", "add", function + `,1`, "TypeError: add: argument 1: expected number, got function"},
		{"function for a struct", "email", function, "TypeError: email: argument 1: expected object, got function"},
		{"function for a value", "value", function, "TypeError: value: argument 1: expected object, got function"},
		{"value for a function", "callback", `"x"`, "TypeError: callback: argument 1: expected function, got string"},
		{"function left out", "callback", ``, "TypeError: callback: argument 1: expected function, got undefined"},
		{"function null", "callback", `null`, "TypeError: callback: argument 1: expected function, got null"},
		{"value for a handle", "handle", `5`, "TypeError: handle: argument 1: expected function, got number"},
		{"fraction for an integer", "addInt", `1.5,2`, "TypeError: addInt: argument 1: expected integer, got number"},
		{"out of range", "small", `300`, "TypeError: small: argument 1: expected int8, got integer out of range"},
		{"nested", "email", `{"email":5}`, "TypeError: email: argument 1.email: expected string, got number"},
		{"deeply nested", "users", `[{},{"tags":[{"name":false}]}]`, "TypeError: users: argument 1[1].tags[0].name: expected string, got boolean"},
		{"null for a struct", "email", `null`, "TypeError: email: argument 1: expected object, got null"},
		{"array for a struct", "email", `[]`, "TypeError: email: argument 1: expected object, got array"},
		{"struct left out", "email", ``, "TypeError: email: argument 1: expected object, got undefined"},
		{"slice left out", "users", ``, "TypeError: users: argument 1: expected array, got undefined"},
		{"date left out", "date", ``, "TypeError: date: argument 1: expected Date, got undefined"},
		{"bytes left out", "bytes", ``, "TypeError: bytes: argument 1: expected Uint8Array, got undefined"},
		{"boolean left out", "fails", ``, "TypeError: fails: argument 1: expected boolean, got undefined"},
		{"small integer left out", "small", ``, "TypeError: small: argument 1: expected integer, got undefined"},
		{"variadic element", "names", `"a","b",3`, "TypeError: names: argument 3: expected string, got number"},
		{"variadic, fixed left out", "names", ``, "TypeError: names: argument 1: expected string, got undefined"},
	} {
		t.Run(r.name, func(t *testing.T) {
			got := p.call(r.path, r.args)
			want := r.want
			if message, isError := strings.CutPrefix(want, "TypeError: "); isError {
				want = `{"n":"TypeError","m":"` + message + `"}`
			}
			if got != want && (!strings.HasSuffix(want, ": result") || !strings.HasPrefix(got, want)) {
				t.Errorf("got %s, want %s", got, want)
			}
		})
	}
}

// A cell that is used again must not remember the call before.
func TestCallsDoNotShareArguments(t *testing.T) {
	p := newPeer(t, kkrpc.Object{
		"pair":  func(a *string, rest ...int) string { return fmt.Sprint(a != nil, rest) },
		"merge": func(m map[string]int, s []int) string { return fmt.Sprint(m, s) },
	})
	for range 3 {
		if got := p.call("pair", `"x",1,2`); got != `"true [1 2]"` {
			t.Errorf("got %s", got)
		}
		if got := p.call("pair", ``); got != `"false []"` {
			t.Errorf("got %s", got)
		}
		if got := p.call("merge", `{"a":1},[1,2,3]`); got != `"map[a:1] [1 2 3]"` {
			t.Errorf("got %s", got)
		}
		if got := p.call("merge", `{"b":1},[4]`); got != `"map[b:1] [4]"` {
			t.Errorf("got %s", got)
		}
		if got := p.call("merge", `{"c":1},"x"`); !strings.Contains(got, "expected array") {
			t.Errorf("got %s", got)
		}
	}
}

// The arguments of one call must survive the frames and calls that follow while it runs.
func TestArgumentsOutliveTheirFrame(t *testing.T) {
	kept := make(chan []any, 1)
	p := newPeer(t, kkrpc.Object{
		"keep": func(s string, raw json.RawMessage, v superjson.Value, list []string, m map[string]any) {
			kept <- []any{s, string(raw), string(v.JSON), list, m}
		},
		"x": func(s string, raw json.RawMessage, v superjson.Value, list []string, m map[string]any) {},
	})
	p.call("keep", `"text","raw","value",["a"],{"k":"v"}`)
	p.call("x", `"####","###","#####",["#"],{"#":"#"}`)
	if got, want := fmt.Sprint(<-kept), `[text "raw" "value" [a] map[k:v]]`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestPeerFunctionsOfEveryShape(t *testing.T) {
	type point struct{ X int }
	server := kkrpc.Object{
		"none":    func(f func()) { f() },
		"string":  func(f func(string)) { f("a") },
		"float":   func(f func(float64)) { f(1.5) },
		"int":     func(f func(int)) { f(1) },
		"ints":    func(f func(int, int)) { f(1, 2) },
		"any":     func(f func(any)) { f([]int{1}) },
		"error":   func(f func(string) error) error { return f("b") },
		"context": func(ctx context.Context, f func(context.Context, string) error) error { return f(ctx, "c") },
		"struct":  func(f func(point, bool)) { f(point{1}, true) },
		"spread":  func(f func(string, ...int)) { f("d", 1, 2, 3) },
		"general": func(ctx context.Context, f func(context.Context, []int) error) error { return f(ctx, []int{1}) },
		"many":    func(fs ...func(string)) { fs[0]("e"); fs[1]("f") },
		"handle":  func(f *kkrpc.Callback) error { return f.Call("g", 1) },
		"nil":     func(f func(context.Context, bool) error) error { return f(nil, true) }, //nolint:staticcheck // a nil context is what is tested
		"closed":  func(f func(int, ...string) error) error { return kkrpcReleased(f) },
	}
	want := map[string]string{
		"none": `[]`, "string": `["a"]`, "float": `[1.5]`, "int": `[1]`, "ints": `[1,2]`, "any": `[[1]]`, "error": `["b"]`,
		"context": `["c"]`, "struct": `[{"X":1},true]`, "spread": `["d",1,2,3]`, "general": `[[1]]`, "many": `["e"] ["f"]`,
		"handle": `["g",1]`, "nil": `[true]`, "closed": ``,
	}
	for path, args := range want {
		t.Run(path, func(t *testing.T) {
			_, c := pair(t, kkrpc.Options{Expose: server}, kkrpc.Options{})
			var mu sync.Mutex
			var got []string
			callback := func(args ...json.RawMessage) {
				mu.Lock()
				defer mu.Unlock()
				text, _ := json.Marshal(args)
				if args == nil {
					text = []byte("[]")
				}
				got = append(got, string(text))
			}
			args := args
			arguments := []any{callback}
			if path == "many" {
				arguments = append(arguments, callback)
			}
			if err := c.Call(t.Context(), nil, path, arguments...); err != nil {
				t.Fatal(err)
			}
			mu.Lock()
			defer mu.Unlock()
			if s := strings.Join(got, " "); s != args {
				t.Errorf("got %s, want %s", s, args)
			}
		})
	}
}

// kkrpcReleased releases f and reports anything but the error that calling it must then give.
func kkrpcReleased(f func(int, ...string) error) error {
	if err := kkrpc.Release(f); err != nil {
		return err
	}
	if err := f(1); !errors.Is(err, kkrpc.ErrReleased) {
		return fmt.Errorf("a released function returned %v", err)
	}
	return nil
}

func TestCallbackShapes(t *testing.T) {
	for _, fn := range []any{func() {}, func(context.Context) error { return nil }, func(string, ...int) {}, func(func(int)) {}, func(*kkrpc.Callback) {}} {
		if kkrpc.NewCallback(fn) == nil {
			t.Errorf("%T", fn)
		}
	}
	for _, fn := range []any{func() int { return 0 }, func(chan int) {}, func(int, context.Context) {}, func() (int, error) { return 0, nil }, 5, nil,
		func(time.Duration) {}} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%T was accepted", fn)
				}
			}()
			kkrpc.NewCallback(fn)
		}()
	}
	for name, fn := range map[string]any{
		"chan in a callback":     func(func(chan int)) {},
		"function in a function": func(func(func() int)) {},
		"callback in a struct":   func(struct{ F *kkrpc.Callback }) {},
		"callback in a slice":    func([]func()) {},
		"late context":           func(func(int, context.Context)) {},
		"channel result":         func() chan int { return nil },
		"function result":        func() func() { return nil },
	} {
		if _, err := kkrpc.Expose(kkrpc.Object{"f": fn}); err == nil {
			t.Errorf("%s was accepted", name)
		}
	}
	ok := func(func(func(int) error, *kkrpc.Callback, fmt.Stringer)) {}
	if _, err := kkrpc.Expose(kkrpc.Object{"f": ok}); err != nil {
		t.Error(err)
	}
}

// Whatever arguments arrive in a frame of valid JSON text, each request is answered, by a result or by a TypeError that names an argument.
func FuzzArguments(f *testing.F) {
	api, err := kkrpc.Expose(functions())
	if err != nil {
		f.Fatal(err)
	}
	for _, args := range []string{`1,2`, `"x"`, `null`, `{"email":5}`, `[{"tags":[{}]}]`, `{"0":1}`, `{"__kkrpc_next_arg__":"value"}`, `1e400,-0`, `"\ud800"`} {
		f.Add("add", args)
		f.Add("users", args)
	}
	f.Fuzz(func(t *testing.T, path, args string) {
		if !utf8.ValidString(args) || !json.Valid([]byte("["+args+"]")) || strings.Contains(args, "callback") {
			t.Skip()
		}
		name, err := json.Marshal(path)
		if err != nil {
			t.Skip()
		}
		p := newPeer(t, api)
		got := p.compact("call", string(name), `"a":[`+args+`]`)
		if got == "" {
			t.Error("no answer")
		}
		if strings.Contains(got, "InternalError") {
			t.Errorf("panic: %s(%s)", path, args)
		}
	})
}
