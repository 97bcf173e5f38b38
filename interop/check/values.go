package check

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/big"
	"strconv"
	"time"

	"github.com/kkrpc-go/kkrpc"
	"github.com/kkrpc-go/kkrpc/superjson"
)

var (
	date      = time.Date(2024, 2, 29, 12, 34, 56, 789e6, time.UTC)
	bigInt, _ = new(big.Int).SetString("12345678901234567890", 10)
)

// described are values and what the peer calls them when it sees them as they were meant.
var described = []struct {
	value any
	want  string
}{
	{nil, "null"},
	{superjson.Undefined, "undefined"},
	{date, "date:2024-02-29T12:34:56.789Z"},
	{superjson.NewMap(superjson.Entry{Key: 1, Value: 2}, superjson.Entry{Key: "a", Value: nil}), "map:2"},
	{superjson.NewSet(1, "b", 3), "set:3"},
	{[]byte{1, 2, 3, 4}, "bytes:4"},
	{new(big.Int).Neg(bigInt), "bigint:-12345678901234567890"},
	{[]string{"a"}, "array"},
	{math.NaN(), "number"},
	{1, "number"},
	{"s", "string"},
	{false, "boolean"},
	{map[string]int{"a": 1}, "object"},
}

func valueChecks() []check {
	bytes300 := make([]byte, 300)
	indexed := make(map[string]int)
	for i := range bytes300 {
		bytes300[i] = byte(i)
		indexed[strconv.Itoa(i)] = i & 255
	}
	checks := []check{
		{name: "values/getDate", run: returns(date, "getDate")},
		{name: "values/getDate-text", needs: plainJSON, run: returns("2024-02-29T12:34:56.789Z", "getDate")},
		{name: "values/getMap-empty", needs: plainJSON, run: returns(map[string]any{}, "getMap")},
		{name: "values/getSet-empty", needs: plainJSON, run: returns(map[string]any{}, "getSet")},
		{name: "values/getMap", needs: richValues, run: getMap},
		{name: "values/getSet", needs: richValues, run: getSet},
		{name: "values/getBigInt", needs: richValues, run: returns(bigInt, "getBigInt")},
		{name: "values/getBytes", run: returns(bytes300, "getBytes", 300)},
		{name: "values/getBytes-indexed", unless: taggedBytes, run: returns(indexed, "getBytes", 300)},
		{name: "values/sumBytes", needs: taggedBytes, run: returns(256, "sumBytes", []byte{1, 2, 253})},
		{name: "values/echo-bytes", needs: taggedBytes, run: returns([]byte{0, 1, 127, 128, 255}, "echo", []byte{0, 1, 127, 128, 255})},
		{name: "values/echo-date", run: returns(date, "echo", date)},
		{name: "values/echo-bigint", needs: richValues, run: returns(bigInt, "echo", bigInt)},
		{name: "values/echo-infinity", needs: richValues, run: returns(math.Inf(1), "echo", math.Inf(1))},
		{name: "values/echo-minus-infinity", needs: richValues, run: returns(math.Inf(-1), "echo", math.Inf(-1))},
		{name: "values/echo-nan", needs: richValues, run: echoNumber(math.NaN(), math.IsNaN)},
		{name: "values/echo-minus-zero", needs: richValues, run: echoNumber(math.Copysign(0, -1), math.Signbit)},
		{name: "values/echo-regexp", needs: richValues, run: returns(superjson.RegExp{Source: `a\/b"c`, Flags: "giu"}, "echo",
			superjson.RegExp{Source: `a\/b"c`, Flags: "giu"})},
		{name: "values/echo-escaped-keys", needs: richValues, run: returns(
			map[string]time.Time{"a.b": date, `c\d`: date, "": date}, "echo", map[string]time.Time{"a.b": date, `c\d`: date, "": date})},
		{name: "values/echo-float64-array", needs: richValues, run: returns(superjson.Float64Array{0.1, -1.5}, "echo",
			superjson.Float64Array{0.1, -1.5})},
		{name: "values/echo-raw", run: echoRaw},
		{name: "values/no-bigint", needs: plainJSON, run: refusedHere(bigInt)},
		{name: "values/no-nan", needs: plainJSON, run: refusedHere(math.NaN())},
		{name: "values/no-map", needs: plainJSON, run: refusedHere(superjson.NewMap())},
	}
	for _, d := range described {
		checks = append(checks, check{name: "values/describe-" + d.want, needs: richValues, run: returns(d.want, "describe", d.value)})
	}
	return checks
}

func getMap(ctx context.Context, t *target) error {
	m, err := kkrpc.Call[*superjson.Map](ctx, t.ch, "getMap")
	if err != nil {
		return err
	}
	return same(m.Entries(), []superjson.Entry{{Key: "a", Value: 1.0}, {Key: "b", Value: map[string]any{"c": 2.0}}})
}

func getSet(ctx context.Context, t *target) error {
	s, err := kkrpc.Call[*superjson.Set](ctx, t.ch, "getSet")
	if err != nil {
		return err
	}
	return same(s.Values(), []any{1.0, 2.0, 3.0})
}

func echoNumber(v float64, is func(float64) bool) func(context.Context, *target) error {
	return func(ctx context.Context, t *target) error {
		got, err := kkrpc.Call[float64](ctx, t.ch, "echo", v)
		if err == nil && !is(got) {
			err = fmt.Errorf("got %v, want %v", got, v)
		}
		return err
	}
}

// echoRaw sends a lone surrogate, which a Go string cannot hold.
func echoRaw(ctx context.Context, t *target) error {
	got, err := kkrpc.Call[superjson.Value](ctx, t.ch, "echo", superjson.Value{JSON: []byte(`"a\ud800b"`)})
	if err != nil {
		return err
	}
	return same(string(got.JSON), `"a\ud800b"`)
}

// refusedHere wants v refused before anything is sent, without harm to the connection.
func refusedHere(v any) func(context.Context, *target) error {
	return func(ctx context.Context, t *target) error {
		err := t.ch.Call(ctx, nil, "echo", v)
		if err == nil || errors.Is(err, kkrpc.ErrClosed) {
			return fmt.Errorf("got %v, want an error about the argument", err)
		}
		return returns("Hello, after!", "greet", "after")(ctx, t)
	}
}
