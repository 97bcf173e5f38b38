package superjson_test

import (
	"encoding/json"
	"math"
	"math/rand/v2"
	"reflect"
	"runtime"
	"strconv"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/kkrpc-go/kkrpc/superjson"
)

// laidOut has a field of every kind, with gaps between them, in every way in which a field is reached.
type laidOut struct {
	B   bool
	I8  int8
	S   string
	I16 int16
	F32 float32
	U8  uint8
	I32 int32
	U16 uint16
	F64 float64
	U32 uint32
	I   int64
	U   uint
	P   *laidOut
	PP  **string
	inner
	*Outer
	Named    name
	Struct   struct{ A, B string }
	Empty    struct{}
	Empties  []struct{}
	Structs  []inner
	Pointers []*inner
	Array    [3]inner
	Lists    [][]int16
	Strings  []string
	Floats   []float64
	Bools    []bool
	Map      map[string]inner
	Maps     map[name]map[string]int8
	Any      any
	Anything []any
	Omitted  int     `json:",omitzero"`
	Short    []int32 `json:",omitempty"`
	Quoted   uint64  `json:",string"`
}

type (
	name  string
	inner struct {
		Deep   int32
		Deeper struct{ Flag, Other bool }
	}
	Outer struct {
		Above  float64
		Beside *string
	}
)

var laidOutTexts = []string{
	`{}`, `{"B":true,"I8":-128,"S":"text","I16":-3,"F32":1.5,"U8":255,"I32":7,"U16":65535,"F64":0.1,"U32":1,"I":-9007199254740991,"U":2}`,
	`{"P":{"P":{"S":"deep"},"Deep":4},"PP":"x","Deep":5,"Deeper":{"Other":true},"Above":1e-7,"Beside":null,"Named":"n"}`,
	`{"Struct":{"B":"b","A":"a"},"Empty":{},"Empties":[{},{}],"Structs":[{"Deep":1},{},{"Deep":3,"Deeper":{"Flag":true}}],"Pointers":[null,{"Deep":9}]}`,
	`{"Array":[{"Deep":1},{"Deep":2},{"Deep":3}],"Lists":[[1,2],[],null,[3]],"Strings":["a","","é\n"],"Floats":[1,2.25,-0.01],"Bools":[true,false]}`,
	`{"Map":{"a":{"Deep":1},"b":{}},"Maps":{"x":{"y":1},"z":null},"Any":{"a":[1,"x",null]},"Anything":[[],{}],"Omitted":1,"Short":[1],"Quoted":"18446744073709551615"}`,
	`{"Beside":"outer","Short":[],"Strings":["1","2","3","4","5","6","7","8","9"]}`,
}

// FuzzVariables compares the plans, which reach fields and elements by offsets, with encoding/json, which uses reflection.
func FuzzVariables(f *testing.F) {
	for _, text := range laidOutTexts {
		f.Add([]byte(text))
		f.Add([]byte(`[` + text + `,` + text + `]`))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		crosses[laidOut](t, raw)
		crosses[[]laidOut](t, raw)
		crosses[map[string]laidOut](t, raw)
	})
}

func crosses[T any](t *testing.T, raw []byte) {
	t.Helper()
	var want T
	if json.Unmarshal(raw, &want) != nil {
		return
	}
	for _, mode := range []superjson.Mode{superjson.ModeJSON, superjson.ModeSuperJSON} {
		e := superjson.NewEncoder(mode)
		text, err := e.Append(nil, "", want)
		if err != nil || e.HasMeta() {
			continue // an integer that JavaScript does not hold; -0, which superjson annotates
		}
		var read, got T
		if err := json.Unmarshal(text, &read); err != nil {
			t.Fatalf("%v: %s", err, text)
		}
		if diff := cmp.Diff(want, read, cmpopts.EquateEmpty(), cmp.AllowUnexported(laidOut{})); diff != "" {
			t.Fatalf("written, -want +got:\n%s", diff)
		}
		if err := superjson.Decode(superjson.ModeJSON, text, nil, &got); err != nil {
			t.Fatalf("%v: %s", err, text)
		}
		if diff := cmp.Diff(read, got, cmp.AllowUnexported(laidOut{})); diff != "" {
			t.Fatalf("read, -want +got:\n%s", diff)
		}
	}
}

// The garbage collector sees what a plan has stored.
func TestVariablesAreSeen(t *testing.T) {
	o := anOrder()
	text, err := superjson.NewEncoder(superjson.ModeJSON).Append(nil, "", o)
	if err != nil {
		t.Fatal(err)
	}
	var kept []order
	for i := range 200 {
		var got order
		if err := superjson.Decode(superjson.ModeJSON, text, nil, &got); err != nil {
			t.Fatal(err)
		}
		kept = append(kept, got)
		if i%20 == 0 {
			runtime.GC()
		}
	}
	runtime.GC()
	for _, got := range kept {
		if !reflect.DeepEqual(got, o) {
			t.Fatalf("%+v", got)
		}
	}
}

// Numbers with up to two decimals have a way of their own, as have numbers of few digits when they are read.
func TestNumbersAreAsStrconvWritesThem(t *testing.T) {
	numbers := []float64{0.01, -0.05, 0.1, 1.005, 2.675, 99.99, 1e13 - 0.01, 1e13 + 0.5, 0.07, 1e-3, 123456789012.34, 0.30000000000000004, 4.35, 5e-324, math.MaxFloat64}
	for range 40_000 {
		n := rand.Int64N(1 << uint(1+rand.IntN(52)))
		f := float64(n) / math.Pow(10, float64(rand.IntN(5)))
		numbers = append(numbers, f, -f, math.Nextafter(f, math.Inf(1)))
	}
	e := superjson.NewEncoder(superjson.ModeJSON)
	var text []byte
	for _, f := range numbers {
		text, _ = e.Append(text[:0], "", []float64{f})
		var read []float64
		if err := superjson.Decode(superjson.ModeJSON, text, nil, &read); err != nil || read[0] != f {
			t.Fatalf("%v was written as %s and read as %v, %v", f, text, read, err)
		}
		if abs := math.Abs(f); abs >= 1e-6 && abs < 1e21 || f == 0 {
			if want := "[" + strconv.FormatFloat(f, 'f', -1, 64) + "]"; string(text) != want && f != 0 {
				t.Fatalf("%s, want %s", text, want)
			}
		}
		for _, form := range []byte{'f', 'e'} {
			full := strconv.FormatFloat(f, form, 5, 64)
			want, _ := strconv.ParseFloat(full, 64)
			if err := superjson.Decode(superjson.ModeJSON, []byte("["+full+"]"), nil, &read); err != nil || read[0] != want {
				t.Fatalf("%s was read as %v, %v, want %v", full, read, err, want)
			}
		}
	}
}
