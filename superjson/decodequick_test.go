package superjson

import (
	"bytes"
	"fmt"
	"math/big"
	"net/url"
	"reflect"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

type quickTree struct {
	Name     string
	Flag     bool `json:"flag"`
	Small    int8
	Big      int64 `json:"big,string"`
	Count    uint16
	Share    float32
	Exact    float64
	Left     *quickTree `json:"left"`
	Parts    []quickTree
	Words    []string
	Numbers  []float64
	Bytes    []byte
	Fixed    [2]int
	When     time.Time
	Whole    *big.Int
	Link     *url.URL
	Any      any
	Anything []any
	Object   map[string]any
	Table    map[string]*quickTree
	Named    map[quickName][]int
	Numbered map[int]string
	Kept     Value
	Sum      quickSum
	Sums     [2]*quickSum
	SumAt    *quickSum
	Levels   []quickLevel
	Level    [2]quickLevel
	quickPart
	*QuickPart
}

type (
	quickName  string
	quickPart  struct{ Inner string }
	QuickPart  struct{ Outer *string }
	quickSum   float64
	quickLevel uint8
)

// UnmarshalJSON adds to what is there, and so tells how often it was called.
func (s *quickSum) UnmarshalJSON(raw []byte) error {
	f, err := strconv.ParseFloat(string(raw), 64)
	*s += quickSum(f)
	return err
}

// Decode does what the decoder alone does, which is tested against the original: into what is zero, and into what is there.
// read is how often it needed no decoder.
func checkQuick(t *testing.T, raw []byte) (read int) {
	for _, mode := range []Mode{ModeSuperJSON, ModeJSON, ModeTaggedJSON} {
		for _, typ := range []reflect.Type{
			reflect.TypeFor[quickTree](), reflect.TypeFor[any](), reflect.TypeFor[string](), reflect.TypeFor[float32](), reflect.TypeFor[[]quickTree](),
			reflect.TypeFor[map[string]any](), reflect.TypeFor[map[quickName]float64](), reflect.TypeFor[[]uint8](), reflect.TypeFor[**int](),
			reflect.TypeFor[[]quickSum](), reflect.TypeFor[[2]quickLevel](),
		} {
			if decodeQuick(mode, raw, nil, reflect.New(typ).Elem(), nil) {
				read++
			}
			got, want := reflect.New(typ).Elem(), reflect.New(typ).Elem()
			for range 2 {
				copied := bytes.Clone(raw)
				err := Decode(mode, copied, nil, got.Addr().Interface())
				clear(copied) // as the buffer of the next message
				wantErr := decodeSlow(mode, raw, nil, want, nil, nil)
				if fmt.Sprint(err) != fmt.Sprint(wantErr) || !reflect.DeepEqual(forgetChecked(got), forgetChecked(want)) {
					t.Fatalf("mode %d, %q into a %v:\n got %+v, %v\nwant %+v, %v", mode, raw, typ, got, err, want, wantErr)
				}
			}
		}
	}
	return read
}

// forgetChecked makes Values comparable.
func forgetChecked(v reflect.Value) any {
	if tree, ok := v.Interface().(quickTree); ok {
		tree.Kept.checked = nil
		return tree
	}
	return v.Interface()
}

var quickTexts = []string{
	`{"Name":"x","flag":true,"Small":-128,"big":"9007199254740993","Count":65535,"Share":1.5,"Exact":-1e-7}`,
	` { "flag" : false , "Name" : "" , "name" : "again" , "unknown" : [ { "a" : [ 1 , "\n" ] } ] } `,
	`{"left":{"left":{"Name":"deep"}},"Parts":[{},{"Name":"p"}],"Words":["a","b"],"Numbers":[1,-0,2.5e3]}`,
	`{"left":null,"Parts":null,"Words":[],"Numbers":[],"Object":null,"Table":{},"Named":{"a":[1]},"Numbered":{"7":"x"}}`,
	`{"Bytes":"AQI=","Fixed":[1,2],"Inner":"i","Outer":"o"}`, `{"Bytes":[1,2]}`, `{"Bytes":{"type":"Uint8Array","data":[1]}}`,
	`{"When":"2020-01-02T03:04:05.678Z","Whole":12,"Link":"https://a.example/b"}`, `{"Kept":{"a":[1]}}`,
	`{"Sum":1,"Sums":[2,null],"SumAt":4,"Levels":[1,2],"Level":[3,4]}`, `{"Sum":1,"Sums":[2,3],"SumAt":4,"sum":5,"Name":"\ud83d"}`,
	`{"Sum":2,"SumAt":1,"Small":1.0}`, `{"Sums":[1,2],"Small":300}`, `[1,2,1e3,"x"]`, `[3,4]`, `1.0000000596046448`,
	`{"Any":{"type":"Uint8Array","data":[1,256,-1]},"Anything":[1,"a",null,true,{},[]],"Object":{"a":{"b":1},"a":2},"Table":{"a":{"Name":"t"},"b":null}}`,
	`"plain"`, `"quote \" and \\"`, `"\\\""`, `"é ☃ 😀"`, `"\ud83d\ude00"`, `"\ud83d"`, "\"\xff\"", "\"\x01\"", `"\x"`, `"a`, `"a\"`, `""`,
	`0`, `-0`, `1`, `16777217`, `1e400`, `01`, `1.`, `--1`, `3.4e39`, `null`, `true`, `tru`, `[1,]`, `[,1]`, `{"a":1,}`, `{"a"1}`, `{a:1}`, `[`, `{`, `]`, `1 2`, `[1}`, `{"a":1]`,
	`{"Name":1}`, `{"Small":128}`, `{"Count":-1}`, `{"Small":1.0}`, `{"\u004eame":"escaped"}`, `{"NAME":"folded"}`,
	`{"NAME":"folded","Name":"exact","name":7}`, `{"Left":{"left":{"Name":"a"}},"left":{"Name":"b"}}`, `{"left":{"Name":"b"},"LEFT":1}`,
	`{"LEFT":{"Name":"a"},"Small":1.0,"left":{"flag":true}}`, `{"Left":{"Name":"a"},"LEFT":{"flag":true}}`, `{"Left":{"Name":1},"left":{}}`,
	`{"FIXED":[1,2],"Fixed":[3,4],"Small":300}`, `{"SUM":1,"Sum":2}`, `{"SUM":1}`, `{"NAME":1,"Small":1.0}`,
	`{"a":[1,2,{"b":"c"}],"d":0.25,"e":"\t"}`, `[{"Name":"a"},{"Name":"b","Words":["é"]}]`, `{"a":1,"b":2.5}`, `[0,255]`, `12`,
	strings.Repeat("[", 200) + strings.Repeat("]", 200), strings.Repeat(`{"left":`, 99) + `{}` + strings.Repeat("}", 99),
}

func TestQuickReadsTheSame(t *testing.T) {
	read := 0
	for _, text := range quickTexts {
		read += checkQuick(t, []byte(text))
		for cut := range min(len(text), 250) { // the errors of deep ones are long
			checkQuick(t, []byte(text[:cut]))
		}
	}
	if read < 150 {
		t.Errorf("only %d were read", read)
	}
}

// Data as applications send it is not left to the decoder.
func TestQuickReadsTheUsual(t *testing.T) {
	for _, text := range []string{quickTexts[0], quickTexts[1], quickTexts[2], quickTexts[3], quickTexts[7], `{"Name":"escaped \n é","Any":["\u00e9"]}`, `{"Name":"é è"}`, `{"SumAt":1,"Sums":[1,null]}`} {
		if !decodeQuick(ModeJSON, []byte(text), nil, reflect.New(reflect.TypeFor[quickTree]()).Elem(), nil) {
			t.Errorf("%s was not read", text)
		}
	}
}

// Quotes behind backslashes are passed over once each.
func TestQuickStringIsLinear(t *testing.T) {
	var s string
	raw := []byte(`"` + strings.Repeat("x", 1<<20) + strings.Repeat(`\"`, 1<<20) + `"`)
	start := time.Now()
	if !decodeQuick(ModeJSON, raw, nil, reflect.ValueOf(&s).Elem(), nil) || len(s) != 2<<20 {
		t.Error("not read")
	}
	if d := time.Since(start); d > 5*time.Second {
		t.Errorf("took %v", d)
	}
}

func FuzzQuick(f *testing.F) {
	for _, text := range quickTexts {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		if !bytes.Contains(raw, []byte("NaN")) { // which does not equal itself
			checkQuick(t, raw)
		}
	})
}

// quickDated has what superjson annotates, everywhere where an annotation can lead.
type quickDated struct {
	At      time.Time
	On      *time.Time
	Times   []time.Time
	Named   map[string]time.Time
	Inside  []struct{ At time.Time }
	Any     any
	Numbers []float64
	Share   float64
	Count   int
	Whole   *big.Int
	Small   Int8Array
	Words   []string
	Table   map[string]any
	*QuickPart
	Pointers []**string
}

var quickNotes = []struct {
	text, meta string
	read       bool // without the decoder
}{
	{`{"At":"2026-11-29T01:02:03.004Z","Count":1}`, `{"values":{"At":["Date"]}}`, true},
	{`{"At":"2026-11-29T01:02:03.004Z","On":null,"Count":1}`, `{"values":{"On":["undefined"]}}`, false},
	{`{"On":"2026-11-29T01:02:03.004Z","Times":["2026-11-29T01:02:03.004Z","1970-01-01T00:00:00.000Z"]}`, `{"values":{"On":["Date"],"Times.0":["Date"],"Times.1":["Date"]}}`, true},
	{`{"Named":{"a.b":"2026-11-29T01:02:03.004Z"},"Inside":[{},{"At":"2026-11-29T01:02:03.004Z"}]}`, `{"values":{"Named.a\\.b":["Date"],"Inside.1.At":["Date"]}}`, true},
	{`{"at":"2026-11-29T01:02:03.004Z"}`, `{"values":{"at":["Date"]}}`, false},
	{`{"unknown":"2026-11-29T01:02:03.004Z","Count":1}`, `{"values":{"unknown":["Date"]}}`, true},
	{`{"Any":"2026-11-29T01:02:03.004Z"}`, `{"values":{"Any":["Date"]}}`, false},
	{`{"Any":{"a":"5"}}`, `{"values":{"Any.a":["bigint"]}}`, false},
	{`{"Table":{"a":"5"},"Words":["x"]}`, `{"values":{"Table.a":["bigint"]}}`, false},
	{`{"Words":["2026-11-29T01:02:03.004Z"]}`, `{"values":{"Words.0":["Date"]}}`, false},
	{`{"Numbers":["Infinity",1],"Share":"-0"}`, `{"values":{"Numbers.0":["number"],"Share":["number"]}}`, false},
	{`{"Count":"7","Whole":"8"}`, `{"values":{"Count":["bigint"],"Whole":["bigint"]}}`, false},
	{`{"Whole":"8","Small":[1,2]}`, `{"values":{"Whole":["bigint"],"Small":[["typed-array","Int8Array"]]}}`, true},
	{`{"Numbers":[1,2]}`, `{"values":{"Numbers":["set"]}}`, false},
	{`{"Named":[["a","2026-11-29T01:02:03.004Z"]]}`, `{"values":{"Named":["map",{"0.1":["Date"]}]}}`, false},
	{`{"At":"nonsense"}`, `{"values":{"At":["Date"]}}`, false},
	{`{"At":5}`, `{"values":{"At":["Date"]}}`, false},
	{`{"At":"2026-11-29T01:02:03.004Z"}`, `{"values":{"At":["Date",{"x":["Date"]}]}}`, false},
	{`{"Outer":null,"Count":1}`, `{"values":{"Outer":["undefined"]}}`, false}, // no embedded pointer is made for it
	{`{"Pointers":["12",null]}`, `{"values":{"Pointers.0":["undefined"]}}`, false},
}

func TestQuickReadsAnnotations(t *testing.T) {
	for _, test := range quickNotes {
		meta, err := ParseMeta([]byte(test.meta))
		if err != nil {
			t.Fatalf("%s: %v", test.meta, err)
		}
		if read := decodeQuick(ModeSuperJSON, []byte(test.text), meta, reflect.New(reflect.TypeFor[quickDated]()).Elem(), nil); read != test.read {
			t.Errorf("%s: read without the decoder: %v", test.text, read)
		}
		var got, want quickDated
		err = Decode(ModeSuperJSON, []byte(test.text), meta, &got)
		wantErr := decodeSlow(ModeSuperJSON, []byte(test.text), meta, reflect.ValueOf(&want).Elem(), nil, nil)
		if fmt.Sprint(err) != fmt.Sprint(wantErr) || !reflect.DeepEqual(got, want) {
			t.Errorf("%s with %s:\n got %+v, %v\nwant %+v, %v", test.text, test.meta, got, err, want, wantErr)
		}
	}
}

// quickReader keeps the address that its method gets.
type quickReader struct{ Name string }

var quickReaders []*quickReader

func (r *quickReader) UnmarshalJSON(text []byte) error {
	quickReaders = append(quickReaders, r)
	r.Name = string(text)
	return nil
}

// A method that keeps its receiver does not see a later value there, of the same list or map or of another one.
func TestQuickReadsApartForMethods(t *testing.T) {
	quickReaders = nil
	for _, text := range []string{`[1,2]`, `[3]`} {
		var list []quickReader
		if err := Decode(ModeJSON, []byte(text), nil, &list); err != nil {
			t.Fatal(err)
		}
	}
	var inside []struct {
		Pair [1]struct{ Reader quickReader }
	}
	if err := Decode(ModeJSON, []byte(`[{"Pair":[{"Reader":4}]}]`), nil, &inside); err != nil {
		t.Fatal(err)
	}
	var table map[string]quickReader
	if err := Decode(ModeJSON, []byte(`{"a":5,"b":6}`), nil, &table); err != nil {
		t.Fatal(err)
	}
	names := ""
	for _, r := range quickReaders {
		names += r.Name
	}
	if names != "123456" {
		t.Errorf("kept %q, want 123456", names)
	}
}

// A value that fails behind its lists takes nothing back from the lists of others, which are read into the same memory.
func TestQuickListsOfOthersStay(t *testing.T) {
	type line struct {
		SKU  string
		Pair [2]int
	}
	lines := "[" + strings.Repeat(`{"sku":"a","Pair":[1,2]},`, 100) + `{"SKU":"a"}]` // names in another case are filled in
	bad := []byte(`{"Lines":` + lines + `,"Slow":[` + strings.Repeat("1,", 3000) + `1],"Count":300}`)
	var failing, reading sync.WaitGroup
	var stop atomic.Bool
	for range 2 {
		failing.Go(func() {
			for !stop.Load() {
				var v struct {
					Lines []line
					Slow  []any
					Count int8
				}
				if Decode(ModeJSON, bad, nil, &v) == nil {
					t.Error("300 is no int8")
					return
				}
			}
		})
	}
	for range 2 {
		reading.Go(func() {
			for range 1000 {
				var got []line
				if err := Decode(ModeJSON, []byte(lines), nil, &got); err != nil {
					t.Error(err)
					return
				}
				for i, l := range got[:100] {
					if l != (line{"a", [2]int{1, 2}}) {
						t.Errorf("line %d is %+v", i, l)
						return
					}
				}
			}
		})
	}
	reading.Wait()
	stop.Store(true)
	failing.Wait()
}
