package superjson_test

import (
	"errors"
	"math/bits"
	"runtime"
	"strconv"
	"strings"
	"testing"

	"github.com/kkrpc-go/kkrpc/superjson"
)

type tiny struct {
	A *int
	B string
	C map[string]int
}

// metered are types that a peer may fill, with texts that take much more memory than they have bytes.
var metered = []struct {
	name string
	item string
	meta string
	make func() any
}{
	{"empty objects in an any", `{}`, "", func() any { return new(any) }},
	{"objects of one member in an any", `{"":0}`, "", func() any { return new(any) }},
	{"empty arrays in an any", `[]`, "", func() any { return new(any) }},
	{"arrays of one null in an any", `[null]`, "", func() any { return new(any) }},
	{"numbers in an any", `1`, "", func() any { return new(any) }},
	{"strings in an any", `"a"`, "", func() any { return new(any) }},
	{"nulls in an any", `null`, "", func() any { return new(any) }},
	{"empty structs", `{}`, "", func() any { return new([]tiny) }},
	{"structs with a pointer", `{"A":1}`, "", func() any { return new([]tiny) }},
	{"structs with a map", `{"C":{"a":1}}`, "", func() any { return new([]tiny) }},
	{"pointers to structs", `{}`, "", func() any { return new([]*tiny) }},
	{"maps", `{"a":1}`, "", func() any { return new([]map[string]int) }},
	{"arrays", `[1]`, "", func() any { return new([][]int) }},
	{"wide structs", `{}`, "", func() any { return new([]struct{ A [50]int }) }},
	{"lists of one wide struct", `[{}]`, "", func() any { return new([][]struct{ A [50]int }) }},
	{"escaped strings", `"\u0061"`, "", func() any { return new([]string) }},
	{"Values", `1`, "", func() any { return new([]superjson.Value) }},
	{"a set of numbers", `%d`, `{"values":["set"]}`, func() any { return new(any) }},
	{"a map of numbers", `[%d,1]`, `{"values":["map"]}`, func() any { return new(any) }},
	{"a typed array", `1`, `{"values":[["typed-array","Float64Array"]]}`, func() any { return new(any) }}, // made of an array of any, which counts too
	{"a typed array", `1`, "", func() any { return new(superjson.Float64Array) }},
}

func listOf(item string) []byte {
	var b strings.Builder
	b.WriteByte('[')
	for i := range 20_000 {
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteString(strings.ReplaceAll(item, "%d", strconv.Itoa(i)))
	}
	b.WriteByte(']')
	return []byte(b.String())
}

// What a Meter says is about what the value takes, so that limits mean bytes of memory.
func TestMeterTellsWhatAValueTakes(t *testing.T) {
	for _, test := range metered {
		t.Run(test.name, func(t *testing.T) {
			raw := listOf(test.item)
			meta, err := superjson.ParseMeta([]byte(test.meta))
			if err != nil {
				t.Fatal(err)
			}
			var m superjson.Meter
			v := test.make()
			heap := live()
			if err := superjson.DecodeMetered(superjson.ModeSuperJSON, raw, meta, v, nil, &m); err != nil {
				t.Fatal(err)
			}
			took := live() - heap
			runtime.KeepAlive(v)
			t.Logf("%.1f x its text, counted as %.1f x", float64(took)/float64(len(raw)), float64(m.Spent)/float64(len(raw)))
			// With 32 bits some values take less than is counted: limits may then refuse too early, never too late.
			over := m.Spent > took*5/2+len(raw) && test.name != "a typed array" && bits.UintSize == 64
			if m.Spent < took*2/3 || over {
				t.Errorf("it takes %d bytes, counted as %d", took, m.Spent)
			}
		})
	}
}

func live() int {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int(m.HeapAlloc)
}

func TestMeterLimit(t *testing.T) {
	for _, test := range metered {
		t.Run(test.name, func(t *testing.T) {
			raw := listOf(test.item)
			meta, err := superjson.ParseMeta([]byte(test.meta))
			if err != nil {
				t.Fatal(err)
			}
			m := superjson.Meter{Limit: 200_000 * bits.UintSize / 64}
			v := test.make()
			if err := superjson.DecodeMetered(superjson.ModeSuperJSON, raw, meta, v, nil, &m); !errors.Is(err, superjson.ErrMemory) {
				t.Errorf("%v after %d bytes", err, m.Spent)
			}
			if m.Spent > 2*m.Limit {
				t.Errorf("it ends after %d bytes", m.Spent)
			}
		})
	}
}

type watch struct{ told []int }

func (w *watch) Grown(spent int) error {
	if w.told = append(w.told, spent); len(w.told) == 3 {
		return errStop
	}
	return nil
}

var errStop = errors.New("stop")

func TestMeterWatch(t *testing.T) {
	w := &watch{}
	m := superjson.Meter{Watch: w}
	var v any
	err := superjson.DecodeMetered(superjson.ModeJSON, listOf("{}"), nil, &v, nil, &m)
	if err != errStop || len(w.told) != 3 || w.told[0] > 200<<10 {
		t.Errorf("%v after %v", err, w.told)
	}
	if err := superjson.DecodeMetered(superjson.ModeJSON, []byte(`[{}]`), nil, &v, nil, &superjson.Meter{Watch: w}); err != nil || len(w.told) != 3 {
		t.Errorf("a small value: %v", err)
	}
}

// keepsNull reads null, and stays as it was.
type keepsNull struct{ n int }

func (k *keepsNull) UnmarshalJSON(text []byte) error {
	if string(text) != "null" {
		k.n++
	}
	return nil
}

// Members that are repeated take no memory, or it is counted.
func TestMeterOfRepeatedMembers(t *testing.T) {
	if testing.Short() {
		t.Skip("decodes a lot on one goroutine: not under -short")
	}
	for name, row := range map[string]struct {
		member string
		v      any
	}{
		"a pointer, in another case":                          {`"a":null`, &struct{ A *int }{}},
		"a pointer":                                           {`"A":null`, &struct{ A *int }{}},
		"a type that reads itself":                            {`"A":null`, &struct{ A keepsNull }{}},
		"a type that reads itself, in another case":           {`"a":null`, &struct{ A keepsNull }{}},
		"a pointer to one that reads itself, in another case": {`"a":null`, &struct{ A *keepsNull }{}},
		"an array":                     {`"A":[0,0]`, &struct{ A [2]int }{}},
		"an array, in another case":    {`"a":[0,0]`, &struct{ A [2]int }{}},
		"a struct, in another case":    {`"a":{}`, &struct{ A tiny }{}},
		"an unknown member":            {`"x":null`, &struct{ A *int }{}},
		"a pointer, in an inner value": {`"b":{"a":null}`, &struct{ B struct{ A *int } }{}},
	} {
		raw := []byte("{" + strings.Repeat(row.member+",", 200_000) + row.member + "}")
		var m superjson.Meter
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		err := superjson.DecodeMetered(superjson.ModeJSON, raw, nil, row.v, nil, &m)
		runtime.ReadMemStats(&after)
		took := int(after.TotalAlloc - before.TotalAlloc)
		if err != nil || took > m.Spent*20+len(raw) { // under the race detector, pools keep little
			t.Errorf("%s: %v, %d bytes were allocated for %d of text, %d are counted", name, err, took, len(raw), m.Spent)
		}
		m = superjson.Meter{Limit: 1000}
		if err := superjson.DecodeMetered(superjson.ModeJSON, raw, nil, row.v, nil, &m); err != nil && !errors.Is(err, superjson.ErrMemory) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
