package superjson_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"math/big"
	"net/netip"
	"net/url"
	"reflect"
	"testing"
	"time"

	"github.com/kkrpc-go/kkrpc/superjson"
)

type user struct {
	Name string   `json:"name"`
	Tags []string `json:"tags"`
	Age  *int     `json:"age"`
	Any  any      `json:"any"`
}

const (
	sj = superjson.ModeSuperJSON
	pj = superjson.ModeJSON
	tj = superjson.ModeTaggedJSON
)

func TestDecode(t *testing.T) {
	five := 5
	u, _ := url.Parse("http://x/")
	rows := []struct {
		name      string
		mode      superjson.Mode
		raw, meta string
		want      any // its type is decoded into
		err       string
	}{
		{"string", pj, ` "a" `, "", "a", ""},
		{"escapes", pj, `"a\n\ud83d\ude00"`, "", "a\n😀", ""},
		{"lone surrogate", pj, `"\ud800x"`, "", "\ufffdx", ""},
		{"string of number", pj, `1`, "", "", "expected string, got number"},
		{"string of null", pj, `null`, "", "", "expected string, got null"},
		{"string of undefined", sj, `null`, `["undefined"]`, "", "expected string, got undefined"},
		{"string of nothing", pj, ``, "", "", "expected string, got undefined"},
		{"named string", pj, `"a"`, "", label("a"), ""},
		{"bool", pj, `true`, "", true, ""},
		{"false", pj, `false`, "", false, ""},
		{"bool of string", pj, `"true"`, "", false, "expected boolean, got string"},
		{"int", pj, `-12`, "", -12, ""},
		{"int of exponent", pj, `1e2`, "", 100, ""},
		{"int of fraction zero", pj, `5.0`, "", 5, ""},
		{"int of fraction", pj, `5.5`, "", 0, "expected integer, got number"},
		{"int of string", pj, `"5"`, "", 0, "expected integer, got string"},
		{"int of bool", pj, `true`, "", 0, "expected integer, got boolean"},
		{"int of array", pj, `[]`, "", 0, "expected integer, got array"},
		{"int of object", pj, `{}`, "", 0, "expected integer, got object"},
		{"int8 at the end", pj, `127`, "", int8(127), ""},
		{"int8 beyond", pj, `128`, "", int8(0), "expected int8, got integer out of range"},
		{"int32 at the end", pj, `-2147483648`, "", int32(math.MinInt32), ""},
		{"int32 beyond", pj, `2147483648`, "", int32(0), "expected int32, got integer out of range"},
		{"uint negative", pj, `-1`, "", uint(0), "expected uint, got integer out of range"},
		{"uint8", pj, `255`, "", uint8(255), ""},
		{"uint8 beyond", pj, `256`, "", uint8(0), "expected uint8, got integer out of range"},
		{"bigint into int64", sj, `"9007199254740993"`, `["bigint"]`, int64(9007199254740993), ""},
		{"bigint into uint64", sj, `"18446744073709551615"`, `["bigint"]`, uint64(math.MaxUint64), ""},
		{"bigint too large", sj, `"9223372036854775808"`, `["bigint"]`, int64(0), "expected int64, got integer out of range"},
		{"bigint under JSON", pj, `"1"`, `["bigint"]`, int64(0), "expected integer, got string"},
		{"BigInt64Array", sj, `["1","-9223372036854775808"]`, `[["typed-array","BigInt64Array"]]`, superjson.BigInt64Array{1, math.MinInt64}, ""},
		{"BigUint64Array", sj, `["18446744073709551615"]`, `[["typed-array","BigUint64Array"]]`, superjson.BigUint64Array{math.MaxUint64}, ""},
		{"BigInt64Array wraps", sj, `["18446744073709551615"]`, `[["typed-array","BigInt64Array"]]`, superjson.BigInt64Array{-1}, ""},
		{"BigInt64Array in any", sj, `["1"]`, `[["typed-array","BigInt64Array"]]`, any(superjson.BigInt64Array{1}), ""},
		{"BigInt64Array into int64s", sj, `["9007199254740993"]`, `[["typed-array","BigInt64Array"]]`, []int64{9007199254740993}, ""},
		{"BigUint64Array into uint64s", sj, `["18446744073709551615"]`, `[["typed-array","BigUint64Array"]]`, []uint64{math.MaxUint64}, ""},
		{"BigInt64Array into an array", sj, `["1","2"]`, `[["typed-array","BigInt64Array"]]`, [2]int64{1, 2}, ""},
		{"BigInt64Array into big.Ints", sj, `["7"]`, `[["typed-array","BigInt64Array"]]`, []*big.Int{big.NewInt(7)}, ""},
		{"BigInt64Array into floats", sj, `["7"]`, `[["typed-array","BigInt64Array"]]`, []float64(nil), "[0]: expected number, got bigint"},
		{"BigInt64Array of text", sj, `["x"]`, `[["typed-array","BigInt64Array"]]`, superjson.BigInt64Array(nil), "a value annotated BigInt64Array is none"},
		{"BigInt64Array of null", sj, `[null]`, `[["typed-array","BigInt64Array"]]`, superjson.BigInt64Array(nil), "a value annotated BigInt64Array is none"},
		{"BigInt64Array of text in an array", sj, `["x"]`, "", superjson.BigInt64Array(nil), "expected BigInt64Array, got array"},
		{"Int8Array of booleans", sj, `[1,true]`, "", superjson.Int8Array(nil), "expected Int8Array, got array"},
		{"Int8Array of booleans under JSON", pj, `{"0":true}`, "", superjson.Int8Array(nil), "expected Int8Array, got object"},
		{"Int8Array of text under JSON", pj, `[1,"x"]`, "", superjson.Int8Array(nil), "[1]: expected number, got string"},
		{"BigInt64Array by length", sj, `7`, `[["typed-array","BigInt64Array"]]`, superjson.BigInt64Array(nil), "expected BigInt64Array, got BigInt64Array"},
		{"big.Int", pj, `"-123456789012345678901"`, "", bigFrom("-123456789012345678901"), ""},
		{"big.Int of a number", pj, `5`, "", bigFrom("5"), ""},
		{"big.Int of hex", sj, `"0xff"`, `["bigint"]`, bigFrom("255"), ""},
		{"big.Int of text", pj, `"x"`, "", (*big.Int)(nil), "expected bigint, got string"},
		{"big.Int of null", pj, `null`, "", (*big.Int)(nil), ""},
		{"float", pj, `1.5`, "", 1.5, ""},
		{"float of string", sj, `"x"`, "", 0.0, "expected number, got string"},
		{"infinity", sj, `"-Infinity"`, `["number"]`, math.Inf(-1), ""},
		{"infinity unannotated", sj, `"Infinity"`, ``, math.Inf(1), ""},
		{"infinity under JSON", pj, `"Infinity"`, ``, 0.0, "expected number, got string"},
		{"float out of range", pj, `1e999`, ``, 0.0, "expected number, got number out of range"},
		{"float32 out of range", pj, `1e39`, ``, float32(0), "expected number, got number out of range"},
		{"float of null", pj, `null`, ``, 0.0, "expected number, got null"},
		{"leading zero", pj, `01`, ``, 0, "malformed"},
		{"bare minus", pj, `-`, ``, 0, "malformed"},
		{"two values", pj, `[1] 2`, ``, []int(nil), "malformed JSON: more than one"},
		{"date", pj, `"2024-02-29T12:34:56.789Z"`, "", time.Date(2024, 2, 29, 12, 34, 56, 789e6, time.UTC), ""},
		{"date in a zone", pj, `"2024-02-29T12:34:56.789999+01:00"`, "", time.Date(2024, 2, 29, 11, 34, 56, 789e6, time.UTC), ""},
		{"date alone", pj, `"2024-02-29"`, "", time.Date(2024, 2, 29, 0, 0, 0, 0, time.UTC), ""},
		{"date far", pj, `"+012024-02-29T00:00:00.000Z"`, "", time.Date(12024, 2, 29, 0, 0, 0, 0, time.UTC), ""},
		{"date before", pj, `"-000004-02-29T00:00:00.000Z"`, "", time.Date(-4, 2, 29, 0, 0, 0, 0, time.UTC), ""},
		{"date minus zero", pj, `"-000000-01-01T00:00:00.000Z"`, "", time.Time{}, "expected Date, got string"},
		{"date last", pj, `"+275760-09-13T00:00:00.000Z"`, "", time.UnixMilli(8.64e15).UTC(), ""},
		{"date too late", pj, `"+275760-09-13T00:00:00.001Z"`, "", time.Time{}, "expected Date, got string"},
		{"no date", pj, `"x"`, "", time.Time{}, "expected Date, got string"},
		{"invalid date", sj, `"x"`, `["Date"]`, time.Time{}, "expected Date, got invalid Date"},
		{"invalid date of an object", sj, `{}`, `["Date"]`, time.Time{}, "expected Date, got invalid Date"},
		{"invalid date of a number", sj, `8640000000000001`, `["Date"]`, time.Time{}, "expected Date, got invalid Date"},
		{"date of number", sj, `5`, `["Date"]`, time.UnixMilli(5).UTC(), ""},
		{"date of null", sj, `null`, `["Date"]`, time.UnixMilli(0).UTC(), ""},
		{"plain number for a date", sj, `5`, ``, time.Time{}, "expected Date, got number"},
		{"bytes of array", pj, `[0,255]`, "", []byte{0, 255}, ""},
		{"bytes of base64", pj, `"AP8="`, "", []byte{0, 255}, ""},
		{"bytes of bad base64", pj, `"*"`, "", []byte(nil), "expected Uint8Array, got string"},
		{"bytes of string", sj, `"AP8="`, "", []byte(nil), "expected Uint8Array, got string"},
		{"bytes of tagged", tj, `{"type":"Uint8Array","data":[1]}`, "", []byte{1}, ""},
		{"bytes of Buffer", pj, `{"data":[1],"type":"Buffer"}`, "", []byte{1}, ""},
		{"bytes of indexes", pj, `{"0":1,"1":2}`, "", []byte{1, 2}, ""},
		{"bytes of no indexes", pj, `{}`, "", []byte{}, ""},
		{"bytes of gaps", pj, `{"0":1,"2":2}`, "", []byte(nil), "2: expected Uint8Array, got object"},
		{"bytes of another tag", pj, `{"type":"X","data":[1]}`, "", []byte(nil), "expected Uint8Array, got object"},
		{"bytes of a tag alone", pj, `{"type":"Buffer"}`, "", []byte(nil), "expected Uint8Array, got object"},
		{"bytes of both", pj, `{"0":1,"type":"Buffer","data":[]}`, "", []byte(nil), "expected Uint8Array, got object"},
		{"bytes beyond", pj, `[256]`, "", []byte(nil), "[0]: expected byte, got number"},
		{"bytes negative", pj, `[0,-1]`, "", []byte(nil), "[1]: expected byte, got number"},
		{"bytes fraction", pj, `[1.5]`, "", []byte(nil), "[0]: expected byte, got number"},
		{"bytes null", pj, `null`, "", []byte(nil), ""},
		{"bytes bool", pj, `true`, "", []byte(nil), "expected Uint8Array, got boolean"},
		{"byte array", pj, `[1,2]`, "", [2]byte{1, 2}, ""},
		{"byte array short", pj, `[1]`, "", [2]byte{}, "expected array of 2, got array of 1"},
		{"named bytes", pj, `[1]`, "", blob{1}, ""},
		{"bytes of a named type", pj, `"AP8="`, "", []octet{0, 255}, ""},
		{"byte array of a named type", pj, `[1,2]`, "", [2]octet{1, 2}, ""},
		{"typed array wraps", sj, `[-1,257,null]`, `[["typed-array","Int8Array"]]`, superjson.Int8Array{-1, 1, 0}, ""},
		{"clamped", pj, `[-1,300,1.5,2.5]`, "", superjson.Uint8ClampedArray{0, 255, 2, 2}, ""},
		{"typed array of object", sj, `{}`, "", superjson.Float32Array(nil), "expected Float32Array, got object"},
		{"array", pj, `[1,2]`, "", [2]int{1, 2}, ""},
		{"array long", pj, `[1,2,3]`, "", [2]int{}, "expected array of 2, got array of 3"},
		{"slice", pj, `[[1],[],null]`, "", [][]int{{1}, {}, nil}, ""},
		{"slice element", pj, `[[1],["a"]]`, "", [][]int(nil), "[1][0]: expected integer, got string"},
		{"slice of object", sj, `{}`, "", []int(nil), "expected array, got object"},
		{"map", pj, `{"a":1,"a":2}`, "", map[string]int{"a": 2}, ""},
		{"map of int keys", pj, `{"-1":"a"}`, "", map[int8]string{-1: "a"}, ""},
		{"map of bad key", pj, `{"300":"a"}`, "", map[int8]string(nil), "300: expected a member named by int8, got string"},
		{"map of text keys", pj, `{"::1":1}`, "", map[netip.Addr]int{netip.MustParseAddr("::1"): 1}, ""},
		{"map of uint keys", pj, `{"1":1}`, "", map[uint8]int{1: 1}, ""},
		{"map of array", pj, `[]`, "", map[string]int(nil), "expected object, got array"},
		{"map of a Map", sj, `[["a",1],["b",2],["a",3]]`, `["map"]`, map[string]int{"a": 3, "b": 2}, ""},
		{"map of a Map with numbers", sj, `[[1,["x"]],[-2,[]]]`, `["map"]`, map[int8][]string{1: {"x"}, -2: {}}, ""},
		{"map of a Map with annotations", sj, `[["a",{"d":"2024-02-29T12:34:56.789Z"}]]`, `["map",{"0.1.d":["Date"]}]`,
			map[string]any{"a": map[string]any{"d": time.Date(2024, 2, 29, 12, 34, 56, 789e6, time.UTC)}}, ""},
		{"map of a Map in a Map", sj, `[["a",[[1,true]]]]`, `["map",{"0.1":["map"]}]`, map[string]map[int]bool{"a": {1: true}}, ""},
		{"map of a Map with another key", sj, `[[1,1]]`, `["map"]`, map[string]int(nil), "[0][0]: expected string, got number"},
		{"map of a Map of no pairs", sj, `[["a"]]`, `["map"]`, map[string]int(nil), "[0]: a value annotated map is none"},
		{"map of a Map of triples", sj, `[["a",1,2]]`, `["map"]`, map[string]int(nil), "[0][2]: a value annotated map is none"},
		{"map of a Map that is none", sj, `{}`, `["map"]`, map[string]int(nil), "expected array, got Map"},
		{"struct without regard to case", pj, `{"NAME":"x","tAGS":["a"],"other":[{}]}`, "", user{Name: "x", Tags: []string{"a"}}, ""},
		{"struct pointer", pj, `{"age":5}`, "", &user{Age: &five}, ""},
		{"struct null", pj, `{"age":null,"any":null,"tags":null}`, "", user{}, ""},
		{"struct null string", pj, `{"name":null}`, "", user{}, "name: expected string, got null"},
		{"struct undefined", sj, `{"name":null,"any":null}`, `{"name":["undefined"],"any":["undefined"]}`, user{Any: superjson.Undefined}, ""},
		{"nested error", pj, `{"user":{"tags":["a","b",3]}}`, "", map[string]user(nil), "user.tags[2]: expected string, got number"},
		{"bigint for string array", sj, `{"tags":"5"}`, `{"tags":["bigint"]}`, user{}, "tags: expected array, got bigint"},
		{"set for object", sj, `[]`, `["set"]`, user{}, "expected object, got Set"},
		{"typed array for object", sj, `[]`, `[["typed-array","Int8Array"]]`, user{}, "expected object, got Int8Array"},
		{"quoted", pj, `{"big":"18446744073709551615","a,b":2}`, "", profile{Big: math.MaxUint64, Quoted: 2}, ""},
		{"quoted not", pj, `{"big":5}`, "", profile{}, "big: expected string, got number"},
		{"quoted bad", pj, `{"big":"x"}`, "", profile{}, "big: expected number in a string, got string"},
		{"embedded", pj, `{"id":7,"ID":8,"Extra":9}`, "", profile{Common: Common{7}, Shadow: &Shadow{8, 9}}, ""},
		{"text of null", sj, `[null]`, "", []netip.Addr{{}}, ""},
		{"text of undefined", sj, `[null]`, `{"0":["undefined"]}`, []netip.Addr(nil), "[0]: expected netip.Addr, got undefined"},
		{"text", pj, `"::1"`, "", netip.MustParseAddr("::1"), ""},
		{"url", sj, `"http://x/"`, `["URL"]`, u, ""},
		{"relative url", sj, `"/x"`, ``, (*url.URL)(nil), "expected URL, got string"},
		{"relative url under JSON", pj, `"/x"`, ``, &url.URL{Path: "/x"}, ""},
		{"regexp", sj, `"/a/g"`, ``, superjson.RegExp{Source: "a", Flags: "g"}, ""},
		{"bad regexp", sj, `"a"`, ``, superjson.RegExp{}, "expected RegExp, got string"},
		{"map type", sj, `[["a",1]]`, ``, superjson.NewMap(superjson.Entry{Key: "a", Value: 1.0}), ""},
		{"map type of object", sj, `{}`, ``, (*superjson.Map)(nil), "expected Map, got object"},
		{"map type of no pairs", sj, `[1]`, ``, (*superjson.Map)(nil), "expected Map, got array"},
		{"map type of what is annotated", sj, `[1]`, `["map"]`, (*superjson.Map)(nil), "a value annotated map is none"},
		{"set type", sj, `["a","a",1]`, ``, *superjson.NewSet("a", 1.0), ""},
		{"error type", pj, `{"name":"E","message":"m","stack":"x"}`, ``, &superjson.Error{Name: "E", Message: "m"}, ""},
		{"error interface", sj, `{"name":"E","message":"m"}`, `["Error"]`, map[string]error{}, "name: expected Error, got string"},
		{"any number", pj, `1`, "", any(1.0), ""},
		{"raw", pj, ` {"a" : 1}`, "", json.RawMessage(`{"a" : 1}`), ""},
		{"undefined type", pj, `null`, "", superjson.Undefined, ""},
		{"undefined type of number", pj, `1`, "", superjson.Undefined, "expected undefined, got number"},
		{"pointer of undefined", sj, `null`, `["undefined"]`, (*int)(nil), ""},
		{"chan", pj, `1`, "", (chan int)(nil), "cannot decode into a chan"},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			var meta *superjson.Meta
			if row.meta != "" {
				meta = mustMeta(t, `{"values":`+row.meta+`,"v":1}`)
			}
			target := reflect.New(reflect.TypeOf(row.want))
			err := superjson.Decode(row.mode, []byte(row.raw), meta, target.Interface())
			if row.err != "" {
				if err == nil || !containsText(err, row.err) {
					t.Fatalf("got %v, want %q", err, row.err)
				}
				return
			}
			if err != nil || !reflect.DeepEqual(target.Elem().Interface(), row.want) {
				t.Fatalf("%v\n got  %#v\n want %#v", err, target.Elem().Interface(), row.want)
			}
		})
	}
}

func containsText(err error, text string) bool {
	full := "superjson: " + text
	return len(err.Error()) >= len(full) && err.Error()[:len(full)] == full
}

func bigFrom(s string) *big.Int {
	n, _ := new(big.Int).SetString(s, 10)
	return n
}

func TestDecodeAny(t *testing.T) {
	rows := []struct {
		name      string
		mode      superjson.Mode
		raw, meta string
		want      any
	}{
		{"scalars", pj, `[1,-0.5,"a\u0041",true,false,null,{},[]]`, "", []any{1.0, -0.5, "aA", true, false, nil, map[string]any{}, []any{}}},
		{"null", pj, `null`, "", nil},
		{"false", pj, `false`, "", false},
		{"absent", pj, ``, "", superjson.Undefined},
		{"tagged bytes", tj, `[{"type":"Uint8Array","data":[1,257]}]`, "", []any{[]byte{1, 1}}},
		{"tagged bytes under JSON", pj, `{"type":"Uint8Array","data":[]}`, "", map[string]any{"type": "Uint8Array", "data": []any{}}},
		{"not quite tagged", tj, `{"type":"Uint8Array","data":["a"]}`, "", map[string]any{"type": "Uint8Array", "data": []any{"a"}}},
		{"not tagged", tj, `{"type":"Uint8Array","data":5}`, "", map[string]any{"type": "Uint8Array", "data": 5.0}},
		{"number of text", sj, `["12"," 1.5 "]`, `{"0":["number"],"1":["number"]}`, []any{12.0, 1.5}},
		{"error", sj, `{"name":"E","message":"m","cause":null}`, `["Error",{"cause":["undefined"]}]`, &superjson.Error{Name: "E", Message: "m"}},
		{"empty map and set", sj, `[null,null]`, `{"0":["map"],"1":["set"]}`, []any{superjson.NewMap(), superjson.NewSet()}},
		{"invalid dates", sj, `[8640000000000001,8640000000000000,{}]`, `{"0":["Date"],"1":["Date"],"2":["Date"]}`, []any{time.Time{}, time.UnixMilli(8.64e15).UTC(), time.Time{}}},
		{"bigint forms", sj, `[5," 7 ","","0b11","0O17"]`, `{"0":["bigint"],"1":["bigint"],"2":["bigint"],"3":["bigint"],"4":["bigint"]}`,
			[]any{big.NewInt(5), big.NewInt(7), new(big.Int), big.NewInt(3), big.NewInt(15)}},
		{"many annotated members", sj, `["1","2","3","4","5","6","7","8","9","10","11"]`, `{"0":["bigint"],"1":["bigint"],"2":["bigint"],"3":["bigint"],"4":["bigint"],"5":["bigint"],"6":["bigint"],"7":["bigint"],"8":["bigint"],"10":["bigint"]}`,
			[]any{big.NewInt(1), big.NewInt(2), big.NewInt(3), big.NewInt(4), big.NewInt(5), big.NewInt(6), big.NewInt(7), big.NewInt(8), big.NewInt(9), "10", big.NewInt(11)}},
	}
	for _, row := range rows {
		var meta *superjson.Meta
		if row.meta != "" {
			meta = mustMeta(t, `{"values":`+row.meta+`,"v":1}`)
		}
		var got any = 99
		if err := superjson.Decode(row.mode, []byte(row.raw), meta, &got); err != nil {
			t.Errorf("%s: %v", row.name, err)
		} else if fmt.Sprintf("%#v", row.want) != fmt.Sprintf("%#v", got) && !reflect.DeepEqual(row.want, got) {
			t.Errorf("%s:\n got  %#v\n want %#v", row.name, got, row.want)
		}
	}
}

// Sharing inside a typed value is restored in its places of type any.
func TestSharedInsideTyped(t *testing.T) {
	var v struct {
		A any
		B []any
		V superjson.Value
	}
	meta := mustMeta(t, `{"referentialEqualities":{"A.x":["A.y"],"B.0":["B.1"],"V":["V.me"]},"v":1}`)
	if err := superjson.Decode(sj, []byte(`{"A":{"x":{},"y":{}},"B":[{"k":[]},1],"V":{"me":null}}`), meta, &v); err != nil {
		t.Fatal(err)
	}
	a := v.A.(map[string]any)
	a["x"].(map[string]any)["seen"] = true
	if a["y"].(map[string]any)["seen"] != true {
		t.Error("x and y differ")
	}
	if out, err := superjson.Marshal(v.V); err != nil || string(out) != `{"json":{"me":null},"meta":{"referentialEqualities":[["me"]],"v":1}}` {
		t.Errorf("%s %v", out, err)
	}
}

func TestDecodeTargets(t *testing.T) {
	for _, target := range []any{nil, 5, (*int)(nil), user{}} {
		if err := superjson.Decode(pj, []byte("{}"), nil, target); err == nil {
			t.Errorf("%T was accepted", target)
		}
	}
	raw := []byte(`{"name":"abc","any":["def"]}`)
	var u user
	var kept superjson.Value
	if err := errors.Join(superjson.Decode(pj, raw, nil, &u), superjson.Decode(pj, raw, nil, &kept)); err != nil {
		t.Fatal(err)
	}
	clear(raw)
	if u.Name != "abc" || u.Any.([]any)[0] != "def" || string(kept.JSON) != `{"name":"abc","any":["def"]}` {
		t.Error("the result aliases the input")
	}
	if err := superjson.Decode(pj, []byte("[1"), nil, &kept); err == nil {
		t.Error("a Value of malformed JSON")
	}
}

func TestMapKeysAreEqualAsInJavaScript(t *testing.T) {
	list, other := []any{1}, []any{1}
	m := superjson.NewMap()
	for i, k := range []any{1, int8(1), 1.0, uint(1), float32(1), math.NaN(), math.NaN(), 0.0, math.Copysign(0, -1),
		big.NewInt(1), big.NewInt(1), "1", label("1"), true, nil, (*big.Int)(nil), list, list, other, map[string]any{}, time.UnixMilli(0)} {
		m.Set(k, i)
	}
	if m.Len() != 11 {
		t.Errorf("%d keys: %v", m.Len(), m.Entries())
	}
	if v, ok := m.Get(int64(1)); !ok || v != 4 {
		t.Errorf("1 is %v", v)
	}
	if _, ok := m.Get("x"); ok {
		t.Error("a key that is not there")
	}
	s := superjson.NewSet(list, list, other)
	if s.Len() != 2 || !s.Has(list) || s.Has(5) || len(s.Values()) != 2 {
		t.Errorf("%v", s.Values())
	}
}
