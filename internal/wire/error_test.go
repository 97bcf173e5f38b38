package wire_test

import (
	"errors"
	"math"
	"math/big"
	"reflect"
	"strings"
	"testing"

	"github.com/kkrpc-go/kkrpc/internal/wire"
	"github.com/kkrpc-go/kkrpc/superjson"
)

var errField = errors.New("field failed")

// failing cannot be encoded.
type failing struct{}

func (failing) MarshalJSON() ([]byte, error) { return nil, errField }

func TestParseError(t *testing.T) {
	const c, k, ks, cs = wire.Compact, wire.Classic, wire.ClassicSuperJSON, wire.CompactSuperJSON
	type fields = map[string]any
	for _, row := range []struct {
		name    string
		dialect wire.Dialect
		text    string
		want    wire.Error
	}{
		{"standard", c, `{"n":"E","m":"x","s":"stack"}`, wire.Error{Name: "E", Message: "x"}},
		{"fields", c, `{"n":"E","m":"x","code":"C","d":{"a":[true]}}`, wire.Error{Name: "E", Message: "x", Fields: fields{"code": "C", "d": fields{"a": []any{true}}}}},
		{"fields named name and message override", c, `{"n":"E","m":"x","name":"N","message":"M","stack":"s"}`, wire.Error{Name: "N", Message: "M"}},
		{"no name", c, `{"m":"x"}`, wire.Error{Name: "Error", Message: "x"}},
		{"empty name", c, `{"n":"","m":"x"}`, wire.Error{Name: "Error", Message: "x"}},
		{"null name", c, `{"n":null,"m":"x"}`, wire.Error{Name: "Error", Message: "x"}},
		{"empty", c, `{}`, wire.Error{Name: "Error"}},
		{"numbers", c, `{"n":5,"m":6}`, wire.Error{Name: "5", Message: "6"}},
		{"other types", c, `{"n":true,"m":{}}`, wire.Error{Name: "true", Message: "[object Object]"}},
		{"text", c, `"text"`, wire.Error{Name: "Error", Message: "text"}},
		{"true", c, `true`, wire.Error{Name: "Error"}},
		{"list", c, `[]`, wire.Error{Name: "Error"}},
		{"prototype", c, `{"n":"E","m":"x","__proto__":{"polluted":1}}`, wire.Error{Name: "E", Message: "x"}},
		{"cause", c, `{"n":"E","m":"x","cause":{"name":"C","message":"y","code":true,"cause":{"code":"z"}}}`,
			wire.Error{Name: "E", Message: "x", Cause: &wire.Error{Name: "C", Message: "y", Fields: fields{"code": true}, Cause: fields{"code": "z"}}}},
		{"cause with an empty name", c, `{"n":"E","m":"x","cause":{"name":"","message":""}}`, wire.Error{Name: "E", Message: "x", Cause: &wire.Error{Name: "Error"}}},
		{"cause without name", c, `{"n":"E","m":"x","cause":{"message":"y"}}`, wire.Error{Name: "E", Message: "x", Cause: fields{"message": "y"}}},
		{"cause without message", c, `{"n":"E","m":"x","cause":{"name":"y"}}`, wire.Error{Name: "E", Message: "x", Cause: fields{"name": "y"}}},
		{"cause a value", c, `{"n":"E","m":"x","cause":"y"}`, wire.Error{Name: "E", Message: "x", Cause: "y"}},
		{"cause null", c, `{"n":"E","m":"x","cause":null}`, wire.Error{Name: "E", Message: "x"}},

		{"standard", k, `{"name":"E","message":"x","stack":"s","code":"C"}`, wire.Error{Name: "E", Message: "x", Fields: fields{"code": "C"}}},
		{"short names are fields", k, `{"name":"E","message":"x","n":"1","m":"2","s":"3"}`, wire.Error{Name: "E", Message: "x", Fields: fields{"n": "1", "m": "2", "s": "3"}}},
		{"text", k, `"te\u0078t"`, wire.Error{Name: "Error", Message: "text"}},
		{"no name", k, `{"message":"x"}`, wire.Error{Name: "Error", Message: "[object Object]"}},
		{"no message", k, `{"name":"E","message":""}`, wire.Error{Name: "Error", Message: "[object Object]"}},
		{"true", k, `true`, wire.Error{Name: "Error", Message: "true"}},
		{"null in a stream", k, `null`, wire.Error{Name: "Error", Message: "null"}},
		{"number", ks, `42`, wire.Error{Name: "Error", Message: "42"}},
		{"standard", ks, `{"name":"E","message":"x"}`, wire.Error{Name: "E", Message: "x"}},
		{"standard", cs, `{"n":"E","m":"x"}`, wire.Error{Name: "E", Message: "x"}},
	} {
		got := wire.ParseError(&wire.Message{Dialect: row.dialect, Err: []byte(row.text)}, nil, nil)
		if !reflect.DeepEqual(*got, row.want) {
			t.Errorf("%s, %d: got %#v, want %#v", row.name, row.dialect, *got, row.want)
		}
	}
}

func TestParseErrorAnnotated(t *testing.T) {
	var m wire.Message
	parse := func(text string) *wire.Error {
		t.Helper()
		if err := codecOf(wire.CompactSuperJSON).Parse([]byte(text), &m, 64); err != nil {
			t.Fatal(err)
		}
		return wire.ParseError(&m, nil, nil)
	}
	e := parse(`{"json":{"t":"r","id":"i","e":{"n":"E","m":"x","cause":{"name":"C","message":"y","cause":{"name":"","message":"z"}},"b":"12","u":null}},"meta":{"values":{"e.cause":["Error",{"cause":["Error"]}],"e.b":["bigint"],"e.u":["undefined"]},"v":1}}`)
	cause, _ := e.Cause.(*wire.Error)
	if cause == nil || cause.Name != "C" || cause.Message != "y" {
		t.Fatalf("cause %#v", e.Cause)
	}
	if root, _ := cause.Cause.(*wire.Error); root == nil || root.Name != "Error" || root.Message != "z" {
		t.Errorf("cause of the cause %#v", cause.Cause)
	}
	if b, _ := e.Fields["b"].(*big.Int); b == nil || b.Int64() != 12 || e.Fields["u"] != superjson.Undefined {
		t.Errorf("fields %v", e.Fields)
	}
	if e := parse(`{"json":{"t":"r","id":"i","e":{"name":"C","message":"y"}},"meta":{"values":{"e":["Error"]}}}`); e.Name != "C" || e.Message != "y" {
		t.Errorf("annotated as a whole: %v", e)
	}
	if e := parse(`{"json":{"t":"r","id":"i","e":{"n":"E","m":null,"cause":null}},"meta":{"values":{"e.m":["undefined"],"e.cause":["undefined"]}}}`); e.Message != "" || e.Cause != nil {
		t.Errorf("undefined message and cause: %#v", e)
	}
	if e := parse(`{"json":{"t":"r","id":"i","e":{"n":"E","m":"x","b":"no number"}},"meta":{"values":{"e.b":["bigint"]}}}`); e.Name != "Error" || !strings.HasPrefix(e.Message, "undecodable error: ") {
		t.Errorf("undecodable: %#v", e)
	}
	deep := parse(`{"json":{"t":"r","id":"i","e":{"n":"E","m":"x","cause":` + strings.Repeat(`{"name":"C","message":"y","cause":`, 30) + `1` + strings.Repeat(`}`, 30) + `}}}`)
	n := 0
	for e := deep; e != nil; n++ {
		e, _ = e.Cause.(*wire.Error)
	}
	if n != 17 {
		t.Errorf("%d errors in a chain of 31, want 17", n)
	}
}

func TestAppendError(t *testing.T) {
	circle := &wire.Error{Name: "Error", Message: "c"}
	circle.Cause = circle
	rich := &wire.Error{Name: "E", Message: "x\n", Cause: &wire.Error{Name: "C", Message: "y", Fields: map[string]any{"k": true, "stack": "s"}, Cause: "root"},
		Fields: map[string]any{"z": true, "a.b": []any{}, "n": "n", "m": "m", "s": "s", "name": 1, "message": 1, "stack": 1, "cause": 1, "__proto__": 1, "u": superjson.Undefined}}
	for _, row := range []struct {
		name    string
		dialect wire.Dialect
		e       *wire.Error
		want    string
	}{
		{"plain", wire.Compact, &wire.Error{Name: "E", Message: "x"}, `{"t":"r","id":"i","e":{"n":"E","m":"x"}}`},
		{"plain", wire.CompactSuperJSON, &wire.Error{Name: "E", Message: "x"}, `{"json":{"t":"r","id":"i","e":{"n":"E","m":"x"}}}`},
		{"plain", wire.Classic, &wire.Error{Name: "E", Message: "x"}, `{"id":"i","method":"","args":{"error":{"name":"E","message":"x"}},"type":"response","version":"json"}` + "\n"},
		{"plain", wire.ClassicSuperJSON, &wire.Error{Name: "E", Message: "x"}, `{"json":{"id":"i","method":"","args":{"error":{"name":"E","message":"x"}},"type":"response","version":"superjson"}}` + "\n"},
		{"text", wire.Classic, &wire.Error{Name: "E", Message: `x"`, Text: true, Fields: map[string]any{"a": 1}}, `{"id":"i","method":"","args":{"error":"x\""},"type":"response","version":"json"}` + "\n"},
		{"text", wire.ClassicSuperJSON, &wire.Error{Name: "E", Message: "x", Text: true}, `{"json":{"id":"i","method":"","args":{"error":"x"},"type":"response","version":"superjson"}}` + "\n"},
		{"rich", wire.Compact, rich, `{"t":"r","id":"i","e":{"n":"E","m":"x\n","cause":{"name":"C","message":"y","cause":"root","k":true},"a.b":[],"z":true}}`},
		{"rich", wire.Classic, rich, `{"id":"i","method":"","args":{"error":{"name":"E","message":"x\n","cause":{"name":"C","message":"y","cause":"root","k":true},"a.b":[],"m":"m","n":"n","s":"s","z":true}},"type":"response","version":"json"}` + "\n"},
		{"rich", wire.CompactSuperJSON, rich, `{"json":{"t":"r","id":"i","e":{"n":"E","m":"x\n","cause":{"name":"C","message":"y","cause":"root"},"a.b":[],"u":null,"z":true}},"meta":{"values":{"e.cause":["Error"],"e.u":["undefined"]},"v":1}}`},
		{"escaped path", wire.ClassicSuperJSON, &wire.Error{Name: "E", Message: "x", Fields: map[string]any{`a.b\c`: big.NewInt(7)}}, `{"json":{"id":"i","method":"","args":{"error":{"name":"E","message":"x","a.b\\c":"7"}},"type":"response","version":"superjson"},"meta":{"values":{"args.error.a\\.b\\\\c":["bigint"]},"v":1}}` + "\n"},
		{"circle", wire.Compact, circle, `{"t":"r","id":"i","e":{"n":"Error","m":"c"` + strings.Repeat(`,"cause":{"name":"Error","message":"c"`, 16) + strings.Repeat("}", 18)},
		{"circle", wire.CompactSuperJSON, circle, `{"json":{"t":"r","id":"i","e":{"n":"Error","m":"c"` + strings.Repeat(`,"cause":{"name":"Error","message":"c"`, 16) + strings.Repeat("}", 18) +
			`,"meta":{"values":{"e.cause":` + strings.Repeat(`["Error",{"cause":`, 15) + `["Error"]` + strings.Repeat(`}]`, 15) + `},"v":1}}`},
	} {
		var values *superjson.Encoder
		if row.dialect.Mode() == superjson.ModeSuperJSON {
			values = superjson.NewEncoder(superjson.ModeSuperJSON)
		}
		got, err := codecOf(row.dialect).AppendError([]byte("before "), []byte(`"i"`), row.e, values)
		if err != nil || string(got) != "before "+row.want {
			t.Errorf("%s, %d:\n got %s, %v\nwant %s", row.name, row.dialect, got, err, row.want)
		}
	}
}

func TestAppendErrorFails(t *testing.T) {
	for d, c := range codecs {
		for name, e := range map[string]*wire.Error{
			"field":          {Name: "E", Message: "x", Fields: map[string]any{"a": 1, "bad": failing{}}},
			"cause":          {Name: "E", Message: "x", Cause: failing{}},
			"cause's cause":  {Name: "E", Message: "x", Cause: &wire.Error{Name: "C", Message: "y", Cause: failing{}}},
			"infinite field": {Name: "E", Message: "x", Cause: &wire.Error{Name: "C", Message: "y", Fields: map[string]any{"x": math.Inf(1), "y": failing{}}}},
		} {
			var values *superjson.Encoder
			if d.Mode() == superjson.ModeSuperJSON {
				if name == "infinite field" {
					continue // errors in errors have no fields there
				}
				values = superjson.NewEncoder(superjson.ModeSuperJSON)
			}
			if got, err := c.AppendError([]byte("before"), []byte(`1`), e, values); err == nil || string(got) != "before" {
				t.Errorf("%s, %d: %s, %v", name, d, got, err)
			}
			if got, err := c.AppendStreamError([]byte("before"), []byte(`1`), []byte(`"s"`), e, values); err == nil || string(got) != "before" {
				t.Errorf("%s, %d, stream: %s, %v", name, d, got, err)
			}
		}
	}
}

func FuzzParseError(f *testing.F) {
	f.Add(`{"n":"E","m":"x","cause":{"name":"C","message":"y"}}`, `{"values":{"e.cause":["Error"]}}`, false)
	f.Add(`{"name":"E","message":"x","a":"1"}`, `{"values":{"args.error.a":["bigint"]}}`, true)
	f.Fuzz(func(t *testing.T, text, meta string, old bool) {
		d, frame := wire.CompactSuperJSON, `{"json":{"t":"r","id":"i","e":`+text+`},"meta":`+meta+`}`
		if old {
			d, frame = wire.ClassicSuperJSON, `{"json":{"type":"response","id":"i","args":{"error":`+text+`}},"meta":`+meta+`}`
		}
		var m wire.Message
		if codecOf(d).Parse([]byte(frame), &m, 64) != nil || m.Err == nil {
			return
		}
		e := wire.ParseError(&m, nil, nil)
		if e.Name == "" {
			t.Fatal("no name")
		}
		// What was read can be written, and reads the same.
		out, err := codecOf(d).AppendError(nil, m.ID, e, superjson.NewEncoder(superjson.ModeSuperJSON))
		if err != nil {
			t.Skip(err)
		}
		var again wire.Message
		if err := codecOf(d).Parse(out, &again, 1000); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
		if e2 := wire.ParseError(&again, nil, nil); (!old || e.Message != "") && (e2.Name != e.Name || e2.Message != e.Message || len(e2.Fields) != len(e.Fields)) {
			t.Fatalf("%#v\n%#v\n%s", e, e2, out)
		}
	})
}
