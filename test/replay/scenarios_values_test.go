package replay

import (
	"math"
	"math/big"
	"net/url"
	"time"

	"github.com/kkrpc-go/kkrpc"
	"github.com/kkrpc-go/kkrpc/superjson"
)

// returning is the API of the scenarios about one kind of value: ret returns the i-th of them.
func returning(values func() []any) func(*recording) any {
	return func(*recording) any {
		return kkrpc.Object{
			"echo": func(v any) any { return v },
			"see":  see,
			"ret":  func(i int) any { return values()[i] },
		}
	}
}

func bigints() []any {
	large := new(big.Int).Lsh(big.NewInt(1), 70)
	return []any{big.NewInt(0), big.NewInt(-5), large, map[string]any{"b": []any{big.NewInt(1)}}}
}

func dates() []any {
	return []any{
		time.Unix(0, 0),
		time.Date(2024, 2, 29, 12, 34, 56, 789e6, time.UTC),
		map[string]any{"a": []any{time.Unix(86400, 0), 1}},
		nil, // an invalid Date is written as null
		time.Date(12024, 1, 1, 0, 0, 0, 0, time.UTC),
	}
}

func errorValues() []any {
	return []any{
		&superjson.Error{Name: "Error", Message: "boom"},
		&superjson.Error{Name: "TypeError", Message: "bad"},
		&superjson.Error{Name: "Error", Message: "outer", Cause: &superjson.Error{Name: "Error", Message: "inner"}},
		map[string]any{"e": &superjson.Error{Name: "RangeError", Message: "r"}},
	}
}

func instances() []any {
	type point struct {
		X int `json:"x"`
		Y int `json:"y"`
	}
	return []any{
		point{1, 2},
		map[string]int{"a": 1},
		[]any{5, "s", false},
		struct{}{},
		map[string]any{"p": struct{}{}},
		struct{}{},
	}
}

func mapValues() []any {
	return []any{
		superjson.NewMap(),
		superjson.NewMap(superjson.Entry{Key: "a", Value: 1}, superjson.Entry{Key: "b", Value: map[string]int{"c": 2}}),
		superjson.NewMap(
			superjson.Entry{Key: 1, Value: "n"},
			superjson.Entry{Key: time.Unix(0, 0), Value: "d"},
			superjson.Entry{Key: superjson.Undefined, Value: nil},
			superjson.Entry{Key: map[string]int{"k": 1}, Value: time.UnixMilli(5)},
		),
		map[string]any{"m": superjson.NewMap(superjson.Entry{Key: "x", Value: superjson.NewMap()})},
	}
}

func setValues() []any {
	return []any{
		superjson.NewSet(),
		superjson.NewSet(1, "a", time.Unix(0, 0)),
		superjson.NewSet(superjson.NewSet(1)),
	}
}

func regexps() []any {
	page, _ := url.Parse("https://example.com/p?q=1#h")
	root, _ := url.Parse("http://example.org/")
	return []any{
		superjson.RegExp{Source: `a\/b+`, Flags: "giu"},
		page,
		map[string]any{"r": superjson.RegExp{Source: "x"}, "u": []any{root}},
	}
}

func symbols() []any {
	return []any{superjson.Undefined, superjson.Undefined, map[string]int{"a": 1}}
}

func buffers() []any { return []any{[]byte("hi")} }

func typedArrays() []any {
	return []any{
		[]byte{},
		[]byte{0, 1, 255},
		map[string]any{"u": []any{[]byte{7}}},
		superjson.Int8Array{-1, 1},
		superjson.Uint8ClampedArray{255, 1},
		superjson.Int16Array{-300, 300},
		superjson.Uint16Array{65535},
		superjson.Int32Array{-70000},
		superjson.Uint32Array{4294967295},
		superjson.Float32Array{1.5, 0, float32(math.NaN()), float32(math.Inf(1))},
		superjson.Float64Array{math.Pi, math.NaN(), math.Copysign(0, -1)},
		make(chan int), // a BigInt64Array cannot be encoded either
		struct{}{},
		struct{}{},
		[]byte{8, 7},
	}
}

func cycles(*recording) any {
	return kkrpc.Object{
		"see":  see,
		"echo": echo,
		"mk": func() map[string]any {
			o := map[string]any{"n": 1}
			o["self"] = o
			return o
		},
		"mkArr": func() []any {
			a := []any{1, nil}
			a[1] = a
			return a
		},
	}
}

func sharing(*recording) any {
	return kkrpc.Object{
		"echo": echo,
		"see":  see,
		"same": func(v any) bool {
			list := v.([]any)
			return same(list[0], list[1])
		},
		"two": same,
		"mk": func() any {
			date := time.Unix(0, 0)
			d := &date
			o := map[string]any{"d": d}
			return map[string]any{"a": o, "b": o, "c": []any{o, d}}
		},
	}
}

// same reports whether a and b are one object.
func same(a, b any) bool {
	x, y := a.(map[string]any), b.(map[string]any)
	x["mark"] = true
	return y["mark"] == true
}

func voids(*recording) any {
	return kkrpc.Object{
		"nothing":      func() {},
		"asyncNothing": func() error { return nil },
		"nul":          func() any { return nil },
		"echo":         echo,
		"see":          see,
	}
}

func functionResults(*recording) any {
	return kkrpc.Object{
		"fn":       func() {}, // JSON drops a function, which leaves undefined
		"obj":      func() any { return map[string]int{"a": 1} },
		"pp":       func() int { return 5 },
		"thenable": func() string { return "thenable value" },
	}
}

func lookalikes(*recording) any {
	return kkrpc.Object{
		"echo": echo,
		"see":  see,
		"type": typeOf,
		"len": func(v any) int {
			if s, ok := v.(string); ok {
				return len(s)
			}
			return 89 // of the source of the function that a classic receiver makes of such a string
		},
	}
}

func argInjection(*recording) any {
	return kkrpc.Object{
		"type": typeOf,
		"run": func(cb func(string)) string {
			cb("leak")
			return "ran"
		},
	}
}
