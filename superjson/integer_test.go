package superjson_test

import (
	"encoding/json"
	"math/big"
	"math/bits"
	"math/rand/v2"
	"reflect"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/kkrpc-go/kkrpc/superjson"
)

// numberModes are the codecs of a JavaScript peer. kkrpc 0.x writes numbers under ModeTaggedJSON as under ModeJSON.
var numberModes = []superjson.Mode{superjson.ModeSuperJSON, superjson.ModeJSON}

// decodeAs decodes what the library writes for a JavaScript value into a new T.
func decodeAs[T any](mode superjson.Mode, text string) (any, error) {
	var v T
	err := decodeWritten(mode, text, &v)
	return v, err
}

type counts struct {
	N    int              `json:"n"`
	P    *int             `json:"p"`
	List []int32          `json:"list"`
	Map  map[string]uint8 `json:"map"`
	Pair [2]uint64        `json:"pair"`
	Deep []counts         `json:"deep"`
}

// Math.round(-0.2) is -0, which superjson annotates as a number in a string.
func TestMinusZeroIsAnInteger(t *testing.T) {
	rows := []struct {
		js   string
		read func(superjson.Mode, string) (any, error)
		want any
	}{
		{"-0", decodeAs[int], 0},
		{"-0", decodeAs[int8], int8(0)},
		{"-0", decodeAs[int64], int64(0)},
		{"-0", decodeAs[uint], uint(0)},
		{"-0", decodeAs[uint8], uint8(0)},
		{"-0", decodeAs[uint64], uint64(0)},
		{"-0", decodeAs[*int], new(int)},
		{"-0", decodeAs[big.Int], *new(big.Int)},
		{"-0", decodeAs[json.Number], nil},
		{"[1,-0,2]", decodeAs[[]int], []int{1, 0, 2}},
		{"[-0,-0]", decodeAs[[2]uint16], [2]uint16{}},
		{"[-0,1]", decodeAs[[]byte], []byte{0, 1}},
		{"[-0,1]", decodeAs[[2]byte], [2]byte{0, 1}},
		{"({a:-0,b:1})", decodeAs[map[string]int], map[string]int{"a": 0, "b": 1}},
		{"({0:-0})", decodeAs[map[int]int], map[int]int{0: 0}},
		{"({n:-0,p:-0,list:[-0],map:{a:-0},pair:[-0,1],deep:[{n:-0,list:[]}]})", decodeAs[counts],
			counts{P: new(int), List: []int32{0}, Map: map[string]uint8{"a": 0}, Pair: [2]uint64{0, 1}, Deep: []counts{{List: []int32{}}}}},
		{"Float64Array.of(1,-0)", decodeAs[[]int], []int{1, 0}},
		{"Float32Array.of(1,-0)", decodeAs[[]uint8], []uint8{1, 0}},
		{"[[1,-0]]", decodeAs[[][]int], [][]int{{1, 0}}},
	}
	for _, library := range libraries {
		for _, mode := range numberModes {
			var js []string
			for _, row := range rows {
				js = append(js, row.js)
			}
			for i, text := range libraryWrites(t, mode, library, js) {
				row := rows[i]
				if row.want == nil {
					row.want = map[superjson.Mode]any{superjson.ModeSuperJSON: json.Number("-0"), superjson.ModeJSON: json.Number("0")}[mode]
				}
				got, err := row.read(mode, text)
				if diff := cmp.Diff(row.want, got, cmp.Comparer(func(a, b big.Int) bool { return a.Cmp(&b) == 0 })); err != nil || diff != "" {
					t.Errorf("%s, mode %d: %s, written %s, into a %T: %v\n%s", library, mode, row.js, text, row.want, err, diff)
				}
			}
		}
	}
	js := []string{"new Map([[1,-0]])", "new Set([-0])", "NaN", "Infinity", "[1,NaN]", `"-0"`, "0.5"}
	texts := libraryWrites(t, superjson.ModeSuperJSON, "superjson", js)
	if got, err := decodeAs[map[int]int](superjson.ModeSuperJSON, texts[0]); err != nil || !reflect.DeepEqual(got, map[int]int{1: 0}) {
		t.Errorf("%s became %v, %v", texts[0], got, err)
	}
	for i, want := range map[int]string{2: "expected integer, got NaN", 3: "expected integer, got Infinity", 5: "expected integer, got string", 6: "expected integer, got number"} {
		if _, err := decodeAs[int](superjson.ModeSuperJSON, texts[i]); err == nil || !strings.HasSuffix(err.Error(), want) {
			t.Errorf("%s: got %v, want %q", js[i], err, want)
		}
	}
}

// JavaScript has lost digits of such a number before it is sent, as in 1152921504606846977.
func TestUnsafeIntegersAreRefused(t *testing.T) {
	reads := map[string]func(superjson.Mode, string) (any, error){
		"int": decodeAs[int], "int64": decodeAs[int64], "uint": decodeAs[uint], "uint64": decodeAs[uint64],
		"*int64": decodeAs[*int64], "big.Int": decodeAs[*big.Int],
	}
	lists := map[string]func(superjson.Mode, string) (any, error){
		"[]int": decodeAs[[]int], "[]uint64": decodeAs[[]uint64], "[2]int64": decodeAs[[2]int64], "[]*big.Int": decodeAs[[]*big.Int],
	}
	members := map[string]func(superjson.Mode, string) (any, error){
		"map": decodeAs[map[string]int64], "struct": decodeAs[struct{ A int64 }],
	}
	for _, mode := range numberModes {
		safe := []string{"2**53-1", "1-2**53", "-1", "9e15", "Math.trunc(9007199254740990.4)"}
		for i, text := range libraryWrites(t, mode, "superjson", safe) {
			for name, read := range reads {
				if strings.TrimPrefix(name, "u") == "int" && bits.UintSize == 32 && i != 2 {
					continue // out of the range of an int there
				}
				if _, err := read(mode, text); err != nil && (i == 0 || i > 2 || name[0] != 'u') {
					t.Errorf("mode %d: %s into a %s: %v", mode, safe[i], name, err)
				}
			}
		}
		var unsafe []string
		for _, js := range []string{"2**53", "-(2**53)", "1152921504606846977", "2**63", "1e21", "Number.MAX_VALUE"} {
			unsafe = append(unsafe, js, "[1,"+js+"]", "({A:"+js+"})")
		}
		for i, text := range libraryWrites(t, mode, "superjson", unsafe) {
			for name, read := range []map[string]func(superjson.Mode, string) (any, error){reads, lists, members}[i%3] {
				got, err := read(mode, text)
				if _, ok := err.(*superjson.TypeError); !ok || !strings.Contains(err.Error(), "outside ±(2^53-1)") {
					t.Errorf("mode %d: %s into a %s: got %v, %v", mode, text, name, got, err)
				}
			}
		}
	}
	text := libraryWrites(t, superjson.ModeSuperJSON, "superjson", []string{"1152921504606846977n"})[0]
	if got, err := decodeAs[int64](superjson.ModeSuperJSON, text); err != nil || got != int64(1152921504606846977) {
		t.Errorf("a bigint became %v, %v", got, err)
	}
	for _, text := range []string{"1152921504606846977", "9007199254740992", "9007199254740993"} { // a float64 is what JavaScript has
		if _, err := decodeAs[float64](superjson.ModeJSON, text); err != nil {
			t.Error(err)
		}
	}
}

// A number beyond 2^53 is written if JavaScript has the same number, in whatever form its text is. An integer without a point
// or exponent is refused like an int64.
func TestJSONNumbersThatLoseDigits(t *testing.T) {
	floats := []string{"9007199254740991.0", "9007199254740992.0", "9007199254740993.0", "9007199254740993e0", "90071992547409930e-1", "-9007199254740993.0",
		"9007199254740992.5", "9007199254740994.0", "900719925474099.3E1", "9007199254740991.5", "0.9007199254740993e16", "1e30", "1E+30", "-1e30", "1.5e300",
		"1000000000000000000000000000000.0", "1000000000000000000000000000001.0", "1e22", "1e23", "1.0000000000000000000000000001e23", "1152921504606846976.0",
		"1152921504606846977.0", "1.7976931348623157e308", "1.7976931348623158e308", "0.1000000000000000000000001", "1.10", "3e-400", "0e999"}
	var js []string
	for _, text := range floats {
		js = append(js, "JSON.parse('"+text+"')")
	}
	for _, library := range libraries {
		for i, printed := range libraryWrites(t, superjson.ModeJSON, library, js) {
			sent, _ := new(big.Rat).SetString(floats[i])
			arrived, _ := new(big.Rat).SetString(printed)
			small := new(big.Rat).Abs(arrived).Cmp(big.NewRat(1<<53, 1)) < 0
			for _, mode := range numberModes {
				got, err := superjson.NewEncoder(mode).Append(nil, "", json.Number(floats[i]))
				if want := small || sent.Cmp(arrived) == 0; (err == nil) != want || want && string(got) != floats[i] {
					t.Errorf("mode %d: %s was written as %s, %v; JavaScript reads %s", mode, floats[i], got, err, printed)
				} else if err != nil && !strings.Contains(err.Error(), floats[i]+" is outside what a JavaScript number holds exactly") {
					t.Error(err)
				}
			}
		}
	}
	for _, text := range []string{"9007199254740994." + strings.Repeat("0", 1<<22), "9007199254740992", "1152921504606846976", "-9007199254740992", "100000000000000000000"} {
		if got, err := superjson.Marshal([]any{struct{ N json.Number }{json.Number(text)}}); err == nil {
			t.Errorf("%s was written as %s", text, got)
		}
	}
}

// TestJSONNumbersOfAnyForm compares with exact arithmetic what numbers JavaScript would change.
func TestJSONNumbersOfAnyForm(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	kept := 0
	for range 20_000 {
		digits := strings.Repeat("0", r.IntN(4)) + strconv.FormatUint(r.Uint64N(1_000), 10) + strings.Repeat("0", r.IntN(6)) + strconv.FormatUint(r.Uint64()>>r.IntN(64), 10)
		point := 1 + r.IntN(len(digits))
		text := "0"
		if whole := strings.TrimLeft(digits[:point], "0"); whole != "" {
			text = whole
		}
		text += "." + digits[point:] + "0E" + []string{"", "+", "-"}[r.IntN(3)] + strconv.Itoa(r.IntN(40))
		f, _ := strconv.ParseFloat(text, 64)
		if f <= 1<<53 {
			continue
		}
		sent, _ := new(big.Rat).SetString(text)
		arrives, _ := new(big.Rat).SetString(strconv.FormatFloat(f, 'g', -1, 64))
		got, err := superjson.NewEncoder(superjson.ModeJSON).Append(nil, "", json.Number(text))
		if want := sent.Cmp(arrives) == 0; (err == nil) != want {
			t.Errorf("%s was written as %s, %v", text, got, err)
		} else if want {
			kept++
		}
	}
	if kept < 100 {
		t.Errorf("only %d numbers are those that JavaScript has", kept)
	}
}

func TestJSONNumber(t *testing.T) {
	type order struct {
		Price json.Number  `json:"price"`
		Next  *json.Number `json:"next"`
	}
	for _, mode := range numberModes {
		for text, want := range map[string]string{"1.10": "1.10", "0": "0", "": "0", "-0": "-0", "1e3": "1e3", "9007199254740991": "9007199254740991"} {
			got, err := superjson.NewEncoder(mode).Append(nil, "", map[string]any{"n": json.Number(text)})
			if err != nil || string(got) != `{"n":`+want+`}` {
				t.Errorf("mode %d: %q was written as %s, %v", mode, text, got, err)
			}
			got, err = superjson.NewEncoder(mode).Append(nil, "", order{Price: json.Number(text)})
			if err != nil || string(got) != `{"price":`+want+`,"next":null}` {
				t.Errorf("mode %d: %q was written as %s, %v", mode, text, got, err)
			}
		}
		for _, text := range []string{"1.10x", "NaN", "0x1", " 1", "1e400", "9007199254740992", "12345678901234567890"} {
			if got, err := superjson.NewEncoder(mode).Append(nil, "", json.Number(text)); err == nil {
				t.Errorf("mode %d: %q was written as %s", mode, text, got)
			}
		}
		js := []string{"({price:1.5,next:2})", "({price:-1e-7,next:null})", `({price:"1.5",next:2})`, "({price:true,next:2})"}
		next := json.Number("2")
		wants := []any{order{"1.5", &next}, order{"-1e-7", nil}, "price: expected number, got string", "price: expected number, got boolean"}
		for i, text := range libraryWrites(t, mode, "superjson", js) {
			got, err := decodeAs[order](mode, text)
			if want, fails := wants[i].(string); fails {
				if err == nil || !strings.HasSuffix(err.Error(), want) {
					t.Errorf("mode %d: %s became %v, %v", mode, js[i], got, err)
				}
			} else if diff := cmp.Diff(wants[i], got); err != nil || diff != "" {
				t.Errorf("mode %d: %s: %v %s", mode, js[i], err, diff)
			}
		}
	}
	for js, want := range map[string]any{"10n": json.Number("10"), "NaN": "expected number, got NaN", `"NaN"`: "expected number, got string"} {
		got, err := decodeAs[json.Number](superjson.ModeSuperJSON, libraryWrites(t, superjson.ModeSuperJSON, "superjson", []string{js})[0])
		if text, fails := want.(string); fails && (err == nil || !strings.HasSuffix(err.Error(), text)) || !fails && got != want {
			t.Errorf("%s became %v, %v", js, got, err)
		}
	}
	// A tree that was read with UseNumber.
	var tree any
	dec := json.NewDecoder(strings.NewReader(`{"a":[1.10,{"b":3}]}`))
	dec.UseNumber()
	if err := dec.Decode(&tree); err != nil {
		t.Fatal(err)
	}
	text, err := superjson.Marshal(tree)
	if err != nil {
		t.Fatal(err)
	}
	for _, library := range libraries {
		if answer := values(t, library, "read", []jsLine{{JS: "({a:[1.1,{b:3}]})", Text: new(string(text))}})[0]; !answer.OK {
			t.Errorf("%s: %s", text, answer.Why)
		}
	}
}
