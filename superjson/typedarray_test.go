package superjson_test

import (
	"math"
	"reflect"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/kkrpc-go/kkrpc/superjson"
)

var (
	inf      = math.Inf(1)
	negative = math.Copysign(0, -1)
)

// sameNumbers tells 0 and -0 apart.
func sameNumbers(want, got any) string {
	same := func(a, b float64) bool { return a == b && math.Signbit(a) == math.Signbit(b) || a != a && b != b }
	return cmp.Diff(want, got, cmp.Comparer(same), cmp.Comparer(func(a, b float32) bool { return same(float64(a), float64(b)) }))
}

func TestTypedArraysWithSpecialNumbers(t *testing.T) {
	rows := []struct {
		js string
		v  any
	}{
		{"new Float64Array([1.5,NaN,Infinity,-Infinity,-0,0])", superjson.Float64Array{1.5, math.NaN(), inf, -inf, negative, 0}},
		{"new Float32Array([1.5,NaN,Infinity,-Infinity,-0,0])", superjson.Float32Array{1.5, float32(math.NaN()), float32(inf), float32(-inf), float32(negative), 0}},
		{"({a:[new Float64Array([-0])]})", map[string]any{"a": []any{superjson.Float64Array{negative}}}},
		{"new Float32Array([0.1,1e30])", superjson.Float32Array{0.1, 1e30}},
		{"new Int16Array([1,-1,-0])", superjson.Int16Array{1, -1, 0}},
		{"new Float64Array()", superjson.Float64Array{}},
	}
	for _, library := range libraries {
		var reads, writes []jsLine
		for _, row := range rows {
			text, err := superjson.Marshal(row.v)
			if err != nil {
				t.Fatal(err)
			}
			reads, writes = append(reads, jsLine{JS: row.js, Text: new(string(text))}), append(writes, jsLine{JS: row.js})
		}
		for i, answer := range values(t, library, "read", reads) {
			if !answer.OK {
				t.Errorf("%s reads %s: %s", library, *reads[i].Text, answer.Why)
			}
		}
		if library != libraries[0] {
			continue // it writes null for the special numbers
		}
		for i, answer := range values(t, library, "write", writes) {
			typed := reflect.New(reflect.TypeOf(rows[i].v))
			var tree any
			for _, into := range []any{typed.Interface(), &tree} {
				if err := superjson.Unmarshal([]byte(*answer.Text), into); err != nil {
					t.Errorf("%s into %T: %v", *answer.Text, into, err)
				}
			}
			for _, got := range []any{typed.Elem().Interface(), tree} {
				if diff := sameNumbers(rows[i].v, got); diff != "" {
					t.Errorf("%s: %s", *answer.Text, diff)
				}
			}
		}
	}
	var got []any
	for _, into := range []any{new([]float64), new([]float32), new([4]float64), new([]any)} {
		if err := superjson.Unmarshal([]byte(libraryWrites(t, superjson.ModeSuperJSON, libraries[0], []string{rows[0].js + ".slice(1,5)"})[0]), into); err != nil {
			t.Error(err)
			continue
		}
		got = append(got, reflect.ValueOf(into).Elem().Interface())
	}
	want := []any{[]float64{math.NaN(), inf, -inf, negative}, []float32{float32(math.NaN()), float32(inf), float32(-inf), float32(negative)},
		[4]float64{math.NaN(), inf, -inf, negative}, []any{math.NaN(), inf, -inf, negative}}
	if diff := sameNumbers(want, got); diff != "" {
		t.Error(diff)
	}
}

// JSON.stringify writes a typed array as an object with indexes.
func TestTypedArraysUnderJSON(t *testing.T) {
	rows := []struct {
		js   string
		read func(superjson.Mode, string) (any, error)
		want any
	}{
		{"Float32Array.of(0.5,-1,2)", decodeAs[[]float32], []float32{0.5, -1, 2}},
		{"Float64Array.of(0.5,-1,2)", decodeAs[superjson.Float64Array], superjson.Float64Array{0.5, -1, 2}},
		{"Float64Array.of(0.5,-1,2)", decodeAs[[3]float64], [3]float64{0.5, -1, 2}},
		{"Int32Array.of(1,-2)", decodeAs[superjson.Int32Array], superjson.Int32Array{1, -2}},
		{"Int32Array.of(1,-2)", decodeAs[[]int], []int{1, -2}},
		{"Int32Array.of(1,-2)", decodeAs[*[]int64], &[]int64{1, -2}},
		{"Uint8ClampedArray.of(1,300)", decodeAs[superjson.Uint8ClampedArray], superjson.Uint8ClampedArray{1, 255}},
		{"Uint16Array.of(1,65535)", decodeAs[[]uint16], []uint16{1, 65535}},
		{"Int8Array.from({length:12},(_,i)=>i)", decodeAs[[]int8], []int8{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11}},
		{"({a:Float32Array.of(1)})", decodeAs[map[string][]float32], map[string][]float32{"a": {1}}},
		{"new Float32Array()", decodeAs[[]float32], []float32{}},
		{"new Int32Array()", decodeAs[superjson.Int32Array], superjson.Int32Array{}},
		{"Int32Array.of(1,-2)", decodeAs[[]uint], "1: expected uint, got integer out of range"},
		{"Float32Array.of(1,NaN)", decodeAs[[]float32], "1: expected number, got null"},
		{"({length:1})", decodeAs[[]float32], "expected array, got object"},
		{"({1:1})", decodeAs[[]float32], "expected array, got object"},
		{"({0:1,x:1})", decodeAs[superjson.Int32Array], "expected Int32Array, got object"},
		{"({0:'a'})", decodeAs[[]string], "expected array, got object"},
		{"['NaN']", decodeAs[superjson.Float64Array], "[0]: expected number, got string"},
	}
	for _, mode := range []superjson.Mode{superjson.ModeJSON, superjson.ModeTaggedJSON} {
		var js []string
		for _, row := range rows {
			js = append(js, row.js)
		}
		for i, text := range libraryWrites(t, mode, libraries[0], js) {
			got, err := rows[i].read(mode, text)
			if want, fails := rows[i].want.(string); fails {
				if err == nil || !strings.Contains(err.Error(), want) {
					t.Errorf("mode %d: %s: got %v, %v, want %q", mode, text, got, err, want)
				}
			} else if diff := cmp.Diff(rows[i].want, got); err != nil || diff != "" {
				t.Errorf("mode %d: %s: %v %s", mode, text, err, diff)
			}
		}
	}
}

// An ArrayBuffer, a DataView, a Blob and a promise are {} in every codec. So is an empty Uint8Array under JSON.
func TestEmptyObjectIsNoBytes(t *testing.T) {
	js := []string{"new ArrayBuffer(8)", "new DataView(new ArrayBuffer(8))", "new Blob(['abc'])", "Promise.resolve(1)", "({})"}
	for _, library := range libraries {
		for i, text := range libraryWrites(t, superjson.ModeSuperJSON, library, js) {
			for _, read := range []func(superjson.Mode, string) (any, error){decodeAs[[]byte], decodeAs[*[]byte], decodeAs[[0]byte], decodeAs[superjson.Int8Array], decodeAs[[]float32]} {
				got, err := read(superjson.ModeSuperJSON, text)
				if err == nil || !strings.Contains(err.Error(), "got object") {
					t.Errorf("%s, %s became %#v, %v", library, js[i], got, err)
				}
			}
			if got, err := decodeAs[struct{ Data []byte }](superjson.ModeSuperJSON, `{"json":{"data":{}}}`); err == nil {
				t.Errorf("a member became %v", got)
			}
		}
		for _, js := range []string{"new Uint8Array()", "new Uint8Array([0])"} {
			if _, err := decodeAs[[]byte](superjson.ModeSuperJSON, libraryWrites(t, superjson.ModeSuperJSON, library, []string{js})[0]); err != nil {
				t.Errorf("%s: %v", js, err)
			}
		}
	}
	if got, err := decodeAs[[]byte](superjson.ModeJSON, libraryWrites(t, superjson.ModeJSON, libraries[0], []string{"new Uint8Array()"})[0]); err != nil {
		t.Errorf("an empty Uint8Array became %v, %v", got, err)
	}
}
