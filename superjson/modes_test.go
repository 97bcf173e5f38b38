package superjson_test

import (
	"encoding/json"
	"errors"
	"math"
	"math/big"
	"net/netip"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/kkrpc-go/kkrpc/superjson"
)

type (
	level  int64
	ratio  float64
	small  float32
	label  string
	blob   []byte
	octet  byte
	Common struct {
		ID int `json:"id"`
	}
	Shadow  struct{ ID, Extra int }
	profile struct {
		Common
		*Shadow
		Name   string          `json:"name"`
		Tags   []string        `json:"tags,omitempty"`
		Zero   time.Time       `json:"zero,omitzero"`
		Big    uint64          `json:"big,string"`
		Quoted int             `json:"'a,b'"`
		Skip   int             `json:"-"`
		Empty  struct{}        `json:"empty,omitempty"`
		Ptr    *int            `json:"ptr"`
		Attrs  map[label]ratio `json:"attrs"`
		ByID   map[int]string  `json:"byID,omitempty"`
		hidden int
	}
)

type (
	absentFive   int
	absentFiveAt int
	omitted      struct {
		Value   absentFive   `json:",omitzero"`
		Pointer absentFiveAt `json:",omitzero"`
		Nil     *absentFive  `json:",omitzero"`
		Boxed   any          `json:",omitzero"`
	}
)

func (n absentFive) IsZero() bool    { return n == 5 }
func (n *absentFiveAt) IsZero() bool { return *n == 5 }

// want has the JSON and, after a space, the meta; an error begins with "!".
var encodeRows = []struct {
	name                 string
	v                    any
	super, plain, tagged string
}{
	{"nil", nil, "null", "=", "="},
	{"strings", "<é\u2028\"\\\n\x01>", "\"<é\u2028\\\"\\\\\\n\\u0001>\"", "=", "="},
	{"bool", true, "true", "=", "="},
	{"int", 42, "42", "=", "="},
	{"int sizes", []any{int8(-1), int16(-2), int32(-3), int64(-4), uint8(1), uint16(2), uint32(3), uint64(4), uint(5), int8(-60), int16(-61), int32(-62), int64(-63), uint8(60), uint16(61), uint32(62), uint64(63), uint(64)},
		"[-1,-2,-3,-4,1,2,3,4,5,-60,-61,-62,-63,60,61,62,63,64]", "=", "="},
	{"largest", int64(9007199254740991), "9007199254740991", "=", "="},
	{"smallest", int64(-9007199254740991), "-9007199254740991", "=", "="},
	{"too large", int64(9007199254740992), "!9007199254740992 is outside", "=", "="},
	{"too small", int64(-9007199254740992), "!-9007199254740992 is outside", "=", "="},
	{"largest unsigned", uint64(9007199254740991), "9007199254740991", "=", "="},
	{"too large unsigned", uint64(9007199254740992), "!9007199254740992 is outside", "=", "="},
	{"named too large", map[string][]level{"a": {1, 1 << 60}}, "!a[1]: 1152921504606846976 is outside", "=", "="},
	{"floats", []float64{1, 1.5, 1e20, 1e21, 1e-6, 1e-7, 1.25e-10, 1e300}, "[1,1.5,100000000000000000000,1e+21,0.000001,1e-7,1.25e-10,1e+300]", "=", "="},
	{"float32", []float32{0.1, 1e21, 1e-7, 1<<24 - 1, 1 << 24, -1 << 24, 1 << 31, -1 << 31}, "[0.1,1e+21,1e-7,16777215,16777216,-16777216,2147483600,-2147483600]", "=", "="},
	{"NaN", math.NaN(), `"NaN" {"values":["number"],"v":1}`, "!NaN has no JSON form", "="},
	{"infinities", []ratio{ratio(math.Inf(1)), ratio(math.Inf(-1))}, `["Infinity","-Infinity"] {"values":{"0":["number"],"1":["number"]},"v":1}`, "![0]: Infinity has no JSON form", "="},
	{"small NaN", struct{ A small }{small(math.NaN())}, `{"A":"NaN"} {"values":{"A":["number"]},"v":1}`, "!A: NaN has no JSON form", "="},
	{"minus zero", math.Copysign(0, -1), `"-0" {"values":["number"],"v":1}`, "0", "="},
	{"zero", 0.0, "0", "=", "="},
	{"bigint", big.NewInt(-5), `"-5" {"values":["bigint"],"v":1}`, "!a bigint has no JSON form", "="},
	{"nil bigint", (*big.Int)(nil), "null", "=", "="},
	{"bytes", []byte{0, 255}, `[0,255] {"values":[["typed-array","Uint8Array"]],"v":1}`, `"AP8="`, `{"type":"Uint8Array","data":[0,255]}`},
	{"byte array", [2]byte{1, 2}, `[1,2] {"values":[["typed-array","Uint8Array"]],"v":1}`, `"AQI="`, `{"type":"Uint8Array","data":[1,2]}`},
	{"bytes of a named type", []octet{1, 2}, `[1,2] {"values":[["typed-array","Uint8Array"]],"v":1}`, `"AQI="`, `{"type":"Uint8Array","data":[1,2]}`},
	{"named bytes", struct{ B blob }{}, `{"B":[]} {"values":{"B":[["typed-array","Uint8Array"]]},"v":1}`, `{"B":""}`, `{"B":{"type":"Uint8Array","data":[]}}`},
	{"typed array", superjson.Int16Array{-1, 2}, `[-1,2] {"values":[["typed-array","Int16Array"]],"v":1}`, "[-1,2]", "="},
	{"float array", superjson.Float32Array{float32(math.NaN())}, `["NaN"] {"values":[["typed-array","Float32Array"]],"v":1}`, "![0]: NaN has no JSON form", "="},
	{"unsigned array", superjson.Uint32Array{4294967295, 0}, `[4294967295,0] {"values":[["typed-array","Uint32Array"]],"v":1}`, "[4294967295,0]", "="},
	{"date", time.UnixMilli(5), `"1970-01-01T00:00:00.005Z" {"values":["Date"],"v":1}`, `"1970-01-01T00:00:00.005Z"`, "="},
	{"last date", time.UnixMilli(8640000000000000), `"+275760-09-13T00:00:00.000Z" {"values":["Date"],"v":1}`, `"+275760-09-13T00:00:00.000Z"`, "="},
	{"year 9999", time.UnixMilli(253402300799999), `"9999-12-31T23:59:59.999Z" {"values":["Date"],"v":1}`, `"9999-12-31T23:59:59.999Z"`, "="},
	{"year 10000", time.UnixMilli(253402300800000), `"+010000-01-01T00:00:00.000Z" {"values":["Date"],"v":1}`, `"+010000-01-01T00:00:00.000Z"`, "="},
	{"year 0", time.Date(0, 1, 1, 0, 0, 0, 0, time.UTC), `"0000-01-01T00:00:00.000Z" {"values":["Date"],"v":1}`, `"0000-01-01T00:00:00.000Z"`, "="},
	{"year -1", time.Date(-1, 1, 1, 0, 0, 0, 0, time.UTC), `"-000001-01-01T00:00:00.000Z" {"values":["Date"],"v":1}`, `"-000001-01-01T00:00:00.000Z"`, "="},
	{"date too late", time.UnixMilli(8640000000000001), "!a JavaScript Date cannot hold the year 275760", "=", "="},
	{"date too early", time.UnixMilli(-8640000000000001), "!a JavaScript Date cannot hold the year -271821", "=", "="},
	{"map", superjson.NewMap(superjson.Entry{Key: 1, Value: nil}), `[[1,null]] {"values":["map"],"v":1}`, "!a Map has no JSON form", "="},
	{"set in map", superjson.NewMap(superjson.Entry{Key: "k", Value: superjson.NewSet(time.UnixMilli(0))}), `[["k",["1970-01-01T00:00:00.000Z"]]] {"values":["map",{"0.1":["set",{"0":["Date"]}]}],"v":1}`, "!a Map has no JSON form", "="},
	{"set", []any{superjson.NewSet("a", "b")}, `[["a","b"]] {"values":{"0":["set"]},"v":1}`, "![0]: a Set has no JSON form", "="},
	{"regexp", superjson.RegExp{Source: "a", Flags: "g"}, `"/a/g" {"values":["regexp"],"v":1}`, "{}", "="},
	{"bad regexp", superjson.RegExp{Source: "("}, "!/(/ is no regular expression", "{}", "="},
	{"url", &url.URL{Scheme: "http", Host: "x"}, `"http://x" {"values":["URL"],"v":1}`, `"http://x"`, "="},
	{"relative url", &url.URL{Path: "/a"}, "!a JavaScript URL is absolute", `"/a"`, "="},
	{"error", &superjson.Error{Name: "N", Message: "m", Cause: superjson.Undefined}, `{"name":"N","message":"m","cause":null} {"values":["Error",{"cause":["undefined"]}],"v":1}`, `{"name":"N","message":"m"}`, "="},
	{"error cause", &superjson.Error{Name: "N", Message: "m", Cause: 1}, `{"name":"N","message":"m","cause":1} {"values":["Error"],"v":1}`, `{"name":"N","message":"m","cause":1}`, "="},
	{"error that cannot be", &superjson.Error{Cause: func() {}}, "!cause: a func cannot be sent", "=", "="},
	{"undefined", superjson.Undefined, `null {"values":["undefined"],"v":1}`, "null", "="},
	{"undefined members", map[string]any{"a": superjson.Undefined, "b": superjson.Value{}, "c": 1}, `{"a":null,"b":null,"c":1} {"values":{"a":["undefined"],"b":["undefined"]},"v":1}`, `{"c":1}`, "="},
	{"undefined fields", struct {
		A any
		V superjson.Value
		U superjson.UndefinedType
	}{A: superjson.Undefined}, `{"A":null,"V":null,"U":null} {"values":{"A":["undefined"],"V":["undefined"],"U":["undefined"]},"v":1}`, "{}", "="},
	{"undefined elements", []any{superjson.Undefined}, `[null] {"values":{"0":["undefined"]},"v":1}`, "[null]", "="},
	{"nil slice and map", []any{[]int(nil), map[string]int(nil), []string(nil), map[string]any(nil), []any(nil)}, "[[],{},[],{},[]]", "=", "="},
	{"raw", json.RawMessage(" [1, 2] "), "[1, 2]", "=", "="},
	{"nil raw", jsontext.Value(nil), "null", "=", "="},
	{"bad raw", jsontext.Value("[1"), "!raw JSON is not valid", "=", "="},
	{"bad value", superjson.Value{JSON: []byte("[1")}, "!raw JSON is not valid", "=", "="},
	{"value", superjson.Value{JSON: []byte("[1]")}, "[1]", "=", "="},
	{"empty raw", json.RawMessage{}, "!raw JSON is not valid", "=", "="},
	{"text marshaler", map[string]netip.Addr{"a": netip.MustParseAddr("::1")}, `{"a":"::1"}`, "=", "="},
	{"text keys", map[netip.Addr]int{netip.MustParseAddr("::1"): 1}, `{"::1":1}`, "=", "="},
	{"int keys", map[int8]bool{2: true, -1: false}, `{"-1":false,"2":true}`, "=", "="},
	{"float keys", map[float64]int{}, "!map keys of type float64", "=", "="},
	{"func", struct{ F func() }{}, "!F: a func cannot be sent", "=", "="},
	{"chan", []any{make(chan int)}, "![0]: a chan cannot be sent", "=", "="},
	{"struct", profile{hidden: 9, Common: Common{1}, Name: "x", Big: 1 << 63, Quoted: 3, Attrs: map[label]ratio{"b": 2, "a": 1.5}},
		`{"id":1,"name":"x","big":"9223372036854775808","a,b":3,"ptr":null,"attrs":{"a":1.5,"b":2}}`, "=", "="},
	{"embedded pointer", profile{Shadow: &Shadow{ID: 2, Extra: 3}, Tags: []string{"t"}, ByID: map[int]string{1: "a"}},
		`{"id":0,"ID":2,"Extra":3,"name":"","tags":["t"],"big":"0","a,b":0,"ptr":null,"attrs":{},"byID":{"1":"a"}}`, "=", "="},
	{"omitzero asks a method", omitted{Value: 5, Pointer: 5, Boxed: absentFive(5)}, `{"Boxed":5}`, "=", "="},
	{"omitzero asks a method of what is zero", &omitted{Nil: new(absentFive)}, `{"Value":0,"Pointer":0,"Nil":0}`, "=", "="},
	{"forbidden name", map[string]any{"a": map[string]int{"__proto__": 1}}, "!a.__proto__: superjson refuses the member name __proto__", `{"a":{"__proto__":1}}`, "="},
	{"array index keys first", map[string]any{"b": superjson.Undefined, "10": superjson.Undefined, "9": superjson.Undefined}, `{"10":null,"9":null,"b":null} {"values":{"9":["undefined"],"10":["undefined"],"b":["undefined"]},"v":1}`, "{}", "="},
}

func TestEncode(t *testing.T) {
	for _, row := range encodeRows {
		t.Run(row.name, func(t *testing.T) {
			wants := []string{row.super, row.plain, row.tagged}
			for i, mode := range []superjson.Mode{superjson.ModeSuperJSON, superjson.ModeJSON, superjson.ModeTaggedJSON} {
				if wants[i] == "=" {
					wants[i] = wants[i-1]
				}
				e := superjson.NewEncoder(mode)
				if e.Mode() != mode {
					t.Fatal(e.Mode())
				}
				out, err := e.Append([]byte("#"), "", row.v)
				got := strings.TrimPrefix(string(out), "#")
				if e.HasMeta() {
					got += " " + string(e.AppendMeta(nil))
				}
				if text, fails := strings.CutPrefix(wants[i], "!"); fails {
					if _, ok := errors.AsType[*superjson.EncodeError](err); !ok || !strings.HasPrefix(err.Error(), "superjson: "+text) {
						t.Errorf("mode %d: got %v, want an error %q", mode, err, text)
					}
					if got != "" {
						t.Errorf("mode %d: an error left %q", mode, got)
					}
				} else if err != nil || got != wants[i] {
					t.Errorf("mode %d: %v\n got  %s\n want %s", mode, err, got, wants[i])
				}
			}
		})
	}
}

func TestEncoderOfAnEnvelope(t *testing.T) {
	shared := map[string]any{"d": time.UnixMilli(0)}
	e := superjson.NewEncoder(superjson.ModeSuperJSON)
	for range 2 {
		var all []string
		for i, v := range []any{shared, big.NewInt(1), shared, superjson.NewSet(shared)} {
			out, err := e.Append(nil, "a."+string(rune('0'+i))+".v", v)
			if err != nil {
				t.Fatal(err)
			}
			all = append(all, string(out))
		}
		e.Annotate("transferSlots", "undefined")
		if _, err := e.Append(nil, "a.9", []any{time.UnixMilli(0), shared, func() {}}); err == nil {
			t.Fatal("a func was encoded")
		}
		if got, want := strings.Join(all, " "), `{"d":"1970-01-01T00:00:00.000Z"} "1" {"d":"1970-01-01T00:00:00.000Z"} [{"d":"1970-01-01T00:00:00.000Z"}]`; got != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
		want := `{"values":{"a.0.v.d":["Date"],"a.1.v":["bigint"],"a.2.v.d":["Date"],"a.3.v":["set",{"0.d":["Date"]}],"transferSlots":["undefined"]},` +
			`"referentialEqualities":{"a.0.v":["a.2.v","a.3.v.0"]},"v":1}`
		if got := string(e.AppendMeta(nil)); got != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
		e.Reset(superjson.ModeSuperJSON)
		if e.HasMeta() || e.AppendMeta(nil) != nil {
			t.Error("Reset left something")
		}
	}
	e.Reset(superjson.ModeJSON)
	e.Annotate("x", "undefined")
	if e.HasMeta() {
		t.Error("an annotation under JSON")
	}
}

func TestValueMoves(t *testing.T) {
	const text = `{"json":{"a":{"self":null},"b":{"self":null},"d":"1970-01-01T00:00:00.000Z"},"meta":{"values":{"d":["Date"]},"referentialEqualities":{"a":["b","a.self"]},"v":1}}`
	var whole superjson.Value
	if err := superjson.Unmarshal([]byte(text), &whole); err != nil {
		t.Fatal(err)
	}
	out, err := superjson.Marshal(map[string]any{"x.y": whole})
	want := `{"json":{"x.y":{"a":{"self":null},"b":{"self":null},"d":"1970-01-01T00:00:00.000Z"}},"meta":{"values":{"x\\.y.d":["Date"]},"referentialEqualities":{"x\\.y.a":["x\\.y.b","x\\.y.a.self"]},"v":1}}`
	if err != nil || string(out) != want {
		t.Errorf("%v\n got  %s\n want %s", err, out, want)
	}
	// b is a second copy: what is known of a holds for it.
	out, err = superjson.Marshal(superjson.Value{JSON: []byte(`{"self":null}`), Meta: whole.Meta.Sub("b")})
	if want := `{"json":{"self":null},"meta":{"referentialEqualities":[["self"]],"v":1}}`; err != nil || string(out) != want {
		t.Errorf("%v\n got  %s\n want %s", err, out, want)
	}
	if whole.Meta.Sub("nowhere") != nil || (*superjson.Meta)(nil).Sub("a") != nil || whole.Meta.Sub() != whole.Meta {
		t.Error("Sub")
	}
	if out, err := superjson.NewEncoder(superjson.ModeJSON).Append(nil, "", superjson.Value{JSON: []byte(`"5"`), Meta: mustMeta(t, `{"values":["bigint"]}`)}); err == nil {
		t.Errorf("a bigint under JSON: %s", out)
	}
	if out, err := superjson.NewEncoder(superjson.ModeTaggedJSON).Append(nil, "", superjson.Value{JSON: []byte(`[5]`), Meta: mustMeta(t, `{"values":[["typed-array","Uint8Array"]]}`)}); err != nil || string(out) != `{"type":"Uint8Array","data":[5]}` {
		t.Errorf("%s %v", out, err)
	}
	var v any = 1
	if err := (superjson.Value{}).Decode(&v); err != nil || v != superjson.Undefined {
		t.Errorf("%v %v", v, err)
	}
}

func mustMeta(t *testing.T, text string) *superjson.Meta {
	t.Helper()
	m, err := superjson.ParseMeta([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return m
}
