package superjson_test

import (
	"math"
	"math/big"
	"strings"
	"testing"
	"time"

	"github.com/kkrpc-go/kkrpc/superjson"
)

// The library refuses to write members named constructor and prototype, but it reads them without annotations inside.
func TestMembersNamedConstructor(t *testing.T) {
	shared := map[string]any{"k": 1}
	type built struct {
		Constructor any `json:"constructor"`
	}
	var lines []jsLine
	for _, row := range []struct {
		v  any
		js string
	}{
		{map[string]any{"constructor": 1, "of": 2}, "({constructor:1,of:2})"},
		{map[string]int{"the": 3, "constructor": 1, "prototype": 2}, "({the:3,constructor:1,prototype:2})"},
		{built{"text"}, "({constructor:'text'})"},
		{[]any{built{[]any{map[string]any{"constructor": nil}}}}, "[{constructor:[{constructor:null}]}]"},
		{map[string]any{"constructor": shared, "a": shared, "b": shared, "d": big.NewInt(1)}, "(s=>({constructor:{k:1},a:s,b:s,d:1n}))({k:1})"},
		{map[string]any{"a": shared, "constructor": []any{shared, shared}}, "({a:{k:1},constructor:[{k:1},{k:1}]})"},
	} {
		text, err := superjson.Marshal(row.v)
		if err != nil {
			t.Errorf("%s: %v", row.js, err)
			continue
		}
		lines = append(lines, jsLine{JS: row.js, Text: new(string(text))})
		var tree any
		if err := superjson.Unmarshal(text, &tree); err != nil {
			t.Errorf("%s: %v", text, err)
		}
	}
	for _, library := range libraries {
		for i, answer := range values(t, library, "read", lines) {
			if !answer.OK {
				t.Errorf("%s reads %s: %s", library, *lines[i].Text, answer.Why)
			}
		}
	}
	cycle := map[string]any{}
	cycle["constructor"] = cycle
	var kept superjson.Value
	if err := superjson.Unmarshal([]byte(`{"json":[{},{}],"meta":{"referentialEqualities":{"0":["1"]},"v":1}}`), &kept); err != nil {
		t.Fatal(err)
	}
	for want, v := range map[string]any{
		"constructor: superjson refuses a value of type Date inside of the member name constructor":   built{time.Now()},
		"constructor: superjson refuses a value of type bigint inside of the member name constructor": map[string]any{"constructor": []any{big.NewInt(1)}},
		"prototype: superjson refuses a value of type number inside of the member name prototype":     map[string]float64{"prototype": math.NaN()},
		"constructor: superjson refuses shared objects inside of the member name constructor":         map[string]any{"constructor": kept},
		"__proto__: superjson refuses the member name __proto__":                                      map[string]any{"__proto__": 1},
		"cycle": cycle,
	} {
		if got, err := superjson.Marshal(v); err == nil || !strings.HasSuffix(err.Error(), want) {
			t.Errorf("got %s, %v, want %s", got, err, want)
		}
	}
	// The next value of an Encoder is not affected by the one that failed.
	e := superjson.NewEncoder(superjson.ModeSuperJSON)
	if _, err := e.Append(nil, "a", map[string]any{"constructor": []any{make(chan int)}}); err == nil {
		t.Error("a channel was written")
	}
	if got, err := e.Append(nil, "b", []any{shared, shared}); err != nil || !strings.Contains(string(e.AppendMeta(got)), `"b.0":["b.1"]`) {
		t.Errorf("got %s, %v", got, err)
	}
}
