package superjson_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"net/netip"
	"runtime"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/kkrpc-go/kkrpc/superjson"
)

const partMark = "abcdefghijklmnop"

// beside is the metadata of a text with these parts of type 0.
func beside(meta *superjson.Meta, parts ...[]byte) *superjson.Meta {
	var list []superjson.Part
	for _, p := range parts {
		list = append(list, superjson.Part{Data: p})
	}
	return meta.WithParts(superjson.NewParts(partMark, list))
}

// placeholder is text in which § stands for the mark.
func placeholder(text string) []byte { return []byte(strings.ReplaceAll(text, "§", partMark)) }

// A kept value is not changed by the owner of bytes that it shares a part with.
func TestKeptPartIsNotOwned(t *testing.T) {
	var got struct {
		Owned []byte
		Kept  superjson.Value
		Again []byte
	}
	raw := placeholder(`{"Owned":"§0","Kept":["§1","§0"],"Again":"§0"}`)
	if err := superjson.Decode(superjson.ModeSuperJSON, raw, beside(nil, []byte{1, 2}, []byte{3}), &got); err != nil {
		t.Fatal(err)
	}
	got.Owned[0], got.Again[1] = 9, 9
	var kept [][]byte
	if err := got.Kept.Decode(&kept); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([][]byte{{3}, {1, 2}}, kept); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// allocated is how many bytes do allocates.
func allocated(do func()) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	do()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}

// A short text must not repeat a part any number of times.
func TestRepeatedPart(t *testing.T) {
	if testing.Short() {
		t.Skip("decodes a lot on one goroutine: not under -short")
	}
	const most = 256 << 20 // of 512 MiB that the text names
	raw := placeholder("[" + strings.Repeat(`"§0",`, 2000) + `"§0"]`)
	part := make([]byte, 256<<10)
	keep := func() (v superjson.Value) {
		if err := superjson.Decode(superjson.ModeSuperJSON, raw, beside(nil, part), &v); err != nil {
			t.Fatal(err)
		}
		return v
	}
	decode := func(v any) error {
		return superjson.DecodeMetered(superjson.ModeSuperJSON, raw, beside(nil, part), v, nil, &superjson.Meter{Limit: 16 << 20})
	}
	encode := func(mode superjson.Mode, mark func() string) error {
		e := superjson.NewEncoder(mode)
		e.Beside(mark)
		text, err := e.Append(nil, "", keep())
		size := len(text)
		_, parts := e.Parts()
		for _, p := range parts {
			size += len(p.Data)
		}
		if size > most {
			t.Errorf("a message of %d bytes", size)
		}
		return err
	}
	for name, do := range map[string]func() error{
		"raw JSON":           func() error { return decode(new(json.RawMessage)) },
		"bytes":              func() error { return decode(new([][]byte)) },
		"numbers":            func() error { return decode(new([][]int16)) },
		"kept":               func() error { var a any; return keep().Decode(&a) },
		"kept in JSON":       func() error { return encode(superjson.ModeJSON, nil) },
		"kept in SuperJSON":  func() error { return encode(superjson.ModeSuperJSON, nil) },
		"many kept":          func() error { return decode(new([]superjson.Value)) },
		"kept beside a text": func() error { return encode(superjson.ModeSuperJSON, func() string { return partMark }) },
	} {
		t.Run(name, func(t *testing.T) {
			var err error
			if n := allocated(func() { err = do() }); n > most {
				t.Errorf("%d MiB were allocated, %v", n>>20, err)
			}
		})
	}
}

// A type with a textual form takes no bytes, as it takes none in the text.
func TestPartForText(t *testing.T) {
	for _, mode := range []superjson.Mode{superjson.ModeTaggedJSON, superjson.ModeSuperJSON} {
		var a netip.Addr
		err := superjson.Decode(mode, placeholder(`"§0"`), beside(nil, []byte{1}), &a)
		if _, ok := errors.AsType[*superjson.TypeError](err); !ok {
			t.Errorf("mode %v: %v, %v", mode, a, err)
		}
	}
}

// What a value keeps beside its bytes stays, also where bytes are in the text.
func TestKeptPartInText(t *testing.T) {
	meta, err := superjson.ParseMeta([]byte(`{"values":{"d":["Date"]},"referentialEqualities":{"o":["p","o.o"]}}`))
	if err != nil {
		t.Fatal(err)
	}
	raw := placeholder(`{"z":"\ud800","a.b":["§0"],"n":12345678901234567890,"o":{"o":null},"p":null,"d":"1970-01-01T00:00:00.000Z"}`)
	var v superjson.Value
	if err := superjson.Decode(superjson.ModeSuperJSON, raw, beside(meta, []byte{1, 2}), &v); err != nil {
		t.Fatal(err)
	}
	e := superjson.NewEncoder(superjson.ModeSuperJSON)
	text, err := e.Append(nil, "", v)
	if err != nil {
		t.Fatal(err)
	}
	if want := bytes.ReplaceAll(raw, []byte(`"`+partMark+`0"`), []byte("[1,2]")); string(text) != string(want) {
		t.Errorf("the text is %s", text)
	}
	const want = `{"values":{"d":["Date"],"a\\.b.0":[["typed-array","Uint8Array"]]},"referentialEqualities":{"o":["p","o.o"]},"v":1}`
	if got := string(e.AppendMeta(nil)); got != want {
		t.Errorf("the annotations are\n%s, want\n%s", got, want)
	}
}

// Objects that are shared stand in the text of the JSON modes as often as they are named.
func TestKeptSharesInJSON(t *testing.T) {
	meta, err := superjson.ParseMeta([]byte(`{"referentialEqualities":{"a":["b"]}}`))
	if err != nil {
		t.Fatal(err)
	}
	for name, m := range map[string]*superjson.Meta{"text": meta, "bytes": beside(meta, []byte{1})} {
		var v superjson.Value
		if err := superjson.Decode(superjson.ModeSuperJSON, placeholder(`{"a":{"x":"§0"},"b":null}`), m, &v); err != nil {
			t.Fatal(err)
		}
		text, err := superjson.NewEncoder(superjson.ModeJSON).Append(nil, "", v)
		want := `{"a":{"x":"` + map[string]string{"text": partMark + "0", "bytes": "AQ=="}[name] + `"},`
		want += `"b":` + want[5:len(want)-1] + `}`
		if err != nil || string(text) != want {
			t.Errorf("%s: %s, %v, want %s", name, text, err, want)
		}
	}
}

// Arrays of bytes are copied before the variable that they were written from serves the next value.
func TestPartOfArray(t *testing.T) {
	type hashed struct{ Hash [3]byte }
	e := superjson.NewEncoder(superjson.ModeJSON)
	e.Beside(func() string { return partMark })
	if _, err := e.Append(nil, "", []any{[3]byte{1, 2, 3}, hashed{[3]byte{4, 5, 6}}, hashed{[3]byte{7, 8, 9}}}); err != nil {
		t.Fatal(err)
	}
	_, parts := e.Parts()
	want := []superjson.Part{{Data: []byte{1, 2, 3}}, {Data: []byte{4, 5, 6}}, {Data: []byte{7, 8, 9}}}
	if diff := cmp.Diff(want, parts); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// A typed array takes a part of its own type, and of no other.
func TestPartForTypedArray(t *testing.T) {
	const mark = "abcdefghijklmnop"
	e := superjson.NewEncoder(superjson.ModeJSON)
	e.Beside(func() string { return mark })
	text, err := e.Append(nil, "", superjson.Float32Array{1.5})
	if err != nil {
		t.Fatal(err)
	}
	meta, err := e.Meta()
	if err != nil {
		t.Fatal(err)
	}
	var same superjson.Float32Array
	if err := superjson.Decode(superjson.ModeJSON, text, meta, &same); err != nil || len(same) != 1 || same[0] != 1.5 {
		t.Errorf("%v, %v", same, err)
	}
	var other superjson.Float64Array
	err = superjson.Decode(superjson.ModeJSON, text, meta, &other)
	if mismatch := (*superjson.TypeError)(nil); !errors.As(err, &mismatch) || mismatch.Expected != "Float64Array" || mismatch.Got != "Float32Array" {
		t.Errorf("a Float32Array for a Float64Array: %v", err)
	}
}
